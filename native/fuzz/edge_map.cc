// One cell for each pair of blocks, by hash; counts in one input are put into eight classes, so
// that a loop that runs more often is something new, but not each time. This file is built without
// sanitizers and without hooks.
#include "edge_map.h"

#include <array>
#include <cstddef>

#include "step_count.h"

namespace postern::fuzz {
namespace {

// Few enough to stay in the caches: the decoders have some hundred pairs.
constexpr size_t kCells = 1 << 14;

std::array<uint32_t, kCells> counts;
std::array<uint8_t, kCells> known;
std::array<uint16_t, kCells> touched;
size_t touched_count = 0;
uint32_t edge_count = 0;
size_t previous = 0;
uint64_t steps_before = 0;

uint8_t ClassOf(uint32_t count) {
  if (count < 4) return static_cast<uint8_t>(1u << (count - 1));
  if (count < 8) return 0x08;
  if (count < 16) return 0x10;
  if (count < 32) return 0x20;
  return count < 128 ? 0x40 : 0x80;
}

// Summed when somebody asks: a counter of its own would cost as much as the map.
uint64_t Sum() {
  uint64_t sum = 0;
  for (size_t i = 0; i < touched_count; i++) sum += counts[touched[i]];
  return sum;
}

}  // namespace

void BeginSteps() {
  steps_before = Sum();
}

uint64_t Steps() {
  return Sum() - steps_before;
}

void BeginEdges() {
  for (size_t i = 0; i < touched_count; i++) counts[touched[i]] = 0;
  touched_count = 0;
  previous = 0;
}

uint32_t LearnEdges() {
  uint32_t fresh = 0;
  for (size_t i = 0; i < touched_count; i++) {
    const uint16_t cell = touched[i];
    const uint8_t seen = ClassOf(counts[cell]);
    if ((known[cell] & seen) != 0) continue;
    if (known[cell] == 0) edge_count++;
    known[cell] = static_cast<uint8_t>(known[cell] | seen);
    fresh++;
  }
  return fresh;
}

void ForgetEdges() {
  known.fill(0);
  edge_count = 0;
}

uint32_t EdgeCount() {
  return edge_count;
}

// What the compiler calls at each block.
extern "C" void __sanitizer_cov_trace_pc();
extern "C" void __sanitizer_cov_trace_pc() {
  const uint64_t block = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  const size_t place = static_cast<size_t>((block * 0x9e37'79b9'7f4a'7c15u) >> 50);
  const size_t cell = place ^ previous;
  previous = place >> 1;
  if (counts[cell]++ == 0) touched[touched_count++] = static_cast<uint16_t>(cell);
}

}  // namespace postern::fuzz
