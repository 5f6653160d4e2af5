// An end of the process that was not meant → the input that did it, in a file.
// Sanitizers, aborts and faults come together here; nothing is judged.
#ifndef POSTERN_FUZZ_FINDING_KEEPER_H_
#define POSTERN_FUZZ_FINDING_KEEPER_H_

#include <string>

#include "seed_file.h"

namespace postern::fuzz {

// From now on the input under test is kept in a file in `folder` when the process ends by a
// finding.
void KeepFindings(const std::string& folder, const std::string& target);

// The input that is tested now; borrowed until the next call.
void NowTesting(const Bytes* input);

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_FINDING_KEEPER_H_
