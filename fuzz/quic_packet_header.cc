// quic::DatagramReader: the first byte chooses the options, the rest is a datagram. Its packets lie one after the other
// inside it; a header that is taken is written again and reads the same.
#include "quic/wire/packet_header.h"

#include <algorithm>
#include <vector>

#include "quic/wire/packet_header_writer.h"
#include "quic/wire/stateless_reset.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

bool equal(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

/// What a datagram must hold that is a single packet.
template <class T, class Check>
void read_back(std::vector<uint8_t>& datagram, size_t size, const HeaderOptions& options, Check check) {
  datagram.resize(size);
  DatagramReader reader(datagram, options);
  const std::optional<ParsedPacket> packet = reader.next();
  QUOLL_CHECK(packet && *packet && std::holds_alternative<T>(**packet));
  check(std::get<T>(**packet));
  QUOLL_CHECK(!reader.next());
}

void write_again(const ProtectedPacket& packet, const HeaderOptions& options) {
  const size_t body = packet.protected_size();
  const uint8_t first = packet.bytes()[0];
  const SizedPacketNumber number{.number = 1, .size = packet_number_size_of(first)};
  const bool fixed_bit = (first & kFixedBit) != 0;
  std::vector<uint8_t> room(packet.bytes().size() + 16);
  Writer writer(room);
  if (has_long_header(packet.type())) {
    const LongHeader header{.type = packet.type(),
                            .version = packet.version(),
                            .destination = packet.destination(),
                            .source = packet.source(),
                            .token = packet.token(),
                            .fixed_bit = fixed_bit};
    const HeaderPlaces places = write_long_header(writer, header, number);
    writer.zeros(body - number.size);
    finish_long_header(writer, places, 0);
    QUOLL_CHECK(writer.ok() == (body <= varint_max(kLengthFieldSize)));
    if (!writer.ok()) return;
  } else {
    write_short_header(writer,
                       {.destination = packet.destination(),
                        .spin_bit = spin_bit_of(first),
                        .key_phase = key_phase_of(first),
                        .fixed_bit = fixed_bit},
                       number);
    writer.zeros(body - number.size);
  }
  QUOLL_CHECK(writer.ok());
  read_back<ProtectedPacket>(room, writer.size(), options, [&](const ProtectedPacket& again) {
    QUOLL_CHECK(again.type() == packet.type() && again.version() == packet.version());
    QUOLL_CHECK(equal(again.destination(), packet.destination()) && equal(again.source(), packet.source()));
    QUOLL_CHECK(equal(again.token(), packet.token()) && again.protected_size() == body);
    const uint8_t reserved = has_long_header(packet.type()) ? kLongReservedBits : kShortReservedBits;
    QUOLL_CHECK(again.bytes()[0] == (first & ~reserved));
  });
}

void write_again(const RetryPacket& packet, const HeaderOptions& options) {
  std::vector<uint8_t> room(packet.without_tag.size() + kRetryIntegrityTagSize);
  Writer writer(room);
  write_retry(
      writer,
      {.version = packet.version, .destination = packet.destination, .source = packet.source, .token = packet.token},
      packet.without_tag[0]);
  QUOLL_CHECK(writer.ok() && equal(writer.written().subspan(1), packet.without_tag.subspan(1)));
  QUOLL_CHECK((room[0] | kFixedBit) == (packet.without_tag[0] | kFixedBit));
  writer.bytes(packet.integrity_tag);
  read_back<RetryPacket>(room, writer.size(), options, [&](const RetryPacket& again) {
    QUOLL_CHECK(equal(again.token, packet.token) && equal(again.integrity_tag, packet.integrity_tag));
  });
}

void write_again(const VersionNegotiationPacket& packet, const HeaderOptions& options) {
  std::vector<Version> versions;
  for (size_t i = 0; i < packet.size(); i++) versions.push_back(packet[i]);
  const InvariantHeader answered{.destination = packet.source, .source = packet.destination};
  std::vector<uint8_t> room(600 + packet.versions.size());
  Writer writer(room);
  write_version_negotiation(writer, answered, versions, 0);
  QUOLL_CHECK(writer.ok());
  read_back<VersionNegotiationPacket>(room, writer.size(), options, [&](const VersionNegotiationPacket& again) {
    QUOLL_CHECK(equal(again.destination, packet.destination) && equal(again.source, packet.source));
    QUOLL_CHECK(equal(again.versions, packet.versions));
  });
}

void write_again(const UnknownVersionPacket& packet, const HeaderOptions&) {
  QUOLL_CHECK(!is_supported(packet.version));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const HeaderOptions options{.local_connection_id_size = static_cast<size_t>(data[0] & 0x1f) % 21,
                              .role = (data[0] & 0x40) != 0 ? Role::server : Role::client,
                              .accept_fixed_bit_zero = (data[0] & 0x80) != 0};
  std::vector<uint8_t> datagram(data + 1, data + size);
  const std::vector<uint8_t> before = datagram;
  DatagramReader reader(datagram, options);
  size_t end = 0;
  while (const std::optional<ParsedPacket> packet = reader.next()) {
    if (!*packet) continue;
    if (const auto* plain = std::get_if<ProtectedPacket>(&**packet)) {
      const auto begin = static_cast<size_t>(plain->bytes().data() - datagram.data());
      QUOLL_CHECK(begin >= end && begin + plain->bytes().size() <= datagram.size());
      QUOLL_CHECK(plain->protected_size() >= kSampleOffset + kSampleSize);
      end = begin + plain->bytes().size();
    }
    std::visit([&](const auto& each) { write_again(each, options); }, **packet);
  }
  QUOLL_CHECK(datagram == before);
  QUOLL_CHECK(stateless_reset_candidate(datagram).has_value() == (datagram.size() >= kStatelessResetSizeMin));
  return 0;
}
