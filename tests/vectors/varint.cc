// quic/varint.json: hex -> value in every legal length, buffers that end inside a varint, and values that have no form.
#include "base/varint.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {

namespace {

bool reads_as(Bytes bytes, uint64_t value) {
  const DecodedVarint decoded = varint_decode(bytes);
  Reader reader(bytes);
  return decoded.value == value && decoded.size == bytes.size() && reader.varint() == value && reader.finished();
}

bool writes_back(Bytes bytes, uint64_t value) {
  uint8_t room[kVarintMaxSize];
  Writer writer(room);
  writer.varint(value, bytes.size());
  return writer.ok() && std::ranges::equal(writer.written(), bytes);
}

/// The shortest form is these bytes, or shorter when the file says that they are not minimal.
bool size_agrees(Bytes bytes, uint64_t value, bool minimal) {
  uint8_t room[kVarintMaxSize];
  Writer writer(room);
  writer.varint(value);
  return writer.ok() && writer.size() == varint_size(value) &&
         (minimal ? std::ranges::equal(writer.written(), bytes) : writer.size() < bytes.size());
}

bool fails_to_read(Bytes bytes) {
  Reader reader(bytes);
  return varint_decode(bytes).size == 0 && reader.varint() == 0 && !reader.ok();
}

void run_varints(const json& file, Report& report) {
  for (const json& entry : file.at("varints")) {
    const std::vector<uint8_t> bytes = bytes_of(entry, "hex");
    const uint64_t value = entry.at("value").get<uint64_t>();
    const std::string name = "varint " + entry.at("hex").get<std::string>();
    report.check(reads_as(bytes, value), name + " read");
    report.check(writes_back(bytes, value), name + " written in this width");
    if (entry.contains("minimal")) {
      report.check(size_agrees(bytes, value, entry.at("minimal").get<bool>()), name + " written in the shortest form");
    }
  }
  for (const json& entry : file.at("truncated")) {
    report.check(fails_to_read(unhex(entry.get<std::string>())), "truncated " + entry.get<std::string>());
  }
  for (const json& entry : file.at("too_large_to_encode")) {
    report.check(!varint_fits(entry.get<uint64_t>()), "too large " + entry.dump());
  }
}

}  // namespace

Handler varint_handler(const json& file) {
  return file.is_object() && file.contains("varints") ? run_varints : nullptr;
}

}  // namespace quoll::vectors
