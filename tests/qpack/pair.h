// An encoder and a decoder with a network between them that keeps the order within each stream only: what is encoded, what
// arrives and what is given up is a program of bytes. Whatever it says, every section must come out as it went in, nothing
// may be an error, and never may more streams be blocked than allowed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "http/field_section.h"
#include "qpack/decoder.h"
#include "qpack/encoder.h"

namespace quoll::qpack::tests {

class Pair {
 public:
  explicit Pair(Reader& program)
      : capacity_(capacity_of(program.u8())),
        limit_(program.u8() % 4),
        encoder_({.table_capacity_max = capacity_, .blocked_streams_max = 100, .huffman = program.u8() % 2 == 0}),
        decoder_({.max_table_capacity = capacity_, .blocked_streams = limit_, .max_field_section_size = 1 << 20}) {
    QUOLL_CHECK(encoder_.set_peer_settings(capacity_, limit_).has_value());
  }

  void run(Reader& program) {
    while (program.remaining() != 0) {
      const uint8_t operation = program.u8();
      switch (operation % 8) {
        case 0:
        case 1:
        case 2:
          encode(1 + operation / 8 % 8, program);
          break;
        case 3:
          deliver_instructions(program.u8());
          break;
        case 4:
        case 5:
          deliver_section(operation / 8 % 8 + 1);
          break;
        case 6:
          deliver_answers(program.u8());
          break;
        case 7:
          if (operation >= 0xe0) cancel(operation / 8 % 4 + 1);
          break;
      }
      check();
    }
    finish();
  }

  uint64_t sections() const { return encoder_.statistics().sections; }
  Encoder::Statistics statistics() const { return encoder_.statistics(); }

 private:
  struct Sent {
    http::FieldSection section;
    std::vector<uint8_t> bytes;
  };
  struct Stream {
    std::deque<Sent> waiting;
    bool blocked = false;
    bool cancelled = false;
  };

  static uint64_t capacity_of(uint8_t selector) {
    constexpr uint64_t kCapacities[] = {0, 31, 64, 100, 200, 256, 512, 4096};
    return kCapacities[selector % std::size(kCapacities)];
  }

  /// A field line of few that there are, so that they repeat; or of a size that the program says.
  static void add_line(http::FieldSection& section, Reader& program) {
    constexpr std::string_view kNames[] = {":path",      ":method", "x-a",           "x-much-longer-name",
                                           "user-agent", "cookie",  "authorization", ""};
    const uint8_t which = program.u8(), value = program.u8();
    std::string text(1 + value % 16, static_cast<char>('a' + value % 16));
    if (value == 0xff) text.assign(program.u8() * 8u, static_cast<char>(program.u8()));
    if (value == 0xfe) text = "GET";
    section.add(kNames[which % std::size(kNames)], text, which >= 0xf0);
  }

  void encode(uint64_t id, Reader& program) {
    Stream& stream = streams_[id];
    if (stream.cancelled || stream.waiting.size() > 8) return;
    Sent sent;
    for (uint8_t lines = program.u8() % 8; lines != 0; lines--) add_line(sent.section, program);
    encoder_.encode(id, sent.section, sent.bytes);
    stream.waiting.push_back(std::move(sent));
  }

  void deliver_instructions(size_t size) {
    const Bytes pending = encoder_.encoder_stream();
    const size_t taken = std::min(size, pending.size());
    QUOLL_CHECK(decoder_.on_encoder_stream(pending.first(taken)).has_value());
    encoder_.sent(taken);
    while (const auto id = decoder_.poll_unblocked()) {
      QUOLL_CHECK(streams_[*id].blocked);
      streams_[*id].blocked = false;
      deliver_section(*id);
      QUOLL_CHECK(!streams_[*id].blocked || !streams_[*id].waiting.empty());
    }
  }

  void deliver_section(uint64_t id) {
    Stream& stream = streams_[id];
    if (stream.blocked || stream.waiting.empty()) return;
    const Sent& sent = stream.waiting.front();
    http::FieldSection out;
    const auto done = decoder_.decode(id, sent.bytes, out);
    QUOLL_CHECK(done.has_value() && *done != DecodeStatus::too_large);
    stream.blocked = *done == DecodeStatus::blocked;
    if (stream.blocked) {
      QUOLL_CHECK(limit_ != 0 && out.empty());
      return;
    }
    QUOLL_CHECK(out == sent.section);
    stream.waiting.pop_front();
  }

  void deliver_answers(size_t size) {
    const Bytes pending = decoder_.decoder_stream();
    const size_t taken = std::min(size, pending.size());
    QUOLL_CHECK(encoder_.on_decoder_stream(pending.first(taken)).has_value());
    decoder_.sent(taken);
  }

  void cancel(uint64_t id) {
    Stream& stream = streams_[id];
    if (stream.cancelled) return;
    stream = {.waiting = {}, .blocked = false, .cancelled = true};
    decoder_.cancel(id);
  }

  void check() {
    encoder_.check_invariants();
    decoder_.check_invariants();
    const auto blocked = std::ranges::count_if(streams_, [](const auto& one) { return one.second.blocked; });
    QUOLL_CHECK(static_cast<uint64_t>(blocked) <= limit_);
    QUOLL_CHECK(encoder_.statistics().table_size <= capacity_);
  }

  /// Everything arrives; then nothing is blocked, and nothing is held against eviction any more.
  void finish() {
    deliver_instructions(SIZE_MAX);
    for (auto& [id, stream] : streams_) {
      QUOLL_CHECK(!stream.blocked);
      while (!stream.waiting.empty()) deliver_section(id);
    }
    deliver_answers(SIZE_MAX);
    check();
    QUOLL_CHECK(encoder_.statistics().blocked_streams == 0);
    QUOLL_CHECK(encoder_.encoder_stream().empty() && decoder_.decoder_stream().empty());
  }

  uint64_t capacity_;
  uint64_t limit_;
  Encoder encoder_;
  Decoder decoder_;
  std::map<uint64_t, Stream> streams_;
};

}  // namespace quoll::qpack::tests
