// The loop turns at least every 20 ms, and looks for requests without an answer five times a
// second.
#include "run.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace postern::loadgen {
namespace {

constexpr int kTurnMs = 20;
constexpr uint64_t kSweepNs = 200'000'000;
constexpr int kEventsMax = 256;
// --rate: of requests that were due and found no connection, no more are made up for than of so
// long.
constexpr uint64_t kDebtNs = 1'000'000'000;

uint64_t Nanoseconds(double seconds) {
  return static_cast<uint64_t>(seconds * 1e9);
}

}  // namespace

Run::Run(const Options& options, Protocol& protocol)
    : options_(options),
      surroundings_{
          options, AddressOf(options), protocol, tally_, epoll_create1(EPOLL_CLOEXEC), {}, {}, {}} {
  for (uint32_t i = 0; i < options.connections; i++) {
    connections_.push_back(std::make_unique<Connection>(surroundings_));
  }
}

Run::~Run() {
  connections_.clear();
  close(surroundings_.epoll);
}

Outcome Run::Execute() {
  Outcome outcome;
  if (options_.once)
    ExecuteOnce(outcome);
  else
    ExecuteLoop(outcome);
  return outcome;
}

void Run::ExecuteLoop(Outcome& outcome) {
  tally_.measured_from_ns = kUnlimited;
  if (options_.warmup_s > 0) TurnUntil(NowNanoseconds() + Nanoseconds(options_.warmup_s), true);
  BeginMeasuring(outcome);
  if (options_.count > 0) {
    tally_.begin_left = options_.count;
    TurnUntil(kUnlimited, true);
  } else {
    TurnUntil(NowNanoseconds() + Nanoseconds(options_.seconds), tally_.begin_left == 0);
  }
  EndMeasuring(outcome);
  tally_.begin_left = 0;
  // Every request is answered, or runs into its deadline.
  TurnUntil(kUnlimited, true);
}

void Run::ExecuteOnce(Outcome& outcome) {
  BeginMeasuring(outcome);
  const uint64_t began_ns = NowNanoseconds();
  tally_.begin_left = options_.connections;
  TurnUntil(kUnlimited, true);
  outcome.all_served_ms = static_cast<double>(NowNanoseconds() - began_ns) / 1e6;
  // Whoever watches the server knows now that all are there.
  std::fprintf(stderr, "loadgen: %llu connections are served\n",
               static_cast<unsigned long long>(tally_.served_connections));
  TurnUntil(NowNanoseconds() + Nanoseconds(options_.hold_s), false);
  EndMeasuring(outcome);
  for (const auto& connection : connections_) {
    outcome.open_connections += connection->is_open() ? 1 : 0;
  }
}

void Run::BeginMeasuring(Outcome& outcome) {
  outcome.before = ReadProcesses(options_.pids, options_.children);
  measured_own_ns_ = OwnCpuNanoseconds();
  tally_.measured_from_ns = NowNanoseconds();
  tally_.measuring = true;
}

void Run::EndMeasuring(Outcome& outcome) {
  tally_.measuring = false;
  outcome.seconds = static_cast<double>(NowNanoseconds() - tally_.measured_from_ns) / 1e9;
  outcome.after = ReadProcesses(options_.pids, options_.children);
  outcome.own_cpu_ns = OwnCpuNanoseconds() - measured_own_ns_;
}

// Also when nothing may begin any more because there were too many errors.
bool Run::is_done() const {
  return tally_.begin_left == 0 && tally_.active == 0;
}

void Run::TurnUntil(uint64_t end_ns, bool stop_when_done) {
  do {
    OpenMore();
    if (options_.rate > 0) BeginDue();
    Turn(end_ns);
  } while (NowNanoseconds() < end_ns && !(stop_when_done && is_done()));
}

void Run::BeginDue() {
  const uint64_t now_ns = NowNanoseconds();
  const uint64_t step_ns = Nanoseconds(1 / options_.rate);
  if (now_ns > due_ns_ + kDebtNs) due_ns_ = now_ns;
  while (due_ns_ <= now_ns && !surroundings_.resting.empty() && tally_.begin_left > 0) {
    const Resting next = surroundings_.resting.front();
    surroundings_.resting.pop_front();
    if (next.connection->BeginDue(next.id, due_ns_)) due_ns_ += step_ns;
  }
}

void Run::OpenMore() {
  const uint64_t opening = options_.opening == 0 ? kUnlimited : options_.opening;
  while (begun_connections_ < connections_.size() &&
         begun_connections_ - tally_.served_connections < opening) {
    Connection* connection = connections_[begun_connections_++].get();
    if (!connection->Open()) break;
  }
  std::vector<Connection*> waiting;
  waiting.swap(surroundings_.waiting);
  bool is_full = false;
  for (Connection* connection : waiting) {
    // One queue for all: where the first finds no place, the others find none.
    if (is_full)
      surroundings_.waiting.push_back(connection);
    else
      is_full = !connection->Open();
  }
}

void Run::Turn(uint64_t end_ns) {
  epoll_event events[kEventsMax];
  const uint64_t before_ns = NowNanoseconds();
  const uint64_t left_ms = end_ns > before_ns ? (end_ns - before_ns) / 1'000'000 + 1 : 0;
  const bool is_patient = surroundings_.waiting.empty() &&
                          begun_connections_ == connections_.size() && options_.rate == 0;
  const int most_ms = is_patient ? kTurnMs : 1;
  const int wait_ms = static_cast<int>(std::min<uint64_t>(left_ms, static_cast<uint64_t>(most_ms)));
  const int count = epoll_wait(surroundings_.epoll, events, kEventsMax, wait_ms);
  for (int i = 0; i < count; i++) {
    static_cast<Connection*>(events[i].data.ptr)->OnReady(events[i].events);
  }
  const uint64_t now_ns = NowNanoseconds();
  if (now_ns - swept_ns_ > kSweepNs) Sweep(now_ns);
}

void Run::Sweep(uint64_t now_ns) {
  swept_ns_ = now_ns;
  const uint64_t timeout_ns = Nanoseconds(options_.timeout_s);
  if (now_ns < timeout_ns) return;
  for (const auto& connection : connections_) connection->OnDeadline(now_ns - timeout_ns);
}

}  // namespace postern::loadgen
