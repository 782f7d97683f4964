#include "qpack/decoder.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "qpack/dynamic_table.h"
#include "qpack/error.h"
#include "qpack/field_lines.h"
#include "qpack/huffman.h"
#include "qpack/instructions.h"
#include "qpack/outgoing.h"
#include "qpack/static_table.h"

namespace quoll::qpack {

namespace {

/// Bytes for the decoder stream that may wait. A peer that keeps sending sections but never takes what we say about them
/// would have us keep it all (RFC 9204 §7.3).
constexpr size_t kUnsentMax = 64 * 1024;

constexpr const char* kUnsentReason = "the decoder stream is not taken";

struct Blocked {
  uint64_t stream_id = 0;
  uint64_t required_insert_count = 0;
};

/// A section while it is decoded.
struct Section {
  uint64_t required_insert_count = 0;
  uint64_t base = 0;
  uint64_t budget = 0;  // what is left of the maximal size
};

std::unexpected<Error> failed(const char* reason) { return error(ErrorCode::decompression_failed, reason); }
std::unexpected<Error> stream_error(const char* reason) { return error(ErrorCode::encoder_stream_error, reason); }

}  // namespace

struct Decoder::State {
  explicit State(const Options& given)
      : options(given), table(given.max_table_capacity), instructions(table.maximum()) {}

  bool is_unheard() const { return unsent_lost || outgoing.size() > kUnsentMax; }
  Result<DecodeStatus> decode_lines(Bytes lines, Section section, http::FieldSection& out);
  Result<DecodeStatus> decode_line(const Representation& line, Section& section, http::FieldSection& out);
  Result<std::optional<DynamicTable::Entry>> referenced(const Representation& line, const Section& section) const;
  Result<DecodeStatus> text_of(const StringLiteral& literal, uint64_t budget, std::vector<uint8_t>& scratch,
                               std::string_view& text) const;
  Result<DecodeStatus> block(uint64_t stream_id, uint64_t required_insert_count);
  void unblock(uint64_t stream_id);
  void acknowledge(uint64_t stream_id, uint64_t required_insert_count);

  Result<void> apply(const SetDynamicTableCapacity& instruction);
  Result<void> apply(const InsertWithNameReference& instruction);
  Result<void> apply(const InsertWithLiteralName& instruction);
  Result<void> apply(const Duplicate& instruction);

