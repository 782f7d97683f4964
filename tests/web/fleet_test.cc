// Servers of a fleet open each other's tickets, and keep their hands off each other's connections; and what a handler
// learns of the client behind a request.
#include <fstream>

#include "crypto/ct.h"
#include "os/file.h"
#include "quic/path/steered_connection_ids.h"
#include "tests/os/temporary_folder.h"
#include "tests/web/fixture.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

struct Visit {
  Answer answer;
  std::optional<quic::ResumptionState> state;  // what the server gave for the next one
};

/// A request to `server`, with what another one gave.
Visit visit(ServerFixture& server, std::optional<quic::ResumptionState> state,
            std::function<void(web::ClientOptions&)> change = {}) {
  const auto client = make_client(std::move(change));
  const std::string authority = "localhost:" + std::to_string(server.server->addresses().front().port);
  if (state) client->resumption().put(authority, std::move(*state));
  Visit visit;
  web::ClientRequest request = get(server.url("/"));
  request.early_data = true;
  client->send(std::move(request), visit.answer);
  client->run();
  client->close();
  visit.state = client->resumption().take(authority, system_time());
  return visit;
}

std::shared_ptr<const tls::Identity> client_identity_of(const char* name) {
  auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, os::thread_rng());
  x509::CertificateRequest request;
  request.common_name = "client " + std::to_string(os::thread_rng().next_u64());
  request.names = {name};
  request.not_before = system_time() - Duration::seconds(3600);
  request.not_after = system_time() + Duration::seconds(3600);
  request.server_auth = false;
  request.client_auth = true;
  const auto der = x509::make_certificate(request, key->public_key_info(), nullptr, *key, os::thread_rng());
  return std::make_shared<const tls::Identity>(tls::Identity::create({*der}, std::move(*key)).value());
}

/// What a server of a fleet is told: the secret lies in a file that all of them have.
Result<web::Fleet> fleet_from(const std::string& secret_path, UnixTime since, uint16_t number) {
  auto bytes = os::read_file(secret_path.c_str(), quic::kFleetSecretSize);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() != quic::kFleetSecretSize) return usage_error("a fleet's secret has 32 bytes");
  web::Fleet fleet{.secret = {}, .since = since, .server = number};
  copy_bytes(fleet.secret.data(), *bytes);
  crypto::ct::wipe(bytes->data(), bytes->size());
  return fleet;
}

web::Fleet member(uint16_t number) {
  static const TemporaryFolder folder;
  const std::string path = folder.path() + "/secret";
  std::ofstream(path) << "thirty-two bytes of a test alone";
  return fleet_from(path, system_time() - Duration::seconds(24 * 3600), number).value();
}

void describe(web::Exchange& exchange) {
  const quic::Connection* connection = exchange.connection();
  if (!connection) return exchange.send(500);
  const x509::Certificate* client = connection->peer_certificate();
  std::string text = exchange.peer() == connection->path().remote ? "known" : "strange";
  if (client) text += ", with a certificate of " + std::to_string(client->der().size()) + " bytes";
  exchange.send(200, {}, text);
}

