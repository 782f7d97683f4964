// qpack/: the exchange of RFC 9204 appendix B and bytes that must be connection errors; tables/: the Huffman code and the
// static table. The outputs of encoders are in qpack_files.cc.
#include <algorithm>

#include "qpack/decoder.h"
#include "qpack/encoder.h"
#include "qpack/error.h"
#include "qpack/field_lines.h"
#include "qpack/huffman.h"
#include "qpack/instructions.h"
#include "qpack/static_table.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {

namespace {

using namespace quoll::qpack;

std::vector<uint8_t> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

http::FieldSection section_of(const json& lines) {
  http::FieldSection section;
  for (const json& line : lines) section.add(line.at(0).get<std::string>(), line.at(1).get<std::string>());
  return section;
}

// --- Appendix B ---

/// The entry of an absolute index, read through a section that references nothing else.
bool has_entry(Decoder& decoder, uint64_t capacity, const json& entry) {
  const uint64_t index = entry.at(0).get<uint64_t>();
  std::vector<uint8_t> section;
  write_section_prefix(
      section, {.encoded_insert_count = encode_insert_count(index + 1, capacity / 32), .sign = false, .delta_base = 0});
  write_indexed(section, Reference::relative, 0);
  http::FieldSection out;
  const auto done = decoder.decode(1000, section, out);
  return done && *done == DecodeStatus::done && out.size() == 1 && out[0].name == entry.at(1).get<std::string>() &&
         out[0].value == entry.at(2).get<std::string>();
}

/// What the decoder says at that point; a stream that is cancelled is so before anything else arrives.
std::vector<uint8_t> answer(Decoder& decoder, Bytes expected, const Decoder::Options& options) {
  DecoderInstructionReader reader;
  const auto instruction = reader.next(expected);
  if (instruction && std::holds_alternative<StreamCancellation>(*instruction)) {
    Decoder other(options);
    other.cancel(std::get<StreamCancellation>(*instruction).stream_id);
    return copy_of(other.decoder_stream());
  }
  std::vector<uint8_t> said = copy_of(decoder.decoder_stream());
  decoder.sent(said.size());
  return said;
}

void run_appendix_b(const json& file, Report& report) {
  const uint64_t capacity = file.at("decoder_max_table_capacity").get<uint64_t>();
  const Decoder::Options options = {.max_table_capacity = capacity, .blocked_streams = 4};
  Decoder decoder(options), table(options);
  for (const json& step : file.at("steps")) {
    const std::vector<uint8_t> bytes = bytes_of(step, "hex");
    const std::string name = step.at("step").get<std::string>() + " " + step.at("hex").get<std::string>();
    const std::string stream = step.at("stream").get<std::string>();
    if (stream == "decoder") {
      report.check(answer(decoder, bytes, options) == bytes, name + " is what the decoder says");
    } else if (stream == "encoder") {
      report.check(decoder.on_encoder_stream(bytes).has_value() && table.on_encoder_stream(bytes).has_value(), name);
    } else {
      const uint64_t stream_id = std::stoull(stream.substr(stream.find(':') + 1));
      http::FieldSection out;
      const auto done = decoder.decode(stream_id, bytes, out);
      report.check(done && *done == DecodeStatus::done && out == section_of(step.at("result")), name + " decoded");
    }
    if (!step.contains("table_after")) continue;
    for (const json& entry : step.at("table_after").at("entries")) {
      report.check(has_entry(table, capacity, entry), name + " leaves entry " + entry.dump());
    }
  }
}

// --- Errors ---

std::optional<uint64_t> code_named(const std::string& name) {
  if (name == "QPACK_DECOMPRESSION_FAILED") return static_cast<uint64_t>(qpack::ErrorCode::decompression_failed);
  if (name == "QPACK_ENCODER_STREAM_ERROR") return static_cast<uint64_t>(qpack::ErrorCode::encoder_stream_error);
  if (name == "QPACK_DECODER_STREAM_ERROR") return static_cast<uint64_t>(qpack::ErrorCode::decoder_stream_error);
  return {};
}

/// The code of the error that the bytes bring; `pieces`: the stream gives them one by one.
std::optional<uint64_t> error_of(const json& entry, bool pieces) {
  const uint64_t capacity = entry.at("max_table_capacity").get<uint64_t>();
  const uint64_t blocked = entry.at("max_blocked_streams").get<uint64_t>();
  const std::vector<uint8_t> bytes = bytes_of(entry, "hex");
  const std::string stream = entry.at("stream").get<std::string>();
  Decoder decoder({.max_table_capacity = capacity, .blocked_streams = blocked});
  Encoder encoder({.table_capacity_max = capacity, .blocked_streams_max = blocked});
  if (!encoder.set_peer_settings(capacity, blocked)) return {};
  if (!decoder.on_encoder_stream(bytes_of(entry, "setup_encoder_stream"))) return {};
  if (stream == "request") {
    http::FieldSection out;
    const auto done = decoder.decode(4, bytes, out);
    return done ? std::nullopt : std::optional(done.error().code);
  }
  Result<void> fed;
  for (size_t at = 0; at < bytes.size() && fed;) {
    const Bytes piece = Bytes(bytes).subspan(at, pieces ? 1 : bytes.size());
    fed = stream == "encoder" ? decoder.on_encoder_stream(piece) : encoder.on_decoder_stream(piece);
    at += piece.size();
  }
  return fed ? std::nullopt : std::optional(fed.error().code);
}

void run_negative(const json& file, Report& report) {
  for (const json& entry : file.at("cases")) {
    const auto expected = code_named(entry.at("expect").get<std::string>());
    const std::string name = entry.at("id").dump() + ": " + entry.at("why").get<std::string>();
    report.check(expected && error_of(entry, false) == expected, name);
    report.check(expected && error_of(entry, true) == expected, name + ", byte by byte");
  }
}

// --- Tables ---

constexpr uint64_t kEos = 256;

/// The code's bits and then padding.
std::vector<uint8_t> code_bytes(uint64_t code, unsigned bits) {
  std::vector<uint8_t> bytes((bits + 7) / 8, 0xff);
  for (unsigned i = 0; i < bits; i++) {
    if ((code >> (bits - 1 - i) & 1) == 0) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] & ~(0x80 >> i % 8));
  }
  return bytes;
}

