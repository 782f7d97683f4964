// The input is a program of writes. It runs into a Counter, into a Writer with room enough and into a Writer with the
// room that the first two bytes say; then Reader reads all of it back, and once more a cut-off version.
#include <algorithm>
#include <cstdint>
#include <ranges>
#include <vector>

#include "base/reader.h"
#include "base/writer.h"

using namespace quoll;

namespace {

/// Eleven kinds of writes; the last opens a length prefix that holds the rest of its block.
constexpr uint8_t kKinds = 11;
constexpr int kDeepest = 8;

/// What a program says next. The same program is followed by every sink and by the reader.
struct Step {
  uint8_t kind;
  uint64_t value;
  size_t width;
  Bytes bytes;
};

Step next_step(Reader& program) {
  const uint8_t byte = program.u8();
  Step step = {.kind = static_cast<uint8_t>(byte % kKinds), .value = 0, .width = size_t{1} << (byte >> 6), .bytes = {}};
  switch (step.kind) {
    case 0:
      step.value = program.u8();
      break;
    case 1:
      step.value = program.u16();
      break;
    case 2:
      step.value = program.u24();
      break;
    case 3:
      step.value = program.u32();
      break;
    case 4:
      step.value = program.u64();
      break;
    case 5:
      step.value = program.u64() & kVarintMax;
      break;
    case 6:
      step.value = program.u64() & varint_max(step.width);
      break;
    case 7:
      step.bytes = program.bytes(program.u8() % 64u);
      break;
    case 8:
      step.value = program.u16() % 300u;
      break;
    case 9:
      break;  // ends the block
    case 10:
      step.value = program.u8() % 7u;
      break;
  }
  return step;
}

template <Sink S>
void write_block(Reader& program, S& sink, int depth) {
  while (program.ok() && program.remaining() != 0) {
    const Step step = next_step(program);
    switch (step.kind) {
      case 0:
        sink.u8(static_cast<uint8_t>(step.value));
        break;
      case 1:
        sink.u16(static_cast<uint16_t>(step.value));
        break;
      case 2:
        sink.u24(static_cast<uint32_t>(step.value));
        break;
      case 3:
        sink.u32(static_cast<uint32_t>(step.value));
        break;
      case 4:
        sink.u64(step.value);
        break;
      case 5:
        sink.varint(step.value);
        break;
      case 6:
        sink.varint(step.value, step.width);
        break;
      case 7:
        sink.bytes(step.bytes);
        break;
      case 8:
        sink.zeros(step.value);
        break;
      case 9:
        return;
      case 10:
        if (depth == kDeepest) return;
        const LengthPrefix length(sink, static_cast<Prefix>(step.value));
        write_block(program, sink, depth + 1);
        break;
    }
  }
}

Reader prefixed(Reader& reader, Prefix form) {
  switch (form) {
    case Prefix::u8:
      return reader.prefixed_u8();
    case Prefix::u16:
      return reader.prefixed_u16();
    case Prefix::u24:
      return reader.prefixed_u24();
    case Prefix::varint1:
    case Prefix::varint2:
    case Prefix::varint4:
    case Prefix::varint8:
      return reader.prefixed_varint();
  }
  return {};
}

/// Follows the program through what it wrote. With `cut`, the input may end early, after which only zeros are read.
void read_block(Reader& program, Reader& written, int depth, bool cut) {
  const auto expect = [&](uint64_t read, uint64_t value) {
    QUOLL_CHECK(written.ok() ? read == value : cut && read == 0);
  };
  while (program.ok() && program.remaining() != 0) {
    const Step step = next_step(program);
    switch (step.kind) {
      case 0:
        expect(written.u8(), step.value);
        break;
      case 1:
        expect(written.u16(), step.value);
        break;
      case 2:
        expect(written.u24(), step.value);
        break;
      case 3:
        expect(written.u32(), step.value);
        break;
      case 4:
        expect(written.u64(), step.value);
        break;
      case 5:
      case 6:
        expect(written.varint(), step.value);
        break;
      case 7: {
        const Bytes read = written.bytes(step.bytes.size());
        QUOLL_CHECK(written.ok() ? std::ranges::equal(read, step.bytes) : cut && read.empty());
        break;
      }
      case 8:
        for (const uint8_t byte : written.bytes(step.value)) QUOLL_CHECK(byte == 0);
        break;
      case 9:
        return;
      case 10: {
        if (depth == kDeepest) return;
        Reader part = prefixed(written, static_cast<Prefix>(step.value));
        QUOLL_CHECK(part.ok() == written.ok());
        read_block(program, part, depth + 1, cut);
        QUOLL_CHECK(cut || part.finished());
        break;
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader input(Bytes(data, size));
  const uint16_t small_room = input.u16();
  const Bytes program = input.rest();

  Counter counter;
  Reader for_counter(program);
  write_block(for_counter, counter, 0);

  std::vector<uint8_t> room(counter.size());
  Writer writer(room);
  Reader for_writer(program);
  write_block(for_writer, writer, 0);
  QUOLL_CHECK(writer.ok() == counter.ok());
  QUOLL_CHECK(writer.size() == counter.size());

  std::vector<uint8_t> tight(small_room);
  Writer limited(tight);
  Reader for_limited(program);
  write_block(for_limited, limited, 0);
  QUOLL_CHECK(limited.ok() == (counter.ok() && counter.size() <= small_room));
  QUOLL_CHECK(limited.size() <= counter.size());

  if (!writer.ok()) return 0;
  Reader whole(writer.written());
  Reader for_whole(program);
  read_block(for_whole, whole, 0, false);
  QUOLL_CHECK(whole.ok());
  if (limited.ok()) QUOLL_CHECK(std::ranges::equal(limited.written(), writer.written()));

  const std::vector<uint8_t> beginning(room.begin(), room.begin() + (small_room % (room.size() + 1)));
  Reader cut{Bytes(beginning)};
  Reader for_cut(program);
  read_block(for_cut, cut, 0, true);
  QUOLL_CHECK(cut.position() <= beginning.size());
  return 0;
}