TEST_SUITE("web fleet") {
  TEST_CASE("a ticket of one server resumes at another of its fleet, and 0-RTT is refused without a common register") {
    CHECK_FALSE(fleet_from("/nowhere/at/all", system_time(), 1));
    for (const bool fleet : {true, false}) {
      const auto options = [&](uint16_t number) {
        return [fleet, number](web::ServerOptions& to) {
          if (fleet) to.fleet = member(number);
          to.workers = number;
        };
      };
      ServerFixture first(describe, options(1)), second(describe, options(2));
      Visit one = visit(first, {});
      CHECK(one.answer.body == "known");
      REQUIRE(one.state);
      REQUIRE(one.state->ticket);
      const Visit two = visit(second, std::move(one.state));
      CHECK(two.answer.body == "known");
      CHECK(two.answer.facts.resumed == fleet);
      CHECK_FALSE(two.answer.facts.early_data);
    }
  }

  TEST_CASE("0-RTT goes with a register that all of a fleet share, once") {
    // Knows one ticket, and has seen it after the first time.
    struct Once final : tls::AntiReplay {
      bool admit(Bytes, UnixTime) override { return asked++ == 0; }
      Duration window() const override { return Duration::seconds(10); }
      std::atomic<int> asked = 0;
    };
    const auto shared = std::make_shared<Once>();
    const auto options = [&](uint16_t number) {
      return [&shared, number](web::ServerOptions& to) {
        to.fleet = member(number);
        to.fleet->anti_replay = shared;
      };
    };
    ServerFixture first(describe, options(1)), second(describe, options(2));
    const Visit one = visit(first, {});
    REQUIRE(one.state);
    const Visit two = visit(second, one.state);
    CHECK(two.answer.facts.early_data);
    const Visit replayed = visit(first, one.state);
    CHECK(replayed.answer.facts.resumed);
    CHECK_FALSE(replayed.answer.facts.early_data);
    CHECK(replayed.answer.body == "known");
    CHECK(shared->asked == 2);
  }

  TEST_CASE("connection ids name the server, also where it has one worker, and strangers' datagrams are not reset") {
    ServerFixture server(describe, [](web::ServerOptions& to) { to.fleet = member(5); });
    const quic::FleetKeys keys(crypto::best(), member(5).secret);
    udp::Socket socket = udp::Socket::bind_for(server.server->addresses()[0]).value();
    const auto resets_after = [&](uint16_t number) {
      quic::SteeredConnectionIds ids(keys.connection_ids, 0, number);
      std::vector<uint8_t> datagram(100, 0x41);
      const quic::ConnectionId id = ids.generate(os::thread_rng());
      std::ranges::copy(id.bytes(), datagram.begin() + 1);
      const uint64_t before = server.server->statistics().endpoint.datagrams_received;
      (void)socket.send({.path = socket.path_to(server.server->addresses()[0]), .bytes = datagram, .departure = {}});
      REQUIRE(server.eventually(
          [&](const web::ServerStatistics& now) { return now.endpoint.datagrams_received > before; }));
      return server.server->statistics().endpoint.stateless_resets_sent;
    };
    CHECK(resets_after(6) == 0);
    CHECK(resets_after(5) == 1);
  }

  TEST_CASE("a handler sees who its client is, and strangers fail in the handshake") {
    const auto client_identity = client_identity_of("client.example");
    ServerFixture server(describe, [&](web::ServerOptions& options) {
      options.early_data = false;  // before the handshake is complete nobody has proved anything
      options.client_policy = {.authentication = tls::ClientAuthentication::required,
                               .trust = trusting(client_identity)->trust,
                               .verifier = {}};
    });
    const auto with = [](std::shared_ptr<const tls::Identity> identity) {
      return [identity](web::ClientOptions& options) {
        auto tls = trusting(test_identity());
        if (identity) tls->identities = {identity};
        options.tls = tls;
      };
    };
    const std::string expected =
        "known, with a certificate of " + std::to_string(client_identity->chain()[0].size()) + " bytes";
    const Visit known = visit(server, {}, with(client_identity));
    CHECK(known.answer.text() == "");
    CHECK(known.answer.body == expected);
    const Visit resumed = visit(server, known.state, with(client_identity));
    CHECK(resumed.answer.facts.resumed);
    CHECK(resumed.answer.body == expected);
    for (const auto& stranger : {client_identity_of("client.example"), std::shared_ptr<const tls::Identity>()}) {
      const Visit refused = visit(server, {}, with(stranger));
      REQUIRE(refused.answer.failure);
      CHECK(refused.answer.failure->kind == web::FailureKind::tls);
    }
  }
}

}  // namespace
}  // namespace quoll::tests
