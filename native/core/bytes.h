// Memory that others own → bytes and numbers at checked offsets; with byte_writer.h
// the only file with pointer arithmetic. It owns nothing, allocates nothing and knows no protocol.
// An offset out of bounds is a mistake of ours and ends the process before a byte is touched
// (reliability before convenience: never read on).
#ifndef POSTERN_CORE_BYTES_H_
#define POSTERN_CORE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace postern {

// Zero if the words at `offset` of both are the same.
template <typename T>
inline T Difference(const uint8_t* one, const char* other, uint32_t offset) {
  T a;
  T b;
  std::memcpy(&a, one + offset, sizeof(a));
  std::memcpy(&b, other + offset, sizeof(b));
  return a ^ b;
}

// Are two names the same? By words that overlap, without a call: memcmp of names of 10 to 20 bytes
// was a third of decoding a browser's request. Precondition: both have `length` bytes.
inline bool SameName(const uint8_t* one, const char* other, uint32_t length) {
  // SAFETY: no word ends after `length`.
  if (length >= 16) {
    if (length > 32) return std::memcmp(one, other, length) == 0;
    return (Difference<uint64_t>(one, other, 0) | Difference<uint64_t>(one, other, 8) |
            Difference<uint64_t>(one, other, length - 16) |
            Difference<uint64_t>(one, other, length - 8)) == 0;
  }
  if (length >= 8) {
    return (Difference<uint64_t>(one, other, 0) | Difference<uint64_t>(one, other, length - 8)) ==
           0;
  }
  if (length >= 4) {
    return (Difference<uint32_t>(one, other, 0) | Difference<uint32_t>(one, other, length - 4)) ==
           0;
  }
  for (uint32_t i = 0; i < length; i++) {
    if (one[i] != static_cast<uint8_t>(other[i])) return false;
  }
  return true;
}

// Borrowed bytes with bounds. Offsets and lengths are 32 bit and compared by subtraction, so that
// no sum wraps.
class BytesView {
 public:
  constexpr BytesView() = default;
  constexpr BytesView(uint8_t* data, uint32_t size) : data_(data), size_(size) {}

  uint32_t size() const { return size_; }

  // Are [offset, offset + length) bytes of this memory?
  bool Holds(uint32_t offset, uint32_t length) const {
    return offset <= size_ && length <= size_ - offset;
  }

  // The byte at `offset`. Precondition: offset < size().
  uint8_t U8(uint32_t offset) const {
    Require(offset < size_);
    return data_[offset];  // SAFETY: Require above.
  }

  // The big-endian number of two bytes at `offset`. Precondition: Holds(offset, 2).
  uint32_t U16(uint32_t offset) const {
    Require(Holds(offset, 2));
    // SAFETY: Require above.
    return (static_cast<uint32_t>(data_[offset]) << 8) | data_[offset + 1];
  }

  // The big-endian number of four bytes at `offset`. Precondition: Holds(offset, 4).
  uint32_t U32(uint32_t offset) const {
    Require(Holds(offset, 4));
    // SAFETY: Require above.
    return (static_cast<uint32_t>(data_[offset]) << 24) |
           (static_cast<uint32_t>(data_[offset + 1]) << 16) |
           (static_cast<uint32_t>(data_[offset + 2]) << 8) | data_[offset + 3];
  }

  // Offset of the first `byte` in [start, end), or `end` when there is none. Precondition: start <=
  // end <= size().
  uint32_t Find(uint8_t byte, uint32_t start, uint32_t end) const {
    Require(start <= end && end <= size_);
    if (start == end) return end;
    // SAFETY: Require above; the length is the range's own.
    const void* at = std::memchr(data_ + start, byte, end - start);
    if (at == nullptr) return end;
    return static_cast<uint32_t>(static_cast<const uint8_t*>(at) - data_);
  }

  // Find(0, start, end), for strings that are mostly short: their first bytes are looked at without
  // a call. Precondition: start <= end <= size().
  uint32_t FindNul(uint32_t start, uint32_t end) const {
    Require(start <= end && end <= size_);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t at = start;
    for (uint32_t words = 0; words < 4 && end - at >= 8; words++) {
      const uint64_t nul = NulIn(data_ + at);  // SAFETY: eight bytes are there.
      if (nul != 0) return at + (static_cast<uint32_t>(__builtin_ctzll(nul)) >> 3);
      at += 8;
    }
    return Find(0, at, end);
#else
    return Find(0, start, end);
#endif
  }

