#include "quic/protect/packet_protection.h"

#include "tests/quic/protect/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::Draft;
using tests::SeededRng;
using Status = OpenedPacket::Status;
using Initial = PacketProtection::Initial;

namespace {

const std::vector<uint8_t> kId{1, 2, 3, 4, 5, 6, 7, 8};
const std::vector<uint8_t> kOtherId{9, 9, 9, 9, 9, 9, 9, 9};
const std::vector<uint8_t> kPayload(100, 0x01);

std::vector<uint8_t> sealed_long(PacketProtection& from, PacketType type, Version version, PacketNumber number = 3) {
  Draft draft =
      tests::long_draft({.type = type, .version = version, .destination = kId, .source = kId}, {number, 2}, kPayload);
  const SealKeys keys = from.seal_keys(type);
  REQUIRE(keys.packet != nullptr);
  REQUIRE(tests::seal(draft, keys));
  return draft.bytes;
}

Status status_at(PacketProtection& at, std::vector<uint8_t> datagram, Role role) {
  const auto before = datagram;
  const auto packet = tests::read_packet(datagram, {.role = role});
  REQUIRE(packet);
  const auto opened = at.open({}, *packet, 0);
  REQUIRE(opened);
  CHECK(opened->type == packet->type());
  if (opened->status == Status::opened) CHECK(std::ranges::equal(opened->payload, kPayload));
  if (opened->status == Status::no_keys) CHECK(datagram == before);
  return opened->status;
}

struct Pair {
  PacketProtection client{crypto::best(), Role::client};
  PacketProtection server{crypto::best(), Role::server};

  void install_initial(Version version, Bytes id, Initial how) {
    client.install_initial(version, id, how);
    server.install_initial(version, id, how);
  }
  void install(tls::Level level, Version version, tls::CipherSuite suite = tests::kSuites[0]) {
    const auto secret = [&](tls::Direction direction, uint64_t seed) {
      return tls::TrafficSecret{level, direction, suite, tests::secret_of(suite, seed)};
    };
    client.install(secret(tls::Direction::write, 1), version);
    server.install(secret(tls::Direction::read, 1), version);
    if (level == tls::Level::early_data) return;
    server.install(secret(tls::Direction::write, 2), version);
    client.install(secret(tls::Direction::read, 2), version);
  }
};

/// A provider whose AES-128-GCM has small limits.
struct LimitedProvider {
  LimitedProvider(uint64_t confidentiality, uint64_t integrity) : aead(*crypto::best().aes_128_gcm) {
    aead.confidentiality_limit = confidentiality;
    aead.integrity_limit = integrity;
    provider.aes_128_gcm = &aead;
  }
  crypto::Aead aead;
  crypto::Provider provider = crypto::best();
};

}  // namespace

