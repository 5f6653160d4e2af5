// Names of what can be fuzzed → calls with one input, for both engines of fuzzing: our own loop
// (mutation_loop.cc) and libFuzzer (libfuzzer_target.cc).
#ifndef POSTERN_FUZZ_TARGET_H_
#define POSTERN_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "decoder_run.h"

namespace postern::fuzz {

// Has a mistake on purpose, four right bytes deep: a fuzzer that does not find it finds nothing.
// Returns the sum of all bytes.
uint32_t PlantedMistake(const uint8_t* data, size_t size);

// One of `fastcgi`, `scgi`, `ajp` (reliability Z1 to Z3) and `canary`.
class Target {
 public:
  explicit Target(const std::string& name) : protocol_(ProtocolOf(name)) {
    is_known_ = protocol_ != 0 || name == "canary";
    if (protocol_ != 0) run_ = std::make_unique<DecoderRun>(protocol_);
  }

  bool is_known() const { return is_known_; }
  // A ProtocolNumber, or 0.
  uint32_t protocol() const { return protocol_; }

  // Ends the process at a finding.
  void Test(const uint8_t* data, size_t size) {
    if (run_ == nullptr) {
      PlantedMistake(data, size);
      return;
    }
    FuzzInput input;
    if (input.Read(data, size)) run_->Test(input);
  }

 private:
  static uint32_t ProtocolOf(const std::string& name) {
    if (name == "fastcgi") return ProtocolNumber::kFastcgi;
    if (name == "scgi") return ProtocolNumber::kScgi;
    return name == "ajp" ? ProtocolNumber::kAjp : 0;
  }

  uint32_t protocol_;
  bool is_known_ = false;
  std::unique_ptr<DecoderRun> run_;
};

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_TARGET_H_
