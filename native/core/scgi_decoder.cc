// Length, headers, comma, body: one step after the other (SCGI protocol document).
// It answers nothing. Headers are read in place when they and their comma are all in one read, else
// gathered. Twin: src/protocols/scgi/decoder.ts.
#include "scgi_decoder.h"

#include <algorithm>

#include "content_length.h"

namespace postern {
namespace {

constexpr uint32_t kExchange = 1;

}  // namespace

ScgiDecoder::ScgiDecoder(const Ring& ring, RowWriter& rows, const DecoderOptions& options)
    : ring_(ring),
      rows_(rows),
      headers_(rows, options),
      head_bytes_(std::min<uint64_t>(options.head_bytes, ring.head_end - ring.read_end)),
      body_bytes_(options.body_bytes) {}

uint32_t ScgiDecoder::Decode(uint32_t start, uint32_t end) {
  uint32_t at = start;
  while (at < end) {
    if (state_ == State::kWaiting) break;
    at = Step(at, end);
  }
  return rows_.End(at, false);
}

void ScgiDecoder::NoteEvent(uint32_t event, uint32_t /*exchange_id*/) {
  if (event == Note::kEnded) {
    is_quiet_ = state_ == State::kAfterBody;
    state_ = State::kDead;
    gather_.Release();
  } else if (event == Note::kUpgraded) {
    if (state_ == State::kInBody || state_ == State::kAfterBody || state_ == State::kWaiting) {
      state_ = State::kUpgraded;
    }
  }
}

uint32_t ScgiDecoder::Step(uint32_t at, uint32_t end) {
  switch (state_) {
    case State::kInLength:
      return Length(at, end);
    case State::kInHeaders:
      return Head(at, end);
    case State::kExpectComma:
      return Comma(at, end);
    case State::kInBody:
      return Body(at, end);
    case State::kUpgraded:
      rows_.Event(RowKind::kBody, kExchange, at, end - at, 0);
      return end;
    case State::kAfterBody:
    case State::kWaiting:
    case State::kDead:
      break;
  }
  return end;
}

// One ERROR row, of the exchange or (0) of the connection; then everything is dropped.
uint32_t ScgiDecoder::Fail(uint32_t exchange_id, ErrorNumber number, uint32_t end) {
  rows_.Event(RowKind::kError, exchange_id, 0, 0, static_cast<uint32_t>(number));
  state_ = State::kDead;
  gather_.Release();
  return end;
}

// Digits without leading zero, then a colon; refused at the digit that passes the limit (S10d).
uint32_t ScgiDecoder::Length(uint32_t at, uint32_t end) {
  const uint32_t byte = ring_.bytes.U8(at);
  if (byte == ':' && digits_ > 0) {
    if (headers_length_ == 0) return Fail(0, Error::kScgiHeaders, end);
    state_ = State::kInHeaders;
    return at + 1;
  }
  const uint32_t digit = byte - '0';
  const bool leading_zero = digits_ > 0 && headers_length_ == 0;
  if (digit > 9 || leading_zero) return Fail(0, Error::kScgiLength, end);
  digits_++;
  headers_length_ = headers_length_ * 10 + digit;
  if (headers_length_ > head_bytes_) return Fail(kExchange, Error::kLimitHeadBytes, end);
  return at + 1;
}

// The headers: read in place if they and their comma are all here, else gathered.
uint32_t ScgiDecoder::Head(uint32_t at, uint32_t end) {
  // At most head_bytes_, which is at most the ring's head area.
  const uint32_t length = static_cast<uint32_t>(headers_length_);
  if (gather_.length() == 0 && end - at > length) {
    if (ring_.bytes.U8(at + length) != ',') return Fail(0, Error::kScgiComma, end);
    return FinishHead(at, at + length + 1, end);
  }
  const uint32_t n = std::min(length - gather_.length(), end - at);
  gather_.Append(ring_.bytes, at, n, head_bytes_);
  if (gather_.length() == length) state_ = State::kExpectComma;
  return at + n;
}

// The comma behind gathered headers.
uint32_t ScgiDecoder::Comma(uint32_t at, uint32_t end) {
  if (ring_.bytes.U8(at) != ',') return Fail(0, Error::kScgiComma, end);
  const uint32_t start = ring_.read_end + rows_.head_bytes();
  const uint32_t length = gather_.length();
  gather_.CopyTo(ring_.bytes, start);
  rows_.TakeHeadBytes(length);
  gather_.Release();
  return FinishHead(start, at + 1, end);
}

// The comma has come: rows of the head, or the first thing that is wrong with it.
// Precondition: the headers lie at ring offset `start`, in place or in the head area; `next` is
// after the comma.
uint32_t ScgiDecoder::FinishHead(uint32_t start, uint32_t next, uint32_t end) {
  const uint32_t headers_end = start + static_cast<uint32_t>(headers_length_);
  const uint32_t first_row = rows_.field_count();
  const ErrorNumber failure = headers_.Write(ring_.bytes, start, headers_end, rows_);
  if (failure != Error::kNone) {
    rows_.RewindFields(first_row);
    return Fail(failure == Error::kScgiHeaders ? 0 : kExchange, failure, end);
  }
  const ContentLengthField& field = headers_.content_length();
  int64_t length = kLengthInvalid;
  if (!field.conflicting() && field.length() >= 0) {
    length = ReadContentLength(ring_.bytes, field.start(), static_cast<uint32_t>(field.length()));
  }
  if (length == kLengthInvalid) return Fail(kExchange, Error::kContentLength, end);
  due_bytes_ = static_cast<uint64_t>(length);
  if (due_bytes_ > body_bytes_) return Fail(kExchange, Error::kLimitBodyBytes, end);
  if (headers_.breaks_strict_rules()) return Fail(0, Error::kScgiStrict, end);
  rows_.Event(RowKind::kBegin, kExchange, 0, 0, Role::kResponder);
  const uint32_t kind = length == 0 ? BodyKind::kNone : BodyKind::kKnown;
  rows_.Event(RowKind::kHead, kExchange, first_row, rows_.field_count() - first_row, kind);
  if (length > 0) {
    state_ = State::kInBody;
  } else {
    rows_.Event(RowKind::kBodyEnd, kExchange, 0, 0, 0);
    state_ = headers_.asks_upgrade() ? State::kWaiting : State::kAfterBody;
  }
  return next;
}

uint32_t ScgiDecoder::Body(uint32_t at, uint32_t end) {
  const uint32_t n = static_cast<uint32_t>(std::min<uint64_t>(due_bytes_, end - at));
  TakeBody(at, n, 0);
  return at + n;
}

void ScgiDecoder::TakeBody(uint32_t start, uint32_t n, uint32_t detail) {
  rows_.Event(RowKind::kBody, kExchange, start, n, detail);
  due_bytes_ -= n;
  if (due_bytes_ > 0) return;
  rows_.Event(RowKind::kBodyEnd, kExchange, 0, 0, 0);
  state_ = State::kAfterBody;
}

BodyOutlook ScgiDecoder::Outlook() const {
  BodyOutlook outlook;
  if (state_ == State::kInBody) {
    outlook.ahead_bytes = static_cast<uint32_t>(std::min<uint64_t>(due_bytes_, UINT32_MAX));
  }
  return outlook;
}

}  // namespace postern
