// Basic blocks of the code under test → which pairs of them followed each other in one input, and
// what no input before it has done: the feedback of mutation_loop.cc. The compiler calls it
// (-fsanitize-coverage=trace-pc, GCC and Clang).
#ifndef POSTERN_FUZZ_EDGE_MAP_H_
#define POSTERN_FUZZ_EDGE_MAP_H_

#include <cstdint>

namespace postern::fuzz {

// Forgets what the last input has done.
void BeginEdges();

// Adds what the last input has done to what is known. Returns how much of it is new.
uint32_t LearnEdges();

// Forgets everything that is known.
void ForgetEdges();

// Pairs of blocks that are known.
uint32_t EdgeCount();

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_EDGE_MAP_H_
