// Encoder and decoder instructions as data (RFC 9204 §4.3 and §4.4): reading them from streams that arrive in any pieces,
// and writing them.
//
// A reader keeps no more than one unfinished instruction, whose size is bounded: an encoder instruction that announces
// texts too large for the dynamic table is refused as soon as their lengths are known, before the texts are kept. Texts of
// what is read are views that last until the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "qpack/prefix_integer.h"

namespace quoll::qpack {

// --- Encoder instructions, §4.3 ---

struct SetDynamicTableCapacity {
  uint64_t capacity = 0;
};
struct InsertWithNameReference {
  bool is_static = false;
  uint64_t name_index = 0;  // of the static table, or relative to the insert count
  std::string_view value;
};
struct InsertWithLiteralName {
  std::string_view name;
  std::string_view value;
};
struct Duplicate {
  uint64_t relative_index = 0;
};
using EncoderInstruction =
    std::variant<SetDynamicTableCapacity, InsertWithNameReference, InsertWithLiteralName, Duplicate>;

// --- Decoder instructions, §4.4 ---

struct SectionAcknowledgment {
  uint64_t stream_id = 0;
};
struct StreamCancellation {
  uint64_t stream_id = 0;
};
struct InsertCountIncrement {
  uint64_t increment = 0;
};
using DecoderInstruction = std::variant<SectionAcknowledgment, StreamCancellation, InsertCountIncrement>;

/// A string literal (§4.1.2) as it lies in the input: encoded still.
struct StringLiteral {
  bool huffman = false;
  Bytes encoded;
  /// The least that it can decode to.
  uint64_t decoded_min() const;
};

/// What reading the literal at from[at] gave, whose flag and length have `prefix_bits` of the first byte.
struct LiteralRead {
  Parse parse = Parse::incomplete;
  StringLiteral literal;
  uint64_t decoded_min = 0;  // known as soon as the length is
  uint64_t wanted = 1;       // bytes that are missing at least
};
LiteralRead read_literal(Bytes from, size_t& at, unsigned prefix_bits);

/// Appends a literal, in Huffman code where that is allowed and shorter. `flags`: the bits above the prefix.
void write_literal(std::vector<uint8_t>& out, uint8_t flags, unsigned prefix_bits, std::string_view text, bool huffman);
/// Bytes that it appends.
size_t literal_size(unsigned prefix_bits, std::string_view text, bool huffman);

/// The encoder stream, as a decoder reads it.
class EncoderInstructionReader {
 public:
  /// `entry_size_max`: the largest entry that the table could ever take.
  explicit EncoderInstructionReader(uint64_t entry_size_max) : entry_size_max_(entry_size_max) {}

  /// The next instruction, taken from the beginning of `bytes`; empty when those are used up first. invalid() tells that
  /// the stream is broken.
  std::optional<EncoderInstruction> next(Bytes& bytes);
  bool invalid() const { return invalid_; }
  /// Bytes of an unfinished instruction that are kept.
  size_t kept() const { return kept_.size(); }

 private:
  struct Attempt {
    Parse parse = Parse::incomplete;
    uint64_t wanted = 1;
    std::optional<EncoderInstruction> instruction;
  };
  Attempt attempt(Bytes from, size_t& at);
  Attempt attempt_insert(Bytes from, size_t& at);
  /// Takes the text of a literal; empty: it is no Huffman code.
  std::optional<std::string_view> text_of(const StringLiteral& literal, std::vector<uint8_t>& scratch) const;

  uint64_t entry_size_max_;
  std::vector<uint8_t> kept_;  // the beginning of an instruction that did not end yet
  uint64_t wanted_ = 0;        // bytes that it lacks at least
  bool kept_is_used_ = false;  // kept_ is the instruction that was returned last
  std::vector<uint8_t> name_scratch_;
  std::vector<uint8_t> value_scratch_;
  bool invalid_ = false;
};

/// The decoder stream, as an encoder reads it.
class DecoderInstructionReader {
 public:
  std::optional<DecoderInstruction> next(Bytes& bytes);
  bool invalid() const { return invalid_; }

 private:
  uint8_t kept_[kPrefixIntegerSizeMax] = {};
  size_t kept_size_ = 0;
  bool invalid_ = false;
};

void write(std::vector<uint8_t>& out, const SetDynamicTableCapacity& instruction);
void write(std::vector<uint8_t>& out, const InsertWithNameReference& instruction, bool huffman);
void write(std::vector<uint8_t>& out, const InsertWithLiteralName& instruction, bool huffman);
void write(std::vector<uint8_t>& out, const Duplicate& instruction);
void write(std::vector<uint8_t>& out, const SectionAcknowledgment& instruction);
void write(std::vector<uint8_t>& out, const StreamCancellation& instruction);
void write(std::vector<uint8_t>& out, const InsertCountIncrement& instruction);

}  // namespace quoll::qpack
