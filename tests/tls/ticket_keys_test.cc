#include <algorithm>
#include <array>
#include <thread>

#include "base/hex.h"
#include "tests/tls/ticket_support.h"
#include "tls/server_ticket.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::SeededRng;
using tests::ticket_secret;

constexpr UnixTime kOrigin = UnixTime::from_seconds(1'700'000'000);
constexpr Duration kPeriod = Duration::seconds(600);
constexpr size_t kPeriodsOpen = 4;
constexpr TicketKeys::Ratchet kRatchet = {.origin = kOrigin, .period = kPeriod, .periods_open = kPeriodsOpen};

/// Some time into a period.
UnixTime in_period(int64_t period) { return kOrigin + period * kPeriod + Duration::seconds(17); }

std::shared_ptr<TicketKeys> ring(uint8_t secret = 7) {
  return TicketKeys::ratcheted(crypto::best(), ticket_secret(secret), kRatchet);
}

std::shared_ptr<TicketKeys> list(std::initializer_list<uint8_t> bytes) {
  std::vector<TicketKeys::Secret> secrets;
  for (const uint8_t byte : bytes) secrets.push_back(ticket_secret(byte));
  return TicketKeys::from_secrets(crypto::best(), secrets).value();
}

bool is_usage(const Result<std::shared_ptr<TicketKeys>>& result) {
  return !result && result.error().domain == ErrorDomain::usage;
}

TEST_SUITE("ticket_keys") {
  TEST_CASE("a sealed ticket opens to what it was") {
    SeededRng rng(1);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    for (const auto& keys : {ring(), list({1}), list({2, 1})}) {
      const std::vector<uint8_t> sealed = keys->seal(ticket, rng, in_period(0));
      REQUIRE_FALSE(sealed.empty());
      CHECK(keys->open(sealed, in_period(0)) == ticket);
    }
  }

  TEST_CASE("the secrets of a ticket cannot be read from it, and no two are alike") {
    SeededRng rng(2);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto keys = list({1});
    const std::vector<uint8_t> a = keys->seal(ticket, rng, kOrigin), b = keys->seal(ticket, rng, kOrigin);
    CHECK(std::ranges::search(a, ticket.psk.bytes()).empty());
    CHECK(std::ranges::search(a, as_bytes(ticket.server_name)).empty());
    CHECK(std::equal(a.begin(), a.begin() + 16, b.begin()));  // the name of the key
    size_t same = 0;
    for (size_t i = 16; i < a.size(); i++) same += a[i] == b[i];
    CHECK(same < a.size() / 16);
  }

  TEST_CASE("a ticket that was changed anywhere, cut or prolonged does not open") {
    SeededRng rng(3);
    ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    ticket.client_certificate.clear();
    const auto keys = ring();
    std::vector<uint8_t> sealed = keys->seal(ticket, rng, in_period(0));
    for (size_t i = 0; i < sealed.size(); i++) {
      sealed[i] ^= 0x80;
      CHECK_FALSE(keys->open(sealed, in_period(0)));
      sealed[i] ^= 0x80;
    }
    for (size_t size = 0; size < sealed.size(); size++) CHECK_FALSE(keys->open({sealed.data(), size}, in_period(0)));
    CHECK(keys->open(sealed, in_period(0)));
    sealed.push_back(0);
    CHECK_FALSE(keys->open(sealed, in_period(0)));
    sealed.resize(70'000);
    CHECK_FALSE(keys->open(sealed, in_period(0)));
  }

  TEST_CASE("a ticket that cannot be encoded is not sealed") {
    SeededRng rng(4);
    ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    ticket.client_certificate.resize(ServerTicket::kClientCertificateSizeMax);
    ticket.resumption_context.resize(ServerTicket::kResumptionContextSizeMax);
    ticket.early_data_context.resize(ServerTicket::kEarlyDataContextSizeMax);
    ticket.server_name.resize(255, 'n');
    ticket.application_protocol.resize(255, 'p');
    const std::vector<uint8_t> sealed = ring()->seal(ticket, rng, kOrigin);
    CHECK(sealed.size() > 5'000);
    CHECK(sealed.size() <= kSealedTicketSizeMax);
    CHECK(ring()->open(sealed, kOrigin) == ticket);
    ticket.client_certificate.push_back(0);
    CHECK(ring()->seal(ticket, rng, kOrigin).empty());
  }

  TEST_CASE("every provider opens what another one sealed") {
    SeededRng rng(5);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    for (const crypto::Provider& seals : crypto::all()) {
      const auto from = TicketKeys::ratcheted(seals, ticket_secret(7), kRatchet);
      CHECK(ring()->open(from->seal(ticket, rng, in_period(2)), in_period(2)) == ticket);
    }
  }
}

/// 00, 01, 02, …
class CountingRng final : public Rng {
 public:
  void fill(MutBytes out) override {
    for (uint8_t& byte : out) byte = next_++;
  }

 private:
  uint8_t next_ = 0;
};

TEST_SUITE("ticket_keys_format") {
  // Made by another implementation of HKDF and AES-GCM. Servers of one fleet run different versions for a while, so a
  // ticket that looks different needs labels of another version.
  TEST_CASE("a sealed ticket has exactly these bytes") {
    ServerTicket ticket;
    ticket.cipher_suite = CipherSuite::aes_128_gcm_sha256;
    ticket.psk = crypto::Digest(32);
    std::fill_n(ticket.psk.data(), 32, uint8_t{0x55});
    ticket.issued = UnixTime::from_milliseconds(1'000);
    ticket.authenticated = UnixTime::from_milliseconds(500);
    ticket.lifetime_seconds = 60;
    ticket.age_add = 7;
    ticket.server_name.assign(1, 'a');
    ticket.application_protocol = "h3";
    ticket.resumption_context = {8};
    ticket.early_data_context = {9};
    CountingRng rng;
    CHECK(to_hex(list({7})->seal(ticket, rng, kOrigin)) ==
          "19f5d71e8f4b21ef2c1e2b099efd1142000102030405060708090a0b0c0d0e0fc2a7553675801952f3d2d442ef04c8f686d3de81"
          "aef8ecc54a7e5f44e32dfe5926c640b3daa67e726111943d65f148d817f6bce545b1118cf85c03c3ddd61144458707389fe45d54"
          "018a45e56d253c5d1ca60dc4a7c87100d47a624d");
  }

  TEST_CASE("the keys of a ratchet have exactly these names") {
    SeededRng rng(20);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const std::string_view names[] = {"a8fb11deec51b03dad651cc64c4cc9ad", "7e080939347b1c8f566cfca7abceacc4",
                                      "ea1c06a0f07f153229ef8043ab932965"};
    for (int64_t period = 0; period < 3; period++) {
      const std::vector<uint8_t> sealed = ring()->seal(ticket, rng, in_period(period));
      CHECK(to_hex(Bytes(sealed).first(16)) == names[period]);
    }
  }
}

TEST_SUITE("ticket_keys_list") {
  TEST_CASE("the first secret seals, and all open") {
    SeededRng rng(6);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto old_keys = list({1}), rotated = list({2, 1}), done = list({2});
    CHECK(rotated->open(old_keys->seal(ticket, rng, kOrigin), kOrigin) == ticket);
    const std::vector<uint8_t> sealed = rotated->seal(ticket, rng, kOrigin);
    CHECK(done->open(sealed, kOrigin) == ticket);
    CHECK_FALSE(old_keys->open(sealed, kOrigin));
  }

  TEST_CASE("a list and a ratchet from the same secret have nothing in common") {
    SeededRng rng(7);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    CHECK_FALSE(list({7})->open(ring(7)->seal(ticket, rng, in_period(0)), in_period(0)));
  }

  TEST_CASE("no secret and too many secrets are refused") {
    std::vector<TicketKeys::Secret> secrets;
    CHECK(is_usage(TicketKeys::from_secrets(crypto::best(), secrets)));
    for (size_t i = 0; i < TicketKeys::kSecretsMax; i++) secrets.push_back(ticket_secret(static_cast<uint8_t>(i)));
    CHECK(TicketKeys::from_secrets(crypto::best(), secrets).has_value());
    secrets.push_back(ticket_secret(200));
    CHECK(is_usage(TicketKeys::from_secrets(crypto::best(), secrets)));
  }

  TEST_CASE("a text gives one secret a line") {
    SeededRng rng(8);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const std::string one = to_hex(ticket_secret(1).bytes()), two = to_hex(ticket_secret(0xab).bytes());
    std::string upper = two;
    std::ranges::transform(upper, upper.begin(), [](char c) { return c == 'a' ? 'A' : c == 'b' ? 'B' : c; });
    for (const std::string& text : {two + "\n" + one + "\n", "# keys\r\n\r\n" + upper + "\r\n" + one,
                                    "\n\t" + two + " \n  # old\n" + one + "\t"}) {
      const auto keys = TicketKeys::from_text(crypto::best(), text);
      REQUIRE(keys.has_value());
      CHECK(list({0xab})->open((*keys)->seal(ticket, rng, kOrigin), kOrigin) == ticket);
      CHECK((*keys)->open(list({1})->seal(ticket, rng, kOrigin), kOrigin) == ticket);
    }
  }

  TEST_CASE("a text with anything else is refused") {
    const std::string good = to_hex(ticket_secret(1).bytes());
    const std::string refused[] = {"",
                                   "\n\n# nothing\n",
                                   good.substr(1),
                                   good + "0",
                                   good.substr(2) + "zz",
                                   good.substr(0, 32) + " " + good.substr(32, 31),
                                   good + "\n" + good.substr(2),
                                   good + " # comment",
                                   good + " " + good,
                                   std::string(1, '\0') + good};
    for (const std::string& text : refused) {
      CAPTURE(text);
      CHECK(is_usage(TicketKeys::from_text(crypto::best(), text)));
    }
    std::string many;
    for (size_t i = 0; i <= TicketKeys::kSecretsMax; i++) many += good + "\n";
    CHECK(is_usage(TicketKeys::from_text(crypto::best(), many)));
    CHECK(TicketKeys::from_text(crypto::best(), many.substr(good.size() + 1)).has_value());
  }
}

TEST_SUITE("ticket_keys_ratchet") {
  TEST_CASE("tickets of the last periods open, older ones do not") {
    SeededRng rng(9);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto keys = ring();
    std::vector<std::vector<uint8_t>> sealed;
    for (int64_t now = 0; now < 20; now++) {
      sealed.push_back(keys->seal(ticket, rng, in_period(now)));
      for (int64_t period = 0; period <= now; period++) {
        const bool opens = keys->open(sealed[static_cast<size_t>(period)], in_period(now)) == ticket;
        CHECK(opens == (now - period < static_cast<int64_t>(kPeriodsOpen)));
      }
    }
  }

  TEST_CASE("a period ends with its last millisecond") {
    SeededRng rng(10);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto name_at = [&](UnixTime now) {
      std::vector<uint8_t> sealed = ring()->seal(ticket, rng, now);
      sealed.resize(16);
      return sealed;
    };
    const UnixTime end = kOrigin + kPeriod;
    CHECK(name_at(kOrigin) == name_at(end - Duration::milliseconds(1)));
    CHECK(name_at(end) != name_at(end - Duration::milliseconds(1)));
    CHECK(name_at(end) == name_at(end + kPeriod - Duration::milliseconds(1)));
  }

  TEST_CASE("rings from one secret agree, whenever they were made and however they got there") {
    SeededRng rng(11);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto walks = ring(), also_walks = ring();
    for (int64_t now : {0, 1, 2, 3, 4, 7, 8, 30, 31, 1'000, 1'001}) {
      const auto jumps = ring();
      CHECK(also_walks->open(walks->seal(ticket, rng, in_period(now)), in_period(now)) == ticket);
      CHECK(walks->open(jumps->seal(ticket, rng, in_period(now)), in_period(now)) == ticket);
      CHECK(jumps->open(walks->seal(ticket, rng, in_period(now)), in_period(now)) == ticket);
    }
    CHECK_FALSE(ring(8)->open(walks->seal(ticket, rng, in_period(1'001)), in_period(1'001)));
  }

  TEST_CASE("the ticket of a peer whose clock is one period ahead opens, of one two periods ahead not") {
    SeededRng rng(12);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    for (const int64_t now : {0, 5}) {
      const auto keys = ring();
      CHECK(keys->open(ring()->seal(ticket, rng, in_period(now + 1)), in_period(now)) == ticket);
      CHECK_FALSE(keys->open(ring()->seal(ticket, rng, in_period(now + 2)), in_period(now)));
      CHECK(keys->open(ring()->seal(ticket, rng, in_period(now + 2)), in_period(now + 1)) == ticket);
    }
  }

  TEST_CASE("a key that was dropped does not come back when the clock is set back") {
    SeededRng rng(13);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto keys = ring();
    const std::vector<uint8_t> old_ticket = keys->seal(ticket, rng, in_period(0));
    const std::vector<uint8_t> kept = keys->seal(ticket, rng, in_period(3));
    CHECK(keys->open(kept, in_period(6)) == ticket);  // forgets periods 0 to 2
    CHECK_FALSE(keys->open(old_ticket, in_period(0)));
    CHECK(keys->open(kept, in_period(0)) == ticket);
  }

  TEST_CASE("with the clock set back, a ring seals for the period of the clock while it has that key") {
    SeededRng rng(14);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const auto keys = ring();
    REQUIRE_FALSE(keys->seal(ticket, rng, in_period(10)).empty());
    CHECK(ring()->open(keys->seal(ticket, rng, in_period(8)), in_period(8)) == ticket);
    // Of period 1 it has no key: it takes the oldest that it has, which it opens itself.
    const std::vector<uint8_t> sealed = keys->seal(ticket, rng, in_period(1));
    CHECK(keys->open(sealed, in_period(1)) == ticket);
    CHECK(ring()->open(sealed, in_period(7)) == ticket);
  }

  TEST_CASE("before the origin the first period counts") {
    SeededRng rng(15);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const std::vector<uint8_t> sealed = ring()->seal(ticket, rng, kOrigin - Duration::seconds(1'000'000));
    CHECK(ring()->open(sealed, in_period(0)) == ticket);
  }

  TEST_CASE("a time too far ahead stops the ring without moving it") {
    SeededRng rng(16);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const TicketKeys::Ratchet by_second = {.origin = kOrigin, .period = Duration::seconds(1), .periods_open = 4};
    const auto keys = TicketKeys::ratcheted(crypto::best(), ticket_secret(7), by_second);
    const std::vector<uint8_t> sealed = keys->seal(ticket, rng, kOrigin);
    const UnixTime too_far = kOrigin + Duration::seconds(int64_t{TicketKeys::kCatchUpPeriodsMax} + 1);
    CHECK(keys->seal(ticket, rng, too_far).empty());
    CHECK_FALSE(keys->open(sealed, too_far));
    CHECK(keys->seal(ticket, rng, UnixTime::from_milliseconds(INT64_MAX)).empty());
    CHECK(keys->open(sealed, kOrigin + Duration::seconds(3)) == ticket);
    CHECK_FALSE(keys->seal(ticket, rng, kOrigin + Duration::seconds(50'000)).empty());
    CHECK_FALSE(keys->open(sealed, kOrigin));
  }

  TEST_CASE("periods and windows outside of their ranges take the nearest value") {
    SeededRng rng(17);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    const TicketKeys::Ratchet least = {.origin = kOrigin, .period = Duration(), .periods_open = 0};
    const auto keys = TicketKeys::ratcheted(crypto::best(), ticket_secret(7), least);
    const std::vector<uint8_t> sealed = keys->seal(ticket, rng, kOrigin);
    CHECK(keys->open(sealed, kOrigin + Duration::milliseconds(999)) == ticket);
    CHECK_FALSE(keys->open(sealed, kOrigin + Duration::seconds(1)));

    const TicketKeys::Ratchet most = {.origin = kOrigin, .period = Duration::infinite(), .periods_open = SIZE_MAX};
    const auto slow = TicketKeys::ratcheted(crypto::best(), ticket_secret(7), most);
    CHECK(slow->open(slow->seal(ticket, rng, kOrigin), kOrigin + Duration::seconds(300 * 24 * 3600)) == ticket);
  }

  TEST_CASE("threads share a ring") {
    SeededRng rng(18);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kOrigin);
    // The window holds all periods, since no thread waits for the others.
    const TicketKeys::Ratchet ratchet = {.origin = kOrigin, .period = kPeriod, .periods_open = 20};
    const auto keys = TicketKeys::ratcheted(crypto::best(), ticket_secret(7), ratchet);
    std::array<bool, 4> all_opened{};
    std::vector<std::thread> threads;
    for (size_t i = 0; i < all_opened.size(); i++) {
      threads.emplace_back([&, i] {
        SeededRng own(100 + i);
        bool opened = true;
        for (int64_t step = 0; step < 200; step++) {
          const UnixTime now = in_period(step / 10);
          opened = opened && keys->open(keys->seal(ticket, own, now), now) == ticket;
        }
        all_opened[i] = opened;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(std::ranges::count(all_opened, true) == 4);
  }
}

}  // namespace
}  // namespace quoll::tls
