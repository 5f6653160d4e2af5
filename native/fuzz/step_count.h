// Work of the decoders, counted in basic blocks that were entered.
// Counted where the build has our own hooks (mutation_loop), 0 elsewhere.
#ifndef POSTERN_FUZZ_STEP_COUNT_H_
#define POSTERN_FUZZ_STEP_COUNT_H_

#include <cstdint>

namespace postern::fuzz {

// Forgets what was counted.
void BeginSteps();

// Basic blocks since BeginSteps().
uint64_t Steps();

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_STEP_COUNT_H_
