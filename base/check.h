// QUOLL_CHECK: an invariant of ours; stays in release builds and aborts with its place and text.
// QUOLL_DCHECK: the same in debug and sanitizer builds only, for checks that cost on a hot path.
//
// A peer's fault is never a QUOLL_CHECK: it is an Error. These two are the project's only macros apart from registry lists,
// and have its prefix, since headers that others include must not take their names.
#pragma once

namespace quoll {

/// Prints "FILE:LINE: CHECK failed: TEXT" on stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* text);

}  // namespace quoll

#define QUOLL_CHECK(condition)                               \
  do {                                                       \
    if (!(condition)) [[unlikely]]                           \
      ::quoll::check_failed(__FILE__, __LINE__, #condition); \
  } while (false)

#ifdef NDEBUG
#define QUOLL_DCHECK(condition) \
  do {                          \
    (void)sizeof(!(condition)); \
  } while (false)
#else
#define QUOLL_DCHECK(condition) QUOLL_CHECK(condition)
#endif
