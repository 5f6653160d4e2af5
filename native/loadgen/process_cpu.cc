// proc(5): /proc/PID/stat counts ticks and names the parent, /proc/PID/task/TID/schedstat begins
// with nanoseconds on the CPU, /proc/PID/statm has resident pages. A process that is gone counts as
// nothing.
#include "process_cpu.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace postern::loadgen {
namespace {

std::string ReadFile(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return text;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  std::fclose(file);
  return text;
}

// Names in a folder of /proc that are numbers.
std::vector<int> NumbersIn(const std::string& path) {
  std::vector<int> numbers;
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return numbers;
  while (const dirent* entry = readdir(folder)) {
    const int number = std::atoi(entry->d_name);
    if (number > 0) numbers.push_back(number);
  }
  closedir(folder);
  return numbers;
}

std::string FolderOf(int pid) {
  return "/proc/" + std::to_string(pid);
}

struct Stat {
  int parent = 0;
  uint64_t ticks = 0;
};

bool ReadStat(int pid, Stat& stat) {
  const std::string text = ReadFile(FolderOf(pid) + "/stat");
  // The name in brackets may hold anything, brackets too.
  const size_t at = text.rfind(')');
  if (at == std::string::npos) return false;
  unsigned long user = 0;
  unsigned long system = 0;
  const int count =
      std::sscanf(text.c_str() + at + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                  &stat.parent, &user, &system);
  stat.ticks = user + system;
  return count == 3;
}

std::vector<int> WithChildren(std::vector<int> pids) {
  std::multimap<int, int> children;
  for (const int pid : NumbersIn("/proc")) {
    Stat stat;
    if (ReadStat(pid, stat)) children.emplace(stat.parent, pid);
  }
  for (size_t i = 0; i < pids.size(); i++) {
    const auto [begin, end] = children.equal_range(pids[i]);
    for (auto child = begin; child != end; ++child) {
      if (std::find(pids.begin(), pids.end(), child->second) == pids.end()) {
        pids.push_back(child->second);
      }
    }
  }
  return pids;
}

}  // namespace

ProcessCpu ReadProcesses(const std::vector<int>& pids, bool children) {
  ProcessCpu sum;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (const int pid : children ? WithChildren(pids) : pids) {
    Stat stat;
    if (!ReadStat(pid, stat)) continue;
    sum.processes++;
    sum.ticks_s += static_cast<double>(stat.ticks) / ticks_per_second;
    const std::string folder = FolderOf(pid);
    for (const int thread : NumbersIn(folder + "/task")) {
      const std::string text = ReadFile(folder + "/task/" + std::to_string(thread) + "/schedstat");
      sum.nanoseconds += std::strtoull(text.c_str(), nullptr, 10);
    }
    const std::string memory = ReadFile(folder + "/statm");
    const size_t space = memory.find(' ');
    if (space != std::string::npos) {
      sum.rss_bytes += std::strtoull(memory.c_str() + space, nullptr, 10) * page_bytes;
    }
  }
  return sum;
}

uint64_t OwnCpuNanoseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto nanoseconds = [](const timeval& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1000000000u +
           static_cast<uint64_t>(time.tv_usec) * 1000u;
  };
  return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

}  // namespace postern::loadgen
