// The files of QPACK's offline interoperability tests: header lists (.qif) and what an encoder made of them.
//
// A .qif has one "name TAB value" in a line, an empty line after each list, and comments that begin with '#'. An encoded
// file is a sequence of blocks: a stream id of 8 bytes, a length of 4, and as many bytes; stream 0 is the encoder stream,
// any other one holds the section of the list of that number, counted from 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/reader.h"
#include "http/field_section.h"
#include "qpack/decoder.h"
#include "qpack/encoder.h"
#include "qpack/instructions.h"

namespace quoll::qpack::tests {

inline std::vector<http::FieldSection> parse_qif(std::string_view text) {
  std::vector<http::FieldSection> lists;
  http::FieldSection list;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) continue;
    if (line.empty()) {
      if (!list.empty()) lists.push_back(std::move(list));
      list = {};
      continue;
    }
    const size_t tab = std::min(line.find('\t'), line.size());
    list.add(line.substr(0, tab), line.substr(std::min(tab + 1, line.size())));
  }
  if (!list.empty()) lists.push_back(std::move(list));
  return lists;
}

struct Block {
  uint64_t stream_id = 0;
  Bytes bytes;
};

/// Empty: the file is not of this format.
inline std::optional<std::vector<Block>> parse_blocks(Bytes file) {
  std::vector<Block> blocks;
  Reader reader(file);
  while (reader.remaining() != 0) {
    const uint64_t stream_id = reader.u64();
    const uint32_t size = reader.u32();
    blocks.push_back({stream_id, reader.bytes(size)});
  }
  return reader.ok() ? std::optional(std::move(blocks)) : std::nullopt;
}

inline void append_block(std::vector<uint8_t>& file, uint64_t stream_id, Bytes bytes) {
  uint8_t head[12];
  store_be(head, stream_id);
  store_be(head + 8, static_cast<uint32_t>(bytes.size()));
  file.insert(file.end(), head, head + sizeof head);
  file.insert(file.end(), bytes.begin(), bytes.end());
}

struct OfflineSettings {
  uint64_t capacity = 0;
  uint64_t blocked_streams = 0;
  bool acknowledged = false;  // the encoder hears at once that everything arrived
};

struct OfflineResult {
  std::vector<uint8_t> file;
  uint64_t encoder_stream_size = 0;
  uint64_t sections_size = 0;
  Encoder::Statistics statistics;
  const char* error = nullptr;
};

/// What our encoder makes of the lists, one stream for each.
inline OfflineResult encode_offline(const std::vector<http::FieldSection>& lists, OfflineSettings settings) {
  OfflineResult result;
  // Nothing may block and nothing will be acknowledged: no entry could ever be referenced.
  const bool useless = settings.blocked_streams == 0 && !settings.acknowledged;
  Encoder encoder(
      {.table_capacity_max = useless ? 0 : settings.capacity, .blocked_streams_max = settings.blocked_streams});
  Decoder decoder({.max_table_capacity = settings.capacity,
                   .blocked_streams = settings.blocked_streams,
                   .max_field_section_size = 1 << 20});
  if (!encoder.set_peer_settings(settings.capacity, settings.blocked_streams)) result.error = "settings";
  std::vector<uint8_t> section;
  http::FieldSection decoded;
  for (size_t i = 0; i < lists.size() && !result.error; i++) {
    section.clear();
    encoder.encode(i + 1, lists[i], section);
    const Bytes instructions = encoder.encoder_stream();
    if (!instructions.empty()) append_block(result.file, 0, instructions);
    append_block(result.file, i + 1, section);
    result.encoder_stream_size += instructions.size();
    result.sections_size += section.size();
    decoded.clear();
    if (const auto fed = decoder.on_encoder_stream(instructions); !fed) result.error = fed.error().reason;
    encoder.sent(instructions.size());
    const auto done = decoder.decode(i + 1, section, decoded);
    if (!done) result.error = done.error().reason;
    if (!(decoded == lists[i]) && !result.error) result.error = "a list that was not decoded to itself";
    if (!settings.acknowledged) continue;
    const Bytes acknowledgments = decoder.decoder_stream();
    if (const auto fed = encoder.on_decoder_stream(acknowledgments); !fed) result.error = fed.error().reason;
    decoder.sent(acknowledgments.size());
    encoder.check_invariants();
    decoder.check_invariants();
  }
  result.statistics = encoder.statistics();
  return result;
}

struct OfflineDecoded {
  std::vector<http::FieldSection> lists;  // of stream 1, 2, …
  const char* error = nullptr;
};

/// `initial_capacity`: that of encoders which take it for granted, as RFC 9204 does not.
inline OfflineDecoded decode_offline(Bytes file, OfflineSettings settings, uint64_t initial_capacity) {
  OfflineDecoded result;
  const auto blocks = parse_blocks(file);
  if (!blocks) return {.lists = {}, .error = "the file ends inside a block"};
  Decoder decoder({.max_table_capacity = settings.capacity,
                   .blocked_streams = settings.blocked_streams,
                   .max_field_section_size = 1 << 20});
  std::vector<uint8_t> capacity;
  if (initial_capacity != 0) write(capacity, SetDynamicTableCapacity{initial_capacity});
  if (const auto fed = decoder.on_encoder_stream(capacity); !fed) result.error = fed.error().reason;
  std::vector<Bytes> sections;
  const auto decode = [&](uint64_t stream_id) {
    http::FieldSection& list = result.lists[stream_id - 1];
    const auto done = decoder.decode(stream_id, sections[stream_id - 1], list);
    if (!done) result.error = done.error().reason;
  };
  for (const Block& block : *blocks) {
    if (result.error) return result;
    if (block.stream_id != 0) {
      if (block.stream_id > blocks->size()) return {.lists = {}, .error = "a stream id out of range"};
      if (sections.size() < block.stream_id) sections.resize(block.stream_id);
      if (result.lists.size() < block.stream_id) result.lists.resize(block.stream_id);
      sections[block.stream_id - 1] = block.bytes;
      decode(block.stream_id);
      continue;
    }
    if (const auto fed = decoder.on_encoder_stream(block.bytes); !fed) result.error = fed.error().reason;
    while (const auto stream_id = decoder.poll_unblocked()) decode(*stream_id);
    const size_t pending = decoder.decoder_stream().size();
    decoder.sent(pending);
  }
  return result;
}

}  // namespace quoll::qpack::tests
