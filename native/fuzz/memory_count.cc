// The hooks of the sanitizers' allocator → sums. Blocks that were taken before Begin() and are
// freed after it are not in the sum, so it may fall below zero and is signed.
#include "memory_count.h"

#include <cstddef>

#include "sanitizer_build.h"

#if POSTERN_WITH_ASAN
// In both runtimes, but GCC installs no header that declares them.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*taken)(const volatile void* block,
                                                                       size_t size),
                                                         void (*freed)(const volatile void* block));
extern "C" size_t __sanitizer_get_allocated_size(const volatile void* block);

// Freed memory comes back soon and stacks are short: a decoder takes and gives back little, and an
// input has to take microseconds. Asked for by the runtime at its start.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() {
  return "quarantine_size_mb=1:malloc_context_size=3";
}
#endif

namespace postern::fuzz {
namespace {

int64_t held_bytes = 0;
int64_t peak_bytes = 0;

#if POSTERN_WITH_ASAN
void Taken(const volatile void* /*block*/, size_t size) {
  held_bytes += static_cast<int64_t>(size);
  if (held_bytes > peak_bytes) peak_bytes = held_bytes;
}

void Freed(const volatile void* block) {
  held_bytes -= static_cast<int64_t>(__sanitizer_get_allocated_size(block));
}
#endif

}  // namespace

void CountMemory() {
#if POSTERN_WITH_ASAN
  __sanitizer_install_malloc_and_free_hooks(Taken, Freed);
#endif
}

void BeginMemory() {
  held_bytes = 0;
  peak_bytes = 0;
}

uint64_t MemoryPeak() {
  return static_cast<uint64_t>(peak_bytes);
}

}  // namespace postern::fuzz
