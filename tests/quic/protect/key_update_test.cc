// Key updates (RFC 9001 §6): started by us, by the peer, by both; in the middle of a batch; among reordered packets.
#include <deque>

#include "quic/protect/packet_protection.h"
#include "tests/quic/protect/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::OneRttPair;
using tests::open_copy;
using tests::sealed_short;
using tests::SeededRng;
using Status = OpenedPacket::Status;
using Sealed = std::vector<uint8_t>;

namespace {

constexpr Duration kPto = Duration::milliseconds(100);

Instant at_ms(int64_t count) { return Instant() + Duration::milliseconds(count); }

/// A confirmed pair whose client may update.
struct Confirmed : OneRttPair {
  explicit Confirmed(const crypto::Provider& provider = crypto::best(), KeyUpdatePolicy policy = {})
      : OneRttPair(provider, tests::kSuites[0], Version::v1, policy) {
    for (PacketProtection* side : {&client, &server}) {
      side->set_pto(kPto);
      side->on_handshake_confirmed();
    }
    exchange(0);
  }

  /// A packet each way with this number, acknowledged by the other side's.
  void exchange(PacketNumber number, Instant now = {}) {
    CHECK(opens(server, sealed_short(client, number), now));
    CHECK(opens(client, sealed_short(server, number), now));
    client.on_packet_acked(number);
    CHECK(opens(server, sealed_short(client, number + 1), now));
    server.on_packet_acked(number);
  }
  static bool opens(PacketProtection& at, const Sealed& packet, Instant now = {}) {
    const auto opened = open_copy(at, packet, 0, now);
    REQUIRE(opened);
    return opened->status == Status::opened;
  }
  static bool is_key_update_error(const Result<OpenedPacket>& opened) {
    return !opened && opened.error().domain == ErrorDomain::transport &&
           opened.error().code == static_cast<uint64_t>(TransportError::key_update_error);
  }
};

Result<std::vector<Status>> open_batch(PacketProtection& at, std::vector<Sealed> datagrams) {
  std::vector<ProtectedPacket> packets;
  for (Sealed& datagram : datagrams) packets.push_back(*tests::read_packet(datagram));
  std::vector<OpenedPacket> opened(packets.size());
  if (const auto done = at.open_one_rtt({}, packets, 0, opened); !done) return std::unexpected(done.error());
  std::vector<Status> statuses;
  for (const OpenedPacket& packet : opened) statuses.push_back(packet.status);
  return statuses;
}

}  // namespace

