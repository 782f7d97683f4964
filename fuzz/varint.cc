// varint_decode and varint_encode against the definition of RFC 9000 §16 spelled out byte by byte, and Reader's view of
// it.
#include "base/varint.h"

#include "base/reader.h"

using namespace quoll;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  const DecodedVarint decoded = varint_decode(input);
  Reader reader(input);
  const uint64_t read = reader.varint();
  if (size == 0 || size < size_t{1} << (data[0] >> 6)) {
    QUOLL_CHECK(decoded.size == 0 && !reader.ok() && read == 0 && reader.position() == 0);
    return 0;
  }
  uint64_t expected = data[0] & 0x3f;
  for (size_t i = 1; i < decoded.size; i++) expected = expected * 256 + data[i];
  QUOLL_CHECK(decoded.size == size_t{1} << (data[0] >> 6));
  QUOLL_CHECK(decoded.value == expected && varint_fits(expected));
  QUOLL_CHECK(reader.ok() && read == expected && reader.position() == decoded.size);

  uint8_t same[kVarintMaxSize];
  varint_encode(same, expected, decoded.size);
  QUOLL_CHECK(std::memcmp(same, data, decoded.size) == 0);
  const size_t shortest = varint_size(expected);
  QUOLL_CHECK(shortest <= decoded.size);
  uint8_t minimal[kVarintMaxSize];
  varint_encode(minimal, expected, shortest);
  QUOLL_CHECK(varint_decode(Bytes(minimal).first(shortest)).value == expected);
  QUOLL_CHECK(shortest == 1 || expected > varint_max(shortest / 2));
  return 0;
}
