// Is this a build with AddressSanitizer? GCC and Clang say it in different words.
// Poisoned memory is memory that nobody may touch; without AddressSanitizer it is memory like any
// other.
#ifndef POSTERN_FUZZ_SANITIZER_BUILD_H_
#define POSTERN_FUZZ_SANITIZER_BUILD_H_

#if defined(__SANITIZE_ADDRESS__)
#define POSTERN_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POSTERN_WITH_ASAN 1
#endif
#endif
#ifndef POSTERN_WITH_ASAN
#define POSTERN_WITH_ASAN 0
#endif

#if POSTERN_WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

#endif  // POSTERN_FUZZ_SANITIZER_BUILD_H_