TEST_SUITE("quic key update") {
  // RFC 9001 §6
  TEST_CASE("the first keys have key phase 0") {
    const OneRttPair pair;
    CHECK_FALSE(pair.client.key_phase());
    CHECK_EQ(pair.client.key_updates(), 0);
  }

  // RFC 9001 §6.1
  TEST_CASE("no update before the handshake is confirmed") {
    OneRttPair pair;
    sealed_short(pair.client, 0);
    pair.client.on_packet_acked(0);
    CHECK_FALSE(pair.client.can_update());
    pair.client.on_handshake_confirmed();
    CHECK(pair.client.can_update());
  }

  // RFC 9001 §6.1
  TEST_CASE("no update before a packet of the current key phase was acknowledged") {
    Confirmed pair;
    CHECK(pair.client.can_update());
    pair.client.initiate_update(at_ms(0), 2, kPto);
    CHECK_FALSE(pair.client.can_update());
    CHECK_FALSE(pair.client.wants_update());
    pair.client.on_packet_acked(1);  // of the phase before
    pair.client.on_timeout(at_ms(100'000));
    CHECK_FALSE(pair.client.can_update());
    sealed_short(pair.client, 2);
    pair.client.on_packet_acked(2);
    pair.client.on_timeout(at_ms(100'000));
    CHECK(pair.client.can_update());
  }

  // RFC 9001 §6.1
  TEST_CASE("the first update waits for the confirmed handshake alone") {
    OneRttPair pair;
    sealed_short(pair.client, 5);
    CHECK_FALSE(pair.client.can_update());
    pair.client.on_handshake_confirmed();
    CHECK(pair.client.can_update());
  }

  // RFC 9001 §6.1, §6.2
  TEST_CASE("an update toggles the key phase, and the peer follows with the packet that shows it") {
    Confirmed pair;
    pair.client.initiate_update(at_ms(0), 2, kPto);
    CHECK(pair.client.key_phase());
    CHECK_EQ(pair.client.key_updates(), 1);
    CHECK_FALSE(pair.server.key_phase());
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 2)));
    CHECK(pair.server.key_phase());  // before the packet can be acknowledged
    CHECK_EQ(pair.server.key_updates(), 1);
    CHECK(Confirmed::opens(pair.client, sealed_short(pair.server, 2)));
    CHECK_EQ(pair.server.failed_to_open() + pair.client.failed_to_open(), 0);
  }

  // RFC 9001 §6.1
  TEST_CASE("header protection keys survive updates, in every version and suite") {
    for (const Version version : {Version::v1, Version::v2}) {
      for (const tls::CipherSuite suite : tests::kSuites) {
        OneRttPair pair(crypto::best(), suite, version);
        pair.client.on_handshake_confirmed();
        PacketNumber number = 0;
        for (uint64_t update = 1; update <= 4; update++) {
          CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, number)));
          CHECK(Confirmed::opens(pair.client, sealed_short(pair.server, number)));
          pair.client.on_packet_acked(number++);
          pair.client.on_timeout(pair.client.next_timeout());
          pair.client.on_timeout(pair.client.next_timeout());
          REQUIRE(pair.client.can_update());
          pair.client.initiate_update(at_ms(0), number, kPto);
          CHECK_EQ(pair.client.key_phase(), update % 2 == 1);
        }
      }
    }
  }

  // RFC 9001 §6.1
  TEST_CASE("who updates still opens packets of the old phase until the peer has followed") {
    Confirmed pair;
    pair.client.initiate_update(at_ms(0), 2, kPto);
    pair.client.on_timeout(at_ms(100'000));
    for (PacketNumber number = 2; number < 10; number++) {
      CHECK(Confirmed::opens(pair.client, sealed_short(pair.server, number), at_ms(100'000)));
    }
    CHECK(pair.client.next_timeout().is_never());
  }

  // RFC 9001 §6.2
  TEST_CASE("both sides may update at once") {
    Confirmed pair;
    const Sealed old_of_client = sealed_short(pair.client, 2);
    const Sealed old_of_server = sealed_short(pair.server, 2);
    pair.client.initiate_update(at_ms(0), 3, kPto);
    pair.server.initiate_update(at_ms(0), 3, kPto);
    CHECK(Confirmed::opens(pair.server, old_of_client));
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 3)));
    CHECK(Confirmed::opens(pair.client, sealed_short(pair.server, 3)));
    CHECK(Confirmed::opens(pair.client, old_of_server));
    CHECK_EQ(pair.client.key_updates(), 1);
    CHECK_EQ(pair.server.key_updates(), 1);
  }

  // RFC 9001 §6.5
  TEST_CASE("reordered packets of the old phase are opened until three PTOs after the first of the new one") {
    Confirmed pair;
    const Sealed late = sealed_short(pair.client, 2);
    const Sealed too_late = sealed_short(pair.client, 3);
    pair.client.initiate_update(at_ms(0), 4, kPto);
    CHECK(pair.server.next_timeout().is_never());
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 4), at_ms(1000)));
    CHECK(pair.server.next_timeout() == at_ms(1300));
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 5), at_ms(1200)));
    CHECK(pair.server.next_timeout() == at_ms(1300));
    pair.server.on_timeout(at_ms(1299));
    CHECK(Confirmed::opens(pair.server, late, at_ms(1299)));
    pair.server.on_timeout(at_ms(1300));
    CHECK(pair.server.next_timeout().is_never());
    CHECK_FALSE(Confirmed::opens(pair.server, too_late, at_ms(1300)));
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 6), at_ms(1300)));
  }

  // RFC 9001 §6.5
  TEST_CASE("after an update was confirmed the next one waits for three PTOs") {
    Confirmed pair;
    pair.client.initiate_update(at_ms(0), 2, kPto);
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 2), at_ms(10)));
    CHECK(Confirmed::opens(pair.client, sealed_short(pair.server, 2), at_ms(20)));
    CHECK(Confirmed::opens(pair.client, sealed_short(pair.server, 3), at_ms(50)));
    pair.client.on_packet_acked(2);
    CHECK_FALSE(pair.client.can_update());
    pair.client.on_timeout(pair.client.next_timeout());
    CHECK_FALSE(pair.client.can_update());
    CHECK(pair.client.next_timeout() == at_ms(350));
    pair.client.on_timeout(at_ms(350));
    CHECK(pair.client.can_update());
    CHECK(pair.client.next_timeout().is_never());
  }

  // RFC 9001 §6.4
  TEST_CASE("old keys for a higher number than newer keys are a KEY_UPDATE_ERROR") {
    Confirmed pair;
    const Sealed wrong = sealed_short(pair.client, 9);
    pair.client.initiate_update(at_ms(0), 5, kPto);
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 5)));
    CHECK(Confirmed::is_key_update_error(open_copy(pair.server, wrong)));
  }

  // RFC 9001 §6.4
  TEST_CASE("old keys for a number among those of newer keys are a KEY_UPDATE_ERROR") {
    Confirmed pair;
    const Sealed wrong = sealed_short(pair.client, 9);
    pair.client.initiate_update(at_ms(0), 5, kPto);
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 5)));
    sealed_short(pair.server, 2);  // from here on the next keys exist
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 20)));
    CHECK(Confirmed::is_key_update_error(open_copy(pair.server, wrong)));
  }

  // RFC 9001 §6.4
  TEST_CASE("new keys for a lower number than old keys are a KEY_UPDATE_ERROR") {
    Confirmed pair;
    const Sealed old = sealed_short(pair.client, 9);
    pair.server.initiate_update(at_ms(0), 2, kPto);
    CHECK(Confirmed::opens(pair.server, old));
    pair.client.initiate_update(at_ms(0), 8, kPto);
    CHECK(Confirmed::is_key_update_error(open_copy(pair.server, sealed_short(pair.client, 8))));
  }

  // RFC 9001 §6.2
  TEST_CASE("a second update that did not await the first one's confirmation is not followed") {
    Confirmed pair;
    pair.client.initiate_update(at_ms(0), 2, kPto);
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 2)));
    pair.client.on_packet_acked(2);  // it was not
    pair.client.on_timeout(at_ms(1'000'000));
    pair.client.initiate_update(at_ms(0), 3, kPto);
    const Sealed second = sealed_short(pair.client, 3);
    CHECK_FALSE(Confirmed::opens(pair.server, second));
    CHECK_EQ(pair.server.key_updates(), 1);
    // Once it has sent something that may have been the confirmation, the server follows.
    sealed_short(pair.server, 2);
    CHECK(Confirmed::opens(pair.server, second));
    CHECK_EQ(pair.server.key_updates(), 2);
  }

  // RFC 9001 §6.3, §9.5
  TEST_CASE("a forged key phase changes nothing") {
    Confirmed pair;
    Sealed forged = sealed_short(pair.client, 2);
    forged[0] ^= kKeyPhaseBit;
    for (int i = 0; i < 10; i++) CHECK_FALSE(Confirmed::opens(pair.server, forged));
    CHECK_EQ(pair.server.key_updates(), 0);
    CHECK_EQ(pair.server.failed_to_open(), 10);
    pair.client.initiate_update(at_ms(0), 3, kPto);
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 3)));
    for (int i = 0; i < 10; i++) CHECK_FALSE(Confirmed::opens(pair.server, forged));
    CHECK_EQ(pair.server.key_updates(), 1);
  }

  // RFC 9001 §6.4
  TEST_CASE("a packet with the right keys and the wrong key phase is not authentic") {
    Confirmed pair;
    tests::Draft draft = tests::short_draft({.key_phase = true}, {2, 4}, std::vector<uint8_t>(20, 1));
    REQUIRE(tests::seal(draft, pair.client.seal_keys(PacketType::one_rtt)));
    CHECK_FALSE(Confirmed::opens(pair.server, draft.bytes));
    CHECK_EQ(pair.server.key_updates(), 0);
  }

  // RFC 9001 §6.2, §6.5
  TEST_CASE("the peer's update may come in the middle of a batch, in any order") {
    for (const bool reversed : {false, true}) {
      Confirmed pair;
      std::vector<Sealed> batch;
      for (PacketNumber number = 2; number < 12; number++) {
        if (number == 7) pair.client.initiate_update(at_ms(0), number, kPto);
        batch.push_back(sealed_short(pair.client, number));
      }
      if (reversed) std::ranges::reverse(batch);
      const auto statuses = open_batch(pair.server, batch);
      REQUIRE(statuses);
      CHECK_EQ(std::ranges::count(*statuses, Status::opened), 10);
      CHECK_EQ(pair.server.key_updates(), 1);
      CHECK(pair.server.key_phase());
    }
  }

  // RFC 9001 §6.4
  TEST_CASE("a batch in which old keys follow newer ones is a KEY_UPDATE_ERROR, in any order") {
    for (const bool reversed : {false, true}) {
      Confirmed pair;
      const Sealed wrong = sealed_short(pair.client, 9);
      pair.client.initiate_update(at_ms(0), 5, kPto);
      std::vector<Sealed> batch{sealed_short(pair.client, 5), wrong};
      if (reversed) std::ranges::reverse(batch);
      const auto statuses = open_batch(pair.server, batch);
      REQUIRE_FALSE(statuses);
      CHECK_EQ(statuses.error().code, static_cast<uint64_t>(TransportError::key_update_error));
    }
  }

  TEST_CASE("a batch of three generations is opened as far as the peer kept to the rules") {
    Confirmed pair;
    const Sealed late = sealed_short(pair.client, 2);
    pair.client.initiate_update(at_ms(0), 3, kPto);
    pair.exchange(3);
    const Sealed current = sealed_short(pair.client, 5);
    pair.client.on_timeout(at_ms(100'000));
    pair.client.initiate_update(at_ms(0), 6, kPto);
    const auto statuses = open_batch(pair.server, {sealed_short(pair.client, 6), late, current});
    REQUIRE(statuses);
    CHECK_EQ(*statuses, std::vector<Status>(3, Status::opened));
    CHECK_EQ(pair.server.key_updates(), 2);
  }

  // RFC 9001 §6.6
  TEST_CASE("the policy wants an update after so many packets, and well before the confidentiality limit") {
    crypto::Aead limited = *crypto::best().aes_128_gcm;
    crypto::Provider provider = crypto::best();
    provider.aes_128_gcm = &limited;
    for (const auto [limit, packets_max, wanted_at] :
         {std::array<uint64_t, 3>{1 << 23, 10, 10}, std::array<uint64_t, 3>{40, 1000, 20}}) {
      limited.confidentiality_limit = limit;
      Confirmed pair(provider, {.packets_max = packets_max});
      for (PacketNumber number = 2; number < wanted_at; number++) {
        CHECK_FALSE(pair.client.wants_update());
        sealed_short(pair.client, number);
      }
      CHECK(pair.client.wants_update());
      pair.client.initiate_update(at_ms(0), wanted_at, kPto);
      CHECK_FALSE(pair.client.wants_update());
      CHECK(pair.client.can_seal(PacketType::one_rtt));
    }
    CHECK_EQ(KeyUpdatePolicy{}.packets_max, crypto::kAesGcmConfidentialityLimit / 2);
  }

  // RFC 9001 §6.6
  TEST_CASE("keys that are nearly used up and cannot be updated ask to close the connection in time") {
    crypto::Aead limited = *crypto::best().aes_128_gcm;
    limited.confidentiality_limit = 40;
    crypto::Provider provider = crypto::best();
    provider.aes_128_gcm = &limited;
    OneRttPair pair(provider);
    for (PacketNumber number = 0; number < 35; number++) {
      CHECK_FALSE(pair.client.must_close());
      sealed_short(pair.client, number);
    }
    CHECK(pair.client.must_close());
    CHECK(pair.client.can_seal(PacketType::one_rtt));
    pair.client.on_handshake_confirmed();
    pair.client.on_packet_acked(0);
    CHECK_FALSE(pair.client.must_close());  // it may update
  }

  // RFC 9001 §6.6
  TEST_CASE("an update makes a key at its confidentiality limit usable again") {
    crypto::Aead limited = *crypto::best().aes_128_gcm;
    limited.confidentiality_limit = 5;
    crypto::Provider provider = crypto::best();
    provider.aes_128_gcm = &limited;
    Confirmed pair(provider);
    for (PacketNumber number = 2; number < 5; number++) sealed_short(pair.client, number);
    CHECK_FALSE(pair.client.can_seal(PacketType::one_rtt));
    REQUIRE(pair.client.can_update());
    pair.client.initiate_update(at_ms(0), 5, kPto);
    CHECK(pair.client.can_seal(PacketType::one_rtt));
    CHECK(Confirmed::opens(pair.server, sealed_short(pair.client, 5)));
  }

  TEST_CASE("random updates over a network that delays, reorders and repeats lose no packet") {
    const uint64_t seed = tests::test_seed(20260103);
    INFO("seed ", seed);
    SeededRng rng(seed);
    struct Flight {
      Sealed packet;
      Instant arrival;
      std::optional<PacketNumber> acks;
      PacketNumber number;
    };
    struct Side {
      PacketProtection* protection;
      PacketNumber next = 0;
      PacketNumber expected = 0;
      std::deque<Flight> to_it{};
    };
    Confirmed pair;
    Side sides[2] = {{.protection = &pair.client, .next = 10}, {.protection = &pair.server, .next = 10}};
    constexpr int kDelayMax = 90;  // below the PTO
    for (int64_t now = 0; now < 20'000; now++) {
      for (int i = 0; i < 2; i++) {
        Side& me = sides[i];
        Side& peer = sides[1 - i];
        PacketProtection& mine = *me.protection;
        if (mine.next_timeout() <= at_ms(now)) mine.on_timeout(at_ms(now));
        std::erase_if(me.to_it, [&](const Flight& flight) {
          if (flight.arrival > at_ms(now)) return false;
          const auto opened = open_copy(mine, flight.packet, me.expected, at_ms(now));
          REQUIRE(opened);
          CHECK(opened->status == Status::opened);
          CHECK_EQ(opened->number, flight.number);
          me.expected = std::max(me.expected, opened->number + 1);
          if (flight.acks) mine.on_packet_acked(*flight.acks);
          return true;
        });
        if (mine.can_update() && rng.below(20) == 0) mine.initiate_update(at_ms(now), me.next, kPto);
        if (rng.below(3) != 0) continue;
        const PacketNumber number = me.next++;
        Flight flight{.packet = sealed_short(mine, number, 2),
                      .arrival = at_ms(now + 1 + static_cast<int64_t>(rng.below(kDelayMax))),
                      .acks = me.expected == 0 ? std::nullopt : std::optional(me.expected - 1),
                      .number = number};
        if (rng.below(10) == 0) peer.to_it.push_back(flight);
        flight.arrival += Duration::milliseconds(static_cast<int64_t>(rng.below(5)));
        peer.to_it.push_back(flight);
      }
    }
    CHECK_GT(pair.client.key_updates(), 20);
    CHECK_LE(std::max(pair.client.key_updates(), pair.server.key_updates()) -
                 std::min(pair.client.key_updates(), pair.server.key_updates()),
             1);
  }
}
