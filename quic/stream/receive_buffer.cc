#include "quic/stream/receive_buffer.h"

#include <algorithm>

#include "base/shrink.h"

namespace quoll::quic {

namespace {

/// What compact() copies together is pinned together: not too much.
constexpr size_t kCompactBlockMax = 16 * 1024;

/// Grows by a quarter where std::vector would double: what stands idle counts against the peer's bytes.
template <class T>
void make_room(std::vector<T>& elements) {
  const size_t size = elements.size();
  if (size == elements.capacity()) elements.reserve(size < 64 ? std::max<size_t>(16, 4 * size) : size + size / 4);
}

}  // namespace

bool ReceiveBuffer::insert(uint64_t offset, Slice data) {
  if (cleared_ || data.empty() || offset + data.size() <= contiguous_end_) return true;
  if (offset < contiguous_end_) {
    // RFC 9000 §2.2: data at an offset never changes, so the first copy of it is as good as any.
    data.drop_front(static_cast<size_t>(contiguous_end_ - offset));
    offset = contiguous_end_;
  }
  if (offset == contiguous_end_) {
    insert_in_order(std::move(data));
  } else if (!insert_behind_gap(offset, std::move(data))) {
    return false;
  }
  bound_memory();
  return true;
}

bool ReceiveBuffer::insert_copy(uint64_t offset, Bytes data) {
  if (cleared_ || data.empty() || offset + data.size() <= contiguous_end_) return true;
  return insert(offset, Slice::copy_of(data));
}

void ReceiveBuffer::insert_in_order(Slice data) {
  if (held_ == 0) [[likely]] {
    held_ = data.size();
    pinned_ = data.pinned_size();
    contiguous_end_ += data.size();
    front_ = std::move(data);
  } else {
    contiguous_end_ = absorb(in_order_, contiguous_end_, std::move(data), 0);
  }
}

bool ReceiveBuffer::insert_behind_gap(uint64_t offset, Slice data) {
  const uint64_t end = offset + data.size();
  // The first range that ends at the offset or behind it.
  const auto found = std::lower_bound(ranges_.begin(), ranges_.end(), offset,
                                      [](const Range& range, uint64_t value) { return range.end < value; });
  const auto index = static_cast<size_t>(found - ranges_.begin());
  if (found != ranges_.end() && found->start <= offset) {
    if (end <= found->end) return true;
    data.drop_front(static_cast<size_t>(found->end - offset));
  } else {
    const bool is_alone = found == ranges_.end() || end < found->start;
    if (is_alone && ranges_.size() >= kReceiveGapsMax) return false;
    make_room(ranges_);
    ranges_.insert(ranges_.begin() + static_cast<ptrdiff_t>(index), Range{offset, offset, {}});
  }
  // absorb() removes ranges behind this one, and this one stays where it is.
  Range& range = ranges_[index];
  range.end = absorb(range.chain, range.end, std::move(data), index + 1);
  return true;
}

/// Appends data to a chain that ends at `at`, with the ranges from `first` on that it overlaps or touches. The new end.
uint64_t ReceiveBuffer::absorb(Chain& chain, uint64_t at, Slice data, size_t first) {
  const uint64_t end = at + data.size();
  size_t next = first;
  for (; next < ranges_.size() && ranges_[next].start <= end; next++) {
    const Range& range = ranges_[next];
    append(chain, data.split_front(static_cast<size_t>(range.start - at)), next);
    splice(chain, range.chain);
    at = range.end;
    data.drop_front(static_cast<size_t>(std::min(range.end, end) - range.start));
  }
  if (!data.empty()) append(chain, std::move(data), next);
  ranges_.erase(ranges_.begin() + static_cast<ptrdiff_t>(first), ranges_.begin() + static_cast<ptrdiff_t>(next));
  return std::max(at, end);
}

void ReceiveBuffer::append(Chain& chain, Slice data, size_t next_range) {
  held_ += data.size();
  Place place = place_behind(chain, next_range);
  // The last, small part of a train goes the way of the others: their buffer is held in any case.
  const bool is_pinned = place.before && place.before->shares_owner_with(data);
  if (data.size() < kReceiveFragmentMax && !is_pinned) {
    data = copy_fragment(data.bytes());
    Slice* before = place.before;
    if (before && before->shares_owner_with(data) && before->data() + before->size() == data.data()) {
      *before = block_.slice({before->data(), before->size() + data.size()});
      return;
    }
  }
  account(data, place);
  if (&chain == &in_order_ && front_.empty()) {
    front_ = std::move(data);
  } else {
    const uint32_t node = make_node(std::move(data));
    splice(chain, {node, node});
  }
}

/// Behind a chain, in front of a range.
ReceiveBuffer::Place ReceiveBuffer::place_behind(const Chain& chain, size_t next_range) {
  Place place;
  if (!chain.empty()) {
    place.before = &nodes_[chain.tail].data;
  } else if (&chain == &in_order_ && !front_.empty()) {
    place.before = &front_;
  }
  if (place.before) {
    place.left = place.before;
  } else if (next_range >= 2) {  // the chain is that of a new range, the one before next_range
    place.left = &nodes_[ranges_[next_range - 2].chain.tail].data;
  } else if (!in_order_.empty()) {
    place.left = &nodes_[in_order_.tail].data;
  } else if (!front_.empty()) {
    place.left = &front_;
  }
  if (next_range < ranges_.size()) place.right = &nodes_[ranges_[next_range].chain.head].data;
  return place;
}

/// Adds what the memory of a new slice costs: nothing when a neighbour keeps it already, and once more for the
/// neighbours when it comes between two that did.
void ReceiveBuffer::account(const Slice& added, const Place& place) {
  const bool with_left = place.left && place.left->shares_owner_with(added);
  const bool with_right = place.right && place.right->shares_owner_with(added);
  if (with_left || with_right) return;
  pinned_ += added.pinned_size();
  if (place.left && place.right && place.left->shares_owner_with(*place.right)) pinned_ += place.left->pinned_size();
}

/// Copies into the room of the block, or into a new one.
Slice ReceiveBuffer::copy_fragment(Bytes data) {
  if (block_.unique()) block_used_ = 0;  // all that was copied into it is gone
  if (data.size() > block_.size() - block_used_) {
    const auto wanted = static_cast<size_t>(std::clamp<uint64_t>(held_, kFragmentBlockMin, kFragmentBlockMax));
    block_ = Buffer::allocate(std::max(data.size(), wanted));
    block_used_ = 0;
  }
  const MutBytes place = block_.bytes().subspan(block_used_, data.size());
  copy_bytes(place.data(), data);
  block_used_ += data.size();
  return block_.slice(place);
}

std::optional<Slice> ReceiveBuffer::read(size_t max) {
  if (front_.empty() || max == 0) return {};
  const size_t size = std::min(max, front_.size());
  read_offset_ += size;
  held_ -= size;
  Slice bytes = size < front_.size() ? front_.split_front(size) : pop_front();
  if (held_ == 0) {
    on_empty();
  } else {
    bound_memory();  // what is left may be what pins
  }
  return bytes;
}

Slice ReceiveBuffer::pop_front() {
  Slice popped = std::move(front_);
  const Slice* next = nullptr;
  if (!in_order_.empty()) {
    next = &nodes_[in_order_.head].data;
  } else if (!ranges_.empty()) {
    next = &nodes_[ranges_.front().chain.head].data;
  }
  if (!next || !next->shares_owner_with(popped)) pinned_ -= popped.pinned_size();
  if (!in_order_.empty()) {
    const uint32_t head = in_order_.head;
    front_ = std::move(nodes_[head].data);
    in_order_.head = nodes_[head].next;
    if (in_order_.empty()) in_order_.tail = kNone;
    free_node(head);
  }
  return popped;
}

uint32_t ReceiveBuffer::make_node(Slice data) {
  if (free_nodes_ != kNone) {
    const uint32_t index = std::exchange(free_nodes_, nodes_[free_nodes_].next);
    nodes_[index] = {.data = std::move(data)};
    return index;
  }
  make_room(nodes_);
  nodes_.push_back({.data = std::move(data)});
  return static_cast<uint32_t>(nodes_.size() - 1);
}

void ReceiveBuffer::free_node(uint32_t index) {
  nodes_[index] = {.data = {}, .next = std::exchange(free_nodes_, index)};
}

void ReceiveBuffer::splice(Chain& chain, Chain other) {
  if (chain.empty()) {
    chain = other;
  } else {
    nodes_[chain.tail].next = other.head;
    chain.tail = other.tail;
  }
}

void ReceiveBuffer::clear() {
  cleared_ = true;
  contiguous_end_ = read_offset_;
  held_ = 0;
  front_ = {};
  in_order_ = {};
  on_empty();
  trim();
}

/// All nodes are free, and there are no ranges, or they do not matter any more.
void ReceiveBuffer::on_empty() {
  ranges_.clear();
  nodes_.clear();
  free_nodes_ = kNone;
  pinned_ = 0;
  if (ranges_.capacity() > kReceiveRangesKept) ranges_ = std::vector<Range>();  // {} would keep the capacity
  if (nodes_.capacity() > kReceiveNodesKept) nodes_ = std::vector<Node>();
}

void ReceiveBuffer::trim() {
  if (held_ != 0) return;
  ranges_ = std::vector<Range>();
  nodes_ = std::vector<Node>();
  block_ = {};
  block_used_ = 0;
}

size_t ReceiveBuffer::memory() const {
  return pinned_ + block_.size() + nodes_.capacity() * sizeof(Node) + ranges_.capacity() * sizeof(Range);
}

void ReceiveBuffer::bound_memory() {
  if (memory() > kPinnedFactorMax * held_ + kReceiveSlack) [[unlikely]]
    compact();
}

/// Runs of slices that share an owner are kept when they use half of its memory at least; the bytes of the others are
/// copied together, across gaps too. All is then below half of what makes it begin again, so that it costs little in the
/// long run.
void ReceiveBuffer::compact() {
  std::vector<Item> all = items();
  mark_runs(all);
  copy_marked(all);
  block_ = {};
  block_used_ = 0;
  rebuild_nodes();
}

std::vector<ReceiveBuffer::Item> ReceiveBuffer::items() {
  std::vector<Item> all;
  all.reserve(nodes_.size() + 1);
  const auto add = [&](const Chain& chain, bool begins) {
    for (uint32_t i = chain.head; i != kNone; i = nodes_[i].next) {
      all.push_back({.slice = &nodes_[i].data, .begins_range = begins});
      begins = false;
    }
  };
  if (!front_.empty()) all.push_back({.slice = &front_, .begins_range = true});
  add(in_order_, false);
  for (const Range& range : ranges_) add(range.chain, true);
  return all;
}

void ReceiveBuffer::mark_runs(std::span<Item> items) {
  for (size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    size_t bytes = 0;
    for (; end < items.size() && items[end].slice->shares_owner_with(*items[begin].slice); end++) {
      bytes += items[end].slice->size();
    }
    const size_t cost = items[begin].slice->pinned_size() + (end - begin) * sizeof(Node);
    if (cost <= 2 * bytes) continue;
    for (Item& item : items.subspan(begin, end - begin)) item.copy = true;
  }
}

/// Copies the marked slices into blocks; those that follow each other without a gap become one, and the others empty.
void ReceiveBuffer::copy_marked(std::span<Item> items) {
  Buffer block;
  size_t used = 0;
  Slice* grows = nullptr;  // the slice that ends at `used`
  for (size_t i = 0; i < items.size(); i++) {
    if (items[i].begins_range || !items[i].copy) grows = nullptr;
    if (!items[i].copy) continue;
    const Bytes data = items[i].slice->bytes();
    if (data.size() > block.size() - used) {
      size_t wanted = data.size();
      for (size_t next = i + 1; next < items.size() && wanted < kCompactBlockMax; next++) {
        if (items[next].copy) wanted += items[next].slice->size();
      }
      block = Buffer::allocate(std::max(data.size(), std::min(wanted, kCompactBlockMax)));
      used = 0;
      grows = nullptr;
    }
    const MutBytes place = block.bytes().subspan(used, data.size());
    copy_bytes(place.data(), data);
    used += data.size();
    if (grows) {
      *grows = block.slice({grows->data(), grows->size() + data.size()});
      *items[i].slice = {};
    } else {
      *items[i].slice = block.slice(place);
      grows = items[i].slice;
    }
  }
}

/// Leaves out the empty slices, and counts anew what the others pin.
void ReceiveBuffer::rebuild_nodes() {
  std::vector<Node> old = std::move(nodes_);
  size_t count = 0;
  for (const Node& node : old) count += node.data.empty() ? 0 : 1;
  nodes_ = std::vector<Node>();
  nodes_.reserve(count + count / 4);
  free_nodes_ = kNone;
  pinned_ = front_.pinned_size();
  const Slice* left = &front_;
  const auto move = [&](Chain& chain) {
    Chain moved;
    for (uint32_t i = chain.head; i != kNone; i = old[i].next) {
      if (old[i].data.empty()) continue;
      const uint32_t node = make_node(std::move(old[i].data));
      if (!left->shares_owner_with(nodes_[node].data)) pinned_ += nodes_[node].data.pinned_size();
      left = &nodes_[node].data;
      splice(moved, {node, node});
    }
    chain = moved;
  };
  move(in_order_);
  for (Range& range : ranges_) move(range.chain);
  if (ranges_.size() < ranges_.capacity() / 2) shrink(ranges_);
}

}  // namespace quoll::quic