TEST_SUITE("quic packet protection") {
  TEST_CASE("without keys nothing is opened, sealed or touched") {
    Pair pair;
    for (const auto type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake, PacketType::one_rtt}) {
      CHECK_FALSE(pair.server.can_open(type));
      CHECK_FALSE(pair.server.can_seal(type));
      CHECK(pair.server.seal_keys(type).header == nullptr);
      pair.server.discard(type);
    }
    PacketProtection sender(crypto::best(), Role::client);
    sender.install_initial(Version::v1, kId, Initial::replace);
    CHECK(status_at(pair.server, sealed_long(sender, PacketType::initial, Version::v1), Role::server) ==
          Status::no_keys);
    tests::OneRttPair other;
    const auto opened = tests::open_copy(pair.server, tests::sealed_short(other.client, 0));
    REQUIRE(opened);
    CHECK(opened->status == Status::no_keys);
    CHECK_EQ(pair.server.failed_to_open(), 0);
    CHECK(pair.server.next_timeout().is_never());
  }

  // RFC 9001 §5, §5.1
  TEST_CASE("each level has keys of its own, in every version and cipher suite") {
    for (const Version version : {Version::v1, Version::v2}) {
      for (const tls::CipherSuite suite : tests::kSuites) {
        Pair pair;
        pair.install_initial(version, kId, Initial::replace);
        pair.install(tls::Level::early_data, version, suite);
        pair.install(tls::Level::handshake, version, suite);
        pair.install(tls::Level::application, version, suite);
        for (const auto type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake}) {
          CHECK(status_at(pair.server, sealed_long(pair.client, type, version), Role::server) == Status::opened);
          if (type == PacketType::zero_rtt) continue;
          CHECK(status_at(pair.client, sealed_long(pair.server, type, version), Role::client) == Status::opened);
        }
        CHECK_FALSE(pair.server.can_seal(PacketType::zero_rtt));
        CHECK_FALSE(pair.client.can_open(PacketType::zero_rtt));
        CHECK(tests::open_copy(pair.server, tests::sealed_short(pair.client, 4))->status == Status::opened);
        CHECK(tests::open_copy(pair.client, tests::sealed_short(pair.server, 4))->status == Status::opened);
        CHECK_EQ(pair.server.failed_to_open() + pair.client.failed_to_open(), 0);
      }
    }
  }

  // RFC 9368 §2.3, RFC 9369 §4.1
  TEST_CASE("Initial packets of two versions are opened, and sealed with the keys added last") {
    Pair pair;
    pair.install_initial(Version::v1, kId, Initial::replace);
    const auto original = sealed_long(pair.client, PacketType::initial, Version::v1);
    PacketProtection early(crypto::best(), Role::server);
    early.install_initial(Version::v1, kId, Initial::replace);
    const auto original_reply = sealed_long(early, PacketType::initial, Version::v1);
    pair.install_initial(Version::v2, kId, Initial::add);
    CHECK(status_at(pair.server, original, Role::server) == Status::opened);
    CHECK(status_at(pair.client, original_reply, Role::client) == Status::opened);
    CHECK(status_at(pair.server, sealed_long(pair.client, PacketType::initial, Version::v2), Role::server) ==
          Status::opened);
    CHECK(status_at(pair.client, sealed_long(pair.server, PacketType::initial, Version::v2), Role::client) ==
          Status::opened);
    pair.install_initial(Version::v2, kId, Initial::add);
    CHECK(status_at(pair.server, original, Role::server) == Status::opened);
    pair.server.discard(PacketType::initial);
    CHECK(status_at(pair.server, original, Role::server) == Status::no_keys);
  }

  // RFC 9001 §5.2
  TEST_CASE("after a Retry the Initial keys are those of the new connection id alone") {
    Pair pair;
    pair.install_initial(Version::v1, kId, Initial::replace);
    const auto before = sealed_long(pair.client, PacketType::initial, Version::v1);
    pair.install_initial(Version::v1, kOtherId, Initial::replace);
    CHECK(status_at(pair.server, before, Role::server) == Status::unauthenticated);
    CHECK(status_at(pair.server, sealed_long(pair.client, PacketType::initial, Version::v1), Role::server) ==
          Status::opened);
    CHECK_EQ(pair.server.failed_to_open(), 1);
  }

  // RFC 9369 §4.1
  TEST_CASE("Handshake and 0-RTT packets of another version than their keys are not opened") {
    Pair pair;
    pair.install(tls::Level::early_data, Version::v1);
    pair.install(tls::Level::handshake, Version::v2);
    const auto zero_rtt = sealed_long(pair.client, PacketType::zero_rtt, Version::v2);
    CHECK(status_at(pair.server, zero_rtt, Role::server) == Status::no_keys);
    const auto handshake = sealed_long(pair.client, PacketType::handshake, Version::v1);
    CHECK(status_at(pair.server, handshake, Role::server) == Status::no_keys);
    CHECK(status_at(pair.server, sealed_long(pair.client, PacketType::zero_rtt, Version::v1), Role::server) ==
          Status::opened);
    CHECK(status_at(pair.server, sealed_long(pair.client, PacketType::handshake, Version::v2), Role::server) ==
          Status::opened);
  }

  // RFC 9001 §4.9, §4.9.1, §4.9.2, §4.9.3
  TEST_CASE("discarded keys neither open nor seal, and their memory is given back") {
    const size_t bytes_before = tests::heap_bytes();
    Pair pair;
    pair.install_initial(Version::v1, kId, Initial::replace);
    pair.install_initial(Version::v2, kId, Initial::add);
    pair.install(tls::Level::early_data, Version::v1);
    pair.install(tls::Level::handshake, Version::v2);
    const size_t bytes_at_first = tests::heap_bytes();
    for (const auto type : {PacketType::initial, PacketType::zero_rtt, PacketType::handshake}) {
      pair.server.discard(type);
      pair.client.discard(type);
      CHECK_FALSE(pair.server.can_open(type));
      CHECK_FALSE(pair.server.can_seal(type));
      CHECK_FALSE(pair.client.can_seal(type));
    }
    if (!tests::heap_is_counted()) return;
    CHECK_GT(bytes_at_first, bytes_before);
    CHECK_EQ(tests::heap_bytes(), bytes_before);
  }

  TEST_CASE("the keys of a confirmed connection take less than 4 KiB") {
    if (!tests::heap_is_counted()) return;
    const size_t before = tests::heap_bytes();
    tests::OneRttPair pair;
    CHECK_LE(tests::heap_bytes() - before + 2 * sizeof(PacketProtection), 2 * 4096);
  }

  // RFC 9001 §5.3, §9.3
  TEST_CASE("a packet with any bit changed is not authentic, and its last 16 bytes stay as they came") {
    tests::OneRttPair pair;
    const auto sealed = tests::sealed_short(pair.client, 9);
    uint64_t failed = 0;
    for (size_t bit = 0; bit < 8 * sealed.size(); bit++) {
      auto datagram = sealed;
      datagram[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      const auto tag = std::vector<uint8_t>(datagram.end() - 16, datagram.end());
      const auto packet = tests::read_packet(datagram, {.accept_fixed_bit_zero = true});
      if (!packet || packet->type() != PacketType::one_rtt) continue;
      const auto opened = pair.server.open({}, *packet, 0);
      REQUIRE(opened);
      CHECK(opened->status == Status::unauthenticated);
      CHECK(opened->payload.empty());
      CHECK(std::equal(tag.begin(), tag.end(), datagram.end() - 16));
      failed++;
    }
    CHECK_GE(failed, 8 * sealed.size() - 8);
    CHECK_EQ(pair.server.failed_to_open(), failed);
    CHECK(tests::open_copy(pair.server, sealed)->status == Status::opened);
  }

  // RFC 9001 §5.4.1; RFC 9000 §17.3.1
  TEST_CASE("reserved bits are handed up with the first byte, not judged") {
    tests::OneRttPair pair;
    Draft draft = tests::short_draft({}, {1, 4}, kPayload);
    draft.bytes[0] |= kShortReservedBits;
    REQUIRE(tests::seal(draft, pair.client.seal_keys(PacketType::one_rtt)));
    const auto opened = tests::open_copy(pair.server, draft.bytes);
    REQUIRE(opened);
    CHECK(opened->status == Status::opened);
    CHECK_EQ(opened->first_byte, 0x40 | kShortReservedBits | 3);
    CHECK_FALSE(check_reserved_bits(opened->first_byte));
  }

  // RFC 9000 §17.1
  TEST_CASE("a batch opens as its packets would one by one, and a forged packet spoils no other") {
    const uint64_t seed = tests::test_seed(20260102);
    INFO("seed ", seed);
    SeededRng rng(seed);
    for (const crypto::Provider& provider : crypto::all()) {
      for (const tls::CipherSuite suite : tests::kSuites) {
        tests::OneRttPair pair(provider, suite);
        PacketNumber next = 0;
        for (int round = 0; round < 30; round++) {
          const size_t count = rng.below(kOpenBatchMax + 1);
          const PacketNumber expected = next;
          std::vector<std::vector<uint8_t>> datagrams;
          std::vector<bool> forged;
          for (size_t i = 0; i < count; i++) {
            datagrams.push_back(tests::sealed_short(pair.client, next++, 1));
            forged.push_back(rng.below(5) == 0);
            if (forged.back()) datagrams.back()[1 + rng.below(datagrams.back().size() - 1)] ^= 0x10;
          }
          std::vector<ProtectedPacket> packets;
          for (auto& datagram : datagrams) packets.push_back(*tests::read_packet(datagram));
          std::vector<OpenedPacket> opened(count);
          REQUIRE(pair.server.open_one_rtt({}, packets, expected, opened));
          for (size_t i = 0; i < count; i++) {
            CHECK((opened[i].status == Status::opened) == !forged[i]);
            if (forged[i]) continue;
            CHECK_EQ(opened[i].number, expected + i);
            CHECK_EQ(load_be<uint64_t>(opened[i].payload.data()), expected + i);
          }
        }
      }
    }
  }

  TEST_CASE("opening and sealing 1-RTT packets allocates nothing") {
    if (!tests::heap_is_counted()) return;
    tests::OneRttPair pair;
    std::vector<std::vector<uint8_t>> datagrams;
    for (PacketNumber number = 0; number < 32; number++) datagrams.push_back(tests::sealed_short(pair.client, number));
    std::vector<ProtectedPacket> packets;
    for (auto& datagram : datagrams) packets.push_back(*tests::read_packet(datagram));
    std::vector<OpenedPacket> opened(packets.size());
    const size_t allocations = tests::heap_allocations();
    const bool done = pair.server.open_one_rtt({}, packets, 0, opened).has_value();
    CHECK_EQ(tests::heap_allocations(), allocations);
    CHECK(done);
  }

  // RFC 9001 §6.6
  TEST_CASE("at the confidentiality limit nothing more is sealed") {
    LimitedProvider limited(4, 100);
    tests::OneRttPair pair(limited.provider);
    for (PacketNumber number = 0; number < 4; number++) {
      CHECK(pair.client.can_seal(PacketType::one_rtt));
      CHECK_FALSE(tests::sealed_short(pair.client, number).empty());
    }
    CHECK_FALSE(pair.client.can_seal(PacketType::one_rtt));
    PacketProtection client(limited.provider, Role::client);
    client.install_initial(Version::v1, kId, Initial::replace);
    for (PacketNumber number = 0; number < 4; number++) {
      sealed_long(client, PacketType::initial, Version::v1, number);
    }
    CHECK_FALSE(client.can_seal(PacketType::initial));
  }

  // RFC 9001 §6.6
  TEST_CASE("forged packets across all keys close the connection at the integrity limit") {
    LimitedProvider limited(1000, 6);
    tests::OneRttPair pair(limited.provider);
    pair.server.install_initial(Version::v1, kId, Initial::replace);
    PacketProtection client(limited.provider, Role::client);
    client.install_initial(Version::v1, kId, Initial::replace);
    for (PacketNumber number = 0; number < 3; number++) {
      auto initial = sealed_long(client, PacketType::initial, Version::v1, number);
      initial.back() ^= 1;
      CHECK(status_at(pair.server, initial, Role::server) == Status::unauthenticated);
      auto one_rtt = tests::sealed_short(pair.client, number);
      one_rtt.back() ^= 1;
      const auto opened = tests::open_copy(pair.server, one_rtt);
      CHECK(opened.has_value() == (number < 2));
      if (opened) continue;
      CHECK_EQ(opened.error().code, static_cast<uint64_t>(TransportError::aead_limit_reached));
    }
    CHECK_EQ(pair.server.failed_to_open(), 6);
    CHECK_FALSE(tests::open_copy(pair.server, tests::sealed_short(pair.client, 9)));
  }

  // RFC 9001 §6.6
  TEST_CASE("a batch with forged packets beyond the integrity limit closes the connection") {
    LimitedProvider limited(1000, 5);
    tests::OneRttPair pair(limited.provider);
    std::vector<std::vector<uint8_t>> datagrams;
    for (PacketNumber number = 0; number < 10; number++) {
      datagrams.push_back(tests::sealed_short(pair.client, number));
      datagrams.back().back() ^= 1;
    }
    std::vector<ProtectedPacket> packets;
    for (auto& datagram : datagrams) packets.push_back(*tests::read_packet(datagram));
    std::vector<OpenedPacket> opened(packets.size());
    const auto done = pair.server.open_one_rtt({}, packets, 0, opened);
    REQUIRE_FALSE(done);
    CHECK_EQ(done.error().code, static_cast<uint64_t>(TransportError::aead_limit_reached));
  }
}
