// DerReader over any bytes. What it accepts is canonical, so DerWriter makes the same bytes of it again; and after a
// failure nothing more is read.
#include "crypto/der.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

using namespace quoll;
using crypto::DerReader;
using crypto::DerTag;
using crypto::DerWriter;

namespace {

constexpr int kDeepest = 16;
constexpr uint8_t kConstructed = 0x20;

void check_failed_reader(DerReader& reader) {
  QUOLL_CHECK(reader.failed() && reader.at_end() && !reader.finished());
  QUOLL_CHECK(!reader.read_element() && !reader.read(DerTag::null) && !reader.read_small_integer());
  QUOLL_CHECK(reader.enter(DerTag::sequence).failed());
}

/// The typed reads agree with the plain one about the element at the front.
void check_typed_reads(DerReader reader, DerTag tag, Bytes contents) {
  if (tag == DerTag::integer) {
    DerReader small = reader;
    const auto magnitude = reader.read_unsigned_integer();
    const auto value = small.read_small_integer();
    QUOLL_CHECK(value.has_value() == (magnitude && magnitude->size() <= 8));
    if (!magnitude) return;
    QUOLL_CHECK(magnitude->empty() || (*magnitude)[0] != 0);
    uint8_t room[64];
    if (magnitude->size() > 48) return;
    DerWriter writer(room);
    writer.write_unsigned_integer(*magnitude);
    DerReader again(writer.finish().value());
    QUOLL_CHECK(std::ranges::equal(again.read(DerTag::integer).value(), contents));
  } else if (tag == DerTag::bit_string) {
    const auto bytes = reader.read_bit_string_bytes();
    QUOLL_CHECK(bytes.has_value() == (!contents.empty() && contents[0] == 0));
  }
}

/// Reads everything and writes it again; returns false when something is not DER, constructed contents included.
bool copy_elements(DerReader reader, DerWriter& writer, int depth) {
  while (!reader.at_end()) {
    const DerTag tag = reader.peek().value();
    DerReader whole = reader, typed = reader;
    const auto contents = reader.read(tag);
    const auto element = whole.read_element();
    QUOLL_CHECK(contents.has_value() == element.has_value());
    if (!contents) {
      check_failed_reader(reader);
      return false;
    }
    QUOLL_CHECK(element->data() + element->size() == contents->data() + contents->size());
    check_typed_reads(typed, tag, *contents);
    if ((static_cast<uint8_t>(tag) & kConstructed) != 0 && depth < kDeepest) {
      const size_t opened = writer.open(tag);
      if (!copy_elements(DerReader(*contents), writer, depth + 1)) return false;
      writer.close(opened);
    } else {
      writer.write(tag, *contents);
    }
  }
  return reader.finished();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  std::vector<uint8_t> room(size);
  DerWriter writer(room);
  if (!copy_elements(DerReader(input), writer, 0)) return 0;
  QUOLL_CHECK(std::ranges::equal(writer.finish().value(), input));
  if (size == 0) return 0;
  room.pop_back();
  DerWriter tight(room);
  copy_elements(DerReader(input), tight, 0);
  QUOLL_CHECK(!tight.finish());
  return 0;
}
