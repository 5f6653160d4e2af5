// Options → a run: warm up, measure, drain; or open every connection once and hold it. What came of
// it. One thread and one epoll set. Wrong answers are counted, never thrown.
#ifndef POSTERN_LOADGEN_RUN_H_
#define POSTERN_LOADGEN_RUN_H_

#include <memory>
#include <vector>

#include "connection.h"
#include "options.h"
#include "process_cpu.h"
#include "protocol.h"
#include "tally.h"

namespace postern::loadgen {

struct Outcome {
  double seconds = 0;  // How long was measured.
  ProcessCpu before;   // The server's, around what was measured.
  ProcessCpu after;
  uint64_t own_cpu_ns = 0;
  double all_served_ms = 0;       // --once: from the first connect to the last answer.
  uint64_t open_connections = 0;  // --once: still open after the hold.
};

class Run {
 public:
  Run(const Options& options, Protocol& protocol);
  ~Run();
  Outcome Execute();
  const Tally& tally() const { return tally_; }

 private:
  void ExecuteLoop(Outcome& outcome);
  void ExecuteOnce(Outcome& outcome);
  // Turns the loop until this moment, or until nothing is left to do.
  void TurnUntil(uint64_t end_ns, bool stop_when_done);
  void Turn(uint64_t end_ns);
  // --rate: begins the requests that are due.
  void BeginDue();
  // Opens connections as far as --opening allows.
  void OpenMore();
  void Sweep(uint64_t now_ns);
  void BeginMeasuring(Outcome& outcome);
  void EndMeasuring(Outcome& outcome);
  bool is_done() const;

  const Options& options_;
  Tally tally_;
  Surroundings surroundings_;
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t begun_connections_ = 0;
  uint64_t swept_ns_ = 0;
  uint64_t due_ns_ = 0;  // --rate: when the next request begins.
  uint64_t measured_own_ns_ = 0;
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_RUN_H_
