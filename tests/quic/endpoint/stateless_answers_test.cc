#include "quic/endpoint/stateless_answers.h"

#include <set>

#include "quic/protect/packet_keys.h"
#include "quic/wire/frame_reader.h"
#include "quic/wire/version.h"
#include "tests/quic/endpoint/support.h"
#include "tests/support/frame_collector.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using Outcome = StatelessAnswers::Outcome;
using tests::at_ms;
using tests::connection_id;

namespace {

struct Fixture {
  explicit Fixture(uint32_t per_second = 1000) : answers(crypto::best(), rng, per_second) {}

  std::vector<uint8_t> poll() {
    std::array<uint8_t, 1500> scratch;
    const auto transmit = answers.poll_transmit(at_ms(0), scratch);
    if (!transmit) return {};
    CHECK(transmit->path == path);
    CHECK_EQ(transmit->segment_size, 0);
    return {transmit->bytes.begin(), transmit->bytes.end()};
  }
  Outcome negotiate(size_t size, Version version, std::vector<Version> versions = {Version::v1, Version::v2}) {
    const InvariantHeader header{
        .long_header = true, .version = version, .destination = destination, .source = source, .size = 0};
    return answers.version_negotiation(at_ms(0), path, size, header, versions, grease);
  }

  tests::SeededRng rng{1};
  StatelessAnswers answers;
  Path path = tests::path_from("198.51.100.1:1000");
  std::vector<uint8_t> destination = std::vector<uint8_t>(33, 0xd1), source = std::vector<uint8_t>(255, 0x51);
  bool grease = true;
};

constexpr Version kUnknown{0x12345678};

/// What a server's Initial packet says, opened as the client would.
std::vector<tests::CollectedFrame> open_initial(std::vector<uint8_t>& datagram, Version version,
                                                const ConnectionId& client_destination) {
  DatagramReader reader(datagram, {.local_connection_id_size = 0, .role = Role::client});
  const auto parsed = reader.next();
  REQUIRE((parsed && *parsed));
  const auto* packet = std::get_if<ProtectedPacket>(&**parsed);
  REQUIRE(packet);
  CHECK(packet->version() == version);
  constexpr auto kSuite = tls::CipherSuite::aes_128_gcm_sha256;
  const crypto::Digest secret = initial_secrets(crypto::best(), version, client_destination).server;
  const MutBytes bytes = packet->bytes();
  const size_t offset = packet->packet_number_offset();
  const std::span<const uint8_t, 16> sample(bytes.data() + offset + kSampleOffset, 16);
  const crypto::HeaderMask mask = header_key(crypto::best(), kSuite, version, secret).mask(sample);
  bytes[0] ^= static_cast<uint8_t>(mask[0] & 0x0f);
  REQUIRE_EQ(packet_number_size_of(bytes[0]), 1);
  CHECK_EQ(bytes[0] & kLongReservedBits, 0);
  bytes[offset] ^= mask[1];
  PacketKeys keys(crypto::best(), kSuite, version, secret);
  const auto opened =
      keys.aead().open(keys.nonce(bytes[offset]), Bytes(bytes).first(offset + 1), bytes.subspan(offset + 1));
  REQUIRE(opened);
  tests::FrameCollector frames;
  CHECK(parse_frames(PlainPayload{.type = PacketType::initial, .receiver = Role::client, .frames = *opened}, frames));
  return frames.frames;
}

}  // namespace

