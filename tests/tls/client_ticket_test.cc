#include "tls/client_ticket.h"

#include <algorithm>
#include <map>

#include "crypto/failure.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::SeededRng;

constexpr UnixTime kReceived = UnixTime::from_seconds(1'700'000'000);

crypto::Digest digest_of(size_t size, SeededRng& rng) {
  crypto::Digest digest(size);
  rng.fill({digest.data(), size});
  return digest;
}

ClientTicket sample(SeededRng& rng, std::string server_name = "example.com") {
  ClientTicket ticket;
  ticket.server_name = std::move(server_name);
  ticket.application_protocol = "h3";
  ticket.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  ticket.psk = digest_of(32, rng);
  ticket.ticket = rng.bytes(192);
  ticket.lifetime_seconds = 7'200;
  ticket.age_add = 0xfffffff0;
  ticket.max_early_data_size = 0xffffffff;
  ticket.received = kReceived;
  ticket.authenticated_until = kReceived + Duration::seconds(30 * 24 * 3600);
  ticket.server_verified = true;
  ticket.transport_parameters = rng.bytes(64);
  ticket.application_settings = rng.bytes(12);
  return ticket;
}

bool is_malformed(const Result<ClientTicket>& result) {
  return !result && result.error().domain == ErrorDomain::crypto &&
         result.error().code == static_cast<uint64_t>(crypto::Failure::malformed);
}

TEST_SUITE("client_ticket") {
  // RFC 8446 §4.6.1.
  TEST_CASE("a ticket is usable from its receipt until its lifetime is over") {
    SeededRng rng(1);
    const ClientTicket ticket = sample(rng);
    CHECK_FALSE(ticket.is_usable(kReceived - Duration::milliseconds(1)));
    CHECK(ticket.is_usable(kReceived));
    CHECK(ticket.is_usable(kReceived + Duration::milliseconds(7'199'999)));
    CHECK_FALSE(ticket.is_usable(kReceived + Duration::seconds(7'200)));
    CHECK_FALSE(ticket.is_usable(kReceived + Duration::seconds(20 * 24 * 3600)));
  }

  // RFC 8446 §4.6.1.
  TEST_CASE("no lifetime makes a ticket usable for more than seven days, and a lifetime of zero for no time at all") {
    SeededRng rng(2);
    ClientTicket ticket = sample(rng);
    ticket.lifetime_seconds = 0xffffffff;
    CHECK(ticket.is_usable(kReceived + Duration::milliseconds(604'799'999)));
    CHECK_FALSE(ticket.is_usable(kReceived + Duration::seconds(604'800)));
    ticket.lifetime_seconds = 0;
    CHECK_FALSE(ticket.is_usable(kReceived));
  }

  TEST_CASE("a ticket does not outlive the certificate that authenticated the server") {
    SeededRng rng(3);
    ClientTicket ticket = sample(rng);
    ticket.authenticated_until = kReceived + Duration::seconds(60);
    CHECK(ticket.is_usable(kReceived + Duration::seconds(60)));
    CHECK_FALSE(ticket.is_usable(kReceived + Duration::milliseconds(60'001)));
  }

  // RFC 8446 §4.2.11.1.
  TEST_CASE("the obfuscated age is the age in milliseconds plus age_add modulo 2^32") {
    SeededRng rng(4);
    ClientTicket ticket = sample(rng);
    CHECK(ticket.obfuscated_age(kReceived) == 0xfffffff0);
    CHECK(ticket.obfuscated_age(kReceived + Duration::milliseconds(0x1234)) == 0x1224);
    CHECK(ticket.obfuscated_age(kReceived - Duration::milliseconds(5)) == 0xfffffff0);
    ticket.age_add = 0;
    CHECK(ticket.obfuscated_age(kReceived + Duration::seconds(3)) == 3'000);
  }

  TEST_CASE("what was encoded decodes to the same ticket") {
    SeededRng rng(5);
    const ClientTicket ticket = sample(rng);
    const Result<ClientTicket> decoded = ClientTicket::decode(ticket.encode());
    REQUIRE(decoded.has_value());
    CHECK(*decoded == ticket);

    ClientTicket bare;
    bare.cipher_suite = CipherSuite::aes_256_gcm_sha384;
    bare.psk = digest_of(48, rng);
    bare.ticket = {1};
    bare.received = UnixTime::from_seconds(-5);
    const Result<ClientTicket> again = ClientTicket::decode(bare.encode());
    REQUIRE(again.has_value());
    CHECK(*again == bare);
  }

  TEST_CASE("every byte of an encoding counts") {
    SeededRng rng(6);
    const ClientTicket ticket = sample(rng);
    const std::vector<uint8_t> encoded = ticket.encode();
    for (size_t i = 0; i < encoded.size(); i++) {
      std::vector<uint8_t> changed = encoded;
      changed[i] ^= 0x01;
      const Result<ClientTicket> decoded = ClientTicket::decode(changed);
      if (decoded) CHECK_FALSE(*decoded == ticket);
    }
  }

  TEST_CASE("a cut or longer encoding, another version, and a suite that is not known are refused") {
    SeededRng rng(7);
    std::vector<uint8_t> encoded = sample(rng).encode();
    for (size_t size = 0; size < encoded.size(); size++)
      CHECK(is_malformed(ClientTicket::decode({encoded.data(), size})));
    encoded.push_back(0);
    CHECK(is_malformed(ClientTicket::decode(encoded)));
    encoded.pop_back();
    REQUIRE(ClientTicket::decode(encoded).has_value());
    encoded[0] = 2;
    CHECK(is_malformed(ClientTicket::decode(encoded)));
    encoded[0] = 1;
    encoded[2] = 0x04;  // TLS_AES_128_CCM_SHA256
    CHECK(is_malformed(ClientTicket::decode(encoded)));
  }

  TEST_CASE("times outside of years 0 to 9999 are refused") {
    SeededRng rng(8);
    std::vector<uint8_t> encoded = sample(rng).encode();
    constexpr size_t kReceivedAt = 1 + 2 + 32 + 12;
    store_be(&encoded[kReceivedAt], uint64_t{253'402'300'799'999});
    REQUIRE(ClientTicket::decode(encoded).has_value());
    CHECK_FALSE(ClientTicket::decode(encoded)->is_usable(kReceived));
    store_be(&encoded[kReceivedAt], uint64_t{253'402'300'800'000});
    CHECK(is_malformed(ClientTicket::decode(encoded)));
    store_be(&encoded[kReceivedAt], uint64_t{1} << 63);
    CHECK(is_malformed(ClientTicket::decode(encoded)));
  }

  TEST_CASE("a ticket that has no encoding encodes to nothing") {
    SeededRng rng(9);
    const ClientTicket good = sample(rng);
    REQUIRE_FALSE(good.encode().empty());
    ClientTicket ticket = good;
    ticket.server_name = std::string(256, 'a');
    CHECK(ticket.encode().empty());
    ticket = good;
    ticket.ticket.clear();
    CHECK(ticket.encode().empty());
    ticket = good;
    ticket.transport_parameters.resize(65'536);
    CHECK(ticket.encode().empty());
    ticket = good;
    ticket.cipher_suite = CipherSuite::aes_256_gcm_sha384;  // whose PSKs have 48 bytes
    CHECK(ticket.encode().empty());
    ticket = good;
    ticket.received = UnixTime::from_milliseconds(INT64_MAX);
    CHECK(ticket.encode().empty());
  }
}

TEST_SUITE("client_ticket_store") {
  // RFC 8446 appendix C.4.
  TEST_CASE("a ticket is given out once, the newest first") {
    SeededRng rng(10);
    ClientTicketStore store;
    ClientTicket first = sample(rng), second = sample(rng);
    store.put(first);
    store.put(second);
    CHECK(store.size() == 2);
    CHECK(store.take("example.com", kReceived) == second);
    CHECK(store.take("example.com", kReceived) == first);
    CHECK(store.size() == 0);
    CHECK_FALSE(store.take("example.com", kReceived));
  }

  TEST_CASE("tickets of other servers are not given out") {
    SeededRng rng(11);
    ClientTicketStore store;
    store.put(sample(rng, "a.example"));
    CHECK_FALSE(store.take("b.example", kReceived));
    CHECK_FALSE(store.take("", kReceived));
    CHECK(store.take("a.example", kReceived));
  }

  TEST_CASE("tickets that cannot be used any more are dropped on the way to one that can") {
    SeededRng rng(12);
    ClientTicketStore store;
    ClientTicket lasting = sample(rng), brief = sample(rng);
    brief.lifetime_seconds = 1;
    store.put(lasting);
    store.put(brief);
    store.put(brief);
    CHECK(store.take("example.com", kReceived + Duration::seconds(2)) == lasting);
    CHECK(store.size() == 0);
    store.put(brief);
    CHECK_FALSE(store.take("example.com", kReceived + Duration::seconds(2)));
    CHECK(store.size() == 0);
  }

  TEST_CASE("the oldest ticket of a server goes when there are too many") {
    SeededRng rng(13);
    ClientTicketStore store(2, 2);
    const ClientTicket a = sample(rng), b = sample(rng), c = sample(rng);
    for (const ClientTicket& ticket : {a, b, c}) store.put(ticket);
    CHECK(store.size() == 2);
    CHECK(store.take("example.com", kReceived) == c);
    CHECK(store.take("example.com", kReceived) == b);
  }

  TEST_CASE("the server that was filled longest ago goes when there are too many") {
    SeededRng rng(14);
    ClientTicketStore store(2, 4);
    store.put(sample(rng, "a"));
    store.put(sample(rng, "b"));
    store.put(sample(rng, "a"));
    store.put(sample(rng, "c"));
    CHECK(store.size() == 3);
    CHECK_FALSE(store.take("b", kReceived));
    CHECK(store.take("a", kReceived));
    CHECK(store.take("a", kReceived));
    CHECK(store.take("c", kReceived));
  }

  TEST_CASE("a store for nothing holds nothing") {
    SeededRng rng(15);
    ClientTicketStore no_servers(0, 4), no_tickets(4, 0);
    no_servers.put(sample(rng));
    no_tickets.put(sample(rng));
    CHECK(no_servers.size() == 0);
    CHECK(no_tickets.size() == 0);
  }

  TEST_CASE("a store does what a naive list does") {
    const uint64_t seed = tests::test_seed(16);
    INFO("seed " << seed);
    SeededRng rng(seed);
    ClientTicketStore store(3, 2);
    struct Kept {
      std::string server;
      uint32_t id;
    };
    std::vector<Kept> model;           // oldest first
    std::vector<std::string> servers;  // least recently filled first
    const auto tickets_of = [&](const std::string& server) { return std::ranges::count(model, server, &Kept::server); };
    const auto drop_oldest = [&](const std::string& server) {
      model.erase(std::ranges::find(model, server, &Kept::server));
    };
    for (uint32_t id = 1; id <= 3'000; id++) {
      const std::string server(1, static_cast<char>('a' + rng.below(6)));
      if (rng.below(3) != 0) {
        ClientTicket ticket = sample(rng, server);
        ticket.age_add = id;
        store.put(ticket);
        std::erase(servers, server);
        if (servers.size() == 3) {
          std::erase_if(model, [&](const Kept& kept) { return kept.server == servers.front(); });
          servers.erase(servers.begin());
        }
        servers.push_back(server);
        if (tickets_of(server) == 2) drop_oldest(server);
        model.push_back({server, id});
      } else {
        const std::optional<ClientTicket> taken = store.take(server, kReceived);
        REQUIRE(taken.has_value() == (tickets_of(server) != 0));
        if (taken) {
          const auto newest =
              std::find_if(model.rbegin(), model.rend(), [&](const Kept& k) { return k.server == server; });
          REQUIRE(taken->age_add == newest->id);
          model.erase(std::next(newest).base());
          if (tickets_of(server) == 0) std::erase(servers, server);
        }
      }
      REQUIRE(store.size() == model.size());
    }
  }
}

}  // namespace
}  // namespace quoll::tls
