#include "tests/support/heap.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QUOLL_HEAP_COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define QUOLL_HEAP_COUNTED 0
#endif
#endif
#ifndef QUOLL_HEAP_COUNTED
#define QUOLL_HEAP_COUNTED 1
#endif

namespace {

std::atomic<size_t> live_bytes, allocations;

}  // namespace

namespace quoll::tests {

bool heap_is_counted() { return QUOLL_HEAP_COUNTED != 0; }
size_t heap_bytes() { return live_bytes.load(std::memory_order_relaxed); }
size_t heap_allocations() { return allocations.load(std::memory_order_relaxed); }

}  // namespace quoll::tests

#if QUOLL_HEAP_COUNTED

namespace {

void* counted(void* memory) {
  if (!memory) throw std::bad_alloc();
  live_bytes.fetch_add(malloc_usable_size(memory), std::memory_order_relaxed);
  allocations.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void give_back(void* memory) {
  if (memory) live_bytes.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}

size_t rounded_up(size_t size, size_t alignment) { return (size + alignment - 1) / alignment * alignment; }

}  // namespace

// The array forms call these.
void* operator new(size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void* operator new(size_t size, std::align_val_t alignment) {
  const auto bytes = static_cast<size_t>(alignment);
  return counted(std::aligned_alloc(bytes, rounded_up(size == 0 ? 1 : size, bytes)));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { give_back(memory); }

#endif
