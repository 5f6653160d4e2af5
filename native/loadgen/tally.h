// What happened so far, and how many requests may still begin: shared by all connections of a run.
// It decides nothing; the loop says what phase it is, connections count what they see.
#ifndef POSTERN_LOADGEN_TALLY_H_
#define POSTERN_LOADGEN_TALLY_H_

#include <cstdint>
#include <limits>
#include <string>

#include "histogram.h"

namespace postern::loadgen {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

struct Tally {
  // Requests that may still begin; 0 drains the connections.
  uint64_t begin_left = kUnlimited;
  uint64_t active = 0;  // Requests whose answer is awaited.
  // A request counts when its answer comes while this is set, and its latency when it began after
  // this moment.
  bool measuring = false;
  uint64_t measured_from_ns = 0;

  uint64_t requests = 0;
  uint64_t errors = 0;
  std::string first_error;
  // Requests repeated because the server closed a kept connection before it answered any of it.
  uint64_t retries = 0;
  uint64_t connects = 0;
  uint64_t served_connections = 0;  // Connections of the run that got an answer at least once.
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
  Histogram latency_ns;

  void Error(const std::string& what, uint64_t count) {
    if (errors == 0) first_error = what;
    errors += count;
  }
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_TALLY_H_
