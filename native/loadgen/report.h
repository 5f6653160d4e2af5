// What came of a run → one line of JSON on standard output.
#ifndef POSTERN_LOADGEN_REPORT_H_
#define POSTERN_LOADGEN_REPORT_H_

#include "options.h"
#include "run.h"

namespace postern::loadgen {

void PrintReport(const Options& options, const Outcome& outcome, const Tally& tally);

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_REPORT_H_
