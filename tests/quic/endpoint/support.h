// What the tests of the endpoint share: addresses, times, ids, and a client's
// first datagrams made by hand.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/net.h"
#include "base/unix_time.h"
#include "quic/wire/packet_header_writer.h"
#include "quic/wire/types.h"
#include "tests/support/random.h"

namespace quoll::tests {

constexpr Instant at_ms(int64_t milliseconds) { return Instant() + Duration::milliseconds(milliseconds); }
constexpr UnixTime kWallOrigin = UnixTime::from_seconds(1'800'000'000);
inline UnixTime wall_clock(Instant now) { return kWallOrigin + (now - Instant()); }

inline SocketAddress address(std::string_view text) { return SocketAddress::parse(text).value(); }
inline Path path_from(std::string_view remote) {
  return {.local = address("192.0.2.1:443"), .remote = address(remote)};
}

inline quic::ConnectionId connection_id(uint8_t fill, size_t size = 8) {
  const std::vector<uint8_t> bytes(size, fill);
  return quic::ConnectionId(bytes);
}

/// A datagram with a long header and no sense behind it.
struct LongDatagram {
  quic::PacketType type = quic::PacketType::initial;
  quic::Version version = quic::Version::v1;
  quic::ConnectionId destination = connection_id(0xd1);
  quic::ConnectionId source = connection_id(0x51, 5);
  std::vector<uint8_t> token = {};
  size_t size = 1200;

  std::vector<uint8_t> bytes() const {
    std::vector<uint8_t> out(size);
    Writer writer(out);
    const quic::HeaderPlaces places = quic::write_long_header(
        writer, {.type = type, .version = version, .destination = destination, .source = source, .token = token},
        {.number = 0, .size = 1});
    writer.zeros(writer.remaining());
    quic::finish_long_header(writer, places, 0);
    return writer.ok() ? out : std::vector<uint8_t>();
  }
};

inline std::vector<uint8_t> short_datagram(const quic::ConnectionId& destination, size_t size) {
  std::vector<uint8_t> out(size, 0x77);
  out[0] = 0x40;
  copy_bytes(out.data() + 1, destination);
  return out;
}

inline Received received(const Path& path, Bytes bytes, uint16_t segment_size = 0) {
  Received out{.path = path, .ecn = Ecn::not_ect, .data = Buffer::allocate(bytes.size()), .segment_size = segment_size};
  copy_bytes(out.data.bytes().data(), bytes);
  return out;
}

}  // namespace quoll::tests
