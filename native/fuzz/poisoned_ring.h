// A ring of which a decoder may touch what it was given and the head area, and nothing else.
// The bytes of a read end where the poison begins, to the byte; before them the poison ends at the
// last multiple of eight. It decodes nothing.
#ifndef POSTERN_FUZZ_POISONED_RING_H_
#define POSTERN_FUZZ_POISONED_RING_H_

#include <cstdint>
#include <cstring>
#include <memory>

#include "decoder.h"
#include "fuzz_input.h"
#include "sanitizer_build.h"

namespace postern::fuzz {

class PoisonedRing {
 public:
  PoisonedRing() : bytes_(new uint8_t[kSize]()) {
    ASAN_POISON_MEMORY_REGION(bytes_.get(), kHeadStart);
    ASAN_POISON_MEMORY_REGION(bytes_.get() + kHeadStart + kHeadBytes, kGuardBytes);
  }
  PoisonedRing(const PoisonedRing&) = delete;
  PoisonedRing& operator=(const PoisonedRing&) = delete;
  ~PoisonedRing() { ASAN_UNPOISON_MEMORY_REGION(bytes_.get(), kSize); }

  // As a decoder is given it.
  Ring View() const {
    return {BytesView(bytes_.get(), kSize), kHeadStart, kHeadStart + kHeadBytes};
  }

  uint32_t start() const { return start_; }
  uint32_t end() const { return end_; }
  const uint8_t* At(uint32_t offset) const { return bytes_.get() + offset; }

  // Another connection begins: nothing is left.
  void Clear() {
    Shut();
    place_ = 0;
    start_ = kReadStart;
    end_ = kReadStart;
  }

  // A read brings bytes behind those that are left. Few that are left move, as they do in a server.
  void Add(const uint8_t* bytes, uint32_t count) {
    if (end_ - start_ <= kMovedBytesMax) Move();
    ASAN_UNPOISON_MEMORY_REGION(bytes_.get() + end_, count);
    if (count > 0) std::memcpy(bytes_.get() + end_, bytes, count);
    end_ += count;
  }

  // The decoder has consumed everything before `offset`.
  void Consume(uint32_t offset) {
    const uint32_t from = start_ & ~7u;
    const uint32_t to = offset & ~7u;
    ASAN_POISON_MEMORY_REGION(bytes_.get() + from, to - from);
    start_ = offset;
  }

 private:
  static constexpr uint32_t kGuardBytes = 64;
  static constexpr uint32_t kReadStart = kGuardBytes;
  // Offsets that a moved rest may get.
  static constexpr uint32_t kPlaces = 8;
  static constexpr uint32_t kMovedBytesMax = 256;
  static constexpr uint32_t kHeadStart =
      kReadStart + kPlaces * 8 + kStreamBytesMax + 1 + kGuardBytes;
  static constexpr uint32_t kSize = kHeadStart + kHeadBytes + kGuardBytes;

  // Nothing of the read area may be touched.
  void Shut() {
    const uint32_t from = start_ & ~7u;
    ASAN_POISON_MEMORY_REGION(bytes_.get() + from, ((end_ + 7) & ~7u) - from);
  }

  void Move() {
    uint8_t rest[kMovedBytesMax];
    const uint32_t count = end_ - start_;
    if (count > 0) std::memcpy(rest, bytes_.get() + start_, count);
    Shut();
    place_ = (place_ + 3) % kPlaces;
    start_ = kReadStart + place_ * 8;
    end_ = start_ + count;
    ASAN_UNPOISON_MEMORY_REGION(bytes_.get() + start_, count);
    if (count > 0) std::memcpy(bytes_.get() + start_, rest, count);
  }

  std::unique_ptr<uint8_t[]> bytes_;
  uint32_t start_ = kReadStart;
  uint32_t end_ = kReadStart;
  uint32_t place_ = 0;
};

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_POISONED_RING_H_
