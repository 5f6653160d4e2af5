// Messages of several requests → what the next write takes: piece by piece in turn, so that bodies
// interleave. It writes nothing. A piece is never cut by another request, since records must arrive
// whole.
#ifndef POSTERN_LOADGEN_OUTBOX_H_
#define POSTERN_LOADGEN_OUTBOX_H_

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "protocol.h"

namespace postern::loadgen {

class Outbox {
 public:
  void Clear();
  // The pieces of a message go out in order, in turn with those of others.
  void Add(const Message& message);
  // One piece, in front of everything that waits for its turn.
  void Add(const Piece& piece) { ready_.push_back({const_cast<char*>(piece.data), piece.length}); }
  bool is_empty() const { return first_ == ready_.size() && turns_.empty(); }
  // What to write next: at most `most` stretches.
  size_t Peek(iovec*& stretches, size_t most);
  // So many bytes of it were written.
  void Drop(size_t bytes);

 private:
  struct Turn {
    const Message* message;
    size_t piece;
    uint64_t sent;  // Times this piece went out.
  };
  void TakeTurn();

  std::vector<iovec> ready_;
  size_t first_ = 0;  // Of ready_: what is before it was written.
  std::vector<Turn> turns_;
  size_t next_turn_ = 0;
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_OUTBOX_H_
