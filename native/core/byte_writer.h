// Pieces of bytes → one line, each behind the one before, in memory that others own.
// It owns nothing and allocates nothing; what does not fit is not written. With bytes.h the only
// file with pointer arithmetic.
#ifndef POSTERN_CORE_BYTE_WRITER_H_
#define POSTERN_CORE_BYTE_WRITER_H_

#include <cstdint>
#include <cstring>

#include "bytes.h"

namespace postern {

// Bytes that are written one behind the other into borrowed memory. Most pieces are short, and are
// copied by words that overlap: a call of memcpy costs more than that.
class ByteWriter {
 public:
  // Beyond the end of `out` nothing fits.
  ByteWriter(BytesView out, uint32_t at) : out_(out), at_(at) {}

  uint32_t at() const { return at_; }

  // Appends [start, start + length) of `from`. Returns false where they are not there, or do not
  // fit.
  bool Append(const BytesView& from, uint32_t start, uint32_t length) {
    if (!from.Holds(start, length) || !out_.Holds(at_, length)) return false;
    // SAFETY: both ranges were checked; no word ends after them.
    const uint8_t* source = from.Range(start, length);
    uint8_t* target = out_.Space(at_, length);
    if (length > 32) {
      std::memcpy(target, source, length);
    } else if (length >= 16) {
      Copy<16>(source, target, length);
    } else if (length >= 8) {
      Copy<8>(source, target, length);
    } else if (length >= 4) {
      Copy<4>(source, target, length);
    } else {
      for (uint32_t i = 0; i < length; i++) target[i] = source[i];
    }
    at_ += length;
    return true;
  }

  // As Append, for bytes that are printable ASCII, and neither a quote nor a backslash: returns
  // false of others as well.
  bool AppendPlain(const BytesView& from, uint32_t start, uint32_t length) {
    if (!from.Holds(start, length) || !out_.Holds(at_, length)) return false;
    // SAFETY: both ranges were checked; no word ends after them.
    const uint8_t* source = from.Range(start, length);
    uint8_t* target = out_.Space(at_, length);
    uint64_t odd = 0;
    if (length >= 8) {
      for (uint32_t i = 0; i < length - 8; i += 8) odd |= CopyPlain(source + i, target + i);
      odd |= CopyPlain(source + length - 8, target + length - 8);
    } else {
      for (uint32_t i = 0; i < length; i++) {
        const uint8_t byte = source[i];
        odd |= byte < 0x20 || byte > 0x7e || byte == 0x22 || byte == 0x5c ? 1 : 0;
        target[i] = byte;
      }
    }
    at_ += length;
    return odd == 0;
  }

  // Appends a number in decimal digits. Returns false where it does not fit.
  bool AppendNumber(uint32_t number) {
    uint32_t length = 1;
    for (uint32_t rest = number; rest > 9; rest /= 10) length++;
    if (!out_.Holds(at_, length)) return false;
    uint8_t* digits = out_.Space(at_, length);
    at_ += length;
    for (uint32_t rest = number; length > 0; rest /= 10) {
      digits[--length] = static_cast<uint8_t>('0' + rest % 10);  // SAFETY: `length` of them.
    }
    return true;
  }

 private:
  // Copies `length` bytes, from `kBytes` to twice as many.
  template <uint32_t kBytes>
  static void Copy(const uint8_t* source, uint8_t* target, uint32_t length) {
    struct Word {
      uint8_t bytes[kBytes];
    };
    Word first;
    Word last;
    std::memcpy(&first, source, kBytes);
    std::memcpy(&last, source + length - kBytes, kBytes);
    std::memcpy(target, &first, kBytes);
    std::memcpy(target + length - kBytes, &last, kBytes);
  }

  // Copies a word. Returns not zero where one of its bytes is below 0x20, above 0x7e, 0x22 or 0x5c.
  static uint64_t CopyPlain(const uint8_t* source, uint8_t* target) {
    constexpr uint64_t kOnes = 0x0101'0101'0101'0101;
    uint64_t word;
    std::memcpy(&word, source, sizeof(word));
    std::memcpy(target, &word, sizeof(word));
    const uint64_t quote = word ^ (kOnes * 0x22);
    const uint64_t backslash = word ^ (kOnes * 0x5c);
    const uint64_t low = (word - kOnes * 0x20) & ~word;
    const uint64_t same = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
    return (low | same | word | (word + kOnes)) & (kOnes * 0x80);
  }

  BytesView out_;
  uint32_t at_;
};

}  // namespace postern

#endif  // POSTERN_CORE_BYTE_WRITER_H_
