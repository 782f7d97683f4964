// 1-RTT keys that were given up while the connection was quiet, and made again: they are the same, and their counts and
// limits go on (RFC 9001 §6).
#include "quic/protect/packet_protection.h"
#include "tests/quic/protect/support.h"
#include "tests/support/heap.h"

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

void trim(OneRttPair& pair) {
  pair.client.trim();
  pair.server.trim();
}

bool opens(PacketProtection& at, const Sealed& packet, Instant now = {}) {
  const auto opened = open_copy(at, packet, 0, now);
  REQUIRE(opened);
  return opened->status == Status::opened;
}

struct Limits {
  Limits(uint64_t confidentiality, uint64_t integrity) {
    aead.confidentiality_limit = confidentiality;
    aead.integrity_limit = integrity;
    provider.aes_128_gcm = &aead;
  }
  crypto::Aead aead = *crypto::best().aes_128_gcm;
  crypto::Provider provider = crypto::best();
};

}  // namespace

TEST_SUITE("quic trimmed keys") {
  TEST_CASE("trimmed keys take less than 1 KiB with all that stays") {
    if (!tests::heap_is_counted()) return;
    const size_t before = tests::heap_bytes();
    OneRttPair pair;
    CHECK(opens(pair.server, sealed_short(pair.client, 0)));
    trim(pair);
    CHECK_LE(tests::heap_bytes() - before + 2 * sizeof(PacketProtection), 2 * 1024);
    CHECK(opens(pair.server, sealed_short(pair.client, 1)));
  }

  // RFC 9001 §6.1
  TEST_CASE("trimmed keys open and seal as before, in every generation, with every suite") {
    const uint64_t seed = tests::test_seed(31);
    INFO("seed ", seed);
    SeededRng rng(seed);
    for (const Version version : {Version::v1, Version::v2}) {
      for (const tls::CipherSuite suite : tests::kSuites) {
        OneRttPair pair(crypto::best(), suite, version);
        OneRttPair twin(crypto::best(), suite, version);  // is never trimmed
        PacketNumber number = 0;
        Instant now;
        for (OneRttPair* each : {&pair, &twin}) {
          for (PacketProtection* side : {&each->client, &each->server}) {
            side->set_pto(kPto);
            side->on_handshake_confirmed();
          }
        }
        for (int round = 0; round < 40; round++) {
          if (rng.below(2) == 0) trim(pair);
          const bool from_client = rng.below(2) == 0;
          PacketProtection& from = from_client ? pair.client : pair.server;
          PacketProtection& to = from_client ? pair.server : pair.client;
          PacketProtection& of_twin = from_client ? twin.client : twin.server;
          REQUIRE_EQ(from.can_update(), of_twin.can_update());
          if (from.can_update() && rng.below(3) == 0) {
            if (rng.below(2) == 0) trim(pair);
            from.initiate_update(now, number, kPto);
            of_twin.initiate_update(now, number, kPto);
          }
          const Sealed packet = sealed_short(from, number);
          REQUIRE(packet == sealed_short(of_twin, number));
          if (rng.below(2) == 0) to.trim();
          CHECK(opens(to, packet, now));
          CHECK(opens(from_client ? twin.server : twin.client, packet, now));
          REQUIRE_EQ(to.key_updates(), (from_client ? twin.server : twin.client).key_updates());
          // The answer acknowledges it.
          const Sealed answer = sealed_short(to, number);
          REQUIRE(answer == sealed_short(from_client ? twin.server : twin.client, number));
          CHECK(opens(from, answer, now));
          CHECK(opens(of_twin, answer, now));
          from.on_packet_acked(number);
          of_twin.on_packet_acked(number);
          number++;
          if (rng.below(3) == 0) {
            now = now + 4 * kPto;
            for (PacketProtection* side : {&pair.client, &pair.server, &twin.client, &twin.server}) {
              if (side->next_timeout() <= now) side->on_timeout(now);
            }
          }
        }
        CHECK_GT(pair.client.key_updates(), 1);
      }
    }
  }

  // RFC 9001 §6.5
  TEST_CASE("while old keys wait for late packets nothing is trimmed") {
    OneRttPair pair;
    for (PacketProtection* side : {&pair.client, &pair.server}) side->on_handshake_confirmed();
    const Sealed late = sealed_short(pair.client, 1);
    CHECK(opens(pair.server, sealed_short(pair.client, 0)));
    CHECK(opens(pair.client, sealed_short(pair.server, 0)));
    pair.client.on_packet_acked(0);
    pair.client.initiate_update({}, 2, kPto);
    CHECK(opens(pair.server, sealed_short(pair.client, 2)));
    REQUIRE_FALSE(pair.server.next_timeout().is_never());
    pair.server.trim();
    CHECK(opens(pair.server, late));
  }

  // RFC 9001 §6.6
  TEST_CASE("the confidentiality limit counts what was sealed before keys were trimmed") {
    Limits limits(6, 100);
    OneRttPair pair(limits.provider);
    for (PacketNumber number = 0; number < 6; number++) {
      trim(pair);
      CHECK(pair.client.can_seal(PacketType::one_rtt));
      CHECK_FALSE(sealed_short(pair.client, number).empty());
    }
    trim(pair);
    CHECK_FALSE(pair.client.can_seal(PacketType::one_rtt));
    CHECK(pair.client.seal_keys(PacketType::one_rtt).packet == nullptr);
  }

  // RFC 9001 §6.6
  TEST_CASE("a train that would pass the confidentiality limit is not sealed, trimmed keys or not") {
    for (const bool trims : {false, true}) {
      Limits limits(6, 100);
      OneRttPair pair(limits.provider);
      for (PacketNumber number = 0; number < 4; number++) sealed_short(pair.client, number);
      if (trims) trim(pair);
      SealTrain train;
      std::vector<tests::Draft> drafts;
      const std::array<uint8_t, 8> payload{};
      for (PacketNumber number = 4; number < 7; number++) {
        drafts.push_back(tests::short_draft({}, {number, 4}, payload));
      }
      for (tests::Draft& draft : drafts) train.add(draft.packet(pair.client.seal_keys(PacketType::one_rtt)));
      CHECK_FALSE(train.seal());
      CHECK(pair.client.can_seal(PacketType::one_rtt));  // two packets still may go
    }
  }

  // RFC 9001 §6.6
  TEST_CASE("the integrity limit counts what failed before keys were trimmed") {
    Limits limits(1000, 6);
    OneRttPair pair(limits.provider);
    for (PacketNumber number = 0; number < 6; number++) {
      trim(pair);
      Sealed forged = sealed_short(pair.client, number);
      forged.back() ^= 1;
      const auto opened = open_copy(pair.server, forged);
      CHECK_EQ(opened.has_value(), number < 5);
      CHECK_EQ(pair.server.failed_to_open(), number + 1);
    }
    CHECK(open_copy(pair.server, sealed_short(pair.client, 9)).error().code ==
          static_cast<uint64_t>(TransportError::aead_limit_reached));
  }

  // RFC 9001 §6.6
  TEST_CASE("the policy of updates counts what was sealed before keys were trimmed") {
    OneRttPair pair(crypto::best(), tests::kSuites[0], Version::v1, {.packets_max = 10});
    pair.client.on_handshake_confirmed();
    for (PacketNumber number = 0; number < 10; number++) {
      CHECK_FALSE(pair.client.wants_update());
      sealed_short(pair.client, number);
      pair.client.trim();
      if (number == 0) pair.client.on_packet_acked(0);
    }
    CHECK(pair.client.wants_update());
  }
}
