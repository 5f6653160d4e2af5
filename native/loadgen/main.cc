// The load generator of the benches: options → a run → a report; exit status 1 when any answer was
// wrong. It runs on one core of its own (--cpu), so that what it costs is not the server's.
#include <sched.h>
#include <sys/resource.h>

#include <cstdio>

#include "options.h"
#include "protocol.h"
#include "report.h"
#include "run.h"

namespace postern::loadgen {

std::unique_ptr<Protocol> CreateProtocol(const Options& options) {
  switch (options.protocol) {
    case ProtocolName::kHttp:
      return CreateHttp(options);
    case ProtocolName::kFastcgi:
      return CreateFastcgi(options);
    case ProtocolName::kScgi:
      return CreateScgi(options);
    case ProtocolName::kAjp:
      return CreateAjp(options);
  }
  return nullptr;
}

namespace {

void Pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) {
    std::fprintf(stderr, "loadgen: cannot run on core %d alone\n", cpu);
  }
}

// A descriptor for each connection, and some.
void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Main(int count, char** words) {
  const Options options = ReadOptions(count, words);
  if (options.cpu >= 0) Pin(options.cpu);
  RaiseDescriptorLimit();
  const std::unique_ptr<Protocol> protocol = CreateProtocol(options);
  Run run(options, *protocol);
  const Outcome outcome = run.Execute();
  PrintReport(options, outcome, run.tally());
  const Tally& tally = run.tally();
  if (tally.errors > 0) {
    std::fprintf(stderr, "loadgen: %llu wrong answers, the first: %s\n",
                 static_cast<unsigned long long>(tally.errors), tally.first_error.c_str());
  }
  return tally.errors > 0 || tally.requests == 0 ? 1 : 0;
}

}  // namespace
}  // namespace postern::loadgen

int main(int count, char** words) {
  return postern::loadgen::Main(count, words);
}
