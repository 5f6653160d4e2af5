// The streams of requests whose head is known, and what is left of those that are over (FastCGI
// specification §5.3). It counts bodies against CONTENT_LENGTH and limits.bodyBytes; it answers
// nothing. Twin: src/protocols/fastcgi/request-streams.ts.
#include "fastcgi_streams.h"

#include "fastcgi_constants.h"

namespace postern {

using fastcgi::RecordType;

void RequestStreams::Fail(RequestSlot& slot, ErrorNumber number) {
  rows_.Event(RowKind::kError, slot.id, 0, 0, static_cast<uint32_t>(number));
  requests_.Drop(slot);
}

ErrorNumber RequestStreams::Record(RequestSlot& slot, uint32_t type, uint32_t content_bytes) {
  slot_ = &slot;
  use_ = ContentUse::kSkip;
  switch (type) {
    case RecordType::kAbortRequest:
      rows_.Event(RowKind::kAbort, slot.id, 0, 0, 0);
      slot.aborted = true;
      requests_.Drop(slot);
      return Error::kNone;
    case RecordType::kStdin:
      if (slot.state == RequestState::kInParams) return Error::kFcgiParamsOrder;
      if (content_bytes > 0) {
        BeginStdin(slot, content_bytes);
      } else {
        EndStdin(slot);
      }
      return Error::kNone;
    case RecordType::kData:
      if (slot.state == RequestState::kInParams) return Error::kFcgiParamsOrder;
      if (slot.role != Role::kFilter || slot.data_ended) return Error::kNone;
      // §6.4: the file comes after the end of STDIN.
      if (!slot.body_ended && !slot.stdin_ended) return Error::kFcgiParamsOrder;
      if (content_bytes > 0) {
        use_ = ContentUse::kData;
      } else {
        slot.data_ended = true;
        rows_.Event(RowKind::kDataEnd, slot.id, 0, 0, 0);
      }
      return Error::kNone;
    default:
      return Error::kNone;
  }
}

ErrorNumber RequestStreams::Drop(RequestSlot& slot, uint32_t type, uint32_t content_bytes) {
  slot_ = &slot;
  use_ = ContentUse::kSkip;
  zombie_bytes_ += fastcgi::kHeaderBytes + content_bytes;
  if (zombie_bytes_ > kZombieBytesMax) return Error::kFcgiStrayBytes;
  if (type == RecordType::kAbortRequest) {
    slot.aborted = true;
    BuryZombie(slot);
  } else if (type == RecordType::kStdin) {
    if (content_bytes > 0) {
      use_ = ContentUse::kDrain;
    } else {
      slot.stdin_ended = true;
      BuryZombie(slot);
    }
  }
  return Error::kNone;
}

uint64_t RequestStreams::BodyDue() const {
  if (slot_ == nullptr || use_ != ContentUse::kBody || slot_->body_ended) return 0;
  if (slot_->content_length < 0) return UINT64_MAX;
  const uint64_t length = static_cast<uint64_t>(slot_->content_length);
  return slot_->seen_bytes < length ? length - slot_->seen_bytes : 0;
}

void RequestStreams::Content(BytesView bytes, uint32_t at, uint32_t n, uint32_t detail) {
  if (slot_ == nullptr) return;
  switch (use_) {
    case ContentUse::kGather:
      GatherContent(*slot_, bytes, at, n);
      break;
    case ContentUse::kBody:
      Body(*slot_, at, n, detail);
      break;
    case ContentUse::kData:
      rows_.Event(RowKind::kData, slot_->id, at, n, 0);
      break;
    case ContentUse::kDrain:
      slot_->seen_bytes += n;
      if (slot_->InputFinished()) BuryZombie(*slot_);
      break;
    case ContentUse::kSkip:
      break;
  }
}

void RequestStreams::NoteEvent(uint32_t event, uint32_t id) {
  RequestSlot* slot = requests_.Find(id);
  if (slot == nullptr || slot->state == RequestState::kZombie) return;
  if (event == Note::kEnded) {
    const RequestSlot* forgotten = requests_.End(*slot);
    if (forgotten != nullptr) Leave(*forgotten);
    Leave(*slot);
    Settle();
  } else if (event == Note::kUpgraded && slot->state == RequestState::kInBody) {
    slot->upgraded = true;
    slot->content_length = -1;
  }
}

void RequestStreams::BeginStdin(RequestSlot& slot, uint32_t content_bytes) {
  if (slot.stdin_ended || slot.role == Role::kAuthorizer) return;
  const bool counted = slot.content_length < 0 && !slot.upgraded;
  // Both sums stay below 2^64: a connection cannot carry as much.
  if (counted && slot.seen_bytes + content_bytes > body_bytes_) {
    Fail(slot, Error::kLimitBodyBytes);
    use_ = ContentUse::kDrain;
    return;
  }
  use_ = ContentUse::kBody;
}

void RequestStreams::EndStdin(RequestSlot& slot) {
  if (slot.stdin_ended || slot.role == Role::kAuthorizer) return;
  slot.stdin_ended = true;
  if (slot.body_ended && !slot.upgraded) return;
  if (slot.content_length >= 0) {
    Fail(slot, Error::kBodyShort);
    return;
  }
  slot.body_ended = true;
  rows_.Event(RowKind::kBodyEnd, slot.id, 0, 0, 0);
}

void RequestStreams::Body(RequestSlot& slot, uint32_t at, uint32_t n, uint32_t detail) {
  uint32_t taken = n;
  const bool known = slot.content_length >= 0;
  const uint64_t length = known ? static_cast<uint64_t>(slot.content_length) : 0;
  if (known) {
    const uint64_t due = slot.seen_bytes < length ? length - slot.seen_bytes : 0;
    if (due < n) taken = static_cast<uint32_t>(due);
  }
  slot.seen_bytes += n;
  if (taken > 0) rows_.Event(RowKind::kBody, slot.id, at, taken, detail);
  if (!slot.body_ended && known && slot.seen_bytes >= length) {
    slot.body_ended = true;
    rows_.Event(RowKind::kBodyEnd, slot.id, 0, 0, 0);
  }
}

void RequestStreams::GatherContent(RequestSlot& slot, BytesView bytes, uint32_t at, uint32_t n) {
  slot.gather.Append(bytes, at, n, head_bytes_);
  const ErrorNumber failure = params_.Scan(slot);
  if (failure == Error::kNone) return;
  Fail(slot, failure);
  use_ = ContentUse::kSkip;
}

// The input of a request that is over has ended too; of a zombie that is the end of all.
void RequestStreams::BuryZombie(RequestSlot& slot) {
  if (slot.state != RequestState::kZombie) return;
  requests_.Bury(slot);
  rows_.Event(RowKind::kBodyEnd, slot.id, 0, 0, 1);
  use_ = ContentUse::kSkip;
  Settle();
}

// The request of the current record is over: what still comes of its body is only counted.
void RequestStreams::Leave(const RequestSlot& slot) {
  if (&slot != slot_) return;
  const bool drains = use_ == ContentUse::kBody || use_ == ContentUse::kDrain;
  use_ = drains && slot.state == RequestState::kZombie ? ContentUse::kDrain : ContentUse::kSkip;
}

// The allowance for leftover input is whole again when none is left.
void RequestStreams::Settle() {
  if (requests_.dropped_count() == 0) zombie_bytes_ = 0;
}

}  // namespace postern
