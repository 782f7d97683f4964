// What the encodings of ClientTicket and ServerTicket share: the size of a PSK, the range of times, length-prefixed
// fields, and the two passes (count, write) over one write function.
//
// Both encodings have one form for each value: what decodes encodes to the same bytes again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/reader.h"
#include "base/unix_time.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "tls/codepoints.h"

namespace quoll::tls::ticket_codec {

/// Years 0000 to 9999, as in X.509. Times outside of it are refused, so that differences of times cannot overflow.
inline constexpr int64_t kTimeMin = -62'167'219'200'000;  // milliseconds
inline constexpr int64_t kTimeMax = 253'402'300'799'999;

/// Bytes of a PSK that belongs to the suite: its hash's digest (RFC 8446 §4.6.1); 0 for an unknown suite.
constexpr size_t psk_size(CipherSuite suite) {
  switch (suite) {
    case CipherSuite::aes_128_gcm_sha256:
    case CipherSuite::chacha20_poly1305_sha256:
      return 32;
    case CipherSuite::aes_256_gcm_sha384:
      return 48;
    default:  // any number, from a file
      return 0;
  }
}

template <Sink S>
void write_time(S& sink, UnixTime time) {
  const int64_t milliseconds = time.as_milliseconds();
  if (milliseconds < kTimeMin || milliseconds > kTimeMax) sink.fail();
  sink.u64(static_cast<uint64_t>(milliseconds));
}

inline UnixTime read_time(Reader& reader) {
  const auto milliseconds = static_cast<int64_t>(reader.u64());
  if (milliseconds < kTimeMin || milliseconds > kTimeMax) reader.fail();
  return UnixTime::from_milliseconds(milliseconds);
}

/// A field behind its length; one of more than `size_max` bytes fails the sink.
template <Sink S>
void write_field(S& sink, Prefix form, Bytes field, size_t size_max) {
  if (field.size() > size_max) sink.fail();
  const LengthPrefix prefix(sink, form);
  sink.bytes(field);
}

inline std::string read_text(Reader& reader) { return std::string(as_text(reader.prefixed_u8().rest())); }

inline std::vector<uint8_t> read_bytes(Reader& reader, size_t size_max) {
  const Bytes field = reader.prefixed_u16().rest();
  if (field.size() > size_max) {
    reader.fail();
    return {};
  }
  return {field.begin(), field.end()};
}

/// The suite, and the PSK of the size that it has: no length is written.
template <Sink S>
void write_psk(S& sink, CipherSuite suite, const crypto::Digest& psk) {
  if (psk.size() == 0 || psk.size() != psk_size(suite)) sink.fail();
  sink.u16(static_cast<uint16_t>(suite));
  sink.bytes(psk);
}

inline void read_psk(Reader& reader, CipherSuite& suite, crypto::Digest& psk) {
  suite = static_cast<CipherSuite>(reader.u16());
  const size_t size = psk_size(suite);
  if (size == 0) reader.fail();
  psk = crypto::Digest(size);
  copy_bytes(psk.data(), reader.bytes(size));
}

/// What `write`, a function over any Sink, writes; empty when it fails.
template <class WriteFunction>
std::vector<uint8_t> encoded(WriteFunction write) {
  Counter counter;
  write(counter);
  if (!counter.ok()) return {};
  std::vector<uint8_t> out(counter.size());
  Writer writer(out);
  write(writer);
  QUOLL_CHECK(writer.ok() && writer.size() == out.size());
  return out;
}

}  // namespace quoll::tls::ticket_codec
