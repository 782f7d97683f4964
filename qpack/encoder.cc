#include "qpack/encoder.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>
#include <variant>

#include "base/check.h"
#include "qpack/encoder_table.h"
#include "qpack/error.h"
#include "qpack/field_lines.h"
#include "qpack/indexing_policy.h"
#include "qpack/instructions.h"
#include "qpack/outgoing.h"
#include "qpack/static_table.h"
#include "qpack/unacknowledged.h"

namespace quoll::qpack {

namespace {

/// Bytes for the encoder stream that may wait before nothing more is inserted: sections that need inserts which flow
/// control holds back block their streams (RFC 9204 §2.1.3).
constexpr size_t kUnsentMax = 16 * 1024;
/// Indexes of names that fit into the first byte of a literal field line, and of an insert.
constexpr uint64_t kShortIndexes = 15;
constexpr uint64_t kShortInsertIndexes = 63;
/// An entry that is used is inserted anew in the last quarter of its way through the table, if new entries drive it there:
/// half the capacity of them since it was inserted. Duplicates alone would only drive each other round.
constexpr uint64_t kDrainingQuarters = 3;
constexpr uint64_t kDrivenPercent = 50;
/// For one insert so many entries are moved at most, of those that are worth some bytes; and what goes must be worth no more
/// than what comes by this factor.
constexpr uint64_t kMovedWorthMin = 8;
constexpr size_t kMovesMax = 16;
constexpr uint64_t kGainPercent = 70;

/// Sections over which the usual gain of blocking is taken.
constexpr uint64_t kUsualOver = 16;

constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();

std::unexpected<Error> stream_error(const char* reason) { return error(ErrorCode::decoder_stream_error, reason); }

/// What is known of a field line before it is written, and how it will be.
struct Line {
  std::optional<StaticMatch> fixed;
  LineHash hash;
  bool may_index = false;  // the whole line, as an entry of the dynamic table
  uint64_t saved = 0;      // by a reference to that entry

  Reference reference = Reference::none;
  bool whole = false;  // not only the name is referenced
  uint64_t index = 0;  // of the static table, or an absolute one of the dynamic table
};

/// A line that is worth an entry.
struct Candidate {
  size_t line = 0;
  uint64_t size = 0;
  uint64_t worth = 0;
};

}  // namespace

struct Encoder::State {
  explicit State(const Options& given) : options(given) {}

  void begin_section(uint64_t stream_id);
  void look_at(const http::FieldLine& line);
  void update_table(const http::FieldSection& section);
  void consider(const http::FieldLine& line, size_t number);
  uint64_t saved_by(const http::FieldLine& line, const std::optional<StaticMatch>& fixed) const;

  bool has_room(uint64_t size) const;
  bool make_room(uint64_t size, uint64_t worth);
  void insert(const http::FieldLine& line, const Line& known);
  void refresh(uint64_t index);
  void duplicate(uint64_t index);

  void plan(const http::FieldSection& section);
  bool is_worth_blocking(uint64_t stream_id);
  void plan_line(const http::FieldLine& line, Line& known);
  void plan_name(const http::FieldLine& line, Line& known);
  void use(Line& known, uint64_t index, uint64_t saved);
  void write_line(const http::FieldLine& line, const Line& known, std::vector<uint8_t>& out) const;
  void finish_section(uint64_t stream_id);

  Result<void> apply(const SectionAcknowledgment& instruction);
  Result<void> apply(const StreamCancellation& instruction);
  Result<void> apply(const InsertCountIncrement& instruction);
  void raise_known_received(uint64_t count);

  Options options;
  uint64_t peer_max_capacity = 0;
  uint64_t blocked_streams_max = 0;
  std::optional<EncoderTable> table;  // once the peer allows one
  std::optional<IndexingPolicy> policy;
  uint64_t known_received = 0;  // §2.1.4
  UnacknowledgedSections sections;
  DecoderInstructionReader instructions;
  Outgoing outgoing;
  uint64_t outgoing_max = std::numeric_limits<uint64_t>::max();
  Statistics counted;
  uint32_t now = 0;                    // sections so far; it may wrap around
  uint64_t usually_saved_at_risk = 0;  // the sum of kUsualOver sections, about

