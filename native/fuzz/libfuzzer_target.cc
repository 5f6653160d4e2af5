// libFuzzer's input → the target that POSTERN_FUZZ_TARGET names. Built by Clang alone; the same
// targets without Clang: mutation_loop.cc.
#include <cstdio>
#include <cstdlib>

#include "edge_map.h"
#include "step_count.h"
#include "target.h"

namespace postern::fuzz {

// libFuzzer has its own idea of time: steps are not counted here.
void BeginSteps() {}
uint64_t Steps() {
  return 0;
}

}  // namespace postern::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static postern::fuzz::Target* target = nullptr;
  if (target == nullptr) {
    const char* name = std::getenv("POSTERN_FUZZ_TARGET");
    target = new postern::fuzz::Target(name == nullptr ? "" : name);
    if (!target->is_known()) {
      std::fprintf(stderr, "POSTERN_FUZZ_TARGET names no target\n");
      std::exit(2);
    }
  }
  target->Test(data, size);
  return 0;
}
