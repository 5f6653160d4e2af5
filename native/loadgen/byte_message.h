// Strings of bytes → messages of pieces, owned by whoever owns this.
// It knows no protocol. Large bodies are one piece sent many times, so they take no memory.
#ifndef POSTERN_LOADGEN_BYTE_MESSAGE_H_
#define POSTERN_LOADGEN_BYTE_MESSAGE_H_

#include <cstdint>
#include <deque>
#include <string>

#include "protocol.h"

namespace postern::loadgen {

inline void AppendU16(std::string& bytes, size_t value) {
  bytes += static_cast<char>(value >> 8 & 255);
  bytes += static_cast<char>(value & 255);
}

// Most bytes of a body in one piece.
constexpr size_t kBodyPieceBytes = 32768;

class ByteStore {
 public:
  // A piece of bytes that stay where they are as long as the store is there.
  Piece Keep(std::string bytes, uint64_t times = 1) {
    const std::string& kept = bytes_.emplace_back(std::move(bytes));
    return {kept.data(), kept.size(), times};
  }

  // A head with a body of plain bytes behind it.
  Message PlainBody(std::string head, uint64_t body_bytes, std::string (*filler)(size_t)) {
    const uint64_t full = body_bytes / kBodyPieceBytes;
    const auto rest = static_cast<size_t>(body_bytes % kBodyPieceBytes);
    if (full == 0) return {Keep(head + filler(rest))};
    Message message = {Keep(std::move(head)), Keep(filler(kBodyPieceBytes), full)};
    if (rest > 0) message.push_back(Keep(filler(rest)));
    return message;
  }

 private:
  // A deque: what is in it does not move.
  std::deque<std::string> bytes_;
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_BYTE_MESSAGE_H_
