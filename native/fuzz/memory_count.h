// What the decoders take from the heap, counted: the highest sum since Begin().
// Counts under AddressSanitizer only, whose hooks it uses; elsewhere everything is 0 (reliability
// §3.1, F-1).
#ifndef POSTERN_FUZZ_MEMORY_COUNT_H_
#define POSTERN_FUZZ_MEMORY_COUNT_H_

#include <cstdint>

namespace postern::fuzz {

// Installs the hooks. Call once, before the first input.
void CountMemory();

// Forgets what was counted.
void BeginMemory();

// Most bytes that were held at once since BeginMemory().
uint64_t MemoryPeak();

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_MEMORY_COUNT_H_
