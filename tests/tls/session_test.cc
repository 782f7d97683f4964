#include "tls/session.h"

#include "tests/support/heap.h"
#include "tests/tls/puppet.h"
#include "tests/tls/support.h"

#include <doctest/doctest.h>  // last: its macros must not reach our headers

namespace quoll::tls::tests {
namespace {

using quoll::tests::heap_bytes;

std::vector<uint8_t> exported(const Session& session, std::string_view label, std::string_view context) {
  std::vector<uint8_t> out(48);
  REQUIRE(session.export_keying_material(label, as_bytes(context), out).has_value());
  return out;
}

bool is_usage_error(const Result<void>& result) { return !result && result.error().domain == ErrorDomain::usage; }

}  // namespace

TEST_CASE("A failed session stays failed, with the same error") {
  Scene scene(Mode::quic);
  Session client = must(scene.make_client());
  const auto first = client.receive(Level::initial, raw_message(HandshakeType::finished, {}), kNow);
  REQUIRE(!first);
  const auto second = client.receive(Level::initial, {}, kNow);
  REQUIRE(!second);
  CHECK(second.error().code == first.error().code);
  CHECK(std::string_view(second.error().reason) == first.error().reason);
  CHECK(!client.is_complete());
}

TEST_CASE("Both sides export the same keying material, and it depends on label, context and connection") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    Scene scene(mode);
    Pump pump = scene.pump(), other = scene.pump();
    REQUIRE(pump.run().has_value());
    REQUIRE(other.run().has_value());
    const auto material = exported(pump.client().session, "EXPORTER-test", "context");
    CHECK(material == exported(pump.server().session, "EXPORTER-test", "context"));
    CHECK(material != exported(pump.client().session, "EXPORTER-test", ""));
    CHECK(material != exported(pump.client().session, "EXPORTER-other", "context"));
    CHECK(material != exported(other.client().session, "EXPORTER-test", "context"));
    pump.client().session.confirm();
    CHECK(material == exported(pump.client().session, "EXPORTER-test", "context"));
  }
}

TEST_CASE("What cannot be asked of a session yet, or at all, is a usage error and does no harm") {
  Scene scene(Mode::quic);
  Session client = must(scene.make_client());
  uint8_t room[32];
  CHECK(is_usage_error(client.export_keying_material("EXPORTER-test", {}, room)));
  CHECK(is_usage_error(client.export_early_keying_material("EXPORTER-test", {}, room)));
  CHECK(is_usage_error(client.update_keys(false)));
  CHECK(is_usage_error(client.send_ticket(kNow)));
  CHECK(is_usage_error(client.set_transport_parameters({1}, kNow)));
  CHECK(is_usage_error(client.set_resumption_context({1})));
  Session server = scene.make_server();
  CHECK(is_usage_error(server.set_transport_parameters({1}, kNow)));  // nothing waits for them
  CHECK(is_usage_error(server.send_ticket(kNow)));
  Pump pump(std::move(client), std::move(server));
  REQUIRE(pump.run().has_value());
  CHECK(pump.complete());
  CHECK(is_usage_error(pump.client().session.update_keys(false)));  // QUIC has its own
}

TEST_CASE("A server sends further tickets on demand, each different") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.server.tickets = 1;
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  for (int i = 0; i < 3; i++) REQUIRE(pump.server().session.send_ticket(kNow).has_value());
  REQUIRE(pump.run().has_value());
  const auto& tickets = pump.client().tickets;
  REQUIRE(tickets.size() == 4);
  for (size_t i = 1; i < tickets.size(); i++) {
    CHECK(tickets[i].ticket != tickets[0].ticket);
    CHECK(tickets[i].psk != tickets[0].psk);
  }
}

TEST_CASE("The context of tickets changes until the first one is issued, and not to one that is too large") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.server.tickets = 0;
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  Session& server = pump.server().session;
  const std::vector<uint8_t> largest(ServerTicket::kResumptionContextSizeMax, 7);
  CHECK(server.set_resumption_context({1}).has_value());
  CHECK(server.set_resumption_context(largest).has_value());
  CHECK(is_usage_error(server.set_resumption_context(std::vector<uint8_t>(largest.size() + 1))));
  REQUIRE(server.send_ticket(kNow).has_value());
  CHECK(is_usage_error(server.set_resumption_context({1})));
  REQUIRE(server.send_ticket(kNow).has_value());
  REQUIRE(pump.run().has_value());
  REQUIRE(pump.client().tickets.size() == 2);
  for (const ClientTicket& ticket : pump.client().tickets) {
    CHECK(scene.server.ticket_keys->open(ticket.ticket, kNow)->resumption_context == largest);
  }
}

TEST_CASE("A client keeps no more tickets of a connection than its limit") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.server.tickets = kTicketsKeptMax + 5;
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  CHECK(pump.client().tickets.size() == kTicketsKeptMax);
}

