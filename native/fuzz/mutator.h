// One input → another one that resembles it: bytes changed, taken away, repeated, taken from
// another input, or words of a protocol put in. It knows the format of fuzz_input.h so far that
// notes stay notes; it runs nothing.
#ifndef POSTERN_FUZZ_MUTATOR_H_
#define POSTERN_FUZZ_MUTATOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "seed_file.h"

namespace postern::fuzz {

class Mutator {
 public:
  // `protocol` is a ProtocolNumber, or 0 for no words at all. The seed repeats everything.
  Mutator(uint32_t protocol, uint64_t seed, size_t bytes_max);

  // Changes `input` a few times; `other` is another input of the corpus.
  void Change(Bytes& input, const Bytes& other);

  // A number below `count`, which is not 0.
  size_t Below(size_t count);

 private:
  void ChangeOnce(Bytes& input, const Bytes& other);
  void ChangeHeader(Bytes& input);
  void Insert(Bytes& input, const Bytes& piece, size_t at);
  void Overwrite(Bytes& input, const Bytes& piece, size_t at);
  Bytes Piece(const Bytes& source);
  size_t Place(const Bytes& input);
  uint64_t Next();

  std::vector<Bytes> words_;
  uint64_t state_;
  size_t bytes_max_;
};

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_MUTATOR_H_
