// A corpus → its replay, and then changed inputs as long as time lasts: a fuzzing engine guided by
// coverage for every compiler that has -fsanitize-coverage=trace-pc, so that fuzzing needs no
// Clang.
//
//   fuzz TARGET CORPUS [--time-ms N] [--runs N] [--seed N] [--findings FOLDER] [--keep FILE]
//   [--input FILE]
//
// The last line on standard output is what was done. A finding ends the process by a signal.
#include <sys/time.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>

#include "edge_map.h"
#include "finding_keeper.h"
#include "mutator.h"
#include "seed_file.h"
#include "target.h"

namespace postern::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kInputBytesMax = 4'096;
// Grown inputs above this are not kept in a corpus.
constexpr size_t kKeptBytesMax = 1'500;
constexpr uint64_t kRunsBetweenClocks = 64;
// So many runs that take longer, of the processor's time, never end.
constexpr time_t kSecondsMax = 20;
constexpr char kGrown[] = "grown-";

struct Words {
  std::string target;
  std::string corpus;
  std::string findings = ".";
  std::string keep;
  std::string input;
  uint64_t time_ms = 1'000;
  uint64_t runs = UINT64_MAX;
  uint64_t seed = 1;
};

// Reads the command line; false for words that are none of ours.
bool ReadWords(int argc, char** argv, Words& words) {
  if (argc < 3) return false;
  words.target = argv[1];
  words.corpus = argv[2];
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    const uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
    if (name == "--time-ms")
      words.time_ms = number;
    else if (name == "--runs")
      words.runs = number;
    else if (name == "--seed")
      words.seed = number;
    else if (name == "--findings")
      words.findings = value;
    else if (name == "--keep")
      words.keep = value;
    else if (name == "--input")
      words.input = value;
    else
      return false;
  }
  return (argc - 3) % 2 == 0;
}

class Loop {
 public:
  explicit Loop(const Words& words)
      : words_(words),
        target_(words.target),
        mutator_(target_.protocol(), words.seed, kInputBytesMax) {}

  int Run() {
    if (!target_.is_known()) return 2;
    KeepFindings(words_.findings, words_.target);
    if (!words_.input.empty()) return Replay();
    const auto began = Clock::now();
    for (Seed& seed : ReadSeeds(words_.corpus)) {
      Learn(seed.bytes);
      seeds_.push_back(std::move(seed));
    }
    const size_t given = seeds_.size();
    if (seeds_.empty()) seeds_.push_back({"empty", {0, 0, 0, 0}});
    const auto end = began + std::chrono::milliseconds(words_.time_ms);
    while (runs_ < words_.runs && (runs_ % kRunsBetweenClocks != 0 || Clock::now() < end)) {
      if (runs_ % kRunsBetweenClocks == 0) Limit(kSecondsMax);
      Try();
    }
    Limit(0);
    const double seconds = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    std::printf("%s: %llu runs in %.1f s, %.0f exec/s, %u edges, %zu seeds and %zu grown\n",
                words_.target.c_str(), static_cast<unsigned long long>(runs_), seconds,
                static_cast<double>(runs_) / seconds, EdgeCount(), given, seeds_.size() - given);
    if (!words_.keep.empty()) Keep();
    return 0;
  }

 private:
  // One kept finding again, from its file.
  int Replay() {
    std::ifstream file(words_.input, std::ios::binary);
    const Bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    Learn(bytes);
    std::printf("%s: nothing found in %zu bytes\n", words_.target.c_str(), bytes.size());
    return 0;
  }

  // Runs an input; returns what it did that none before it has done.
  uint32_t Learn(const Bytes& input) {
    NowTesting(&input);
    BeginEdges();
    target_.Test(input.data(), input.size());
    runs_++;
    return LearnEdges();
  }

  // SIGVTALRM in so many seconds; 0: never.
  static void Limit(time_t seconds) {
    itimerval limit{};
    limit.it_value.tv_sec = seconds;
    setitimer(ITIMER_VIRTUAL, &limit, nullptr);
  }

  void Try() {
    // Inputs that were found late have more to give.
    const size_t newest = seeds_.size() - 1 - mutator_.Below(std::min<size_t>(seeds_.size(), 32));
    size_t chosen = mutator_.Below(3) == 0 ? newest : mutator_.Below(seeds_.size());
    // Of two the shorter: what takes less time is tried more often.
    const size_t rival = mutator_.Below(seeds_.size());
    if (seeds_[rival].bytes.size() < seeds_[chosen].bytes.size()) chosen = rival;
    const Bytes& other = seeds_[mutator_.Below(seeds_.size())].bytes;
    trial_ = seeds_[chosen].bytes;
    mutator_.Change(trial_, other);
    if (Learn(trial_) == 0) return;
    char name[32];
    std::snprintf(name, sizeof(name), "%s%08zx", kGrown, HashOf(trial_) & 0xffff'ffff);
    seeds_.push_back({name, trial_});
  }

  static size_t HashOf(const Bytes& bytes) {
    size_t hash = 0xcbf2'9ce4'8422'2325;
    for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x0100'0000'01b3;
    return hash;
  }

  // Writes the corpus with nothing in it twice: named seeds stay, of grown ones those that do
  // something that no named one and no shorter one does.
  void Keep() {
    std::stable_sort(seeds_.begin(), seeds_.end(), [](const Seed& one, const Seed& other) {
      const bool one_grown = IsGrown(one);
      if (one_grown != IsGrown(other)) return !one_grown;
      return one_grown && one.bytes.size() < other.bytes.size();
    });
    ForgetEdges();
    std::vector<Seed> kept;
    for (Seed& seed : seeds_) {
      // A new pair of blocks; that one runs more often is worth a try, but no line in a corpus.
      const uint32_t edges = EdgeCount();
      Learn(seed.bytes);
      const bool is_wanted = EdgeCount() > edges && seed.bytes.size() <= kKeptBytesMax;
      if (!IsGrown(seed) || is_wanted) kept.push_back(std::move(seed));
    }
    WriteSeeds(words_.keep, kept);
    std::printf("%s: %zu seeds kept, %u edges\n", words_.target.c_str(), kept.size(), EdgeCount());
  }

  static bool IsGrown(const Seed& seed) { return seed.name.rfind(kGrown, 0) == 0; }

  Words words_;
  Target target_;
  Mutator mutator_;
  std::vector<Seed> seeds_;
  Bytes trial_;
  uint64_t runs_ = 0;
};

}  // namespace
}  // namespace postern::fuzz

int main(int argc, char** argv) {
  postern::fuzz::Words words;
  if (!postern::fuzz::ReadWords(argc, argv, words)) {
    std::fprintf(stderr,
                 "usage: fuzz TARGET CORPUS [--time-ms N] [--runs N] [--seed N] "
                 "[--findings FOLDER] [--keep FILE] [--input FILE]\n");
    return 2;
  }
  return postern::fuzz::Loop(words).Run();
}
