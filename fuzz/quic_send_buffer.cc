// The input is a program of writes, sends, losses and acknowledgements, which a quic::SendBuffer and an array of bytes'
// states follow side by side. With more ranges than the buffer keeps it may send bytes twice, but must deliver all.
#include "quic/stream/send_buffer.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/reader.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

constexpr size_t kSizeMax = 16384;

enum class State : uint8_t { unsent, in_flight, lost, acked };

uint8_t byte_at(uint64_t offset) { return static_cast<uint8_t>(offset * 7 + (offset >> 8)); }

class Run {
 public:
  void step(Reader& program) {
    const uint8_t kind = program.u8();
    switch (kind & 7) {
      case 0:
        write(program.u16() % 3000, (kind & 8) != 0);
        break;
      case 1:
      case 2:
        send(program.u16(), (kind & 8) != 0 ? program.u16() : UINT64_MAX);
        break;
      case 3:
        settle(program.u8(), program.u8(), (kind & 8) != 0);
        break;
      case 4:
        buffer_.trim();
        break;
      case 5:  // one byte in `pitch`
        comb(2 + kind / 16, (kind & 8) != 0);
        break;
      case 6:
        if (program.u8() == 0xff) rewind();
        break;
      case 7:
        check_pieces(program.u16(), program.u16());
        break;
    }
    advance();
    compare();
  }

  /// Delivers the rest. Every packet has its fate in the end: what was not acknowledged counts as lost.
  void finish() {
    buffer_.on_lost({0, sent_end_});
    for (size_t sent = 0; !buffer_.all_acked();) {
      std::vector<Interval> packets;
      while (const auto range = buffer_.next(UINT64_MAX)) {
        buffer_.on_sent(*range);
        packets.push_back(*range);
        sent += range->size();
        QUOLL_CHECK(sent <= 8 * kSizeMax);
      }
      QUOLL_CHECK(!packets.empty());
      for (const Interval range : packets) buffer_.on_acked(range);
    }
    QUOLL_CHECK(buffer_.acked_start() == states_.size());
  }

 private:
  void write(size_t size, bool copy) {
    size = std::min(size, kSizeMax - states_.size());
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; i++) bytes[i] = byte_at(states_.size() + i);
    QUOLL_CHECK(copy ? buffer_.append_copy(bytes) : buffer_.append(Slice::copy_of(bytes)));
    states_.resize(states_.size() + size, State::unsent);
  }

  void send(uint64_t max, uint64_t limit) {
    std::optional<Interval> range = buffer_.next(limit);
    if (exact_) QUOLL_CHECK(range == expected(limit));
    if (!range) return;
    range->end = std::min(range->end, range->start + 1 + max);
    check_pieces(range->start, range->size());
    buffer_.on_sent(*range);
    set(*range, State::in_flight);
    sent_end_ = std::max(sent_end_, range->end);
    packets_.push_back(*range);
  }

  std::optional<Interval> expected(uint64_t limit) const {
    const auto lost = std::ranges::find(states_, State::lost);
    const auto start = static_cast<uint64_t>(lost - states_.begin());
    if (lost == states_.end()) {
      const uint64_t end = std::min<uint64_t>(limit, states_.size());
      return sent_end_ < end ? std::optional(Interval{sent_end_, end}) : std::nullopt;
    }
    uint64_t end = start;
    while (end < states_.size() && states_[end] == State::lost) end++;
    return Interval{start, end};
  }

  void settle(size_t which, uint8_t keep, bool lost) {
    if (packets_.empty()) return;
    const auto packet = packets_.begin() + static_cast<ptrdiff_t>(which % packets_.size());
    const Interval range = *packet;
    if (keep < 128) packets_.erase(packet);
    settle_range(range, lost);
  }

  void settle_range(Interval range, bool lost) {
    lost ? buffer_.on_lost(range) : buffer_.on_acked(range);
    set(range, lost ? State::lost : State::acked);
  }

  void comb(uint64_t pitch, bool lost) {
    for (uint64_t at = acked_start_ + 1; at < sent_end_; at += pitch) settle_range({at, at + 1}, lost);
    // Not all of that may have found a place, and the model knows no limits.
    size_t ranges = 0;
    for (uint64_t at = 1; at < states_.size(); at++) ranges += states_[at] != states_[at - 1] ? 1 : 0;
    exact_ = exact_ && ranges < kSendRangesMax;
  }

  void rewind() {
    if (std::ranges::find(states_, State::acked) != states_.end()) return;
    buffer_.rewind();
    std::ranges::fill(states_, State::unsent);
    sent_end_ = 0;
    packets_.clear();
  }

  void check_pieces(uint64_t start, uint64_t size) {
    start = std::clamp<uint64_t>(start, acked_start_, states_.size());
    const Interval range = {start, std::min<uint64_t>(start + size, states_.size())};
    uint64_t at = range.start;
    buffer_.for_each_piece(range, [&](Bytes piece) {
      QUOLL_CHECK(!piece.empty());
      for (const uint8_t byte : piece) QUOLL_CHECK(byte == byte_at(at++));
    });
    QUOLL_CHECK(at == range.end);
  }

  void set(Interval range, State state) {
    for (uint64_t at = range.start; at < range.end; at++) {
      if (states_[at] != State::acked) states_[at] = state;
    }
  }

  void advance() {
    while (acked_start_ < states_.size() && states_[acked_start_] == State::acked) acked_start_++;
    if (exact_) return;
    // What could not be remembered as acknowledged is sent again.
    QUOLL_CHECK(buffer_.acked_start() <= acked_start_);
    acked_start_ = buffer_.acked_start();
  }

  void compare() const {
    QUOLL_CHECK(buffer_.end() == states_.size());
    QUOLL_CHECK(buffer_.sent_end() == sent_end_);
    QUOLL_CHECK(buffer_.acked_start() == acked_start_);
    QUOLL_CHECK(buffer_.held() == states_.size() - acked_start_);
    QUOLL_CHECK(buffer_.all_acked() == (acked_start_ == states_.size()));
    if (exact_) QUOLL_CHECK(buffer_.has_lost() == (std::ranges::find(states_, State::lost) != states_.end()));
  }

  SendBuffer buffer_;
  std::vector<State> states_;
  std::vector<Interval> packets_;  // that may be settled
  uint64_t acked_start_ = 0;
  uint64_t sent_end_ = 0;
  bool exact_ = true;  // the buffer has met no limit
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, size));
  Run run;
  for (int steps = 0; !program.rest().empty() && steps < 500; steps++) run.step(program);
  run.finish();
  return 0;
}