TEST_SUITE("quic version negotiation answers") {
  // RFC 9000 §17.2.1, RFC 8999 §6
  TEST_CASE("Version Negotiation swaps the connection ids, of any size, and lists our versions with a reserved one") {
    Fixture f;
    CHECK(f.negotiate(1200, kUnknown) == Outcome::queued);
    auto datagram = f.poll();
    CHECK(datagram.size() <= 1200);
    CHECK_EQ(datagram[0] & kFixedBit, kFixedBit);
    DatagramReader reader(datagram, {.local_connection_id_size = 0, .role = Role::client});
    const auto parsed = reader.next();
    REQUIRE((parsed && *parsed));
    const auto* packet = std::get_if<VersionNegotiationPacket>(&**parsed);
    REQUIRE(packet);
    CHECK(std::ranges::equal(packet->destination, f.source));
    CHECK(std::ranges::equal(packet->source, f.destination));
    REQUIRE_EQ(packet->size(), 3);
    std::set<Version> listed;
    int reserved = 0;
    for (size_t i = 0; i < 3; i++) {
      listed.insert((*packet)[i]);
      reserved += is_reserved((*packet)[i]);
    }
    CHECK(listed.contains(Version::v1));
    CHECK(listed.contains(Version::v2));
    CHECK_EQ(reserved, 1);
  }

  // RFC 9000 §6.1: not in response to a Version Negotiation packet. §5.2.2: smaller packets are dropped.
  TEST_CASE("nobody answers Version Negotiation, or a datagram that is too small to begin a connection") {
    Fixture f;
    CHECK(f.negotiate(1200, Version::negotiation) == Outcome::none);
    CHECK(f.negotiate(1199, kUnknown) == Outcome::none);
    CHECK(f.negotiate(1200, kUnknown, {}) == Outcome::none);
    CHECK(f.answers.empty());
  }

  // RFC 9000 §6.2: a client discards a list with the version that it selected.
  TEST_CASE("the reserved version is never the client's own, and can be left out") {
    Fixture f;
    for (int i = 0; i < 100; i++) {
      const Version clients = reserved_version(static_cast<uint32_t>(i) << 28);
      CHECK(f.negotiate(1200, clients) == Outcome::queued);
      const auto datagram = f.poll();
      for (size_t at = datagram.size() - 12; at < datagram.size(); at += 4) {
        CHECK(Version{load_be<uint32_t>(datagram.data() + at)} != clients);
      }
    }
    f.grease = false;
    CHECK(f.negotiate(1200, kUnknown, {Version::v2, Version::v2}) == Outcome::queued);
    const auto datagram = f.poll();
    CHECK_EQ(datagram.size(), 7 + 33 + 255 + 4);
    CHECK_EQ(load_be<uint32_t>(datagram.data() + datagram.size() - 4), static_cast<uint32_t>(Version::v2));
  }
}

TEST_SUITE("quic retry answers") {
  // RFC 9000 §17.2.5, RFC 9001 §5.8
  TEST_CASE("a Retry carries the token, a connection id of ours and the integrity tag of the client's first id") {
    for (const Version version : {Version::v1, Version::v2}) {
      Fixture f;
      const ConnectionId original = connection_id(1, 18), client = connection_id(2, 20), ours = connection_id(3);
      const std::vector<uint8_t> token(110, 0x70);
      CHECK(f.answers.retry(at_ms(0), f.path,
                            {.version = version,
                             .client_source = client,
                             .original_destination = original,
                             .retry_source = ours,
                             .token = token}) == Outcome::queued);
      auto datagram = f.poll();
      DatagramReader reader(datagram, {.local_connection_id_size = 0, .role = Role::client});
      const auto parsed = reader.next();
      REQUIRE((parsed && *parsed));
      const auto* packet = std::get_if<RetryPacket>(&**parsed);
      REQUIRE(packet);
      CHECK(packet->version == version);
      CHECK(std::ranges::equal(packet->destination, client.bytes()));
      CHECK(std::ranges::equal(packet->source, ours.bytes()));
      CHECK(std::ranges::equal(packet->token, token));
      const auto tag = retry_integrity_tag(crypto::best(), version, original, packet->without_tag);
      CHECK(std::ranges::equal(tag, packet->integrity_tag));
    }
  }
}

