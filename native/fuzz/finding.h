// What is wrong → one line on standard error, and the end of the process: the fuzzing engine keeps
// the input. It judges nothing.
#ifndef POSTERN_FUZZ_FINDING_H_
#define POSTERN_FUZZ_FINDING_H_

#include <cstdio>
#include <cstdlib>

namespace postern::fuzz {

// Ends the process, as AddressSanitizer would. `rule` says which promise was broken.
[[noreturn]] inline void Finding(const char* rule) {
  std::fprintf(stderr, "finding: %s\n", rule);
  std::abort();
}

// A promise; breaking it is a finding.
inline void Promise(bool kept, const char* rule) {
  if (!kept) Finding(rule);
}

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_FINDING_H_
