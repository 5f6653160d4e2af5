// CONTENT_LENGTH by its bytes: digits, or no length at all.
// It makes no string and knows no limit of ours beyond what a number can hold. RFC 3875 §4.1.2, RFC
// 9110 §8.6. Twin: src/protocols/content-length.ts.
#ifndef POSTERN_CORE_CONTENT_LENGTH_H_
#define POSTERN_CORE_CONTENT_LENGTH_H_

#include <cstdint>

#include "abi.h"
#include "bytes.h"

namespace postern {

// The value is not a length: no digit, something else than digits, or too large to count.
constexpr int64_t kLengthInvalid = -1;

// 2^53 − 1 has 16 digits; more are never a length, leading zeros included.
constexpr uint32_t kLengthDigitsMax = 16;

// Reads a length of digits only: no sign, no blank, no hexadecimal, no exponent. Precondition:
// bytes.Holds(start, length). Returns 0 to 2^53 − 1, or kLengthInvalid.
inline int64_t ReadContentLength(BytesView bytes, uint32_t start, uint32_t length) {
  if (length < 1 || length > kLengthDigitsMax) return kLengthInvalid;
  uint64_t value = 0;  // 16 digits fit.
  for (uint32_t i = 0; i < length; i++) {
    const uint32_t digit = uint32_t{bytes.U8(start + i)} - '0';
    if (digit > 9) return kLengthInvalid;
    value = value * 10 + digit;
  }
  return value <= kContentLengthMax ? static_cast<int64_t>(value) : kLengthInvalid;
}

// Where one head has its CONTENT_LENGTH; twice with equal bytes is once.
class ContentLengthField {
 public:
  // Offset of the value.
  uint32_t start() const { return start_; }
  // Its length in bytes, or −1 while there is none.
  int64_t length() const { return length_; }
  // Was it given again with other bytes? Then there is no length to trust.
  bool conflicting() const { return conflicting_; }

  // Forgets the last head.
  void Clear() { *this = ContentLengthField(); }

  // Takes one CONTENT_LENGTH of the head. Precondition: bytes.Holds(start, length).
  void Add(BytesView bytes, uint32_t start, uint32_t length) {
    if (length_ < 0) {
      start_ = start;
      length_ = length;
    } else if (length_ != length || !bytes.Same(start_, start, length)) {
      conflicting_ = true;
    }
  }

 private:
  uint32_t start_ = 0;
  int64_t length_ = -1;
  bool conflicting_ = false;
};

}  // namespace postern

#endif  // POSTERN_CORE_CONTENT_LENGTH_H_
