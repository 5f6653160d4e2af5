// Process ids → the CPU time they have used, their resident memory, and the same of this process.
// It reads /proc and changes nothing. A thread or child that ended between two readings is missing
// from the nanoseconds.
#ifndef POSTERN_LOADGEN_PROCESS_CPU_H_
#define POSTERN_LOADGEN_PROCESS_CPU_H_

#include <cstdint>
#include <vector>

namespace postern::loadgen {

struct ProcessCpu {
  uint64_t nanoseconds = 0;  // schedstat of all threads.
  double ticks_s = 0;        // utime and stime; steps of 10 ms.
  uint64_t rss_bytes = 0;
  uint32_t processes = 0;  // How many were there.
};

// Sum over all processes, and their descendants when asked for.
ProcessCpu ReadProcesses(const std::vector<int>& pids, bool children);

// CPU nanoseconds of this process, user and system.
uint64_t OwnCpuNanoseconds();

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_PROCESS_CPU_H_
