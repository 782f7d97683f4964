// Marks memory as secret or public for valgrind's memcheck: "undefined" stands for "secret", so that memcheck's report
// of a branch or an address that depends on undefined bytes is a report of a leak through time.
#pragma once

#include <valgrind/memcheck.h>

#include <cstddef>

namespace quoll::ct_test {

inline void secret(const void* memory, size_t size) { (void)VALGRIND_MAKE_MEM_UNDEFINED(memory, size); }
inline void reveal(const void* memory, size_t size) { (void)VALGRIND_MAKE_MEM_DEFINED(memory, size); }

/// Errors that memcheck has reported so far.
inline size_t leaks() { return VALGRIND_COUNT_ERRORS; }

inline bool under_valgrind() { return RUNNING_ON_VALGRIND != 0; }

}  // namespace quoll::ct_test
