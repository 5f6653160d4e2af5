// Pieces in a row; what is written falls off the front.
// One Flush() goes on until the kernel takes no more.
// sendmsg(2).
#include "output_queue.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "socket.h"

namespace postern {
namespace {

// Pieces of one write. More than the kernel's buffer holds bring nothing.
constexpr size_t kPiecesMax = 64;

}  // namespace

void OutputQueue::Copy(const uint8_t* data, size_t length) {
  if (length == 0) return;
  auto copy = std::make_unique<uint8_t[]>(length);
  std::memcpy(copy.get(), data, length);
  const uint8_t* start = copy.get();
  pieces_.push_back({start, length, std::move(copy), nullptr});
  bytes_ += length;
}

void OutputQueue::Refer(const uint8_t* data, size_t length, napi_value owner) {
  if (length == 0) return;
  napi_ref reference = nullptr;
  if (napi_create_reference(env_, owner, 1, &reference) != napi_ok) return Copy(data, length);
  pieces_.push_back({data, length, nullptr, reference});
  bytes_ += length;
}

int64_t OutputQueue::Flush(int fd) {
  iovec pieces[kPiecesMax];
  int64_t total = 0;
  while (bytes_ > 0) {
    const size_t count = Gather(pieces, kPiecesMax);
    const int64_t taken = sockets::Write(fd, pieces, count);
    if (taken == -EAGAIN) break;
    if (taken < 0) return taken;
    total += taken;
    Drop(static_cast<uint64_t>(taken));
  }
  return total;
}

// Fills `pieces` with what is next; returns how many.
size_t OutputQueue::Gather(iovec* pieces, size_t count) const {
  const size_t n = std::min(count, pieces_.size() - first_);
  for (size_t i = 0; i < n; i++) {
    const Piece& piece = pieces_[first_ + i];
    const size_t skip = i == 0 ? offset_ : 0;
    // SAFETY: offset_ < length of the first piece.
    pieces[i].iov_base = const_cast<uint8_t*>(piece.data + skip);
    pieces[i].iov_len = piece.length - skip;
  }
  return n;
}

void OutputQueue::Drop(uint64_t bytes) {
  bytes_ -= bytes;
  while (bytes > 0) {
    Piece& piece = pieces_[first_];
    const size_t rest = piece.length - offset_;
    if (bytes < rest) {
      offset_ += static_cast<size_t>(bytes);
      return;
    }
    bytes -= rest;
    Release(piece);
    first_++;
    offset_ = 0;
  }
  if (first_ == pieces_.size()) {
    std::vector<Piece>().swap(pieces_);
    first_ = 0;
  }
}

void OutputQueue::Release(Piece& piece) {
  if (piece.owner != nullptr) napi_delete_reference(env_, piece.owner);
  piece.owner = nullptr;
  piece.copy.reset();
}

void OutputQueue::Clear() {
  for (size_t i = first_; i < pieces_.size(); i++) Release(pieces_[i]);
  std::vector<Piece>().swap(pieces_);
  first_ = 0;
  offset_ = 0;
  bytes_ = 0;
}

}  // namespace postern
