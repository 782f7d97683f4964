// NewSessionTickets that a client takes (RFC 8446 §4.6.1, RFC 9001 §4.6.1).
#include "tests/tls/support.h"
#include "tls/client_handshake.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using namespace tests;

const Established& established() {
  static const Established made = [] {
    Established filled;
    filled.cipher_suite = CipherSuite::aes_128_gcm_sha256;
    filled.resumption_master = crypto::Digest(32);
    return filled;
  }();
  return made;
}

Result<std::optional<ClientTicket>> accept(Mode mode, const NewSessionTicket& message,
                                           UnixTime authenticated_until = kNow + kDay) {
  std::vector<uint8_t> whole;
  append_message(whole, [&](auto& sink) { write_new_session_ticket(sink, message); });
  const std::vector<uint8_t> parameters = {1, 2};
  return accept_ticket({.provider = crypto::best(),
                        .mode = mode,
                        .established = established(),
                        .server_name = "example.com",
                        .application_protocol = "h3",
                        .authenticated_until = authenticated_until,
                        .transport_parameters = parameters,
                        .server_verified = true},
                       Bytes(whole).subspan(kHandshakeHeaderSize), kNow);
}

constexpr uint8_t kTicket[] = {1, 2, 3};
constexpr uint8_t kNonce[] = {9};

NewSessionTicket make_message() {
  NewSessionTicket message;
  message.lifetime_seconds = 3600;
  message.age_add = 0x01020304;
  message.nonce = kNonce;
  message.ticket = kTicket;
  return message;
}

int alert_of(const Result<std::optional<ClientTicket>>& result) {
  return result ? -1 : tests::alert_of(std::unexpected(result.error()));
}

TEST_CASE("a NewSessionTicket becomes a ticket with all that resumption wants to know") {
  const auto accepted = accept(Mode::quic, make_message());
  REQUIRE(accepted.has_value());
  REQUIRE(accepted->has_value());
  const ClientTicket& ticket = **accepted;
  CHECK(ticket.server_name == "example.com");
  CHECK(ticket.application_protocol == "h3");
  CHECK(ticket.cipher_suite == CipherSuite::aes_128_gcm_sha256);
  CHECK(ticket.ticket == std::vector<uint8_t>{1, 2, 3});
  CHECK(ticket.lifetime_seconds == 3600);
  CHECK(ticket.age_add == 0x01020304);
  CHECK(ticket.max_early_data_size == 0);
  CHECK(ticket.received == kNow);
  CHECK(ticket.authenticated_until == kNow + kDay);
  CHECK(ticket.transport_parameters == std::vector<uint8_t>{1, 2});
  CHECK(ticket.psk == resumption_psk(*crypto::best().sha256, established().resumption_master, kNonce));
}

// RFC 8446 §4.6.1.
TEST_CASE("a lifetime of more than seven days is an illegal_parameter, and one of zero throws the ticket away") {
  NewSessionTicket message = make_message();
  message.lifetime_seconds = kTicketLifetimeMax;
  CHECK(accept(Mode::quic, message).value_or(std::nullopt).has_value());
  message.lifetime_seconds = kTicketLifetimeMax + 1;
  CHECK(alert_of(accept(Mode::quic, message)) == static_cast<int>(Alert::illegal_parameter));
  message.lifetime_seconds = 0;
  const auto thrown_away = accept(Mode::quic, message);
  REQUIRE(thrown_away.has_value());
  CHECK(!thrown_away->has_value());
}

TEST_CASE("a ticket that no ClientHello has room for is thrown away") {
  NewSessionTicket message = make_message();
  std::vector<uint8_t> large(kTicketSizeMax, 1);
  message.ticket = large;
  CHECK(accept(Mode::quic, message).value_or(std::nullopt).has_value());
  large.push_back(1);
  message.ticket = large;
  const auto thrown_away = accept(Mode::quic, message);
  REQUIRE(thrown_away.has_value());
  CHECK(!thrown_away->has_value());
}

// RFC 9001 §4.6.1.
TEST_CASE("over QUIC the limit of early data is 2^32 - 1 and nothing else") {
  NewSessionTicket message = make_message();
  message.max_early_data_size = 0xffffffff;
  const auto unlimited = accept(Mode::quic, message);
  REQUIRE((unlimited.has_value() && unlimited->has_value()));
  CHECK((*unlimited)->max_early_data_size == 0xffffffff);
  for (const uint32_t size : {uint32_t{0}, uint32_t{16'384}, uint32_t{0xfffffffe}}) {
    message.max_early_data_size = size;
    CHECK(alert_of(accept(Mode::quic, message)) == kProtocolViolation);
    const auto over_stream = accept(Mode::stream, message);
    REQUIRE((over_stream.has_value() && over_stream->has_value()));
    CHECK((*over_stream)->max_early_data_size == size);
  }
}

TEST_CASE("an empty ticket is a decode_error") {
  NewSessionTicket message = make_message();
  message.ticket = {};
  CHECK(alert_of(accept(Mode::quic, message)) == static_cast<int>(Alert::decode_error));
}

TEST_CASE("a ticket of a server whose certificate has expired meanwhile is thrown away") {
  const auto expired = accept(Mode::quic, make_message(), kNow - Duration::seconds(1));
  REQUIRE(expired.has_value());
  CHECK(!expired->has_value());
}

}  // namespace
}  // namespace quoll::tls
