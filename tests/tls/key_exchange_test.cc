// Key exchange: client and server agree in every group, and wrong shares are illegal_parameter.
#include "tls/key_exchange.h"

#include <algorithm>
#include <string>

#include "base/hex.h"
#include "tests/support/random.h"
#include "tls/alert.h"
#include "tls/messages.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using Buffer = std::vector<uint8_t>;
using tests::SeededRng;

constexpr NamedGroup kGroups[] = {NamedGroup::x25519_mlkem768, NamedGroup::x25519, NamedGroup::secp256r1,
                                  NamedGroup::secp384r1};

Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// Whether a result is an alert of this kind.
template <class T>
bool is_alert(const Result<T>& result, Alert alert) {
  return !result && result.error().domain == ErrorDomain::tls && result.error().code == static_cast<uint64_t>(alert);
}

struct Offer {
  explicit Offer(const crypto::Provider& provider, std::span<const NamedGroup> groups, uint64_t seed = 1) {
    SeededRng rng(seed);
    exchange = KeyExchange::offer(provider, rng, groups, shares);
  }
  Bytes share(NamedGroup group) const { return KeyShareList(shares).find(group).value(); }

  Buffer shares;
  Result<KeyExchange> exchange = usage_error("");
};

TEST_SUITE("key exchange") {
  TEST_CASE("client and server agree in every group, whatever their implementations") {
    for (const crypto::Provider& client_provider : crypto::all()) {
      for (const crypto::Provider& server_provider : {crypto::portable(), crypto::best()}) {
        const Offer offer(client_provider, kGroups);
        REQUIRE(offer.exchange);
        SeededRng rng(2);
        for (const NamedGroup group : kGroups) {
          INFO(static_cast<int>(group));
          CHECK(offer.share(group).size() == client_share_size(group));
          Buffer server_share(server_share_size(group));
          const auto answered = answer(server_provider, rng, group, offer.share(group), server_share);
          REQUIRE(answered);
          const auto agreed = offer.exchange->agree(group, server_share);
          REQUIRE(agreed);
          CHECK(to_buffer(*agreed) == to_buffer(*answered));
          CHECK(Bytes(*agreed).size() == (group == NamedGroup::x25519_mlkem768 ? 64U
                                          : group == NamedGroup::secp384r1     ? 48U
                                                                               : 32U));
        }
      }
    }
  }

  // draft-ietf-tls-ecdhe-mlkem §3.1.
  TEST_CASE("X25519MLKEM768 has ML-KEM's part first, in the shares and in the secret") {
    const crypto::Provider& provider = crypto::best();
    const Offer offer(provider, kGroups);
    CHECK(client_share_size(NamedGroup::x25519_mlkem768) == 1216);
    CHECK(server_share_size(NamedGroup::x25519_mlkem768) == 1120);
    // One X25519 key serves both shares.
    const Bytes hybrid = offer.share(NamedGroup::x25519_mlkem768);
    CHECK(std::ranges::equal(hybrid.subspan(1184), offer.share(NamedGroup::x25519)));
    Buffer server_share(1120);
    SeededRng rng(3);
    const auto secret = answer(provider, rng, NamedGroup::x25519_mlkem768, hybrid, server_share);
    REQUIRE(secret);
    // The last 32 bytes of the server's share and of the secret are those of plain X25519.
    const auto plain = offer.exchange->agree(NamedGroup::x25519, Bytes(server_share).subspan(1088));
    REQUIRE(plain);
    CHECK(std::ranges::equal(Bytes(*secret).subspan(32), Bytes(*plain)));
  }

  TEST_CASE("a wrong ciphertext gives another secret, not an error") {
    const Offer offer(crypto::best(), kGroups);
    Buffer server_share(1120);
    SeededRng rng(3);
    const auto secret = answer(crypto::best(), rng, NamedGroup::x25519_mlkem768,
                               offer.share(NamedGroup::x25519_mlkem768), server_share);
    server_share[100] ^= 1;
    const auto other = offer.exchange->agree(NamedGroup::x25519_mlkem768, server_share);
    REQUIRE(other);
    CHECK(to_buffer(*other) != to_buffer(*secret));
  }

  TEST_CASE("entries are encoded as client_shares wants them, behind what was there") {
    SeededRng rng(4);
    Buffer shares = {0x0a, 0x0a, 0x00, 0x01, 0x00};  // GREASE
    const NamedGroup groups[] = {NamedGroup::secp256r1, NamedGroup::x25519};
    REQUIRE(KeyExchange::offer(crypto::best(), rng, groups, shares));
    KeyShareList list(shares);
    CHECK(list.next()->group == NamedGroup{0x0a0a});
    const auto p256 = list.next(), x25519 = list.next();
    CHECK(p256->group == NamedGroup::secp256r1);
    CHECK(p256->key_exchange.size() == 65);
    CHECK(p256->key_exchange[0] == 4);
    CHECK(x25519->group == NamedGroup::x25519);
    CHECK(list.empty());
  }

  TEST_CASE("a group is offered once, and only if it is implemented") {
    SeededRng rng(5);
    Buffer shares;
    const NamedGroup twice[] = {NamedGroup::x25519, NamedGroup::x25519}, unknown[] = {NamedGroup{0x0018 + 1}};
    CHECK(KeyExchange::offer(crypto::best(), rng, twice, shares).error().domain == ErrorDomain::usage);
    CHECK(KeyExchange::offer(crypto::best(), rng, unknown, shares).error().domain == ErrorDomain::usage);
    const auto none = KeyExchange::offer(crypto::best(), rng, {}, shares);
    REQUIRE(none);
    CHECK_FALSE(none->offered(NamedGroup::x25519));
    CHECK(is_alert(none->agree(NamedGroup::x25519, Buffer(32, 9)), Alert::illegal_parameter));
  }

  TEST_CASE("a group that was not offered is illegal, even if its key exists") {
    const NamedGroup hybrid[] = {NamedGroup::x25519_mlkem768};
    const Offer offer(crypto::best(), hybrid);
    CHECK(offer.exchange->offered(NamedGroup::x25519_mlkem768));
    CHECK_FALSE(offer.exchange->offered(NamedGroup::x25519));
    CHECK(is_alert(offer.exchange->agree(NamedGroup::x25519, Buffer(32, 9)), Alert::illegal_parameter));
  }

  // RFC 8446 §4.2.8.2, §7.4.2.
  TEST_CASE("shares of a wrong size or value are illegal on both sides") {
    const crypto::Provider& provider = crypto::best();
    const Offer offer(provider, kGroups);
    SeededRng rng(6);
    for (const NamedGroup group : kGroups) {
      INFO(static_cast<int>(group));
      Buffer server_share(server_share_size(group));
      REQUIRE(answer(provider, rng, group, offer.share(group), server_share));
      Buffer client_share = to_buffer(offer.share(group)), room = server_share;
      const auto longer = [](Buffer share) {
        share.push_back(0);
        return share;
      };
      CHECK(is_alert(offer.exchange->agree(group, longer(server_share)), Alert::illegal_parameter));
      CHECK(is_alert(offer.exchange->agree(group, Bytes(server_share).subspan(1)), Alert::illegal_parameter));
      CHECK(is_alert(answer(provider, rng, group, longer(client_share), room), Alert::illegal_parameter));
      CHECK(is_alert(answer(provider, rng, group, Bytes(client_share).subspan(1), room), Alert::illegal_parameter));
      CHECK(is_alert(offer.exchange->agree(group, {}), Alert::illegal_parameter));
      // All zeros in the place of the (EC)DHE part: of small order, or no point.
      const size_t size = group == NamedGroup::x25519_mlkem768 ? 32 : server_share.size();
      std::fill(server_share.end() - size, server_share.end(), 0);
      CHECK(is_alert(offer.exchange->agree(group, server_share), Alert::illegal_parameter));
      std::fill(client_share.end() - size, client_share.end(), 0);
      CHECK(is_alert(answer(provider, rng, group, client_share, room), Alert::illegal_parameter));
    }
  }

  // FIPS 203 §7.2.
  TEST_CASE("an encapsulation key with a coefficient that is not reduced is illegal") {
    const Offer offer(crypto::best(), kGroups);
    Buffer client_share = to_buffer(offer.share(NamedGroup::x25519_mlkem768)), room(1120);
    client_share[0] = 0xff;
    client_share[1] |= 0x0f;
    SeededRng rng(7);
    CHECK(is_alert(answer(crypto::best(), rng, NamedGroup::x25519_mlkem768, client_share, room),
                   Alert::illegal_parameter));
  }

  TEST_CASE("room of the wrong size for a server's share is the caller's fault") {
    const Offer offer(crypto::best(), kGroups);
    SeededRng rng(8);
    Buffer room(31);
    CHECK(answer(crypto::best(), rng, NamedGroup::x25519, offer.share(NamedGroup::x25519), room).error().domain ==
          ErrorDomain::usage);
    CHECK(answer(crypto::best(), rng, NamedGroup{0x0019}, {}, room).error().domain == ErrorDomain::usage);
  }

  TEST_CASE("four groups are supported") {
    int supported = 0;
    for (uint32_t number = 0; number <= 0xffff; number++) supported += is_supported(NamedGroup(number));
    CHECK(supported == 4);
  }
}

}  // namespace
}  // namespace quoll::tls
