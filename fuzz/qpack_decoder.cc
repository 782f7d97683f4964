// A qpack::Decoder against a peer that is a stranger. The input is a capacity and a limit of blocked streams, then blocks: a
// stream (0: the encoder stream; 255: a stream is cancelled), a length of two bytes, bytes. A second decoder gets the encoder
// stream byte by byte and must agree in everything; what is decoded survives our encoder and a third decoder.
#include "qpack/decoder.h"

#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "qpack/encoder.h"
#include "qpack/error.h"

using namespace quoll;

namespace {

constexpr uint64_t kSectionMax = 4096;

bool is_code(const Error& error, qpack::ErrorCode code) {
  return error.domain == ErrorDomain::application && error.code == static_cast<uint64_t>(code);
}

void check_round_trip(const http::FieldSection& section) {
  qpack::Encoder encoder({.table_capacity_max = 512});
  qpack::Decoder decoder({.max_table_capacity = 512, .max_field_section_size = kSectionMax});
  QUOLL_CHECK(encoder.set_peer_settings(512, 100).has_value());
  for (uint64_t stream_id = 0; stream_id < 3; stream_id++) {
    std::vector<uint8_t> bytes;
    encoder.encode(stream_id, section, bytes);
    const Bytes instructions = encoder.encoder_stream();
    QUOLL_CHECK(decoder.on_encoder_stream(instructions).has_value());
    encoder.sent(instructions.size());
    http::FieldSection out;
    const auto done = decoder.decode(stream_id, bytes, out);
    QUOLL_CHECK(done && *done == qpack::DecodeStatus::done && out == section);
  }
}

/// False: the connection is at its end.
bool feed(qpack::Decoder& whole, qpack::Decoder& pieces, Bytes bytes) {
  const auto fed = whole.on_encoder_stream(bytes);
  Result<void> fed_again;
  for (size_t i = 0; i < bytes.size() && fed_again; i++) fed_again = pieces.on_encoder_stream(bytes.subspan(i, 1));
  QUOLL_CHECK(fed.has_value() == fed_again.has_value());
  QUOLL_CHECK(fed || is_code(fed.error(), qpack::ErrorCode::encoder_stream_error));
  return fed.has_value();
}

bool decode(qpack::Decoder& whole, qpack::Decoder& pieces, uint64_t stream_id, Bytes bytes) {
  http::FieldSection out, out_again;
  const auto done = whole.decode(stream_id, bytes, out);
  const auto done_again = pieces.decode(stream_id, bytes, out_again);
  QUOLL_CHECK(done.has_value() == done_again.has_value() && out == out_again);
  QUOLL_CHECK(out.decoded_size() <= kSectionMax);
  if (!done) {
    QUOLL_CHECK(is_code(done.error(), qpack::ErrorCode::decompression_failed) && out.empty());
    return false;
  }
  QUOLL_CHECK(*done == *done_again);
  if (*done == qpack::DecodeStatus::done) check_round_trip(out);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader input(Bytes(data, size));
  const qpack::Decoder::Options options = {.max_table_capacity = input.u8() * uint64_t{32},
                                           .blocked_streams = input.u8(),
                                           .max_field_section_size = kSectionMax};
  qpack::Decoder whole(options), pieces(options);
  while (input.remaining() != 0) {
    const uint8_t stream_id = input.u8();
    const uint16_t length = input.u16();
    const Bytes bytes = input.bytes(std::min<uint64_t>(length, input.remaining()));
    if (stream_id == 255) {
      whole.cancel(length);
      pieces.cancel(length);
    } else if (stream_id == 0 ? !feed(whole, pieces, bytes) : !decode(whole, pieces, stream_id, bytes)) {
      break;
    }
    while (true) {
      const auto unblocked = whole.poll_unblocked();
      QUOLL_CHECK(unblocked.has_value() == pieces.poll_unblocked().has_value());
      if (!unblocked) break;
    }
    whole.check_invariants();
    pieces.check_invariants();
    if (stream_id % 2 == 1) whole.sent(whole.decoder_stream().size());
  }
  return 0;
}
