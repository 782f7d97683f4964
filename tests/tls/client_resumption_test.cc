// Resumption, 0-RTT and external PSKs, seen from the client (RFC 8446 §2.2, §2.3, §4.2.10, §4.2.11; RFC 9001 §4.5, §4.6).
#include "tests/tls/support.h"
#include "tls/client_handshake.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using namespace tests;

constexpr UnixTime kLater = kNow + Duration::seconds(60);

/// A full handshake in the scene; the client's tickets go into its options, the last one first.
ClientTicket take_ticket(Scene& scene) {
  Pump pump = scene.pump();
  REQUIRE(pump.run().has_value());
  REQUIRE(!pump.client().tickets.empty());
  scene.client_options.ticket = pump.client().tickets.back();
  return pump.client().tickets.back();
}

void check_complete(Pump& pump) {
  const Result<void> done = pump.run(kLater);
  INFO("reason: " << std::string(done ? "" : done.error().reason));
  REQUIRE(done.has_value());
  CHECK(pump.complete());
  CHECK(pump.disorder() == "");
  CHECK(pump.secrets_agree());
}

TEST_CASE("a ticket resumes the session, with every suite and in both modes") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const CipherSuite suite :
         {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
      Scene scene(mode);
      scene.give_tickets();
      scene.client.preferences.cipher_suites = {suite};
      const ClientTicket ticket = take_ticket(scene);
      CHECK(ticket.server_name == "example.com");
      CHECK(ticket.application_protocol == "h3");
      CHECK(ticket.cipher_suite == suite);
      CHECK(ticket.authenticated_until == kNow + kDay);
      CHECK(ticket.transport_parameters == scene.server_options.transport_parameters);

      Pump pump = scene.pump(SIZE_MAX, kLater);
      check_complete(pump);
      CHECK(pump.client().session.negotiated().resumed);
      CHECK(pump.server().session.negotiated().resumed);
      CHECK(pump.client().session.negotiated().peer_certificates.empty());
      CHECK(!pump.client().early_data.has_value());
      // The new tickets go back to the same certificate.
      REQUIRE(!pump.client().tickets.empty());
      CHECK(pump.client().tickets.back().authenticated_until == ticket.authenticated_until);
    }
  }
}

TEST_CASE("a ticket of one suite resumes with another one of the same hash, and is left out when there is none") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.client.preferences.cipher_suites = {CipherSuite::aes_128_gcm_sha256};
  take_ticket(scene);

  scene.client.preferences.cipher_suites = {CipherSuite::chacha20_poly1305_sha256};
  scene.client_options.early_data = true;
  Pump same_hash = scene.pump(SIZE_MAX, kLater);
  check_complete(same_hash);
  CHECK(same_hash.client().session.negotiated().resumed);
  // RFC 8446 §4.2.10: early data wants the very suite.
  CHECK(!same_hash.client().early_data.has_value());

  scene.client.preferences.cipher_suites = {CipherSuite::aes_256_gcm_sha384};
  Pump other_hash = scene.pump(SIZE_MAX, kLater);
  check_complete(other_hash);
  CHECK(!other_hash.client().session.negotiated().resumed);
}

TEST_CASE("a ticket for another name, or one whose time is over, is not offered") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  const ClientTicket ticket = take_ticket(scene);
  {
    scene.client_options.ticket->server_name = "www.example.com";
    Pump pump = scene.pump(SIZE_MAX, kLater);
    check_complete(pump);
    CHECK(!pump.client().session.negotiated().resumed);
  }
  {
    scene.client_options.ticket = ticket;
    scene.client_options.ticket->lifetime_seconds = 59;
    Pump pump = scene.pump(SIZE_MAX, kLater);
    check_complete(pump);
    CHECK(!pump.client().session.negotiated().resumed);
  }
}

TEST_CASE("a ticket of a server that nobody verified does not spare another connection that") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.client.verification = PeerVerification::none;
  CHECK(!take_ticket(scene).server_verified);
  {
    Pump pump = scene.pump(SIZE_MAX, kLater);
    check_complete(pump);
    CHECK(pump.client().session.negotiated().resumed);
  }
  scene.client.verification = PeerVerification::chain;
  {
    Pump pump = scene.pump(SIZE_MAX, kLater);
    check_complete(pump);
    CHECK(!pump.client().session.negotiated().resumed);
    CHECK(pump.client().tickets.back().server_verified);
  }
}

