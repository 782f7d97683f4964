#include "qpack/instructions.h"

#include <algorithm>
#include <utility>

#include "qpack/dynamic_table.h"
#include "qpack/huffman.h"

namespace quoll::qpack {

namespace {

// The patterns that instructions begin with, RFC 9204 §4.3 and §4.4.
constexpr uint8_t kInsertWithNameReference = 0x80;
constexpr uint8_t kStaticName = 0x40;
constexpr uint8_t kInsertWithLiteralName = 0x40;
constexpr uint8_t kSetCapacity = 0x20;
constexpr uint8_t kDuplicate = 0x00;
constexpr uint8_t kSectionAcknowledgment = 0x80;
constexpr uint8_t kStreamCancellation = 0x40;
constexpr uint8_t kInsertCountIncrement = 0x00;

}  // namespace

uint64_t StringLiteral::decoded_min() const { return huffman ? huffman_decoded_min(encoded.size()) : encoded.size(); }

LiteralRead read_literal(Bytes from, size_t& at, unsigned prefix_bits) {
  LiteralRead read;
  size_t end = at;
  uint64_t size = 0;
  read.parse = read_prefix_integer(from, end, prefix_bits - 1, size);
  if (read.parse != Parse::complete) return read;
  read.literal.huffman = (from[at] >> (prefix_bits - 1) & 1) != 0;
  read.decoded_min = read.literal.huffman ? huffman_decoded_min(size) : size;
  if (size > from.size() - end) {
    read.parse = Parse::incomplete;
    read.wanted = size - (from.size() - end);
    return read;
  }
  read.literal.encoded = from.subspan(end, static_cast<size_t>(size));
  at = end + static_cast<size_t>(size);
  return read;
}

size_t literal_size(unsigned prefix_bits, std::string_view text, bool huffman) {
  const size_t size = huffman ? std::min(text.size(), huffman_size(text)) : text.size();
  return prefix_integer_size(prefix_bits - 1, size) + size;
}

void write_literal(std::vector<uint8_t>& out, uint8_t flags, unsigned prefix_bits, std::string_view text,
                   bool huffman) {
  const size_t coded = huffman ? huffman_size(text) : text.size();
  if (coded < text.size()) {
    const uint8_t flag = static_cast<uint8_t>(1u << (prefix_bits - 1));
    write_prefix_integer(out, flags | flag, prefix_bits - 1, coded);
    out.resize(out.size() + coded);
    huffman_encode(text, out.data() + out.size() - coded);
  } else {
    write_prefix_integer(out, flags, prefix_bits - 1, text.size());
    const Bytes raw = as_bytes(text);
    out.insert(out.end(), raw.begin(), raw.end());
  }
}

std::optional<EncoderInstruction> EncoderInstructionReader::next(Bytes& bytes) {
  if (std::exchange(kept_is_used_, false)) kept_.clear();
  while (!invalid_ && !bytes.empty()) {
    if (kept_.empty()) [[likely]] {
      size_t at = 0;
      Attempt tried = attempt(bytes, at);
      invalid_ = tried.parse == Parse::invalid;
      if (tried.parse == Parse::incomplete) {
        kept_.assign(bytes.begin(), bytes.end());
        wanted_ = tried.wanted;
        at = bytes.size();
      }
      bytes = bytes.subspan(at);
      if (tried.instruction) return tried.instruction;
      continue;
    }
    const size_t taken = static_cast<size_t>(std::min<uint64_t>(wanted_, bytes.size()));
    kept_.insert(kept_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    wanted_ -= taken;
    if (wanted_ != 0) return {};
    size_t at = 0;
    Attempt tried = attempt(kept_, at);
    invalid_ = tried.parse == Parse::invalid;
    wanted_ = tried.wanted;
    if (tried.instruction) {
      QUOLL_DCHECK(at == kept_.size());
      kept_is_used_ = true;
      return tried.instruction;
    }
  }
  return {};
}

EncoderInstructionReader::Attempt EncoderInstructionReader::attempt(Bytes from, size_t& at) {
  const uint8_t first = from[at];
  if ((first & (kInsertWithNameReference | kInsertWithLiteralName)) != 0) return attempt_insert(from, at);
  Attempt tried;
  uint64_t value = 0;
  tried.parse = read_prefix_integer(from, at, 5, value);
  if (tried.parse != Parse::complete) return tried;
  if ((first & kSetCapacity) != 0) {
    tried.instruction = SetDynamicTableCapacity{value};
  } else {
    tried.instruction = Duplicate{value};
  }
  return tried;
}

EncoderInstructionReader::Attempt EncoderInstructionReader::attempt_insert(Bytes from, size_t& at) {
  Attempt tried;
  const uint8_t first = from[at];
  const bool referenced = (first & kInsertWithNameReference) != 0;
  size_t end = at;
  uint64_t name_index = 0;
  LiteralRead name;
  if (referenced) {
    tried.parse = read_prefix_integer(from, end, 6, name_index);
  } else {
    name = read_literal(from, end, 6);
    tried.parse = name.parse;
    tried.wanted = name.wanted;
  }
  // RFC 9204 §3.2.2: an entry larger than the table can be is an error; it is not kept to find that out at its end.
  const uint64_t name_min = name.decoded_min + kEntryOverhead;
  if (name_min > entry_size_max_) tried.parse = Parse::invalid;
  if (tried.parse != Parse::complete) return tried;

  const LiteralRead value = read_literal(from, end, 8);
  tried.parse = value.parse;
  tried.wanted = value.wanted;
  if (value.decoded_min > entry_size_max_ - name_min) tried.parse = Parse::invalid;
  if (tried.parse != Parse::complete) return tried;

  const auto value_text = text_of(value.literal, value_scratch_);
  const auto name_text = text_of(name.literal, name_scratch_);
  if (!value_text || !name_text) {
    tried.parse = Parse::invalid;
    return tried;
  }
  if (referenced) {
    tried.instruction = InsertWithNameReference{
        .is_static = (first & kStaticName) != 0, .name_index = name_index, .value = *value_text};
  } else {
    tried.instruction = InsertWithLiteralName{.name = *name_text, .value = *value_text};
  }
  at = end;
  return tried;
}

std::optional<std::string_view> EncoderInstructionReader::text_of(const StringLiteral& literal,
                                                                  std::vector<uint8_t>& scratch) const {
  if (!literal.huffman) return as_text(literal.encoded);
  const uint64_t room = std::min(huffman_decoded_max(literal.encoded.size()), entry_size_max_);
  if (scratch.size() < room) scratch.resize(static_cast<size_t>(room));
  const HuffmanDecoded decoded = huffman_decode(literal.encoded, MutBytes(scratch).first(static_cast<size_t>(room)));
  if (decoded.status != HuffmanStatus::done) return {};
  return as_text(Bytes(scratch).first(decoded.size));
}

std::optional<DecoderInstruction> DecoderInstructionReader::next(Bytes& bytes) {
  if (invalid_ || bytes.empty()) return {};
  const size_t taken = std::min(bytes.size(), kPrefixIntegerSizeMax - kept_size_);
  copy_bytes(kept_ + kept_size_, bytes.first(taken));
  const uint8_t first = kept_[0];
  const unsigned prefix_bits = (first & kSectionAcknowledgment) != 0 ? 7 : 6;
  size_t at = 0;
  uint64_t value = 0;
  switch (read_prefix_integer(Bytes(kept_, kept_size_ + taken), at, prefix_bits, value)) {
    case Parse::invalid:
      invalid_ = true;
      return {};
    case Parse::incomplete:
      kept_size_ += taken;
      bytes = bytes.subspan(taken);
      return {};
    case Parse::complete:
      break;
  }
  bytes = bytes.subspan(at - kept_size_);
  kept_size_ = 0;
  if ((first & kSectionAcknowledgment) != 0) return SectionAcknowledgment{value};
  if ((first & kStreamCancellation) != 0) return StreamCancellation{value};
  return InsertCountIncrement{value};
}

void write(std::vector<uint8_t>& out, const SetDynamicTableCapacity& instruction) {
  write_prefix_integer(out, kSetCapacity, 5, instruction.capacity);
}

void write(std::vector<uint8_t>& out, const InsertWithNameReference& instruction, bool huffman) {
  const uint8_t table = instruction.is_static ? kStaticName : 0;
  write_prefix_integer(out, kInsertWithNameReference | table, 6, instruction.name_index);
  write_literal(out, 0, 8, instruction.value, huffman);
}

void write(std::vector<uint8_t>& out, const InsertWithLiteralName& instruction, bool huffman) {
  write_literal(out, kInsertWithLiteralName, 6, instruction.name, huffman);
  write_literal(out, 0, 8, instruction.value, huffman);
}

void write(std::vector<uint8_t>& out, const Duplicate& instruction) {
  write_prefix_integer(out, kDuplicate, 5, instruction.relative_index);
}

void write(std::vector<uint8_t>& out, const SectionAcknowledgment& instruction) {
  write_prefix_integer(out, kSectionAcknowledgment, 7, instruction.stream_id);
}

void write(std::vector<uint8_t>& out, const StreamCancellation& instruction) {
  write_prefix_integer(out, kStreamCancellation, 6, instruction.stream_id);
}

void write(std::vector<uint8_t>& out, const InsertCountIncrement& instruction) {
  write_prefix_integer(out, kInsertCountIncrement, 6, instruction.increment);
}

}  // namespace quoll::qpack
