// The life of a FastCGI request id: begun, dropped, ended, leftover, free (FastCGI specification
// §3.3). It reads no record and writes no row. A slot is allocated once and used again. Twin:
// src/protocols/fastcgi/request-table.ts.
#include "fastcgi_requests.h"

namespace postern {

RequestSlot* RequestTable::Find(uint32_t id) {
  if (last_ != nullptr && last_->id == id && last_->state != RequestState::kFree) return last_;
  for (uint32_t i = 0; i < slot_count(); i++) {
    RequestSlot& slot = SlotAt(i);
    if (slot.id == id && slot.state != RequestState::kFree) {
      last_ = &slot;
      return last_;
    }
  }
  return nullptr;
}

void RequestTable::Begin(uint32_t id, uint32_t role) {
  RequestSlot* slot = nullptr;
  for (uint32_t i = 0; i < slot_count() && slot == nullptr; i++) {
    if (SlotAt(i).state == RequestState::kFree) slot = &SlotAt(i);
  }
  if (slot == nullptr) {
    more_.push_back(std::make_unique<RequestSlot>());
    slot = more_.back().get();
  }
  *slot = RequestSlot();
  slot->id = id;
  slot->state = RequestState::kInParams;
  slot->role = role;
  last_ = slot;
  active_count_++;
}

void RequestTable::Drop(RequestSlot& slot) {
  slot.state = RequestState::kDropped;
  slot.gather.Release();
  dropped_count_++;
}

RequestSlot* RequestTable::End(RequestSlot& slot) {
  active_count_--;
  stdin_ended_ = slot.stdin_ended;
  if (slot.state == RequestState::kDropped) dropped_count_--;
  slot.gather.Release();
  if (slot.InputFinished()) {
    slot.state = RequestState::kFree;
    return nullptr;
  }
  RequestSlot* forgotten = zombie_count_ == kZombiesMax ? OldestZombie() : nullptr;
  if (forgotten != nullptr) Bury(*forgotten);
  slot.state = RequestState::kZombie;
  slot.zombie_order = zombie_order_++;
  zombie_count_++;
  dropped_count_++;
  return forgotten;
}

void RequestTable::Bury(RequestSlot& slot) {
  slot.state = RequestState::kFree;
  zombie_count_--;
  dropped_count_--;
}

RequestSlot* RequestTable::OldestZombie() {
  RequestSlot* oldest = nullptr;
  for (uint32_t i = 0; i < slot_count(); i++) {
    RequestSlot& slot = SlotAt(i);
    if (slot.state != RequestState::kZombie) continue;
    if (oldest == nullptr || slot.zombie_order < oldest->zombie_order) oldest = &slot;
  }
  return oldest;
}

}  // namespace postern
