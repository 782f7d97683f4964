// The encoding of what a server's ticket holds. The keys that seal it have ticket_keys_test.cc.
#include "tls/server_ticket.h"

#include "crypto/failure.h"
#include "tests/tls/ticket_support.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::SeededRng;

constexpr UnixTime kIssued = UnixTime::from_seconds(1'700'000'000);

bool is_malformed(const Result<ServerTicket>& result) {
  return !result && result.error().domain == ErrorDomain::crypto &&
         result.error().code == static_cast<uint64_t>(crypto::Failure::malformed);
}

TEST_SUITE("server_ticket") {
  TEST_CASE("what was encoded decodes to the same ticket") {
    SeededRng rng(1);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kIssued);
    const Result<ServerTicket> decoded = ServerTicket::decode(ticket.encode());
    REQUIRE(decoded.has_value());
    CHECK(*decoded == ticket);

    ServerTicket bare;
    bare.cipher_suite = CipherSuite::chacha20_poly1305_sha256;
    bare.psk = crypto::Digest(32);
    const Result<ServerTicket> again = ServerTicket::decode(bare.encode());
    REQUIRE(again.has_value());
    CHECK(*again == bare);
  }

  TEST_CASE("every byte of an encoding counts") {
    SeededRng rng(2);
    const ServerTicket ticket = tests::sample_server_ticket(rng, kIssued);
    const std::vector<uint8_t> encoded = ticket.encode();
    for (size_t i = 0; i < encoded.size(); i++) {
      std::vector<uint8_t> changed = encoded;
      changed[i] ^= 0x01;
      const Result<ServerTicket> decoded = ServerTicket::decode(changed);
      if (decoded) CHECK_FALSE(*decoded == ticket);
    }
  }

  TEST_CASE("a cut or longer encoding, another version, and a time beyond year 9999 are refused") {
    SeededRng rng(3);
    std::vector<uint8_t> encoded = tests::sample_server_ticket(rng, kIssued).encode();
    for (size_t size = 0; size < encoded.size(); size++)
      CHECK(is_malformed(ServerTicket::decode({encoded.data(), size})));
    encoded.push_back(0);
    CHECK(is_malformed(ServerTicket::decode(encoded)));
    encoded.pop_back();
    REQUIRE(ServerTicket::decode(encoded).has_value());
    encoded[0] = 0;
    CHECK(is_malformed(ServerTicket::decode(encoded)));
    encoded[0] = 2;
    store_be(&encoded[1 + 2 + 48], uint64_t{253'402'300'800'000});
    CHECK(is_malformed(ServerTicket::decode(encoded)));
  }

  TEST_CASE("fields are taken up to their limits and not beyond") {
    SeededRng rng(4);
    ServerTicket largest = tests::sample_server_ticket(rng, kIssued);
    largest.server_name = std::string(255, 'n');
    largest.application_protocol = std::string(255, 'p');
    largest.resumption_context = rng.bytes(16);
    largest.early_data_context = rng.bytes(1'024);
    largest.client_certificate = rng.bytes(4'096);
    const Result<ServerTicket> decoded = ServerTicket::decode(largest.encode());
    REQUIRE(decoded.has_value());
    CHECK(*decoded == largest);

    ServerTicket ticket = largest;
    ticket.server_name += 'n';
    CHECK(ticket.encode().empty());
    ticket = largest;
    ticket.application_protocol += 'p';
    CHECK(ticket.encode().empty());
    ticket = largest;
    ticket.resumption_context.push_back(0);
    CHECK(ticket.encode().empty());
    ticket = largest;
    ticket.early_data_context.push_back(0);
    CHECK(ticket.encode().empty());
    ticket = largest;
    ticket.client_certificate.push_back(0);
    CHECK(ticket.encode().empty());
    ticket = largest;
    ticket.psk = crypto::Digest(32);  // the suite's PSKs have 48 bytes
    CHECK(ticket.encode().empty());
    ticket = largest;
    ticket.issued = UnixTime::from_milliseconds(INT64_MIN);
    CHECK(ticket.encode().empty());
  }

  TEST_CASE("a field that says more than its limit is refused when it is read, too") {
    SeededRng rng(5);
    ServerTicket ticket = tests::sample_server_ticket(rng, kIssued);
    ticket.resumption_context = rng.bytes(16);
    ticket.early_data_context = rng.bytes(1'024);
    ticket.client_certificate.clear();
    const std::vector<uint8_t> good = ticket.encode();
    const size_t early_data_context_at = good.size() - 2 - 1'024 - 2;
    const size_t resumption_context_at = early_data_context_at - 16 - 2;
    for (const auto& [at, size] : {std::pair(early_data_context_at, uint16_t{1'024}), {resumption_context_at, 16}}) {
      std::vector<uint8_t> encoded = good;
      REQUIRE(load_be<uint16_t>(&encoded[at]) == size);
      store_be(&encoded[at], static_cast<uint16_t>(size + 1));
      encoded.insert(encoded.begin() + static_cast<std::ptrdiff_t>(at + 2 + size), 0);
      CHECK(is_malformed(ServerTicket::decode(encoded)));
    }
  }
}

}  // namespace
}  // namespace quoll::tls
