// The input is a program of insertions and reads, which a quic::ReceiveBuffer and an array of bytes follow side by side.
#include "quic/stream/receive_buffer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/buffer_pool.h"
#include "base/reader.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

constexpr size_t kWindow = 16384;
using Model = std::array<int16_t, kWindow>;  // the byte that arrived first, or -1

class Run {
 public:
  explicit Run(uint8_t options) : pool_(options & 1 ? 65536 : 2048, 4096), size_shift_(options >> 1 & 7) {
    model_.fill(-1);
    datagram_ = pool_.take().value();
  }

  void step(Reader& program) {
    const uint8_t kind = program.u8();
    switch (kind & 7) {
      case 0:  // anywhere
        insert(program.u16(), program.u8());
        break;
      case 1:  // where data goes on
        insert(contiguous_end_, program.u8());
        break;
      case 2:  // near that
        insert(contiguous_end_ + program.u8(), program.u8());
        break;
      case 3:  // a comb, upward or downward
        comb(program.u16(), 1 + kind / 16, program.u8(), (kind & 8) != 0);
        break;
      case 4:
        read(program.u16());
        break;
      case 5:
        datagram_ = pool_.take().value();
        used_ = 0;
        break;
      case 6:
        buffer_.unpin();
        break;
      case 7:
        if (program.u8() == 0xff) clear();
        break;
    }
    compare();
  }

 private:
  void insert(uint64_t offset, size_t size) {
    offset = std::min<uint64_t>(offset, kWindow);
    size = std::min<size_t>(size << size_shift_, kWindow - offset);
    if (used_ + size > datagram_.size()) {
      datagram_ = pool_.take().value();
      used_ = 0;
      size = std::min(size, datagram_.size());
    }
    const MutBytes part = datagram_.bytes().subspan(used_, size);
    used_ += size;
    value_++;
    std::ranges::fill(part, value_);
    if (!buffer_.insert(offset, datagram_.slice(part))) {
      QUOLL_CHECK(gaps() >= kReceiveGapsMax);
      return;
    }
    if (cleared_) return;
    for (uint64_t i = std::max(offset, read_offset_); i < offset + size; i++) {
      if (model_[i] >= 0) continue;
      model_[i] = value_;
      held_++;
    }
  }

  void comb(uint64_t offset, uint64_t pitch, size_t count, bool downward) {
    for (size_t i = 0; i < count; i++) insert(offset + pitch * (downward ? count - i : i), 1);
  }

  void read(size_t max) {
    const std::optional<Slice> slice = buffer_.read(max);
    const bool any = max != 0 && !cleared_ && read_offset_ < kWindow && model_[read_offset_] >= 0;
    QUOLL_CHECK(slice.has_value() == any);
    if (!slice) return;
    QUOLL_CHECK(!slice->empty() && slice->size() <= max);
    for (const uint8_t byte : slice->bytes()) QUOLL_CHECK(byte == model_[read_offset_++]);
    held_ -= slice->size();
  }

  void clear() {
    buffer_.clear();
    cleared_ = true;
    held_ = 0;
  }

  size_t gaps() const {
    size_t count = 0;
    for (uint64_t i = read_offset_ + 1; i < kWindow; i++) count += model_[i] >= 0 && model_[i - 1] < 0 ? 1 : 0;
    return count;
  }

  void compare() {
    contiguous_end_ = std::max(contiguous_end_, read_offset_);
    while (!cleared_ && contiguous_end_ < kWindow && model_[contiguous_end_] >= 0) contiguous_end_++;
    if (cleared_) contiguous_end_ = read_offset_;
    QUOLL_CHECK(buffer_.read_offset() == read_offset_);
    QUOLL_CHECK(buffer_.contiguous_end() == contiguous_end_);
    QUOLL_CHECK(buffer_.is_readable() == (contiguous_end_ > read_offset_));
    QUOLL_CHECK(buffer_.held() == held_);
    const size_t memory = buffer_.memory();
    QUOLL_CHECK(memory <= kPinnedFactorMax * held_ + kReceiveSlack);
    QUOLL_CHECK(held_ != 0 || memory <= kReceiveKeptMax);
    // One is ours to fill.
    QUOLL_CHECK((pool_.statistics().in_use - 1) * datagram_.size() <= memory);
  }

  BufferPool pool_;
  Buffer datagram_;
  size_t used_ = 0;
  size_t size_shift_;
  uint8_t value_ = 0;
  ReceiveBuffer buffer_;
  Model model_;
  uint64_t read_offset_ = 0;
  uint64_t contiguous_end_ = 0;
  uint64_t held_ = 0;
  bool cleared_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, size));
  Run run(program.u8());
  for (int steps = 0; !program.rest().empty() && steps < 200; steps++) run.step(program);
  return 0;
}