TEST_CASE("A ticket that is too large to be kept does not end the connection") {
  Scene scene(Mode::quic);
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  Session& client = pump.client().session;
  const std::vector<uint8_t> large(40'000, 1);
  NewSessionTicket message{.lifetime_seconds = 60, .age_add = 0, .nonce = {}, .ticket = large};
  const auto receive = [&] {
    std::vector<uint8_t> bytes;
    append_message(bytes, [&](auto& sink) { write_new_session_ticket(sink, message); });
    return client.receive(Level::application, bytes, kNow);
  };
  CHECK(receive().has_value());
  CHECK(!client.poll().has_value());
  message.ticket = Bytes(large).first(kTicketSizeMax);
  CHECK(receive().has_value());
  CHECK(client.poll().has_value());
  // What a client sends after the handshake is short.
  CHECK(!pump.server().session.receive(Level::application, raw_message(HandshakeType::key_update, large), kNow));
}

TEST_CASE("A ticket that has come in part when the session is confirmed is not lost") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  REQUIRE(pump.complete());
  REQUIRE(pump.server().session.send_ticket(kNow).has_value());
  std::vector<uint8_t> ticket;
  while (std::optional<Output> output = pump.server().session.poll()) {
    if (const Send* send = std::get_if<Send>(&*output))
      ticket.insert(ticket.end(), send->bytes.begin(), send->bytes.end());
  }
  REQUIRE(ticket.size() > 100);
  Session& client = pump.client().session;
  REQUIRE(client.receive(Level::application, Bytes(ticket).first(100), kNow).has_value());
  client.confirm();
  REQUIRE(client.receive(Level::application, Bytes(ticket).subspan(100), kNow).has_value());
  const std::optional<Output> output = client.poll();
  REQUIRE(output.has_value());
  CHECK(std::holds_alternative<TicketReceived>(*output));
}

TEST_CASE("A session without a configuration is a usage error") {
  SeededRng rng(1);
  const Result<Session> client = Session::client(nullptr, {}, rng, kNow);
  const Result<Session> server = Session::server(nullptr, {}, rng);
  REQUIRE(!client);
  REQUIRE(!server);
  CHECK(client.error().domain == ErrorDomain::usage);
  CHECK(server.error().domain == ErrorDomain::usage);
}

TEST_CASE("Key updates over a stream change one direction each, and both sides follow") {
  Scene scene(Mode::stream);
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  const auto before = pump.client().secrets.at({Level::application, Direction::write}).secret;
  const auto before_of_server = pump.server().secrets.at({Level::application, Direction::write}).secret;
  REQUIRE(pump.client().session.update_keys(false).has_value());
  REQUIRE(pump.run().has_value());
  CHECK(pump.secrets_agree());
  const auto after = pump.client().secrets.at({Level::application, Direction::write}).secret;
  CHECK(after != before);
  CHECK(pump.server().secrets.at({Level::application, Direction::write}).secret == before_of_server);
  REQUIRE(pump.client().session.update_keys(true).has_value());
  REQUIRE(pump.run().has_value());
  CHECK(pump.secrets_agree());
  CHECK(pump.server().secrets.at({Level::application, Direction::write}).secret != before_of_server);
}

TEST_CASE("A confirmed session holds less than a kibibyte") {
  if (!quoll::tests::heap_is_counted()) {
    MESSAGE("SKIPPED: a sanitizer counts in its own way");
    return;
  }
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    Scene scene(mode);
    scene.give_tickets();
    const auto client_config = std::make_shared<const ClientConfig>(scene.client);
    const auto server_config = std::make_shared<const ServerConfig>(scene.server);
    Pump first = scene.pump();  // what is allocated once and for all is there then
    REQUIRE(first.run().has_value());
    const size_t before = heap_bytes();
    std::optional<Session> client, server;
    {
      Pump pump(must(Session::client(client_config, scene.client_options, scene.rng, kNow)),
                must(Session::server(server_config, scene.server_options, scene.rng)));
      REQUIRE(pump.run().has_value());
      REQUIRE(pump.complete());
      client.emplace(std::move(pump.client().session));
      server.emplace(std::move(pump.server().session));
    }
    const size_t after_handshake = heap_bytes() - before;
    client->confirm();
    server->confirm();
    const size_t confirmed = heap_bytes() - before;
    client.reset();
    const size_t of_server = heap_bytes() - before;
    server.reset();
    const size_t left = heap_bytes() - before;
    MESSAGE(std::string(mode == Mode::quic ? "QUIC" : "stream"), ": client and server hold ", confirmed,
            " bytes, before confirm() ", after_handshake);
    CHECK(of_server < 1024);
    CHECK(confirmed - of_server < 1024);
    CHECK(left == 0);
  }
}

}  // namespace quoll::tls::tests