  // The section that is being encoded.
  std::vector<Line> lines;
  std::vector<uint64_t> hits;         // entries that lines of it were found as
  std::vector<Candidate> candidates;  // lines of it that should be inserted
  uint64_t limit = 0;                 // entries below it may be referenced
  uint64_t keep_from = kNone;         // what must not go, since it will be referenced
  uint64_t oldest = kNone;            // of what it references, absolute indices
  uint64_t required = 0;              // its Required Insert Count so far
  uint64_t saved_at_risk = 0;         // by references that the peer may have to wait for
};

Encoder::Encoder(const Options& options) : state_(std::make_unique<State>(options)) {}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

Result<void> Encoder::set_peer_settings(uint64_t max_table_capacity, uint64_t blocked_streams) {
  State& state = *state_;
  // What was allowed before stays allowed: a peer that remembered it with us may not allow less (RFC 9114 §7.2.4.2).
  state.blocked_streams_max =
      std::max(state.blocked_streams_max, std::min(state.options.blocked_streams_max, blocked_streams));
  if (state.peer_max_capacity != 0) {
    // RFC 9204 §3.2.3: Required Insert Counts depend on it; it cannot change under way.
    if (max_table_capacity == state.peer_max_capacity) return {};
    return stream_error("the maximum table capacity is not the remembered one");
  }
  state.peer_max_capacity = max_table_capacity;
  const uint64_t capacity = std::min({state.options.table_capacity_max, max_table_capacity, kTableCapacityMax});
  if (capacity >= kEntryOverhead) {
    state.table.emplace(capacity);
    state.policy.emplace(capacity);
  }
  return {};
}

void Encoder::set_room(uint64_t bytes) { state_->outgoing_max = bytes; }

void Encoder::encode(uint64_t stream_id, const http::FieldSection& section, std::vector<uint8_t>& out) {
  State& state = *state_;
  state.begin_section(stream_id);
  for (const http::FieldLine line : section) state.look_at(line);
  if (state.table) state.update_table(section);
  state.plan(section);
  if (!state.is_worth_blocking(stream_id)) {
    state.limit = state.known_received;
    state.plan(section);
  }
  // All inserts are made by now, so Base can be the Required Insert Count, and every index is as small as it can be.
  const uint64_t count = encode_insert_count(state.required, max_entries(state.peer_max_capacity));
  write_section_prefix(out, {.encoded_insert_count = count, .sign = false, .delta_base = 0});
  for (size_t i = 0; i < section.size(); i++) state.write_line(section[i], state.lines[i], out);
  state.finish_section(stream_id);
}

void Encoder::State::begin_section(uint64_t stream_id) {
  lines.clear();
  hits.clear();
  candidates.clear();
  keep_from = kNone;
  now++;
  counted.sections++;
  // RFC 9204 §2.1.2: a stream that is at risk already may stay so; a new one only while the peer's limit is not reached.
  const bool may_block = sections.streams_at_risk() < blocked_streams_max || sections.is_at_risk(stream_id);
  limit = sections.full() ? 0 : may_block ? kNone : known_received;
}

void Encoder::State::look_at(const http::FieldLine& line) {
  Line& known = lines.emplace_back();
  known.fixed = find_static(line.name, line.value);
  if (!table) return;
  known.hash = hash_line(line.name, line.value);
  const bool in_static = known.fixed && known.fixed->exact_index;
  known.may_index = !line.never_indexed && !in_static && !is_credential(line.name);
}

/// What the section needs of the table, first of all: what it has is kept, what it lacks and is worth it comes in, the
/// best first.
void Encoder::State::update_table(const http::FieldSection& section) {
  for (size_t i = 0; i < section.size(); i++) {
    if (lines[i].may_index) consider(section[i], i);
  }
  // The oldest first: entries that are inserted anew make others go, but never one that had its turn.
  std::ranges::sort(hits);
  hits.erase(std::ranges::unique(hits).begin(), hits.end());
  for (const uint64_t index : hits) refresh(index);
  const auto denser = [](const Candidate& a, const Candidate& b) { return a.worth * b.size > b.worth * a.size; };
  std::ranges::sort(candidates, denser);
  for (const Candidate& one : candidates) {
    const http::FieldLine line = section[one.line];
    const Line& known = lines[one.line];
    // The same line may come twice in a section.
    if (table->find_line(known.hash, line.name, line.value, kNone) || !make_room(one.size, one.worth)) continue;
    insert(line, known);
    table->on_used(table->insert_count() - 1, one.worth, now);
  }
}

void Encoder::State::consider(const http::FieldLine& line, size_t number) {
  Line& known = lines[number];
  const uint64_t saved = known.saved = saved_by(line, known.fixed);
  if (const auto index = table->find_line(known.hash, line.name, line.value, kNone)) {
    table->on_used(*index, saved, now);
    policy->on_repeated(line.name, known.hash);
    hits.push_back(*index);
    // What will be referenced as it is must not go; entries that may block are found again wherever they were moved to.
    if (limit == kNone) return;
    const auto usable = table->find_line(known.hash, line.name, line.value, limit);
    if (usable) keep_from = std::min(keep_from, *usable);
    return;
  }
  const auto worth =
      policy->on_new({.name = line.name, .hash = known.hash, .saved = saved, .pays_now = limit == kNone, .now = now});
  if (worth) candidates.push_back({.line = number, .size = entry_size(line.name, line.value), .worth = *worth});
}

/// Bytes that a reference to the line saves, compared with a literal.
uint64_t Encoder::State::saved_by(const http::FieldLine& line, const std::optional<StaticMatch>& fixed) const {
  const size_t value = literal_size(8, line.value, options.huffman);
  if (fixed) return value + (fixed->name_index < kShortIndexes ? 0 : 1);
  return value + literal_size(4, line.name, options.huffman) - 1;
}

/// For an entry of that size, whose instruction is not larger: an entry counts as 32 bytes more than its strings, which is
/// more than what an instruction has beside them, and one for the capacity before it (RFC 9204 §3.2.1, §4.3).
bool Encoder::State::has_room(uint64_t size) const {
  // RFC 9204 §2.1.3: nothing that flow control would cut in two or hold back.
  const bool can_be_sent =
      outgoing.size() < kUnsentMax && size <= outgoing_max && outgoing.size() <= outgoing_max - size;
  return can_be_sent && table->has_room(size, std::min(known_received, keep_from));
}

/// Makes room for an entry of that size and worth, if what goes for it is worth less. Entries at the end of the table that
/// are worth more for their size are not lost: they are moved to its front, as copies.
bool Encoder::State::make_room(uint64_t size, uint64_t worth) {
  const DynamicTable& entries = table->entries();
  if (size > entries.capacity()) return false;
  std::array<uint64_t, kMovesMax> moved{};
  size_t moves = 0;
  uint64_t lost = 0;
  uint64_t used = entries.size();
  for (uint64_t index = entries.first(); used > entries.capacity() - size; index++) {
    // RFC 9204 §2.1.1: nothing that is not acknowledged, or referenced by what is not.
    if (index >= std::min(known_received, keep_from) || table->is_pinned(index)) return false;
    const uint64_t one = entries.find(index)->size();
    const uint64_t one_worth = table->worth(index, now);
    if (one_worth >= kMovedWorthMin && one_worth * size >= worth * one) {
      if (moves == kMovesMax) return false;
      moved[moves++] = index;
      continue;
    }
    used -= one;
    lost += one_worth;
    if (lost * kGainPercent > worth * 100) return false;
  }
  for (size_t i = 0; i < moves; i++) {
    if (!has_room(entries.find(moved[i])->size())) return false;
    duplicate(moved[i]);
  }
  return has_room(size);
}

void Encoder::State::insert(const http::FieldLine& line, const Line& known) {
  std::vector<uint8_t>& out = outgoing.tail();
  if (table->insert_count() == 0) write(out, SetDynamicTableCapacity{table->entries().capacity()});
  const bool short_name = known.fixed && known.fixed->name_index < kShortInsertIndexes;
  const auto named = short_name ? std::nullopt : table->find_name(known.hash, line.name, kNone);
  const uint64_t relative = named ? table->insert_count() - 1 - *named : 0;
  if (known.fixed && (!named || relative >= kShortInsertIndexes)) {
    const uint64_t index = known.fixed->name_index;
    write(out, InsertWithNameReference{.is_static = true, .name_index = index, .value = line.value}, options.huffman);
  } else if (named) {
    write(out, InsertWithNameReference{.is_static = false, .name_index = relative, .value = line.value},
          options.huffman);
  } else {
    write(out, InsertWithLiteralName{.name = line.name, .value = line.value}, options.huffman);
  }
  table->insert(known.hash, line.name, line.value);
  counted.inserts++;
}

/// RFC 9204 §2.1.1.1: an entry that is used but will go soon is inserted anew, where that is possible, so that references
/// do not keep the end of the table where it is.
void Encoder::State::refresh(uint64_t index) {
  const auto entry = table->entries().find(index);
  const uint64_t capacity = table->entries().capacity();
  if (!entry || table->depth(index) * 4 <= capacity * kDrainingQuarters) return;
  if (table->new_since(index) * 100 <= capacity * kDrivenPercent) return;
  if (has_room(entry->size())) duplicate(index);
}

void Encoder::State::duplicate(uint64_t index) {
  write(outgoing.tail(), Duplicate{table->insert_count() - 1 - index});
  table->duplicate(index);
  counted.duplicates++;
}

/// How each line will be written, with references to entries below `limit`.
void Encoder::State::plan(const http::FieldSection& section) {
  // An entry that was only kept may be older than what is referenced: then it is pinned too.
  oldest = keep_from;
  required = 0;
  saved_at_risk = 0;
  for (size_t i = 0; i < section.size(); i++) plan_line(section[i], lines[i]);
  // Names last: which entries cost nothing is known when all others are chosen.
  for (size_t i = 0; i < section.size(); i++) {
    if (!lines[i].whole) plan_name(section[i], lines[i]);
  }
}

/// RFC 9204 §2.1.2: streams that may be blocked are few. The fewer are left, the more a section has to save, compared with
/// others, to take one of them.
bool Encoder::State::is_worth_blocking(uint64_t stream_id) {
  if (required <= known_received || sections.is_at_risk(stream_id)) return true;
  if (usually_saved_at_risk == 0) usually_saved_at_risk = saved_at_risk * kUsualOver;
  usually_saved_at_risk += saved_at_risk - usually_saved_at_risk / kUsualOver;
  const uint64_t streams = std::min<uint64_t>(blocked_streams_max, UnacknowledgedSections::kMax);
  return saved_at_risk * kUsualOver * streams >= usually_saved_at_risk * sections.streams_at_risk();
}

void Encoder::State::plan_line(const http::FieldLine& line, Line& known) {
  known.reference = Reference::none;
  known.whole = false;
  if (known.fixed && known.fixed->exact_index && !line.never_indexed) {
    known.reference = Reference::fixed;
    known.whole = true;
    known.index = *known.fixed->exact_index;
    return;
  }
  const auto index =
      known.may_index ? table->find_line(known.hash, line.name, line.value, limit) : std::optional<uint64_t>();
  if (!index) return;
  known.whole = true;
  use(known, *index, known.saved);
}

/// RFC 9204 §7.1.3: the name of a line that must never be indexed may be referenced; its value is a literal.
void Encoder::State::plan_name(const http::FieldLine& line, Line& known) {
  const bool is_short = known.fixed && known.fixed->name_index < kShortIndexes;
  if (table && !is_short) {
    const auto index = table->find_name(known.hash, line.name, limit);
    // Instead of a long index of the static table, an entry that is younger than others which the section references, and
    // for which it cannot block unless it can for others, costs nothing.
    const bool free = index && *index > oldest && *index < std::max(required, known_received);
    const bool better = free && table->insert_count() - *index <= kShortIndexes;
    if (index && (!known.fixed || better)) {
      return use(known, *index, known.fixed ? 1 : literal_size(4, line.name, options.huffman) - 1);
    }
  }
  if (!known.fixed) return;
  known.reference = Reference::fixed;
  known.index = known.fixed->name_index;
}

void Encoder::State::use(Line& known, uint64_t index, uint64_t saved) {
  oldest = std::min(oldest, index);
  required = std::max(required, index + 1);
  if (index >= known_received) saved_at_risk += saved;
  known.reference = Reference::relative;
  known.index = index;
}

void Encoder::State::write_line(const http::FieldLine& line, const Line& known, std::vector<uint8_t>& out) const {
  const uint64_t index = known.reference == Reference::relative ? required - 1 - known.index : known.index;
  const LiteralStyle style = {.never_indexed = line.never_indexed, .huffman = options.huffman};
  if (known.whole) return write_indexed(out, known.reference, index);
  if (known.reference == Reference::none) return write_literal_line(out, line.name, line.value, style);
  write_literal_line(out, known.reference, index, line.value, style);
}

void Encoder::State::finish_section(uint64_t stream_id) {
  if (required == 0) return;
  table->pin(oldest);
  sections.add({.stream_id = stream_id, .required_insert_count = required, .oldest_reference = oldest}, known_received);
}

Bytes Encoder::encoder_stream() const { return state_->outgoing.pending(); }
void Encoder::sent(size_t size) { state_->outgoing.sent(size); }

Result<void> Encoder::on_decoder_stream(Bytes bytes) {
  while (const auto instruction = state_->instructions.next(bytes)) {
    const auto applied = std::visit([&](const auto& one) { return state_->apply(one); }, *instruction);
    if (!applied) return applied;
  }
  if (state_->instructions.invalid()) return stream_error("a decoder instruction is malformed");
  return {};
}

Result<void> Encoder::State::apply(const SectionAcknowledgment& instruction) {
  const auto section = sections.acknowledge(instruction.stream_id);
  // RFC 9204 §4.4.1.
  if (!section) return stream_error("an acknowledgment of a section that was not sent");
  table->unpin(section->oldest_reference);
  raise_known_received(section->required_insert_count);
  return {};
}

Result<void> Encoder::State::apply(const StreamCancellation& instruction) {
  while (const auto section = sections.cancel(instruction.stream_id)) table->unpin(section->oldest_reference);
  return {};
}

Result<void> Encoder::State::apply(const InsertCountIncrement& instruction) {
  const uint64_t inserted = table ? table->insert_count() : 0;
  // RFC 9204 §4.4.3.
  if (instruction.increment == 0) return stream_error("an Insert Count Increment of 0");
  if (instruction.increment > inserted - known_received)
    return stream_error("more inserts acknowledged than were sent");
  raise_known_received(known_received + instruction.increment);
  return {};
}

void Encoder::State::raise_known_received(uint64_t count) {
  if (count <= known_received) return;
  known_received = count;
  sections.on_known_received(count);
}

Encoder::Statistics Encoder::statistics() const {
  Statistics statistics = state_->counted;
  statistics.blocked_streams = state_->sections.streams_at_risk();
  if (state_->table) {
    statistics.evictions = state_->table->evictions();
    statistics.table_size = state_->table->entries().size();
  }
  return statistics;
}

void Encoder::check_invariants() const {
  const State& state = *state_;
  QUOLL_CHECK(state.sections.size() <= UnacknowledgedSections::kMax);
  QUOLL_CHECK(state.sections.streams_at_risk() <= state.blocked_streams_max);
  if (!state.table) return;
  QUOLL_CHECK(state.known_received <= state.table->insert_count());
  state.table->check_invariants(state.sections.size());
}

}  // namespace quoll::qpack
