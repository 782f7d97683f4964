// How much memory is allocated: the unit tests' program counts what operator new gives out and has not got back.
#pragma once

#include <cstddef>

namespace quoll::tests {

/// False under sanitizers, which bring their own operator new: then the numbers below stay 0.
bool heap_is_counted();

/// Bytes that are allocated now, as the allocator rounds them; by all threads.
size_t heap_bytes();

/// Calls of operator new so far.
size_t heap_allocations();

}  // namespace quoll::tests
