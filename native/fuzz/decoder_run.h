// One input → one decoder that lives through it, and what it said as one number.
// Rows have to be sane, to follow the rules of row_rules.h, and to be the same however reads are
// cut; work and memory have to stay in proportion to the bytes (reliability Z1 to Z3).
#ifndef POSTERN_FUZZ_DECODER_RUN_H_
#define POSTERN_FUZZ_DECODER_RUN_H_

#include <array>
#include <cstdint>
#include <memory>

#include "ajp_decoder.h"
#include "fastcgi_decoder.h"
#include "fuzz_input.h"
#include "poisoned_ring.h"
#include "row_rules.h"
#include "scgi_decoder.h"

namespace postern::fuzz {

// Memory and decoders of one target; used for one input after the other.
class DecoderRun {
 public:
  // `protocol` is a ProtocolNumber.
  explicit DecoderRun(uint32_t protocol);

  // Plays an input in every way that it asks for. Ends the process at a finding.
  void Test(const FuzzInput& input);

 private:
  static constexpr uint32_t kFieldRows = kFieldCount + kFieldRowsExtra;
  // The fewest event rows that createMemory() of the addon takes.
  static constexpr uint32_t kEventRowsMin = 8;

  uint64_t Play(const FuzzInput& input, uint32_t cuts);
  void Open(const FuzzInput& input);
  void Receive(const uint8_t* bytes, uint32_t count);
  void Decode();
  void Tell(const TimedNote& note);
  void TakeRow(uint32_t row, uint32_t start, uint32_t end);
  void TakeBulk(int32_t kind, uint32_t id, uint32_t at, uint32_t length);
  void TakeHead(uint32_t id, uint32_t first, uint32_t count, uint32_t kind, uint32_t start,
                uint32_t end);
  int64_t TakeField(const int32_t* field, uint32_t from, uint32_t size);
  void CheckCost(const FuzzInput& input);
  void Mix(uint64_t number);
  void MixBytes(uint32_t at, uint32_t length);

  uint32_t protocol_;
  PoisonedRing ring_;
  std::unique_ptr<int32_t[]> events_;
  std::unique_ptr<int32_t[]> fields_;
  std::array<int32_t, kStateCells> state_{};
  RowWriter rows_;
  RowRules rules_;
  std::unique_ptr<Decoder> decoder_;
  DecoderOptions options_;
  uint64_t digest_ = 0;
  // Whose body the last row brought, as kind and id: the next piece of it is the same row.
  uint64_t bulk_ = 0;
  uint64_t begun_ = 0;
  uint64_t calls_ = 0;
};

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_DECODER_RUN_H_
