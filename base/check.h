// CHECK: an invariant of ours; stays in release builds and aborts with its place and text.
// DCHECK: the same in debug and sanitizer builds only, for checks that cost on a hot path.
//
// A peer's fault is never a CHECK: it is an Error. These two are the project's only macros apart from registry lists.
#pragma once

namespace quoll {

/// Prints "FILE:LINE: CHECK failed: TEXT" on stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* text);

}  // namespace quoll

#define CHECK(condition)                                     \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::quoll::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition)       \
  do {                          \
    (void)sizeof(!(condition)); \
  } while (false)
#else
#define DCHECK(condition) CHECK(condition)
#endif