void run_huffman(const json& file, Report& report) {
  for (const json& entry : file.at("entries")) {
    const uint64_t symbol = entry.at("sym").get<uint64_t>();
    const std::vector<uint8_t> bytes = code_bytes(entry.at("code").get<uint64_t>(), entry.at("bits").get<unsigned>());
    uint8_t decoded[8];
    const HuffmanDecoded result = huffman_decode(bytes, decoded);
    if (symbol == kEos) {
      report.check(result.status == HuffmanStatus::invalid, "EOS inside a text");
      continue;
    }
    const std::string text(1, static_cast<char>(symbol));
    std::vector<uint8_t> encoded(huffman_size(text));
    huffman_encode(text, encoded.data());
    report.check(encoded == bytes, "symbol " + std::to_string(symbol) + " encoded");
    report.check(result.status == HuffmanStatus::done && result.size == 1 && decoded[0] == symbol,
                 "symbol " + std::to_string(symbol) + " decoded");
  }
}

void run_static_table(const json& file, Report& report) {
  for (const json& entry : file.at("entries")) {
    const uint64_t index = entry.at("index").get<uint64_t>();
    const std::string name = entry.at("name").get<std::string>(), value = entry.at("value").get<std::string>();
    const StaticEntry* found = static_entry(index);
    report.check(found && found->name == name && found->value == value, "entry " + std::to_string(index));
    const auto match = find_static(name, value);
    report.check(match && match->exact_index == index && static_entry(match->name_index)->name == name,
                 "entry " + std::to_string(index) + " found");
  }
  report.check(static_entry(file.at("entries").size()) == nullptr, "nothing behind the last entry");
}

bool first_entry_has(const json& file, std::initializer_list<const char*> members) {
  if (!file.is_object() || !file.contains("entries") || file.at("entries").empty()) return false;
  const json& first = file.at("entries").front();
  return std::ranges::all_of(members, [&](const char* member) { return first.contains(member); });
}

}  // namespace

Handler qpack_handler(const json& file) {
  if (!file.is_object()) return nullptr;
  if (file.contains("decoder_max_table_capacity") && file.contains("steps")) return run_appendix_b;
  if (first_case_has(file, {"setup_encoder_stream", "stream", "expect"})) return run_negative;
  if (first_entry_has(file, {"sym", "code", "bits"})) return run_huffman;
  // HPACK's table counts from 1.
  const bool table = first_entry_has(file, {"index", "name", "value"});
  return table && file.at("entries").front().at("index") == 0 ? run_static_table : nullptr;
}

}  // namespace quoll::vectors