  // Is there a NUL in [offset, offset + length)? Asked about strings of a few bytes, for which a
  // call of memchr costs more than looking. Precondition: Holds().
  bool HasNul(uint32_t offset, uint32_t length) const {
    Require(Holds(offset, length));
    const uint8_t* bytes = data_ + offset;  // SAFETY: Require above; no word ends after `length`.
    if (length > 32) return std::memchr(bytes, 0, length) != nullptr;
    if (length >= 16) {
      return (NulIn(bytes) | NulIn(bytes + 8) | NulIn(bytes + length - 16) |
              NulIn(bytes + length - 8)) != 0;
    }
    if (length >= 8) return (NulIn(bytes) | NulIn(bytes + length - 8)) != 0;
    for (uint32_t i = 0; i < length; i++) {
      if (bytes[i] == 0) return true;
    }
    return false;
  }

  // Are the `length` bytes at `offset` those at `text`? Precondition: Holds(offset, length), text
  // has `length` bytes.
  bool Equals(uint32_t offset, const char* text, uint32_t length) const {
    Require(Holds(offset, length));
    return std::memcmp(data_ + offset, text, length) == 0;  // SAFETY: Require above.
  }

  // Are the `length` bytes at `one` and at `other` the same? Precondition: Holds() of both.
  bool Same(uint32_t one, uint32_t other, uint32_t length) const {
    Require(Holds(one, length) && Holds(other, length));
    return std::memcmp(data_ + one, data_ + other, length) == 0;  // SAFETY: Require above.
  }

  // Orders the bytes at [a, a + a_length) and [b, b + b_length) as memcmp does, shorter first when
  // one begins the other. Precondition: Holds() of both. Returns < 0, 0 or > 0.
  int Compare(uint32_t a, uint32_t a_length, uint32_t b, uint32_t b_length) const {
    Require(Holds(a, a_length) && Holds(b, b_length));
    const uint32_t shorter = a_length < b_length ? a_length : b_length;
    const int order = std::memcmp(data_ + a, data_ + b, shorter);  // SAFETY: Require above.
    if (order != 0) return order;
    return a_length < b_length ? -1 : (a_length > b_length ? 1 : 0);
  }

  // The bytes [offset, offset + length) for a call that takes pointer and length. Precondition:
  // Holds().
  const uint8_t* Range(uint32_t offset, uint32_t length) const {
    Require(Holds(offset, length));
    return data_ + offset;  // SAFETY: Require above.
  }

  // The bytes [offset, offset + length) to be filled by a call that takes pointer and length.
  // Precondition: Holds().
  uint8_t* Space(uint32_t offset, uint32_t length) const {
    Require(Holds(offset, length));
    return data_ + offset;  // SAFETY: Require above.
  }

  // Copies `length` bytes from `source` to `offset`. Precondition: Holds(offset, length), source
  // has `length` bytes and does not overlap.
  void Write(uint32_t offset, const uint8_t* source, uint32_t length) {
    Require(Holds(offset, length));
    if (length != 0) std::memcpy(data_ + offset, source, length);  // SAFETY: Require above.
  }

 private:
  // Not zero if one of the eight bytes at `bytes` is: the borrow of 1 then reaches its top bit,
  // and only there or above.
  static uint64_t NulIn(const uint8_t* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return (word - 0x0101'0101'0101'0101) & ~word & 0x8080'8080'8080'8080;
  }

  static void Require(bool held) {
    if (!held) std::abort();
  }

  uint8_t* data_ = nullptr;
  uint32_t size_ = 0;
};

// Borrowed 32-bit cells with bounds: a table that TypeScript reads.
class CellsView {
 public:
  constexpr CellsView() = default;
  constexpr CellsView(int32_t* data, size_t size) : data_(data), size_(size) {}

  size_t size() const { return size_; }

  // Sets the cell at `index`. Precondition: index < size().
  void Set(size_t index, int32_t value) {
    if (index >= size_) std::abort();
    data_[index] = value;  // SAFETY: checked above.
  }

  // The cell at `index`, as bits. Precondition: index < size().
  uint32_t Get(size_t index) const {
    if (index >= size_) std::abort();
    return static_cast<uint32_t>(data_[index]);  // SAFETY: checked above.
  }

  // The cells [index, index + count) to be filled at once. Precondition: they are in bounds.
  int32_t* Range(size_t index, size_t count) {
    if (index > size_ || count > size_ - index) std::abort();
    return data_ + index;  // SAFETY: checked above.
  }

 private:
  int32_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace postern

#endif  // POSTERN_CORE_BYTES_H_