TEST_SUITE("quic refusals") {
  // RFC 9000 §5.2.2, §8.1.2, §10.2.3
  TEST_CASE("a refusal is CONNECTION_CLOSE in an Initial packet that the client can open") {
    for (const Version version : {Version::v1, Version::v2}) {
      for (const TransportError error : {TransportError::connection_refused, TransportError::invalid_token}) {
        Fixture f;
        const ConnectionId original = connection_id(1, 18), client = connection_id(2, 6), ours = connection_id(3);
        CHECK(f.answers.refuse(at_ms(0), f.path,
                               {.version = version,
                                .client_source = client,
                                .client_destination = original,
                                .source = ours,
                                .error = error}) == Outcome::queued);
        auto datagram = f.poll();
        CHECK(datagram.size() < 100);
        const auto frames = open_initial(datagram, version, original);
        REQUIRE_EQ(frames.size(), 1);
        CHECK(frames[0].type == FrameType::connection_close);
        CHECK_EQ(frames[0].numbers[0], static_cast<uint64_t>(error));
      }
    }
  }
}

TEST_SUITE("quic stateless reset answers") {
  // RFC 9000 §10.3.3: smaller than the packet that triggered it. §10.3: at least 21 bytes; to 43 bytes and fewer, one less.
  TEST_CASE("a reset is smaller than what provoked it, and never smaller than a reset can be") {
    tests::SeededRng rng(2);
    for (size_t size = 0; size <= 21; size++) CHECK_FALSE(stateless_reset_size(size, rng));
    for (size_t size = 22; size <= 43; size++) CHECK_EQ(stateless_reset_size(size, rng), size - 1);
    for (size_t size = 44; size <= 1500; size++) {
      const auto reset = stateless_reset_size(size, rng);
      REQUIRE(reset);
      CHECK(*reset < size);
      CHECK(*reset >= 41);
      CHECK(*reset < 65);
    }
  }

  // RFC 9000 §10.3.3
  TEST_CASE("two endpoints that answer each other's resets fall silent") {
    tests::SeededRng rng(3);
    int answered = 0;
    for (std::optional<size_t> size = 65'000; (size = stateless_reset_size(*size, rng));) answered++;
    CHECK(answered <= 65 - 21);
  }

  // RFC 9000 §10.3: looks like a packet with a short header, and ends in the token.
  TEST_CASE("a reset has unpredictable bytes before its token") {
    Fixture f;
    StatelessResetToken token;
    token.fill(0xee);
    std::set<std::vector<uint8_t>> beginnings;
    for (int i = 0; i < 50; i++) {
      CHECK(f.answers.reset(at_ms(0), f.path, 1200, token) == Outcome::queued);
      const auto datagram = f.poll();
      CHECK_EQ(datagram[0] & 0xc0, 0x40);
      CHECK(std::ranges::equal(Bytes(datagram).last(16), token));
      beginnings.insert({datagram.begin(), datagram.begin() + 5});
    }
    CHECK_EQ(beginnings.size(), 50);
    CHECK(f.answers.reset(at_ms(0), f.path, 21, token) == Outcome::none);
  }
}

TEST_SUITE("quic limits of stateless answers") {
  TEST_CASE("resets take half of the rate, and leave the rest for what clients wait for") {
    Fixture f(100);
    const StatelessResetToken token{};
    int resets = 0;
    while (f.answers.reset(at_ms(0), f.path, 100, token) == Outcome::queued) resets++;
    CHECK_EQ(resets, 50);
    int others = 0;
    while (f.negotiate(1200, kUnknown) == Outcome::queued) others++;
    CHECK_EQ(others, 50);
    CHECK(f.negotiate(1200, kUnknown) == Outcome::suppressed);
    CHECK_FALSE(f.answers.has_room(at_ms(0)));
    CHECK(f.answers.has_room(at_ms(100)));
  }

  TEST_CASE("the queue is bounded, and keeps the order") {
    Fixture f(100'000);
    for (size_t i = 0; i < kAnswersQueuedMax; i++) CHECK(f.negotiate(1200, kUnknown) == Outcome::queued);
    CHECK(f.negotiate(1200, kUnknown) == Outcome::suppressed);
    for (size_t i = 0; i < kAnswersQueuedMax; i++) CHECK_FALSE(f.poll().empty());
    CHECK(f.poll().empty());
  }
}