  Options options;
  DynamicTable table;
  EncoderInstructionReader instructions;
  std::vector<Blocked> blocked;  // those that wait for the most inserts first
  uint64_t known_received = 0;   // what the peer's encoder knows that we have, §2.1.4
  Outgoing outgoing;
  bool unsent_lost = false;  // something that had to be said was not kept: the peer will never hear it
  std::vector<uint8_t> name_scratch;
  std::vector<uint8_t> value_scratch;
};

Decoder::Decoder(const Options& options) : state_(std::make_unique<State>(options)) {
  // What is announced and what the table can have must agree, else both sides count Required Insert Counts differently.
  QUOLL_CHECK(options.max_table_capacity <= kTableCapacityMax);
}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

Result<DecodeStatus> Decoder::decode(uint64_t stream_id, Bytes section, http::FieldSection& out) {
  if (state_->is_unheard()) return failed(kUnsentReason);
  size_t at = 0;
  SectionPrefix prefix;
  if (read_section_prefix(section, at, prefix) != Parse::complete) return failed("the section's prefix is malformed");
  const auto required = decode_insert_count(
      prefix.encoded_insert_count, max_entries(state_->options.max_table_capacity), state_->table.insert_count());
  if (!required) return failed("the Required Insert Count is impossible");
  // RFC 9204 §4.5.1.2: Base is never negative.
  if (prefix.sign && *required <= prefix.delta_base) return failed("Base is negative");
  if (*required > state_->table.insert_count()) return state_->block(stream_id, *required);
  state_->unblock(stream_id);

  const Section begun = {.required_insert_count = *required,
                         .base = prefix.sign ? *required - prefix.delta_base - 1 : *required + prefix.delta_base,
                         .budget = state_->options.max_field_section_size};
  const size_t lines_before = out.size();
  const auto decoded = state_->decode_lines(section.subspan(at), begun, out);
  if (!decoded || *decoded != DecodeStatus::done) out.truncate(lines_before);
  // RFC 9204 §4.4.1: also for a section that is too large, which is as good as processed: nothing of it is needed again.
  if (decoded && *required != 0) state_->acknowledge(stream_id, *required);
  return decoded;
}

Result<DecodeStatus> Decoder::State::decode_lines(Bytes lines, Section section, http::FieldSection& out) {
  Representation line;
  for (size_t at = 0; at < lines.size();) {
    if (read_representation(lines, at, line) != Parse::complete) return failed("a field line is malformed");
    const auto decoded = decode_line(line, section, out);
    if (!decoded || *decoded != DecodeStatus::done) return decoded;
  }
  return DecodeStatus::done;
}

Result<DecodeStatus> Decoder::State::decode_line(const Representation& line, Section& section,
                                                 http::FieldSection& out) {
  if (section.budget < kEntryOverhead) return DecodeStatus::too_large;
  section.budget -= kEntryOverhead;
  std::string_view name, value;
  if (line.reference != Reference::none) {
    const auto entry = referenced(line, section);
    if (!entry) return std::unexpected(entry.error());
    if (!*entry) return failed("a reference to an entry that is not there");
    name = (*entry)->name;
    value = (*entry)->value;
  } else {
    const auto read = text_of(line.name, section.budget, name_scratch, name);
    if (!read || *read != DecodeStatus::done) return read;
  }
  if (name.size() > section.budget) return DecodeStatus::too_large;
  section.budget -= name.size();
  if (line.has_value) {
    const auto read = text_of(line.value, section.budget, value_scratch, value);
    if (!read || *read != DecodeStatus::done) return read;
  }
  if (value.size() > section.budget) return DecodeStatus::too_large;
  section.budget -= value.size();
  out.add(name, value, line.never_indexed);
  return DecodeStatus::done;
}

Result<std::optional<DynamicTable::Entry>> Decoder::State::referenced(const Representation& line,
                                                                      const Section& section) const {
  uint64_t absolute = 0;
  switch (line.reference) {
    case Reference::none:
      return std::nullopt;
    case Reference::fixed: {
      const StaticEntry* entry = static_entry(line.index);
      if (!entry) return failed("an index beyond the static table");  // RFC 9204 §3.1
      return DynamicTable::Entry{.name = entry->name, .value = entry->value};
    }
    case Reference::relative:
      if (line.index >= section.base) return failed("a relative index before the first entry");
      absolute = section.base - 1 - line.index;
      break;
    case Reference::post_base:
      absolute = section.base + line.index;
      break;
  }
  // RFC 9204 §2.2.3: at or above the declared Required Insert Count, also where the entry happens to be there.
  if (absolute >= section.required_insert_count) return failed("a reference beyond the Required Insert Count");
  return table.find(absolute);
}

Result<DecodeStatus> Decoder::State::text_of(const StringLiteral& literal, uint64_t budget,
                                             std::vector<uint8_t>& scratch, std::string_view& text) const {
  if (literal.decoded_min() > budget) return DecodeStatus::too_large;
  if (!literal.huffman) {
    text = as_text(literal.encoded);
    return DecodeStatus::done;
  }
  const size_t room = static_cast<size_t>(std::min(huffman_decoded_max(literal.encoded.size()), budget));
  if (scratch.size() < room) scratch.resize(room);
  const HuffmanDecoded decoded = huffman_decode(literal.encoded, MutBytes(scratch).first(room));
  switch (decoded.status) {
    case HuffmanStatus::invalid:
      return failed("a text is no Huffman code");
    case HuffmanStatus::too_large:
      return DecodeStatus::too_large;
    case HuffmanStatus::done:
      break;
  }
  text = as_text(Bytes(scratch).first(decoded.size));
  return DecodeStatus::done;
}

Result<DecodeStatus> Decoder::State::block(uint64_t stream_id, uint64_t required_insert_count) {
  // A stream that has more than one section waiting waits for the last of them (§2.2.1).
  for (const Blocked& one : blocked) {
    if (one.stream_id == stream_id) required_insert_count = std::max(required_insert_count, one.required_insert_count);
  }
  unblock(stream_id);
  // RFC 9204 §2.1.2: more than we promised to support.
  if (blocked.size() >= options.blocked_streams) return failed("more streams are blocked than allowed");
  const auto later = [&](const Blocked& one) { return one.required_insert_count >= required_insert_count; };
  blocked.insert(std::ranges::partition_point(blocked, later), {stream_id, required_insert_count});
  return DecodeStatus::blocked;
}

void Decoder::State::unblock(uint64_t stream_id) {
  std::erase_if(blocked, [&](const Blocked& one) { return one.stream_id == stream_id; });
}

void Decoder::State::acknowledge(uint64_t stream_id, uint64_t required_insert_count) {
  write(outgoing.tail(), SectionAcknowledgment{stream_id});
  known_received = std::max(known_received, required_insert_count);
}

std::optional<uint64_t> Decoder::poll_unblocked() {
  std::vector<Blocked>& blocked = state_->blocked;
  if (blocked.empty() || blocked.back().required_insert_count > state_->table.insert_count()) return {};
  const uint64_t stream_id = blocked.back().stream_id;
  blocked.pop_back();
  return stream_id;
}

void Decoder::cancel(uint64_t stream_id) {
  state_->unblock(stream_id);
  // RFC 9204 §2.2.2.2: without a table there are no references to release.
  if (state_->options.max_table_capacity == 0) return;
  // The next decode() or on_encoder_stream() ends the connection then, also when there is room again: an encoder that misses
  // a cancellation holds entries and streams for ever.
  if (state_->is_unheard()) {
    state_->unsent_lost = true;
    return;
  }
  write(state_->outgoing.tail(), StreamCancellation{stream_id});
}

Result<void> Decoder::on_encoder_stream(Bytes bytes) {
  if (state_->is_unheard()) return stream_error(kUnsentReason);
  while (const auto instruction = state_->instructions.next(bytes)) {
    const auto applied = std::visit([&](const auto& one) { return state_->apply(one); }, *instruction);
    if (!applied) return applied;
  }
  if (state_->instructions.invalid()) return stream_error("an encoder instruction is malformed or too large");
  return {};
}

Result<void> Decoder::State::apply(const SetDynamicTableCapacity& instruction) {
  // RFC 9204 §4.3.1.
  if (instruction.capacity > table.maximum()) return stream_error("a capacity above the maximum");
  table.set_capacity(instruction.capacity);
  return {};
}

Result<void> Decoder::State::apply(const InsertWithNameReference& instruction) {
  std::string_view name;
  if (instruction.is_static) {
    const StaticEntry* entry = static_entry(instruction.name_index);
    if (!entry) return stream_error("an insert with an index beyond the static table");
    name = entry->name;
  } else {
    // Relative to the insert count; what is beyond the first entry wraps around to an index that is not there either.
    const auto entry = table.find(table.insert_count() - 1 - instruction.name_index);
    if (!entry) return stream_error("an insert with the name of an entry that is not there");
    name = entry->name;
  }
  if (!table.insert(name, instruction.value)) return stream_error("an entry larger than the table");
  return {};
}

Result<void> Decoder::State::apply(const InsertWithLiteralName& instruction) {
  if (!table.insert(instruction.name, instruction.value)) return stream_error("an entry larger than the table");
  return {};
}

Result<void> Decoder::State::apply(const Duplicate& instruction) {
  const uint64_t absolute = table.insert_count() - 1 - instruction.relative_index;
  if (!table.find(absolute)) return stream_error("a duplicate of an entry that is not there");
  table.duplicate(absolute);
  return {};
}

Bytes Decoder::decoder_stream() {
  if (const uint64_t more = state_->table.insert_count() - state_->known_received; more != 0) {
    write(state_->outgoing.tail(), InsertCountIncrement{more});
    state_->known_received = state_->table.insert_count();
  }
  return state_->outgoing.pending();
}

void Decoder::sent(size_t size) { state_->outgoing.sent(size); }

void Decoder::check_invariants() const {
  state_->table.check_invariants();
  QUOLL_CHECK(state_->known_received <= state_->table.insert_count());
  QUOLL_CHECK(state_->blocked.size() <= state_->options.blocked_streams);
  QUOLL_CHECK(std::ranges::is_sorted(state_->blocked, std::ranges::greater{}, &Blocked::required_insert_count));
  // One instruction, Huffman code at its longest, with its integers.
  QUOLL_CHECK(state_->instructions.kept() <= 4 * state_->table.maximum() + 4 * kPrefixIntegerSizeMax);
}

}  // namespace quoll::qpack
