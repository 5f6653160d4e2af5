// Bytes of an unfinished head, kept by a decoder until the rest has come.
// It interprets nothing and sets no limit of its own. The only memory that core/ takes from the
// heap for a peer's bytes. Twin: src/wire/bytes.ts.
#ifndef POSTERN_CORE_GATHERED_BYTES_H_
#define POSTERN_CORE_GATHERED_BYTES_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bytes.h"

namespace postern {

// Bytes that grow with what came, never with what was announced. Owned by one decoder.
class GatheredBytes {
 public:
  // Bytes kept so far.
  uint32_t length() const { return static_cast<uint32_t>(bytes_.size()); }

  // What was kept, borrowed until the next Append() or Release().
  BytesView View() { return BytesView(bytes_.data(), length()); }

  // Adds the bytes [start, start + count) of `source`. Precondition: source.Holds(start, count) and
  // length() + count <= bytes_max, the most bytes there may ever be.
  void Append(BytesView source, uint32_t start, uint32_t count, uint64_t bytes_max) {
    const uint64_t needed = bytes_.size() + uint64_t{count};
    if (needed > bytes_.capacity()) {
      uint64_t capacity = std::max<uint64_t>(bytes_.capacity(), kCapacityFirst);
      while (capacity < needed) capacity *= 2;
      bytes_.reserve(std::max(std::min(capacity, bytes_max), needed));
    }
    const uint8_t* first = source.Range(start, count);
    bytes_.insert(bytes_.end(), first, first + count);  // SAFETY: Range() checked both ends.
  }

  // Copies all of them. Precondition: target.Holds(start, length()).
  void CopyTo(BytesView target, uint32_t start) const {
    target.Write(start, bytes_.data(), length());
  }

  // Gives the memory back.
  void Release() { std::vector<uint8_t>().swap(bytes_); }

 private:
  // First size: a usual head fits.
  static constexpr uint64_t kCapacityFirst = 2048;

  std::vector<uint8_t> bytes_;
};

}  // namespace postern

#endif  // POSTERN_CORE_GATHERED_BYTES_H_
