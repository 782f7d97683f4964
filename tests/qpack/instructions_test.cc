#include "qpack/instructions.h"

#include <string>

#include "tests/qpack/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::qpack;
using namespace quoll::qpack::tests;

namespace {

/// All instructions of a stream that arrives in pieces of that size, written again.
std::vector<uint8_t> rewritten(Bytes stream, size_t piece) {
  EncoderInstructionReader reader(4096);
  std::vector<uint8_t> out;
  for (size_t at = 0; at < stream.size(); at += piece) {
    Bytes bytes = stream.subspan(at, std::min(piece, stream.size() - at));
    while (const auto instruction = reader.next(bytes)) {
      if (const auto* capacity = std::get_if<SetDynamicTableCapacity>(&*instruction)) write(out, *capacity);
      if (const auto* insert = std::get_if<InsertWithNameReference>(&*instruction)) write(out, *insert, true);
      if (const auto* insert = std::get_if<InsertWithLiteralName>(&*instruction)) write(out, *insert, true);
      if (const auto* duplicate = std::get_if<Duplicate>(&*instruction)) write(out, *duplicate);
    }
    CHECK(bytes.empty());
    CHECK_FALSE(reader.invalid());
  }
  CHECK(reader.kept() == 0);
  return out;
}

}  // namespace

// RFC 9204 §4.3: a stream has no frames; it may be cut anywhere.
TEST_CASE("encoder instructions are read from pieces of every size") {
  std::vector<uint8_t> stream;
  write(stream, SetDynamicTableCapacity{4096});
  write(stream, InsertWithNameReference{.is_static = true, .name_index = 95, .value = "a program/1.0"}, true);
  write(stream, InsertWithLiteralName{.name = "x-name", .value = std::string(300, '~')}, true);
  write(stream, InsertWithLiteralName{.name = "", .value = ""}, true);
  write(stream, Duplicate{1000});
  write(stream, InsertWithNameReference{.is_static = false, .name_index = 70, .value = ""}, true);
  for (size_t piece = 1; piece <= stream.size(); piece++) CHECK(rewritten(stream, piece) == stream);
}

// RFC 9204 §4.4.
TEST_CASE("decoder instructions are read from pieces of every size") {
  std::vector<uint8_t> stream;
  write(stream, SectionAcknowledgment{4});
  write(stream, StreamCancellation{kPrefixIntegerMax});
  write(stream, InsertCountIncrement{63});
  write(stream, SectionAcknowledgment{127});
  for (size_t piece = 1; piece <= stream.size(); piece++) {
    DecoderInstructionReader reader;
    std::vector<uint8_t> out;
    for (size_t at = 0; at < stream.size(); at += piece) {
      Bytes bytes = Bytes(stream).subspan(at, std::min(piece, stream.size() - at));
      while (const auto instruction = reader.next(bytes)) {
        std::visit([&](const auto& one) { write(out, one); }, *instruction);
      }
    }
    CHECK(out == stream);
  }
}

// RFC 9204 §7.4: what is kept of an instruction that does not end is bounded by the table.
TEST_CASE("an unfinished instruction keeps no more than the table could take") {
  EncoderInstructionReader reader(220);
  const std::vector<uint8_t> start = hex("c07f3d");  // a value of 188 bytes
  Bytes bytes = start;
  CHECK_FALSE(reader.next(bytes));
  const std::vector<uint8_t> value(187, 'v');
  bytes = value;
  CHECK_FALSE(reader.next(bytes));
  CHECK(reader.kept() == 190);
  const std::vector<uint8_t> last = {'v', 0x00};
  bytes = last;
  CHECK(reader.next(bytes));
  CHECK(bytes.size() == 1);
  CHECK(std::holds_alternative<Duplicate>(*reader.next(bytes)));
}
