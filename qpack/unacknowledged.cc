#include "qpack/unacknowledged.h"

#include <algorithm>

#include "base/check.h"

namespace quoll::qpack {

bool UnacknowledgedSections::is_at_risk(uint64_t stream_id) const {
  return std::ranges::find(at_risk_, stream_id, &AtRisk::stream_id) != at_risk_.end();
}

void UnacknowledgedSections::add(const Section& section, uint64_t known_received) {
  QUOLL_CHECK(!full());
  if (size_ >= buckets_.size()) grow();
  uint32_t index = free_;
  if (index == kNone) {
    index = static_cast<uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_ = nodes_[index].next;
  }
  nodes_[index].section = section;
  append(index);
  size_++;

  if (section.required_insert_count <= known_received) return;
  const auto found = std::ranges::find(at_risk_, section.stream_id, &AtRisk::stream_id);
  if (found == at_risk_.end()) {
    at_risk_.push_back({section.stream_id, section.required_insert_count});
  } else {
    found->required_insert_count = std::max(found->required_insert_count, section.required_insert_count);
  }
}

std::optional<UnacknowledgedSections::Section> UnacknowledgedSections::acknowledge(uint64_t stream_id) {
  if (size_ == 0) return {};
  uint32_t* link = &buckets_[bucket(stream_id)];
  while (*link != kNone && nodes_[*link].section.stream_id != stream_id) link = &nodes_[*link].next;
  if (*link == kNone) return {};
  const uint32_t index = *link;
  *link = nodes_[index].next;
  nodes_[index].next = free_;
  free_ = index;
  size_--;
  return nodes_[index].section;
}

std::optional<UnacknowledgedSections::Section> UnacknowledgedSections::cancel(uint64_t stream_id) {
  std::erase_if(at_risk_, [&](const AtRisk& one) { return one.stream_id == stream_id; });
  return acknowledge(stream_id);
}

void UnacknowledgedSections::on_known_received(uint64_t known_received) {
  std::erase_if(at_risk_, [&](const AtRisk& one) { return one.required_insert_count <= known_received; });
}

size_t UnacknowledgedSections::bucket(uint64_t stream_id) const {
  return static_cast<size_t>(stream_id * 0x9e3779b97f4a7c15 >> 40) & (buckets_.size() - 1);
}

void UnacknowledgedSections::grow() {
  constexpr size_t kFirst = 16;
  const std::vector<uint32_t> before = std::move(buckets_);
  buckets_.assign(before.empty() ? kFirst : 2 * before.size(), kNone);
  for (const uint32_t head : before) {
    for (uint32_t index = head; index != kNone;) {
      const uint32_t next = nodes_[index].next;
      append(index);
      index = next;
    }
  }
}

void UnacknowledgedSections::append(uint32_t node) {
  uint32_t* link = &buckets_[bucket(nodes_[node].section.stream_id)];
  while (*link != kNone) link = &nodes_[*link].next;
  *link = node;
  nodes_[node].next = kNone;
}

}  // namespace quoll::qpack