TEST_CASE("early data is accepted with its keys in order, in both modes and with every suite") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const CipherSuite suite :
         {CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384, CipherSuite::chacha20_poly1305_sha256}) {
      for (const size_t chunk : {size_t{1}, SIZE_MAX}) {
        Scene scene(mode);
        scene.give_tickets();
        scene.client.preferences.cipher_suites = {suite};
        take_ticket(scene);
        scene.client_options.early_data = true;
        Pump pump = scene.pump(chunk, kLater);

        uint8_t of_client[16];
        REQUIRE(pump.client().session.export_early_keying_material("EXPORTER-early", {}, of_client).has_value());
        check_complete(pump);
        CHECK(pump.client().early_data == true);
        CHECK(pump.client().session.negotiated().early_data);
        CHECK(pump.server().session.negotiated().early_data);
        uint8_t of_server[16];
        REQUIRE(pump.server().session.export_early_keying_material("EXPORTER-early", {}, of_server).has_value());
        CHECK(std::equal(std::begin(of_client), std::end(of_client), std::begin(of_server)));

        // RFC 8446 §4.5, RFC 9001 §8.3: EndOfEarlyData is for streams alone.
        CHECK(pump.client().sent.contains(Level::early_data) == (mode == Mode::stream));
        CHECK(pump.client().secrets.contains({Level::early_data, Direction::write}));
        CHECK(pump.server().secrets.contains({Level::early_data, Direction::read}));
      }
    }
  }
}

TEST_CASE("early data that a server refuses leaves the session resumed, and its decision comes before other keys") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    Scene scene(mode);
    scene.give_tickets();
    take_ticket(scene);
    scene.client_options.early_data = true;
    scene.server.anti_replay.reset();
    Pump pump = scene.pump(SIZE_MAX, kLater);
    check_complete(pump);
    CHECK(pump.client().early_data == false);
    CHECK(!pump.client().session.negotiated().early_data);
    CHECK(pump.client().session.negotiated().resumed);
    CHECK(!pump.client().sent.contains(Level::early_data));
    uint8_t out[16];
    CHECK(!pump.client().session.export_early_keying_material("EXPORTER-early", {}, out).has_value());
  }
}

TEST_CASE("early data falls with its ticket when the server does not know that") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    Scene scene(mode);
    scene.give_tickets();
    take_ticket(scene);
    scene.client_options.early_data = true;
    scene.give_tickets();  // other keys
    Pump pump = scene.pump(SIZE_MAX, kLater);
    check_complete(pump);
    CHECK(pump.client().early_data == false);
    CHECK(!pump.client().session.negotiated().resumed);
    CHECK(pump.client().session.negotiated().peer_certificates.size() == 1);
  }
}

// RFC 8446 §4.2.10.
TEST_CASE("a HelloRetryRequest rejects early data, and the session is resumed all the same") {
  for (const Mode mode : {Mode::quic, Mode::stream}) {
    for (const bool cookie : {false, true}) {
      Scene scene(mode);
      scene.give_tickets();
      take_ticket(scene);
      scene.client_options.early_data = true;
      scene.client.key_shares = 1;
      scene.server.preferences.groups = {NamedGroup::secp384r1};
      scene.server.hello_retry_cookie = cookie;
      Pump pump = scene.pump(SIZE_MAX, kLater);
      check_complete(pump);
      CHECK(pump.client().early_data == false);
      CHECK(pump.client().session.negotiated().hello_retry);
      CHECK(pump.client().session.negotiated().resumed);
      CHECK(!pump.server().secrets.contains({Level::early_data, Direction::read}));
    }
  }
}

TEST_CASE("a ticket is good for early data once: a replayed one is refused it") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  take_ticket(scene);
  scene.client_options.early_data = true;
  Session server = scene.make_server();
  Session replayed = scene.make_server();
  Session client = must(scene.make_client(kLater));
  std::vector<uint8_t> hello;
  while (auto output = client.poll()) {
    if (const Send* send = std::get_if<Send>(&*output)) hello = send->bytes;
  }
  const auto accepts = [&](Session& session) {
    REQUIRE(session.receive(Level::initial, hello, kLater).has_value());
    return session.negotiated().early_data;
  };
  CHECK(accepts(server));
  CHECK(!accepts(replayed));
}

