// Request ids → what the decoder knows of each request (FastCGI specification §3.3: "the
// application keeps track"). It reads no bytes and writes no rows; it counts who is active and who
// is only leftover input (a zombie). Twin: src/protocols/fastcgi/request-table.ts — same states,
// same order of forgetting.
#ifndef POSTERN_CORE_FASTCGI_REQUESTS_H_
#define POSTERN_CORE_FASTCGI_REQUESTS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "abi.h"
#include "gathered_bytes.h"

namespace postern {

// What may come next for an id.
enum class RequestState : uint8_t {
  // The slot belongs to nobody.
  kFree,
  // BEGIN_REQUEST was there, the end of PARAMS was not.
  kInParams,
  // HEAD was written: STDIN and DATA may come.
  kInBody,
  // Failed or aborted: everything is dropped until our end is noted.
  kDropped,
  // Our end has left, the peer's input has not ended.
  kZombie,
};

// One request. Reused for the next id when free.
struct RequestSlot {
  uint32_t id = 0;
  RequestState state = RequestState::kFree;
  uint32_t role = 0;
  bool aborted = false;
  // The empty STDIN record was there.
  bool stdin_ended = false;
  // BODY_END was written.
  bool body_ended = false;
  // DATA_END was written.
  bool data_ended = false;
  // 101 was sent: STDIN has no length any more.
  bool upgraded = false;
  // Bytes of body announced, or −1 when unknown.
  int64_t content_length = -1;
  // Bytes of STDIN seen.
  uint64_t seen_bytes = 0;
  // Content bytes of the PARAMS records that have begun.
  uint64_t params_bytes = 0;
  // PARAMS records with content.
  uint64_t params_records = 0;
  // PARAMS bytes kept so far.
  GatheredBytes gather;
  // Offset in `gather` where the next pair begins; may lie beyond its end inside a pair.
  uint64_t scan_offset = 0;
  // Pairs whose lengths have passed the checks.
  uint64_t pair_count = 0;
  // Turn in which the slot became a zombie; the smallest is the oldest.
  uint64_t zombie_order = 0;

  // Has the peer sent all input of this request, as far as one can know? Then its id is free after
  // our end.
  bool InputFinished() const {
    return role == Role::kAuthorizer || aborted || stdin_ended ||
           (content_length >= 0 && seen_bytes >= static_cast<uint64_t>(content_length));
  }
};

// The requests of one connection. Few; found by looking through them, the last one first.
class RequestTable {
 public:
  RequestTable() = default;
  // `last_` and callers point into it.
  RequestTable(const RequestTable&) = delete;
  RequestTable& operator=(const RequestTable&) = delete;

  // Ids whose request has begun and not ended.
  uint32_t active_count() const { return active_count_; }
  // Slots in state kDropped or kZombie.
  uint32_t dropped_count() const { return dropped_count_; }
  // Is no request under way, and had the last one that ended had its empty STDIN record?
  bool is_quiet() const { return active_count_ == 0 && dropped_count_ == 0 && stdin_ended_; }

  // The slot of this id, or nullptr when it is idle. Valid as long as the table.
  RequestSlot* Find(uint32_t id);

  // Begins a request. Precondition: the id is idle.
  void Begin(uint32_t id, uint32_t role);

  // Failed or aborted: the slot stays, its records are dropped.
  void Drop(RequestSlot& slot);

  // Our end has left: the slot becomes free, or a zombie while its input is unfinished.
  // Returns the slot that had to be forgotten for it (the oldest zombie), or nullptr.
  RequestSlot* End(RequestSlot& slot);

  // The input of a zombie has ended: its id is free.
  void Bury(RequestSlot& slot);

 private:
  RequestSlot* OldestZombie();
  uint32_t slot_count() const { return 1 + static_cast<uint32_t>(more_.size()); }
  // Precondition: index < slot_count().
  RequestSlot& SlotAt(uint32_t index) { return index == 0 ? first_ : *more_[index - 1]; }

  uint32_t active_count_ = 0;
  uint32_t dropped_count_ = 0;
  uint32_t zombie_count_ = 0;
  uint64_t zombie_order_ = 0;
  // Of the request that ended last.
  bool stdin_ended_ = false;
  // Most connections carry one request at a time: its slot is part of the table.
  RequestSlot first_;
  // Each slot stays where it is, so that `last_` and callers may point at it.
  std::vector<std::unique_ptr<RequestSlot>> more_;
  RequestSlot* last_ = nullptr;
};

}  // namespace postern

#endif  // POSTERN_CORE_FASTCGI_REQUESTS_H_
