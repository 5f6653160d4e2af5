// Written with open(2) and write(2) alone, since the heap may be in any state. One finding a
// process.
#include "finding_keeper.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "sanitizer_build.h"
#if POSTERN_WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace postern::fuzz {
namespace {

const Bytes* input_now = nullptr;
std::string path;
bool is_kept = false;

void Say(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) _exit(3);
}

void Keep() {
  if (is_kept || input_now == nullptr) return;
  is_kept = true;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Say("the finding could not be kept\n");
  const ssize_t count = write(fd, input_now->data(), input_now->size());
  close(fd);
  Say(count < 0 ? "the finding could not be kept" : "finding kept in ");
  Say(path.c_str());
  Say("\n");
}

// A fault, an abort, or an input that takes for ever: keep, then die of it as one would have.
void OnSignal(int number) {
  Keep();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

void KeepFindings(const std::string& folder, const std::string& target) {
  path = folder + "/finding-" + target + "-" + std::to_string(getpid());
  std::signal(SIGABRT, OnSignal);
  std::signal(SIGVTALRM, OnSignal);
#if POSTERN_WITH_ASAN
  __sanitizer_set_death_callback(Keep);
#else
  std::signal(SIGSEGV, OnSignal);
#endif
}

void NowTesting(const Bytes* input) {
  input_now = input;
}

}  // namespace postern::fuzz