TEST_CASE("early data is not offered without a protocol that the ticket knows, or a ticket that allows it") {
  const auto offers = [](auto change) {
    Scene scene(Mode::quic);
    scene.give_tickets();
    take_ticket(scene);
    scene.client_options.early_data = true;
    change(scene);
    Session client = must(scene.make_client(kLater));
    bool keys = false;
    while (auto output = client.poll()) {
      if (const auto* secret = std::get_if<TrafficSecret>(&*output)) keys |= secret->level == Level::early_data;
    }
    return keys;
  };
  CHECK(offers([](Scene&) {}));
  CHECK(!offers([](Scene& s) { s.client_options.early_data = false; }));
  CHECK(!offers([](Scene& s) { s.client.application_protocols = {"hq-interop"}; }));
  CHECK(!offers([](Scene& s) { s.client_options.ticket->application_protocol.clear(); }));
  CHECK(!offers([](Scene& s) { s.client_options.ticket->max_early_data_size = 0; }));
  CHECK(!offers([](Scene& s) { s.client_options.ticket->max_early_data_size = 16'384; }));  // not over QUIC
}

ExternalPsk make_external(uint8_t fill, crypto::HashId hash) {
  ExternalPsk psk{.identity = {'p', 's', 'k', fill}, .key = crypto::Digest(32), .hash = hash};
  std::fill_n(psk.key.data(), 32, fill);
  return psk;
}

TEST_CASE("transport parameters over the limit are not remembered, and their tickets resume without early data") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  scene.server_options.transport_parameters.assign(kParametersRememberedMax, 7);
  CHECK(take_ticket(scene).max_early_data_size == 0xffffffff);
  scene.server_options.transport_parameters.push_back(7);
  const ClientTicket ticket = take_ticket(scene);
  CHECK(ticket.transport_parameters.empty());
  CHECK(ticket.max_early_data_size == 0);
  scene.client_options.early_data = true;
  Pump pump = scene.pump(SIZE_MAX, kLater);
  check_complete(pump);
  CHECK(pump.client().session.negotiated().resumed);
  CHECK(!pump.client().early_data.has_value());
}

TEST_CASE("an external PSK authenticates both sides without certificates") {
  for (const crypto::HashId hash : {crypto::HashId::sha256, crypto::HashId::sha384}) {
    for (const bool retry : {false, true}) {
      Scene scene(Mode::stream);
      const ExternalPsk psk = make_external(7, hash);
      scene.client.trust.reset();
      scene.client_options.external_psks = {make_external(8, crypto::HashId::sha256), psk};
      scene.server.find_external_psk = [&](Bytes identity) {
        return std::ranges::equal(identity, psk.identity) ? &psk : nullptr;
      };
      const CipherSuite suite =
          hash == crypto::HashId::sha256 ? CipherSuite::aes_128_gcm_sha256 : CipherSuite::aes_256_gcm_sha384;
      scene.server.preferences.cipher_suites = {suite};
      if (retry) {
        scene.client.key_shares = 1;
        scene.server.preferences.groups = {NamedGroup::secp384r1};
      }
      Pump pump = scene.pump(SIZE_MAX, kLater);
      check_complete(pump);
      CHECK(pump.client().session.negotiated().resumed);
      CHECK(pump.client().session.negotiated().hello_retry == retry);
      CHECK(pump.client().session.negotiated().peer_certificates.empty());
    }
  }
}

TEST_CASE("a ticket that goes back to an external PSK does not end with a certificate") {
  Scene scene(Mode::stream);
  scene.give_tickets();
  const ExternalPsk psk = make_external(7, crypto::HashId::sha256);
  scene.client_options.external_psks = {psk};
  scene.server.find_external_psk = [&](Bytes) { return &psk; };
  Pump pump = scene.pump(SIZE_MAX, kLater);
  check_complete(pump);
  REQUIRE(!pump.client().tickets.empty());
  CHECK(pump.client().tickets.back().authenticated_until > kNow + Duration::seconds(365 * 24 * 3600));
}

// RFC 8446 §4.2.11.
TEST_CASE("an external PSK with another key is refused with decrypt_error") {
  Scene scene(Mode::stream);
  const ExternalPsk psk = make_external(7, crypto::HashId::sha256);
  scene.client_options.external_psks = {psk};
  ExternalPsk wrong = psk;
  wrong.key.data()[0] ^= 1;
  scene.server.find_external_psk = [&](Bytes) { return &wrong; };
  Pump pump = scene.pump(SIZE_MAX, kLater);
  CHECK(alert_of(pump.run(kLater)) == static_cast<int>(Alert::decrypt_error));
  CHECK(pump.failed() == Side::server);
}

TEST_CASE("a ticket is offered before external PSKs") {
  Scene scene(Mode::quic);
  scene.give_tickets();
  take_ticket(scene);
  scene.client_options.external_psks = {make_external(7, crypto::HashId::sha256)};
  scene.client_options.early_data = true;
  Pump pump = scene.pump(SIZE_MAX, kLater);
  check_complete(pump);
  CHECK(pump.client().early_data == true);
}

}  // namespace
}  // namespace quoll::tls
