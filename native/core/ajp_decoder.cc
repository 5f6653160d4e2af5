// One whole packet after the other; what a packet is depends on the state (Apache JServ
// Protocol 1.3, ajpv13a). It asks for nothing and answers nothing: that is TypeScript's, which
// tells us by notes. Twin: src/protocols/ajp/decoder.ts.
#include "ajp_decoder.h"

#include <algorithm>

#include "ajp_constants.h"
#include "content_length.h"

namespace postern {
namespace {

constexpr uint32_t kExchange = 1;
// The request has no Content-Length.
constexpr int64_t kLengthAbsent = -2;
// Instead of an offset: stop here, the bytes from here on stay.
constexpr uint32_t kStop = UINT32_MAX;
// Most event rows of one packet: BEGIN, HEAD, BODY_END.
constexpr uint32_t kRowsMax = 3;

// Methods that have no body unless a header says so: OPTIONS, GET, HEAD, DELETE, TRACE.
bool IsBodiless(uint32_t method) {
  return method == 1 || method == 2 || method == 3 || method == 6 || method == 7;
}

}  // namespace

AjpDecoder::AjpDecoder(const Ring& ring, RowWriter& rows, const DecoderOptions& options)
    : bytes_(ring.bytes),
      rows_(rows),
      request_(ring.bytes, rows_, options),
      payload_max_(static_cast<int64_t>(std::min<uint64_t>(options.ajp_packet_bytes, UINT32_MAX)) -
                   ajp::kHeaderBytes),
      body_bytes_(options.body_bytes),
      raw_body_(options.ajp_raw_body),
      streams_bodies_(options.streams_bodies) {}

uint32_t AjpDecoder::Decode(uint32_t start, uint32_t end) {
  more_ = false;
  uint32_t at = start;
  while (at < end) {
    if (state_ == State::kDead) {
      at = end;
      break;
    }
    const uint32_t next = Packet(at, end);
    if (next == kStop) break;
    at = next;
  }
  return rows_.End(at, more_);
}

void AjpDecoder::NoteEvent(uint32_t event, uint32_t /*exchange_id*/) {
  if (event == Note::kAsked) {
    if (state_ == State::kOpen) due_++;
  } else if (event == Note::kEnded) {
    is_open_ = false;
    if (state_ == State::kOpen) state_ = due_ == 0 ? State::kIdle : State::kLeftover;
  }
}

// One ERROR row, of the exchange or (0) of the connection; then everything is dropped.
uint32_t AjpDecoder::Fail(uint32_t exchange_id, ErrorNumber number, uint32_t end) {
  rows_.Event(RowKind::kError, exchange_id, 0, 0, static_cast<uint32_t>(number));
  state_ = State::kDead;
  return end;
}

// An error of connection scope: of exchange 1 while that is open.
uint32_t AjpDecoder::Kill(ErrorNumber number, uint32_t end) {
  return Fail(is_open_ ? kExchange : 0, number, end);
}

// One packet at `at`. Precondition: at < end.
uint32_t AjpDecoder::Packet(uint32_t at, uint32_t end) {
  if (!rows_.HasRoom(kRowsMax, 0)) {
    more_ = true;
    return kStop;
  }
  if (part_bytes_ > 0) {
    const uint32_t n = std::min(part_bytes_, end - at);
    TakePart(at, n, 0);
    return at + n;
  }
  // Judged byte by byte: a peer of another protocol may never send the rest.
  if (bytes_.U8(at) != ajp::kMagicHigh) return Kill(Error::kAjpMagic, end);
  if (end - at < 2) return kStop;
  if (bytes_.U8(at + 1) != ajp::kMagicLow) return Kill(Error::kAjpMagic, end);
  if (end - at < ajp::kHeaderBytes) return kStop;
  const uint32_t length = bytes_.U16(at + 2);
  if (length > payload_max_) return Kill(Error::kAjpPacketBytes, end);
  const uint32_t start = at + ajp::kHeaderBytes;
  if (end - start < length) return streams_bodies_ ? BeginParts(start, length, end) : kStop;
  const uint32_t next = start + length;
  switch (state_) {
    case State::kIdle:
      return IdlePacket(start, next, end);
    case State::kLeftover:
      EndLeftover();
      return next;
    case State::kOpen:
    case State::kDead:
      break;
  }
  if (due_ > 0) return BodyPacket(start, next, end);
  // lighttpd sends an empty packet after every request without a body (A14).
  return length == 0 ? next : Kill(Error::kAjpPacketType, end);
}

uint32_t AjpDecoder::IdlePacket(uint32_t start, uint32_t next, uint32_t end) {
  if (start == next) return next;
  switch (bytes_.U8(start)) {
    case ajp::PacketType::kCping:
      rows_.Event(RowKind::kControl, 0, 0, 0, ajp::PacketType::kCping);
      return next;
    case ajp::PacketType::kForwardRequest:
      return ForwardRequest(start, next, end);
    default:
      return Kill(Error::kAjpPacketType, end);
  }
}

uint32_t AjpDecoder::ForwardRequest(uint32_t start, uint32_t next, uint32_t end) {
  const uint32_t first_row = rows_.field_count();
  const ErrorNumber failure = request_.Write(start, next);
  if (failure != Error::kNone) {
    rows_.RewindFields(first_row);
    return Fail(failure == Error::kAjpForward ? 0 : kExchange, failure, end);
  }
  const int64_t length = ReadLength();
  const bool is_over = length > 0 && static_cast<uint64_t>(length) > body_bytes_;
  if (length == kLengthInvalid || is_over) {
    rows_.RewindFields(first_row);
    return Fail(kExchange, is_over ? Error::kLimitBodyBytes : Error::kContentLength, end);
  }
  uint32_t kind = BodyKind::kKnown;
  if (length == 0) {
    kind = BodyKind::kNone;
  } else if (length == kLengthAbsent) {
    const bool is_bodiless = IsBodiless(request_.method()) && !request_.has_transfer_encoding();
    kind = is_bodiless ? BodyKind::kNone : BodyKind::kUnknown;
  }
  rows_.Event(RowKind::kBegin, kExchange, 0, 0, Role::kResponder | kKeepConnection);
  rows_.Event(RowKind::kHead, kExchange, first_row, rows_.field_count() - first_row, kind);
  if (kind == BodyKind::kNone) rows_.Event(RowKind::kBodyEnd, kExchange, 0, 0, 0);
  is_open_ = true;
  body_ended_ = kind == BodyKind::kNone;
  content_length_ = kind == BodyKind::kKnown ? length : -1;
  seen_bytes_ = 0;
  state_ = State::kOpen;
  due_ = kind == BodyKind::kKnown ? 1 : 0;
  return next;
}

// Content-Length of the request just read: digits; absent; or invalid, also when it is there twice.
int64_t AjpDecoder::ReadLength() const {
  if (request_.content_length_length() < 0) return kLengthAbsent;
  if (request_.content_length_twice()) return kLengthInvalid;
  return ReadContentLength(bytes_, request_.content_length_start(),
                           static_cast<uint32_t>(request_.content_length_length()));
}

// A body packet: inner length and bytes, or (ajp.rawBody) bytes alone; none of them: the end
// marker.
uint32_t AjpDecoder::BodyPacket(uint32_t start, uint32_t next, uint32_t end) {
  uint32_t from = start;
  uint32_t count = next - start;
  if (!raw_body_ && count > 0) {
    if (count < 2) return Kill(Error::kAjpBodyLength, end);
    const uint32_t inner = bytes_.U16(start);
    const bool fits = count == inner + 2 || (count == inner + 3 && bytes_.U8(next - 1) == 0);
    if (!fits) return Kill(Error::kAjpBodyLength, end);
    from = start + 2;
    count = inner;
  }
  if (count == 0) {
    due_--;
    return EndMarker(next, end);
  }
  const ErrorNumber failure = JudgeBody(count);
  if (failure != Error::kNone) return Kill(failure, end);
  packet_bytes_ = count;
  part_bytes_ = count;
  TakePart(from, count, 0);
  return next;
}

// May so many bytes more come?
ErrorNumber AjpDecoder::JudgeBody(uint32_t count) const {
  if (body_ended_) return Error::kAjpBodyExcess;
  const uint64_t seen_bytes = seen_bytes_ + count;
  if (content_length_ < 0) return seen_bytes > body_bytes_ ? Error::kLimitBodyBytes : Error::kNone;
  return seen_bytes > static_cast<uint64_t>(content_length_) ? Error::kAjpBodyExcess : Error::kNone;
}

// A packet of `length` bytes that is not whole. What may not be taken in parts waits until it is:
// what is no body packet, or is wrong, or has a byte behind its body.
uint32_t AjpDecoder::BeginParts(uint32_t start, uint32_t length, uint32_t end) {
  if (state_ != State::kOpen || due_ == 0) return kStop;
  const uint32_t from = raw_body_ ? start : start + 2;
  if (from > end) return kStop;
  const uint32_t count = raw_body_ ? length : bytes_.U16(start);
  if (count == 0 || length != count + (from - start)) return kStop;
  if (JudgeBody(count) != Error::kNone) return kStop;
  packet_bytes_ = count;
  part_bytes_ = count;
  return from;
}

// `n` bytes of the body packet under way. Precondition: n <= part_bytes_.
void AjpDecoder::TakePart(uint32_t start, uint32_t n, uint32_t detail) {
  part_bytes_ -= n;
  const bool is_whole = part_bytes_ == 0;
  if (state_ == State::kLeftover) {
    if (is_whole) EndLeftover();
    return;
  }
  seen_bytes_ += n;
  rows_.Event(RowKind::kBody, kExchange, start, n, is_whole ? detail : detail | BodyDetail::kPart);
  if (!is_whole) return;
  due_--;
  if (content_length_ >= 0 && seen_bytes_ == static_cast<uint64_t>(content_length_)) EndBody();
}

// A packet of an ended request is over.
void AjpDecoder::EndLeftover() {
  if (--due_ > 0) return;
  rows_.Event(RowKind::kBodyEnd, kExchange, 0, 0, 1);
  state_ = State::kIdle;
}

// Packets that were asked for together come together, and mostly full.
BodyOutlook AjpDecoder::Outlook() const {
  BodyOutlook outlook;
  if (state_ != State::kOpen || body_ended_ || due_ == 0) return outlook;
  outlook.ahead_bytes = part_bytes_;
  outlook.gap_bytes = ajp::kHeaderBytes + (raw_body_ ? 0 : 2);
  outlook.frame_bytes = packet_bytes_;
  outlook.due_frames = part_bytes_ > 0 ? due_ - 1 : due_;
  outlook.due_bytes = UINT64_MAX;
  if (content_length_ >= 0) {
    outlook.due_bytes = static_cast<uint64_t>(content_length_) - seen_bytes_ - part_bytes_;
  }
  return outlook;
}

// The peer has no more body: the end of an unknown length, too early for a known one.
uint32_t AjpDecoder::EndMarker(uint32_t next, uint32_t end) {
  if (body_ended_) return next;
  if (content_length_ >= 0) return Fail(kExchange, Error::kBodyShort, end);
  EndBody();
  return next;
}

void AjpDecoder::EndBody() {
  body_ended_ = true;
  rows_.Event(RowKind::kBodyEnd, kExchange, 0, 0, 0);
}

}  // namespace postern
