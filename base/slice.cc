#include "base/slice.h"

#include <new>

namespace quoll {

namespace {

/// Header and bytes in one allocation.
struct HeapBlock : SliceOwner {
  uint8_t* memory() { return reinterpret_cast<uint8_t*>(this + 1); }

  static HeapBlock& allocate(size_t size) {
    return *new (::operator new(sizeof(HeapBlock) + size)) HeapBlock{{.release = release_block, .memory_size = size}};
  }
  static void release_block(SliceOwner& owner) { ::operator delete(static_cast<HeapBlock*>(&owner)); }
};

struct ApplicationMemory : SliceOwner {
  void (*callback)(void*);
  void* context;

  static void release_memory(SliceOwner& owner) {
    auto& memory = static_cast<ApplicationMemory&>(owner);
    memory.callback(memory.context);
    delete &memory;
  }
};

}  // namespace

Slice Slice::copy_of(Bytes bytes) {
  if (bytes.empty()) return {};
  HeapBlock& block = HeapBlock::allocate(bytes.size());
  copy_bytes(block.memory(), bytes);
  return Slice(block, {block.memory(), bytes.size()});
}

Slice Slice::of_application(Bytes memory, void (*release)(void*), void* context) {
  auto* owner = new ApplicationMemory{
      {.release = ApplicationMemory::release_memory, .memory_size = memory.size()}, release, context};
  return Slice(*owner, memory);
}

Buffer Buffer::allocate(size_t size) {
  HeapBlock& block = HeapBlock::allocate(size);
  return Buffer(block, {block.memory(), size});
}

}  // namespace quoll
