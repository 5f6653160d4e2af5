// A message of one piece needs no turn: it is ready at once, which is nearly every request.
#include "outbox.h"

#include <algorithm>

namespace postern::loadgen {

void Outbox::Clear() {
  ready_.clear();
  turns_.clear();
  first_ = 0;
  next_turn_ = 0;
}

void Outbox::Add(const Message& message) {
  if (message.size() == 1 && message[0].times == 1)
    Add(message[0]);
  else
    turns_.push_back({&message, 0, 0});
}

void Outbox::TakeTurn() {
  if (next_turn_ >= turns_.size()) next_turn_ = 0;
  Turn& turn = turns_[next_turn_];
  const Piece& piece = (*turn.message)[turn.piece];
  Add(piece);
  if (++turn.sent < piece.times) {
    next_turn_++;
    return;
  }
  turn.sent = 0;
  if (++turn.piece < turn.message->size())
    next_turn_++;
  else
    turns_.erase(turns_.begin() + static_cast<std::ptrdiff_t>(next_turn_));
}

size_t Outbox::Peek(iovec*& stretches, size_t most) {
  while (ready_.size() - first_ < most && !turns_.empty()) TakeTurn();
  stretches = ready_.data() + first_;
  return std::min(ready_.size() - first_, most);
}

void Outbox::Drop(size_t bytes) {
  while (bytes > 0) {
    iovec& stretch = ready_[first_];
    if (bytes < stretch.iov_len) {
      stretch.iov_base = static_cast<char*>(stretch.iov_base) + bytes;
      stretch.iov_len -= bytes;
      return;
    }
    bytes -= stretch.iov_len;
    first_++;
  }
  if (first_ == ready_.size()) {
    ready_.clear();
    first_ = 0;
  }
}

}  // namespace postern::loadgen
