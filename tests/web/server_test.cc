// What web::Server is beside answering: many connections, workers, hostile and lost clients, certificates, the end.
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include "tests/os/temporary_folder.h"
#include "tests/support/random.h"
#include "tests/web/fixture.h"
#include "tests/web/raw_client.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

void hello(web::Exchange& exchange) { exchange.send(200, {}, "hello"); }

/// Bytes without an end.
class Endless final : public web::BodySource {
 public:
  Result<Piece> next(size_t max) override {
    return Piece{.data = Slice::copy_of(std::vector<uint8_t>(std::min<size_t>(max, 16'384), 'e'))};
  }
};

std::string only_body(ServerFixture& server, std::function<void(web::ClientOptions&)> change = {}) {
  const auto client = make_client(std::move(change));
  Answer answer;
  client->send(get(server.url("/")), answer);
  client->run();
  client->close();
  return answer.failure ? answer.failure->text : answer.body;
}

TEST_SUITE("web server") {
  TEST_CASE("200 connections at once") {
    const auto identity = make_identity({"*.example.test"});
    ServerFixture server(hello, [&](web::ServerOptions& options) { options.identities = {identity}; });
    const uint16_t port = server.server->addresses().front().port;
    const auto client = make_client([&](web::ClientOptions& options) {
      options.tls = trusting(identity);
      options.resolve = [](const std::string&, uint16_t) { return std::vector{*IpAddress::parse("127.0.0.1")}; };
    });
    std::deque<Answer> answers(200);
    for (size_t i = 0; i < answers.size(); i++) {
      client->send(get("https://c" + std::to_string(i) + ".example.test:" + std::to_string(port) + "/"), answers[i]);
    }
    client->run();
    for (const Answer& answer : answers) {
      REQUIRE(answer.text() == "");
      REQUIRE(answer.body == "hello");
    }
    CHECK(server.eventually([](const web::ServerStatistics& now) { return now.connections == 200; }));
    client->close();
    CHECK(server.eventually([](const web::ServerStatistics& now) { return now.connections == 0; }));
  }

  TEST_CASE("a client that vanishes in the midst of a transfer leaves nothing") {
    std::atomic<bool> ended = false;
    ServerFixture server(
        [&](web::Exchange& exchange) {
          exchange.on_end([&](const web::Outcome& outcome) {
            CHECK_FALSE(outcome.complete);
            CHECK(outcome.status == 200);
            CHECK(outcome.bytes_sent > 0);
            ended = true;
          });
          exchange.send(200, {}, std::make_unique<Endless>());
        },
        [](web::ServerOptions& options) { options.transport.max_idle_timeout = Duration::milliseconds(300); });
    {
      RawClient client(server.server->addresses().front());
      REQUIRE(client.connect());
      const uint64_t stream = client.get("/");
      size_t received = 0;
      CHECK(client.run_until([&] {
        while (auto chunk = client.session()->read_body(stream).value_or(std::nullopt)) received += chunk->data.size();
        return received > 300'000;
      }));
      CHECK(server.server->statistics().exchanges == 1);
    }
    CHECK(
        server.eventually([](const web::ServerStatistics& now) { return now.connections == 0 && now.exchanges == 0; }));
    CHECK(ended);
  }

  TEST_CASE("a server under garbage goes on serving") {
    ServerFixture server(hello);
    const SocketAddress there = server.server->addresses().front();
    std::atomic<bool> enough = false;
    std::thread flood([&] {
      udp::Socket socket = udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0")).value();
      SeededRng rng(7);
      std::vector<uint8_t> bytes(1400);
      while (!enough) {
        rng.fill(bytes);
        if (rng.below(2)) bytes[0] |= 0xc0;
        if (bytes[0] & 0x80 && rng.below(2)) std::ranges::copy(std::array<uint8_t, 4>{0, 0, 0, 1}, bytes.begin() + 1);
        const Bytes some = Bytes(bytes).first(1 + rng.below(bytes.size()));
        (void)socket.send({.path = {.local = {}, .remote = there}, .bytes = some, .departure = {}});
      }
    });
    for (int i = 0; i < 10; i++) CHECK(only_body(server) == "hello");
    enough = true;
    flood.join();
    CHECK(server.server->statistics().endpoint.datagrams_dropped > 100);
    CHECK(server.eventually([](const web::ServerStatistics& now) { return now.connections == 0; }));
  }

  // RFC 9114 §5.2: GOAWAY, then what is under way is finished.
  TEST_CASE("a server that is stopped finishes what is under way, and takes nothing new") {
    std::atomic<web::Exchange*> waiting = nullptr;
    std::atomic<bool> respond = false;
    ServerFixture server([&](web::Exchange& exchange) {
      if (exchange.path() == "/wait") {
        waiting = &exchange;
        exchange.respond(200);
        return;
      }
      if (respond) {
        Slice data = Slice::copy_of(as_bytes("finished"));
        waiting.load()->write(data);
        waiting.load()->finish();
      }
      exchange.send(200, {}, "poked");
    });
    RawClient client(server.server->addresses().front());
    REQUIRE(client.connect());
    const uint64_t stream = client.get("/wait");
    REQUIRE(client.run_until([&] { return client.find<h3::ResponseReceived>().has_value(); }));
    server.server->stop();
    std::vector<uint64_t> goaways;
    const auto note = [&](h3::Event& event) {
      if (const auto* goaway = std::get_if<h3::GoawayReceived>(&event)) goaways.push_back(goaway->id);
    };
    client.on_h3_event = note;
    REQUIRE(client.run_until([&] { return !goaways.empty(); }));
    CHECK(only_body(server).find("CONNECTION_REFUSED") != std::string::npos);
    REQUIRE(client.run_until([&] { return goaways.size() == 2; }));
    CHECK(goaways[0] > (uint64_t{1} << 60));
    CHECK(goaways[1] == stream + 4);
    CHECK_FALSE(server.has_ended());
    CHECK(client.session()->is_going_away());
    CHECK(server.server->statistics().exchanges == 1);
    // The exchange is given up by the client: then nothing holds the server.
    client.session()->abort(stream, h3::ErrorCode::request_cancelled);
    client.run_until([&] { return client.closed.has_value(); });
    REQUIRE(client.closed);
    CHECK(client.closed->application);
    CHECK(client.closed->error_code == static_cast<uint64_t>(h3::ErrorCode::no_error));
    server.join();
    CHECK(server.server->statistics().connections == 0);
  }

  TEST_CASE("a transfer that is under way when the server is stopped arrives whole") {
    constexpr size_t kSize = 8 << 20;
    std::atomic<bool> begun = false;
    ServerFixture server([&](web::Exchange& exchange) {
      begun = true;
      exchange.send(200, {}, std::string(kSize, 'z'));
    });
    const auto client = make_client();
    Answer answer;
    client->send(get(server.url("/")), answer);
    std::thread stopper([&] {
      while (!begun) std::this_thread::yield();
      server.server->stop();
    });
    client->run();
    stopper.join();
    CHECK(answer.text() == "");
    CHECK(answer.body.size() == kSize);
    server.join();
  }

  TEST_CASE("the drain has its time, and a second stop takes none") {
    const auto stuck = [](web::Exchange& exchange) { exchange.respond(200); };
    for (const bool twice : {false, true}) {
      CAPTURE(twice);
      ServerFixture server(stuck, [&](web::ServerOptions& options) {
        options.drain = twice ? Duration::seconds(60) : Duration::milliseconds(200);
      });
      RawClient client(server.server->addresses().front());
      REQUIRE(client.connect());
      client.get("/");
      REQUIRE(client.run_until([&] { return client.find<h3::ResponseReceived>().has_value(); }));
      const Instant begin = udp::now();
      server.server->stop();
      if (twice) server.server->stop();
      server.join();
      const Duration taken = udp::now() - begin;
      CHECK(taken < Duration::seconds(2));
      if (!twice) CHECK(taken >= Duration::milliseconds(200));
      client.run_until([&] { return client.closed.has_value(); });
      CHECK(client.closed);
    }
  }

  TEST_CASE("a server without clients ends at once") {
    ServerFixture server(hello);
    const Instant begin = udp::now();
    server.server->stop();
    server.join();
    CHECK(udp::now() - begin < Duration::seconds(1));
  }

  TEST_CASE("new certificates are for new connections, and old connections go on") {
    const auto old_identity = make_identity(), new_identity = make_identity();
    ServerFixture server(hello, [&](web::ServerOptions& options) { options.identities = {old_identity}; });
    const auto client = make_client([&](web::ClientOptions& options) { options.tls = trusting(old_identity); });
    Answer before, after;
    client->send(get(server.url("/")), before);
    client->run();
    server.server->set_identities({new_identity});
    client->send(get(server.url("/")), after);
    client->run();
    CHECK(before.body == "hello");
    CHECK(after.body == "hello");
    CHECK(after.facts.connection_reused);
    CHECK(only_body(server, [&](auto& options) { options.tls = trusting(new_identity); }) == "hello");
    CHECK(only_body(server, [&](auto& options) { options.tls = trusting(old_identity); }).find("TLS handshake") !=
          std::string::npos);
  }

  TEST_CASE("four workers serve together, and open each other's tickets") {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    ServerFixture server(
        [&](web::Exchange& exchange) {
          {
            const std::lock_guard lock(mutex);
            threads.insert(std::this_thread::get_id());
          }
          exchange.send(200, {}, "hello");
        },
        [](web::ServerOptions& options) { options.workers = 4; });
    std::optional<quic::ResumptionState> state;
    const std::string authority = "localhost:" + std::to_string(server.server->addresses().front().port);
    for (int i = 0; i < 40; i++) {
      const auto client = make_client();
      if (state) client->resumption().put(authority, *std::exchange(state, {}));
      Answer answer;
      client->send(get(server.url("/")), answer);
      client->run();
      client->close();
      REQUIRE(answer.text() == "");
      CHECK(answer.facts.resumed == (i > 0));
      state = client->resumption().take(authority, system_time());
      REQUIRE(state);
    }
    CHECK(threads.size() > 1);
    CHECK(server.eventually([](const auto& now) { return now.requests == 40 && now.connections == 0; }));
  }

  TEST_CASE("Retry for every client") {
    ServerFixture server(hello, [](web::ServerOptions& options) { options.retry = quic::RetryPolicy::always; });
    CHECK(only_body(server) == "hello");
    CHECK(server.eventually([](const auto& now) { return now.endpoint.retries_sent >= 1 && now.requests == 1; }));
  }

  TEST_CASE("connections above the limit are refused") {
    ServerFixture server(hello, [](web::ServerOptions& options) { options.max_connections = 1; });
    RawClient first(server.server->addresses().front());
    REQUIRE(first.connect());
    CHECK(only_body(server).find("CONNECTION_REFUSED") != std::string::npos);
  }

  TEST_CASE("qlogs of both ends and a key log are written") {
    struct Lines final : tls::KeyLog {
      void line(std::string_view text) override {
        const std::lock_guard lock(mutex);
        all += std::string(text) + "\n";
      }
      std::mutex mutex;
      std::string all;
    } lines;
    TemporaryFolder folder;
    {
      ServerFixture server(hello, [&](web::ServerOptions& options) {
        options.key_log = &lines;
        options.qlog_directory = folder.path();
      });
      CHECK(only_body(server, [&](auto& options) { options.qlog_directory = folder.path(); }) == "hello");
      CHECK(server.eventually([](const auto& now) { return now.connections == 0; }));
    }
    CHECK(lines.all.find("SERVER_TRAFFIC_SECRET_0 ") != std::string::npos);
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      std::ifstream file(entry.path());
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      CHECK(text.find("quic:packet_sent") != std::string::npos);
      CHECK(text.find("quic:connection_closed") != std::string::npos);
      names.insert(entry.path().filename());
    }
    REQUIRE(names.size() == 2);
    const std::string client = *names.begin(), server = *names.rbegin();
    CHECK(client.ends_with("_client.sqlog"));
    CHECK(server.ends_with("_server.sqlog"));
    CHECK(client.substr(0, client.find('_')) == server.substr(0, server.find('_')));
  }

  TEST_CASE("options that cannot work are refused") {
    web::ServerOptions options;
    CHECK_FALSE(web::Server::listen({}, hello));
    options.listen = {*SocketAddress::parse("127.0.0.1:0")};
    CHECK_FALSE(web::Server::listen(std::move(options), hello));
    options = {};
    options.listen = {*SocketAddress::parse("192.0.2.1:1")};
    options.identities = {test_identity()};
    const auto unbound = web::Server::listen(std::move(options), hello);
    REQUIRE_FALSE(unbound);
    CHECK(unbound.error().domain == ErrorDomain::system);
    options = {};
    options.listen = {*SocketAddress::parse("127.0.0.1:0")};
    options.identities = {test_identity()};
    options.qlog_directory = "/nowhere/at/all";
    CHECK_FALSE(web::Server::listen(std::move(options), hello));
    // No handshake could succeed: told now, not to each client.
    const auto refuses = [](std::function<void(web::ServerOptions&)> change) {
      web::ServerOptions odd;
      odd.listen = {*SocketAddress::parse("127.0.0.1:0")};
      odd.identities = {test_identity()};
      change(odd);
      const auto listening = web::Server::listen(std::move(odd), hello);
      return !listening && listening.error().domain == ErrorDomain::usage;
    };
    CHECK_FALSE(refuses([](web::ServerOptions&) {}));
    CHECK(refuses([](web::ServerOptions& odd) { odd.identities = {nullptr}; }));
    for (const auto& trust : {std::shared_ptr<x509::TrustStore>(), std::make_shared<x509::TrustStore>()}) {
      CHECK(refuses([&](web::ServerOptions& odd) {
        odd.client_policy = {.authentication = tls::ClientAuthentication::required, .trust = trust, .verifier = {}};
      }));
    }
    CHECK(refuses([](web::ServerOptions& odd) { odd.fleet = web::Fleet{}; }));
  }
}

}  // namespace
}  // namespace quoll::tests
