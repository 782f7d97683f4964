// The sections that the peer's decoder has not acknowledged and that reference the dynamic table (RFC 9204 §2.1.1, §2.1.2):
// of each stream in the order in which they were sent, and which streams could be blocked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace quoll::qpack {

class UnacknowledgedSections {
 public:
  /// A decoder may be slow to acknowledge, or never do. Beyond these many, sections are sent without references to the
  /// dynamic table; each costs some 40 bytes.
  static constexpr size_t kMax = 4096;

  struct Section {
    uint64_t stream_id = 0;
    uint64_t required_insert_count = 0;
    uint64_t oldest_reference = 0;  // an absolute index
  };

  size_t size() const { return size_; }
  bool full() const { return size_ >= kMax; }
  /// Streams that the decoder could be blocked on, since a section needs inserts that it may not have yet.
  size_t streams_at_risk() const { return at_risk_.size(); }
  bool is_at_risk(uint64_t stream_id) const;

  /// Not full. `known_received`: the Known Received Count (§2.1.4).
  void add(const Section& section, uint64_t known_received);
  /// The stream's earliest section, which is taken out; empty when there is none (§4.4.1).
  std::optional<Section> acknowledge(uint64_t stream_id);
  /// The same, for a stream that is given up (§4.4.2): to be called until it is empty.
  std::optional<Section> cancel(uint64_t stream_id);
  void on_known_received(uint64_t known_received);

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Node {
    Section section;
    uint32_t next = kNone;  // in the chain of the hash, later ones behind earlier ones; or in the list of free ones
  };
  struct AtRisk {
    uint64_t stream_id = 0;
    uint64_t required_insert_count = 0;
  };

  size_t bucket(uint64_t stream_id) const;
  void grow();
  void append(uint32_t node);

  std::vector<Node> nodes_;
  std::vector<uint32_t> buckets_;  // a power of two of them
  uint32_t free_ = kNone;
  size_t size_ = 0;
  std::vector<AtRisk> at_risk_;  // as many as the peer lets be blocked
};

}  // namespace quoll::qpack
