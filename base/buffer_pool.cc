#include "base/buffer_pool.h"

#include <algorithm>
#include <new>

namespace quoll {

namespace {
constexpr std::align_val_t kCacheLine{64};
}

/// What pool and buffers share; the last of them deletes it.
struct BufferPool::Shared {
  size_t buffer_size;
  size_t limit;
  Block* free_list = nullptr;
  Statistics statistics = {};
  bool pool_gone = false;

  void delete_if_last() {
    if (pool_gone && statistics.in_use == 0) delete this;
  }
};

/// In front of each buffer's bytes, which begin at the next cache line.
struct alignas(static_cast<size_t>(kCacheLine)) BufferPool::Block : SliceOwner {
  Shared* shared;
  Block* next = nullptr;

  MutBytes memory() { return {reinterpret_cast<uint8_t*>(this + 1), shared->buffer_size}; }

  static Block* allocate(Shared* shared) {
    void* memory = ::operator new(sizeof(Block) + shared->buffer_size, kCacheLine);
    return new (memory) Block{{.release = give_back, .memory_size = shared->buffer_size}, shared};
  }
  static void deallocate(Block* block) { ::operator delete(block, kCacheLine); }

  static void give_back(SliceOwner& owner) {
    Block* block = static_cast<Block*>(&owner);
    Shared* shared = block->shared;
    shared->statistics.in_use--;
    if (shared->pool_gone) {
      deallocate(block);
      shared->delete_if_last();
    } else {
      block->next = shared->free_list;
      shared->free_list = block;
      shared->statistics.free++;
    }
  }
};

BufferPool::BufferPool(size_t buffer_size, size_t limit)
    : shared_(new Shared{.buffer_size = buffer_size, .limit = limit}) {}

BufferPool::~BufferPool() {
  trim(0);
  shared_->pool_gone = true;
  shared_->delete_if_last();
}

std::optional<Buffer> BufferPool::take() {
  Statistics& statistics = shared_->statistics;
  if (statistics.in_use == shared_->limit) {
    statistics.refused++;
    return std::nullopt;
  }
  Block* block = shared_->free_list;
  if (block) {
    shared_->free_list = block->next;
    statistics.free--;
  } else {
    block = Block::allocate(shared_);
  }
  statistics.in_use++;
  statistics.high_water = std::max(statistics.high_water, statistics.in_use);
  return Buffer(*block, block->memory());
}

void BufferPool::trim(size_t keep) {
  while (shared_->statistics.free > keep) {
    Block* block = shared_->free_list;
    shared_->free_list = block->next;
    shared_->statistics.free--;
    Block::deallocate(block);
  }
}

size_t BufferPool::buffer_size() const { return shared_->buffer_size; }

const BufferPool::Statistics& BufferPool::statistics() const { return shared_->statistics; }

}  // namespace quoll
