// A qpack::Encoder against a decoder that says anything. The input is a capacity and a limit of blocked streams, then steps:
// a section of few field lines is encoded, or bytes of the decoder stream arrive. A second encoder gets those one by one and
// must agree in everything; the limits hold whatever is acknowledged.
#include "qpack/encoder.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "qpack/error.h"

using namespace quoll;

namespace {

http::FieldSection section_of(Reader& input) {
  http::FieldSection section;
  for (uint8_t lines = input.u8() % 8; lines != 0; lines--) {
    const uint8_t name = input.u8(), value = input.u8();
    section.add(std::string(1 + name % 4, static_cast<char>('a' + name % 16)),
                std::string(value % 64, static_cast<char>('a' + value % 16)), name >= 0xf0);
  }
  return section;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader input(Bytes(data, size));
  const uint64_t capacity = input.u8() * uint64_t{16}, limit = input.u8() % 8;
  qpack::Encoder whole({.table_capacity_max = 1024}), pieces({.table_capacity_max = 1024});
  QUOLL_CHECK(whole.set_peer_settings(capacity, limit).has_value() &&
              pieces.set_peer_settings(capacity, limit).has_value());
  while (input.remaining() != 0) {
    const uint8_t step = input.u8();
    if (step % 2 == 0) {
      const http::FieldSection section = section_of(input);
      std::vector<uint8_t> bytes, bytes_again;
      whole.encode(step / 2 % 16, section, bytes);
      pieces.encode(step / 2 % 16, section, bytes_again);
      QUOLL_CHECK(bytes == bytes_again);
    } else {
      const Bytes answers = input.bytes(std::min<size_t>(step / 2 % 16, input.remaining()));
      const auto fed = whole.on_decoder_stream(answers);
      Result<void> fed_again;
      for (size_t i = 0; i < answers.size() && fed_again; i++) {
        fed_again = pieces.on_decoder_stream(answers.subspan(i, 1));
      }
      QUOLL_CHECK(fed.has_value() == fed_again.has_value());
      if (!fed) {
        QUOLL_CHECK(fed.error().code == static_cast<uint64_t>(qpack::ErrorCode::decoder_stream_error));
        break;
      }
    }
    const qpack::Encoder::Statistics statistics = whole.statistics();
    QUOLL_CHECK(statistics.table_size <= capacity && statistics.blocked_streams <= limit);
    QUOLL_CHECK(capacity >= 32 || whole.encoder_stream().empty());
    whole.check_invariants();
    pieces.check_invariants();
  }
  return 0;
}
