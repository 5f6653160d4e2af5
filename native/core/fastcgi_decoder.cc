// One record after the other: header, content, padding (FastCGI specification §3.3).
// It keeps no bytes of its own; what a record means to its request is told to RequestStreams and
// HeadWriter. Twin: src/protocols/fastcgi/decoder.ts.
#include "fastcgi_decoder.h"

#include <algorithm>

#include "fastcgi_constants.h"

namespace postern {

using fastcgi::kHeaderBytes;
using fastcgi::RecordType;

namespace {

// Instead of an offset: stop here, the bytes from here on stay.
constexpr uint32_t kStop = UINT32_MAX;

// Errors that only the end of PARAMS can show.
bool IsEndFailure(ErrorNumber number) {
  return number == Error::kFcgiParams || number == Error::kContentLength ||
         number == Error::kLimitBodyBytes;
}

// The options with those limits lowered that the ring and the tables do not have room for.
DecoderOptions Fit(DecoderOptions options, const Ring& ring, const RowWriter& rows) {
  options.head_bytes = std::min<uint64_t>(options.head_bytes, ring.head_end - ring.read_end);
  options.field_count = std::min<uint64_t>(options.field_count, rows.field_limit());
  return options;
}

}  // namespace

FastcgiDecoder::FastcgiDecoder(const Ring& ring, RowWriter& rows, const DecoderOptions& options)
    : bytes_(ring.bytes),
      rows_(rows),
      head_bytes_(Fit(options, ring, rows).head_bytes),
      head_records_(options.head_records),
      requests_max_(options.requests_per_connection),
      params_(Fit(options, ring, rows)),
      heads_(ring, rows_, params_, options.body_bytes),
      streams_(rows_, requests_, params_, options.body_bytes, head_bytes_) {}

uint32_t FastcgiDecoder::Decode(uint32_t start, uint32_t end) {
  more_ = false;
  uint32_t at = start;
  while (at < end) {
    uint32_t next = end;
    switch (state_) {
      case State::kExpectHeader:
        next = HasRoom() ? Header(at, end) : kStop;
        break;
      case State::kInContent:
        if (HasRoom()) {
          next = at + std::min(content_bytes_, end - at);
          Content(at, next - at, 0);
        } else {
          next = kStop;
        }
        break;
      case State::kInPadding:
        next = Padding(at, end);
        break;
      case State::kDead:
        break;
    }
    if (next == kStop) break;
    at = next;
  }
  return rows_.End(at, more_);
}

void FastcgiDecoder::NoteEvent(uint32_t event, uint32_t exchange_id) {
  streams_.NoteEvent(event, exchange_id);
}

// No record makes more than two event rows at once.
bool FastcgiDecoder::HasRoom() {
  if (rows_.HasRoom(2, 0)) return true;
  more_ = true;
  return false;
}

// Ends the connection for this decoder: one row, then nothing.
uint32_t FastcgiDecoder::Kill(ErrorNumber number, uint32_t end) {
  rows_.Event(RowKind::kError, 0, 0, 0, static_cast<uint32_t>(number));
  state_ = State::kDead;
  return end;
}

uint32_t FastcgiDecoder::Padding(uint32_t at, uint32_t end) {
  const uint32_t n = std::min(padding_bytes_, end - at);
  padding_bytes_ -= n;
  if (padding_bytes_ == 0) state_ = State::kExpectHeader;
  return at + n;
}

// Precondition: n <= content_bytes_.
void FastcgiDecoder::Content(uint32_t at, uint32_t n, uint32_t detail) {
  streams_.Content(bytes_, at, n, detail);
  content_bytes_ -= n;
  if (content_bytes_ == 0) {
    state_ = padding_bytes_ > 0 ? State::kInPadding : State::kExpectHeader;
  }
}

// Records of a body are mostly of one size, with one length of padding.
BodyOutlook FastcgiDecoder::Outlook() const {
  BodyOutlook outlook;
  const uint64_t due = state_ == State::kDead ? 0 : streams_.BodyDue();
  if (due == 0) return outlook;
  const bool inside = state_ == State::kInContent;
  if (inside) outlook.ahead_bytes = static_cast<uint32_t>(std::min<uint64_t>(due, content_bytes_));
  outlook.gap_bytes = kHeaderBytes + (inside ? record_padding_bytes_ : padding_bytes_);
  outlook.frame_bytes = record_bytes_;
  outlook.due_bytes = due - outlook.ahead_bytes;
  outlook.due_frames = UINT64_MAX;
  return outlook;
}

// The header of the current record is done: content, padding or the next header comes.
uint32_t FastcgiDecoder::Accept(uint32_t at) {
  if (content_bytes_ > 0) {
    state_ = State::kInContent;
  } else {
    state_ = padding_bytes_ > 0 ? State::kInPadding : State::kExpectHeader;
  }
  return at + kHeaderBytes;
}

uint32_t FastcgiDecoder::Skip(uint32_t at) {
  streams_.Skip();
  return Accept(at);
}

uint32_t FastcgiDecoder::Header(uint32_t at, uint32_t end) {
  // Judged before the rest of the header: a peer of another protocol may never send it (F17l).
  if (bytes_.U8(at) != fastcgi::kVersion) return Kill(Error::kFcgiVersion, end);
  if (end - at < kHeaderBytes) return kStop;
  const uint32_t type = bytes_.U8(at + 1);
  const uint32_t id = bytes_.U16(at + 2);
  content_bytes_ = bytes_.U16(at + 4);
  padding_bytes_ = bytes_.U8(at + 6);
  record_bytes_ = content_bytes_;
  record_padding_bytes_ = padding_bytes_;
  switch (type) {
    case RecordType::kBeginRequest:
      return Begin(id, at, end);
    case RecordType::kAbortRequest:
    case RecordType::kParams:
    case RecordType::kStdin:
    case RecordType::kData:
      if (id == fastcgi::kNullRequestId) return Kill(Error::kFcgiRequestId, end);
      return Record(type, id, at, end);
    case RecordType::kEndRequest:
    case RecordType::kStdout:
    case RecordType::kStderr:
      return Kill(Error::kFcgiDirection, end);
    case RecordType::kGetValues:
    case RecordType::kGetValuesResult:
    case RecordType::kUnknownType:
      return Control(type, id, at, end);
    default:
      if (id != fastcgi::kNullRequestId) return Record(type, id, at, end);
      return Control(type, id, at, end);
  }
}

// Management records and those of the wrong direction that are dropped (§4).
uint32_t FastcgiDecoder::Control(uint32_t type, uint32_t id, uint32_t at, uint32_t end) {
  const bool asked = type == RecordType::kGetValues && id == fastcgi::kNullRequestId;
  // Precondition of the subtraction: the header is there.
  if (asked && end - at - kHeaderBytes < content_bytes_) return kStop;
  controls_++;
  if (controls_ > kControlsMax) return Kill(Error::kFcgiControls, end);
  if (asked) {
    rows_.Event(RowKind::kControl, 0, at + kHeaderBytes, content_bytes_, type);
  } else if (type < RecordType::kBeginRequest || type > RecordType::kUnknownType) {
    rows_.Event(RowKind::kControl, 0, 0, 0, type);
  }
  return Skip(at);
}

uint32_t FastcgiDecoder::Begin(uint32_t id, uint32_t at, uint32_t end) {
  if (id == fastcgi::kNullRequestId) return Kill(Error::kFcgiRequestId, end);
  if (content_bytes_ != fastcgi::kBodyBytes) return Kill(Error::kFcgiBeginLength, end);
  if (end - at < kHeaderBytes + fastcgi::kBodyBytes) return kStop;
  if (requests_.Find(id) != nullptr) return Kill(Error::kFcgiDuplicateBegin, end);
  const uint32_t role = bytes_.U16(at + 8);
  ErrorNumber refusal = Error::kNone;
  if (role < Role::kResponder || role > Role::kFilter) {
    refusal = Error::kFcgiRole;
  } else if (requests_.active_count() >= requests_max_) {
    refusal = requests_max_ == 1 ? Error::kFcgiCantMpx : Error::kFcgiOverloaded;
  }
  if (refusal != Error::kNone) {
    refusals_++;
    if (refusals_ > kRefusalsMax) return Kill(Error::kFcgiRefusals, end);
    rows_.Event(RowKind::kError, id, 0, 0, static_cast<uint32_t>(refusal));
  } else {
    const bool keep = (bytes_.U8(at + 10) & fastcgi::BeginFlag::kKeepConn) != 0;
    requests_.Begin(id, role);
    rows_.Event(RowKind::kBegin, id, 0, 0, role | (keep ? kKeepConnection : 0));
  }
  return Skip(at);
}

// Any record but BEGIN_REQUEST with an id of its own.
uint32_t FastcgiDecoder::Record(uint32_t type, uint32_t id, uint32_t at, uint32_t end) {
  RequestSlot* slot = requests_.Find(id);
  if (slot == nullptr) {
    // §3.3: records of an inactive id are ignored.
    stray_bytes_ += kHeaderBytes + content_bytes_;
    if (stray_bytes_ > kStrayBytesMax) return Kill(Error::kFcgiStrayBytes, end);
    return Skip(at);
  }
  ErrorNumber failure = Error::kNone;
  if (slot->state == RequestState::kDropped || slot->state == RequestState::kZombie) {
    failure = streams_.Drop(*slot, type, content_bytes_);
  } else if (type == RecordType::kParams) {
    if (slot->state == RequestState::kInParams) {
      return content_bytes_ == 0 ? EndParams(*slot, at) : BeginParams(*slot, at, end);
    }
    failure = Error::kFcgiParamsOrder;
  } else {
    failure = streams_.Record(*slot, type, content_bytes_);
  }
  return failure == Error::kNone ? Accept(at) : Kill(failure, end);
}

// A PARAMS record with content: read in place if it is the whole stream and its end is here too;
// else gathered.
uint32_t FastcgiDecoder::BeginParams(RequestSlot& slot, uint32_t at, uint32_t end) {
  const uint32_t start = at + kHeaderBytes;
  slot.params_bytes += content_bytes_;
  slot.params_records++;
  ErrorNumber failure = Error::kNone;
  if (slot.params_bytes > head_bytes_) {
    failure = Error::kLimitHeadBytes;
  } else if (slot.params_records > head_records_) {
    failure = Error::kLimitHeadRecords;
  } else if (slot.params_records == 1) {
    // At most 65,790 bytes after `start`; offsets are far below 2^32.
    const uint32_t end_header = start + content_bytes_ + padding_bytes_;
    if (IsEndOfParams(slot.id, end_header, end)) {
      const ParamsResult result = heads_.WriteHead(slot, start, start + content_bytes_);
      if (result.kind == ParamsResult::Kind::kNoRoom) {
        slot.params_bytes = 0;
        slot.params_records = 0;
        more_ = true;
        return kStop;
      }
      failure = result.error;
      // What is only wrong at the end of the stream belongs to the record that ends it.
      if (failure == Error::kNone || IsEndFailure(failure)) {
        content_bytes_ = 0;
        padding_bytes_ = bytes_.U8(end_header + 6);
        return FinishHead(slot, failure, end_header);
      }
    }
  }
  if (failure != Error::kNone) {
    streams_.Fail(slot, failure);
    return Skip(at);
  }
  streams_.Gather(slot);
  return Accept(at);
}

// Is there, before `end`, the header of an empty PARAMS record of this id at `at`?
bool FastcgiDecoder::IsEndOfParams(uint32_t id, uint32_t at, uint32_t end) const {
  return at <= end && end - at >= kHeaderBytes && bytes_.U8(at) == fastcgi::kVersion &&
         bytes_.U8(at + 1) == RecordType::kParams && bytes_.U16(at + 2) == id &&
         bytes_.U16(at + 4) == 0;
}

uint32_t FastcgiDecoder::EndParams(RequestSlot& slot, uint32_t at) {
  const ParamsResult result = heads_.WriteGathered(slot);
  if (result.kind == ParamsResult::Kind::kNoRoom) {
    more_ = true;
    return kStop;
  }
  return FinishHead(slot, result.error, at);
}

uint32_t FastcgiDecoder::FinishHead(RequestSlot& slot, ErrorNumber failure, uint32_t at) {
  if (failure == Error::kNone) {
    controls_ = 0;
  } else {
    streams_.Fail(slot, failure);
  }
  return Skip(at);
}

}  // namespace postern
