// Fields written, the body's length judged, then HEAD (FastCGI specification §5.2; RFC 3875
// §4.1.2). It decides nothing about the connection. Field rows are taken back whenever HEAD is not
// written. Twin: src/protocols/fastcgi/params-head.ts.
#include "fastcgi_params_head.h"

#include "content_length.h"

namespace postern {
namespace {

// Nothing is known of the body's length.
constexpr int64_t kLengthUnknown = -1;
// CONTENT_LENGTH is no length.
constexpr int64_t kLengthWrong = -2;

}  // namespace

ParamsResult HeadWriter::WriteGathered(RequestSlot& slot) {
  const uint32_t length = slot.gather.length();
  if (slot.scan_offset != length) return ParamsResult::Failure(Error::kFcgiParams);
  // Heads gathered since Begin() stand one after the other.
  const uint32_t start = ring_.read_end + rows_.head_bytes();
  if (length > ring_.head_end - start) return {ParamsResult::Kind::kNoRoom, Error::kNone};
  slot.gather.CopyTo(ring_.bytes, start);
  const uint32_t end = start + length;
  const ParamsResult result = WriteHead(slot, start, end);
  if (result.kind == ParamsResult::Kind::kWell) rows_.TakeHeadBytes(length);
  return result;
}

ParamsResult HeadWriter::WriteHead(RequestSlot& slot, uint32_t start, uint32_t end) {
  const uint32_t first_row = rows_.field_count();
  const ParamsResult result = params_.Write(ring_.bytes, start, end, rows_);
  if (result.kind != ParamsResult::Kind::kWell) return result;
  const int64_t length = ReadLength();
  if (length == kLengthWrong) {
    rows_.RewindFields(first_row);
    return ParamsResult::Failure(Error::kContentLength);
  }
  slot.content_length = length;
  uint32_t kind = BodyKind::kKnown;
  if (slot.role == Role::kAuthorizer || length == 0) {
    kind = BodyKind::kNone;
  } else if (length == kLengthUnknown) {
    kind = BodyKind::kUnknown;
  }
  if (kind == BodyKind::kKnown && static_cast<uint64_t>(length) > body_bytes_) {
    rows_.RewindFields(first_row);
    return ParamsResult::Failure(Error::kLimitBodyBytes);
  }
  slot.state = RequestState::kInBody;
  slot.gather.Release();
  rows_.Event(RowKind::kHead, slot.id, first_row, rows_.field_count() - first_row, kind);
  if (kind == BodyKind::kNone) {
    rows_.Event(RowKind::kBodyEnd, slot.id, 0, 0, 0);
    slot.body_ended = true;
  }
  return result;
}

// Body length of the head just read: digits; unknown for none, empty and "-1" (Caddy, IIS); or
// wrong.
int64_t HeadWriter::ReadLength() const {
  const ContentLengthField& field = params_.content_length();
  if (field.conflicting()) return kLengthWrong;
  if (field.length() <= 0) return kLengthUnknown;
  const uint32_t field_length = static_cast<uint32_t>(field.length());
  if (field_length == 2 && ring_.bytes.Equals(field.start(), "-1", 2)) return kLengthUnknown;
  const int64_t length = ReadContentLength(ring_.bytes, field.start(), field_length);
  return length == kLengthInvalid ? kLengthWrong : length;
}

}  // namespace postern
