// RFC 9001 §A.2, §A.3, §A.5 and RFC 9369 §A.2, §A.3, §A.5: whole packets, sealed and opened.
#include "tests/quic/protect/appendix_a.h"

#include "tests/quic/protect/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::Draft;
using tests::hex;

namespace {

constexpr PacketNumber kShortExpected = 654'360'000;

std::vector<uint8_t> payload_of(const tests::SamplePacket& sample) {
  std::vector<uint8_t> payload = hex(sample.payload);
  payload.resize(sample.payload_size);
  return payload;
}

void check_sealed(const tests::SamplePacket& sample, const SealKeys& keys) {
  Draft draft = tests::draft_of(hex(sample.header), payload_of(sample), {sample.number, sample.number_size});
  REQUIRE(tests::seal(draft, keys));
  CHECK_EQ(to_hex(draft.bytes), sample.packet);
}

void check_opened(const tests::SamplePacket& sample, PacketProtection& protection, Role receiver,
                  PacketNumber expected) {
  std::vector<uint8_t> datagram = hex(sample.packet);
  const auto packet = tests::read_packet(datagram, {.role = receiver});
  REQUIRE(packet);
  const auto opened = protection.open({}, *packet, expected);
  REQUIRE(opened);
  CHECK_EQ(opened->status, OpenedPacket::Status::opened);
  CHECK_EQ(opened->number, sample.number);
  CHECK_EQ(opened->type, packet->type());
  CHECK_EQ(opened->first_byte, hex(sample.header)[0]);
  CHECK_EQ(to_hex(opened->payload), to_hex(payload_of(sample)));
  CHECK_EQ(to_hex(Bytes(datagram).first(hex(sample.header).size())), sample.header);
}

void check_initials(const crypto::Provider& provider, const tests::AppendixA& sample) {
  PacketProtection client(provider, Role::client);
  PacketProtection server(provider, Role::server);
  for (PacketProtection* side : {&client, &server}) {
    side->install_initial(sample.version, hex(sample.client_destination), PacketProtection::Initial::replace);
  }
  check_sealed(sample.client_initial, client.seal_keys(PacketType::initial));
  check_sealed(sample.server_initial, server.seal_keys(PacketType::initial));
  check_opened(sample.client_initial, server, Role::server, 0);
  check_opened(sample.server_initial, client, Role::client, 0);
}

void check_short(const crypto::Provider& provider, const tests::AppendixA& sample) {
  const auto secret = [&](tls::Direction direction) {
    return tls::TrafficSecret{.level = tls::Level::application,
                              .direction = direction,
                              .cipher_suite = tls::CipherSuite::chacha20_poly1305_sha256,
                              .secret = tests::digest_of(hex(sample.short_keys.secret))};
  };
  PacketProtection server(provider, Role::server);
  server.install(secret(tls::Direction::write), sample.version);
  PacketProtection client(provider, Role::client);
  client.install(secret(tls::Direction::read), sample.version);
  check_sealed(sample.short_packet, server.seal_keys(PacketType::one_rtt));
  check_opened(sample.short_packet, client, Role::client, kShortExpected);
}

}  // namespace

TEST_SUITE("quic appendix A") {
  // RFC 9001 §5.2, §5.3, §5.4.1, §5.4.2, §5.4.3
  TEST_CASE("the Initial packets of RFC 9001 §A.2, §A.3 are sealed and opened byte for byte") {
    for (const crypto::Provider& provider : crypto::all()) check_initials(provider, tests::kRfc9001AppendixA);
  }

  // RFC 9369 §3.1, §3.2, §3.3
  TEST_CASE("the Initial packets of RFC 9369 §A.2, §A.3 are sealed and opened byte for byte") {
    for (const crypto::Provider& provider : crypto::all()) check_initials(provider, tests::kRfc9369AppendixA);
  }

  // RFC 9001 §5.4.4
  TEST_CASE("the short header packet of RFC 9001 §A.5 is sealed and opened byte for byte") {
    for (const crypto::Provider& provider : crypto::all()) check_short(provider, tests::kRfc9001AppendixA);
  }

  // RFC 9369 §3.3.2
  TEST_CASE("the short header packet of RFC 9369 §A.5 is sealed and opened byte for byte") {
    for (const crypto::Provider& provider : crypto::all()) check_short(provider, tests::kRfc9369AppendixA);
  }
}
