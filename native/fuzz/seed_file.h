// A corpus as text → inputs, and back: one line `NAME HEX` an input; `#` begins a remark.
// Text, so that a seed has a name and a change of it can be read. It runs nothing.
#ifndef POSTERN_FUZZ_SEED_FILE_H_
#define POSTERN_FUZZ_SEED_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace postern::fuzz {

using Bytes = std::vector<uint8_t>;

struct Seed {
  std::string name;
  Bytes bytes;
};

// Bytes of hexadecimal digits.
Bytes BytesOf(const std::string& hex);

// Hexadecimal digits of bytes.
std::string HexOf(const Bytes& bytes);

// Reads a corpus; exits with 2 and a sentence when it cannot be read.
std::vector<Seed> ReadSeeds(const std::string& path);

// Writes a corpus, with the remarks that stand before its first seed now.
void WriteSeeds(const std::string& path, const std::vector<Seed>& seeds);

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_SEED_FILE_H_
