// What web::Client does when things go otherwise than they should, and what it remembers.
#include <deque>

#include "tests/web/fixture.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

using web::FailureKind;

void hello(web::Exchange& exchange) { exchange.send(200, {}, "hello"); }

/// The failure of one GET; "none" when there is none.
web::Failure failure_of(const std::string& url, std::function<void(web::ClientOptions&)> change = {},
                        std::function<void(web::ClientRequest&)> with = {}) {
  const auto client = make_client(std::move(change));
  Answer answer;
  web::ClientRequest request = get(url);
  if (with) with(request);
  client->send(std::move(request), answer);
  client->run();
  client->close();
  return answer.failure.value_or(web::Failure{.text = "none"});
}

uint16_t port_of(const ServerFixture& server) { return server.server->addresses().front().port; }

/// A port that nobody listens on.
uint16_t closed_port() {
  const udp::Socket socket = udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0")).value();
  return socket.local_address().port;
}

/// A handler that answers early requests as it is told.
struct Early {
  std::atomic<int> early = 0, late = 0;
  unsigned status = 200;
  web::Handler handler() {
    return [this](web::Exchange& exchange) {
      if (exchange.is_early()) {
        early++;
        return exchange.send(status, {}, "early");
      }
      late++;
      exchange.send(200, {}, "late");
    };
  }
};

/// A client's request, and what it keeps of the server.
struct Visit {
  Answer answer;
  std::optional<quic::ResumptionState> state;
};
Visit visit(const ServerFixture& server, std::optional<quic::ResumptionState> state, bool early_data) {
  Visit visit;
  const std::string authority = "localhost:" + std::to_string(port_of(server));
  const auto client = make_client();
  if (state) client->resumption().put(authority, std::move(*state));
  web::ClientRequest request = get(server.url("/"));
  request.early_data = early_data;
  client->send(std::move(request), visit.answer);
  client->run();
  client->close();
  visit.state = client->resumption().take(authority, system_time());
  return visit;
}

TEST_SUITE("web client") {
  TEST_CASE("a name without an address") {
    const web::Failure failure = failure_of("https://name.invalid/");
    CHECK(failure.kind == FailureKind::resolve);
    CHECK(failure.text.starts_with("cannot resolve name.invalid: "));
    CHECK(failure_of("https://[::1]:1/").kind == FailureKind::resolve);  // IPv6 is switched off
  }

  TEST_CASE("a port that nobody listens on is told by ICMP, at once") {
    const Instant begin = udp::now();
    const web::Failure failure = failure_of("https://127.0.0.1:" + std::to_string(closed_port()) + "/");
    CHECK(failure.kind == FailureKind::connect);
    CHECK(failure.text.find("port unreachable") != std::string::npos);
    CHECK(udp::now() - begin < Duration::seconds(1));
  }

  TEST_CASE("nobody answers") {
    const udp::Socket silent = udp::Socket::bind(*SocketAddress::parse("127.0.0.1:0")).value();
    const std::string url = "https://127.0.0.1:" + std::to_string(silent.local_address().port) + "/";
    const web::Failure failure =
        failure_of(url, [](auto& options) { options.transport.handshake_timeout = Duration::milliseconds(200); });
    CHECK(failure.kind == FailureKind::connect);
    CHECK(failure.text.starts_with("no answer from 127.0.0.1:"));
    const web::Failure timeout =
        failure_of(url, {}, [](auto& request) { request.connect_limit = Duration::milliseconds(100); });
    CHECK(timeout.kind == FailureKind::timeout);
    CHECK(timeout.text.starts_with("no connection to 127.0.0.1:"));
  }

  TEST_CASE("the next address is tried after a refusal, and after a while without an answer") {
    ServerFixture server(hello, [](auto& options) { options.listen = {*SocketAddress::parse("127.0.0.2:0")}; });
    const auto with_addresses = [](std::initializer_list<const char*> texts) {
      std::vector<IpAddress> addresses;
      for (const char* text : texts) addresses.push_back(*IpAddress::parse(text));
      return [addresses](auto& options) { options.resolve = [addresses](const auto&, auto) { return addresses; }; };
    };
    Instant begin = udp::now();
    CHECK(failure_of(server.url("/"), with_addresses({"127.0.0.3", "127.0.0.2"})).text == "none");
    CHECK(udp::now() - begin < Duration::milliseconds(250));
    // Somebody is there, and says nothing.
    const udp::Socket silent =
        udp::Socket::bind({.ip = *IpAddress::parse("127.0.0.4"), .port = port_of(server)}).value();
    begin = udp::now();
    CHECK(failure_of(server.url("/"), with_addresses({"127.0.0.4", "127.0.0.2"})).text == "none");
    CHECK(udp::now() - begin >= Duration::milliseconds(290));
    CHECK(udp::now() - begin < Duration::seconds(3));
  }

  TEST_CASE("a certificate that is not trusted, not for the name, out of date") {
    ServerFixture server(hello);
    const auto stranger = failure_of(server.url("/"), [](auto& options) { options.tls = trusting(make_identity()); });
    CHECK(stranger.kind == FailureKind::tls);
    CHECK(stranger.code == 48);  // unknown_ca
    CHECK(stranger.text.find("(unknown_ca)") != std::string::npos);
    const auto other_name =
        failure_of("https://other.test:" + std::to_string(port_of(server)) + "/", [](auto& options) {
          options.resolve = [](const auto&, auto) { return std::vector{*IpAddress::parse("127.0.0.1")}; };
        });
    CHECK(other_name.kind == FailureKind::tls);
    CHECK(other_name.text.find("name") != std::string::npos);
    const auto expired = make_identity({"localhost"}, Duration::seconds(-60));
    server.server->set_identities({expired});
    const auto old = failure_of(server.url("/"), [&](auto& options) { options.tls = trusting(expired); });
    CHECK(old.kind == FailureKind::tls);
    CHECK(old.text.find("(certificate_expired)") != std::string::npos);
  }

  TEST_CASE("a server that refuses the handshake is quoted") {
    ServerFixture server(hello);
    const auto failure = failure_of(server.url("/"), [](auto& options) {
      auto tls = trusting(test_identity());
      tls->preferences.signature_schemes = {tls::SignatureScheme::ed25519};  // the server's key is another one
      options.tls = tls;
    });
    CHECK(failure.kind == FailureKind::tls);
    CHECK(failure.text.find("refuses the TLS handshake with the alert handshake_failure") != std::string::npos);
  }

  TEST_CASE("no version in common") {
    ServerFixture server(hello, [](auto& options) { options.transport.versions = {quic::Version::v1}; });
    const auto failure =
        failure_of(server.url("/"), [](auto& options) { options.transport.versions = {quic::Version::v2}; });
    CHECK(failure.kind == FailureKind::tls);
    CHECK(failure.text.find("speaks no version of QUIC that we do") != std::string::npos);
  }

  TEST_CASE("an answer that takes too long") {
    ServerFixture server([](web::Exchange& exchange) { exchange.respond(200); });
    const auto failure =
        failure_of(server.url("/"), {}, [](auto& request) { request.time_limit = Duration::milliseconds(100); });
    CHECK(failure.kind == FailureKind::timeout);
    CHECK(failure.text.find("is not complete after 1") != std::string::npos);
    CHECK(server.eventually([](const auto& now) { return now.exchanges == 0; }));
  }

  TEST_CASE("a server that ends in the midst of an answer") {
    std::atomic<bool> begun = false;
    ServerFixture server([&](web::Exchange& exchange) {
      exchange.respond(200);
      begun = true;
    });
    std::thread stopper([&] {
      while (!begun) std::this_thread::yield();
      server.server->stop();
      server.server->stop();
    });
    const auto failure = failure_of(server.url("/"));
    stopper.join();
    CHECK(failure.kind == FailureKind::connection);
    CHECK(failure.application);
    CHECK(failure.text.find("ended the connection with H3_NO_ERROR (0x100)") != std::string::npos);
  }

  TEST_CASE("an answer that is slower than the idle timeout arrives") {
    std::atomic<bool> go = false;
    ServerFixture server(
        [&](web::Exchange& exchange) {
          if (exchange.path() == "/go") {
            go = true;
            return exchange.send(204);
          }
          static web::Exchange* waiting;
          if (exchange.path() == "/slow") {
            waiting = &exchange;
            return;
          }
          waiting->send(200, {}, "at last");
          exchange.send(204);
        },
        [](auto& options) { options.transport.max_idle_timeout = Duration::milliseconds(200); });
    const auto client =
        make_client([](auto& options) { options.transport.max_idle_timeout = Duration::milliseconds(200); });
    Answer slow, poke;
    client->send(get(server.url("/slow")), slow);
    int ticks = 0;
    client->on_tick(Duration::milliseconds(100), [&](Instant) {
      if (++ticks == 6) client->send(get(server.url("/poke")), poke);
    });
    client->run();
    CHECK(slow.text() == "");
    CHECK(slow.body == "at last");
  }

  TEST_CASE("cancel, and stop from another thread") {
    ServerFixture server([](web::Exchange& exchange) { exchange.respond(200); });
    const auto client = make_client();
    Answer never_begun, stopped;
    client->send(get(server.url("/")), never_begun).cancel();
    client->send(get(server.url("/")), stopped);
    std::thread stopper([&] {
      CHECK(server.eventually([](const auto& now) { return now.exchanges == 1; }));
      client->stop();
    });
    client->run();
    stopper.join();
    CHECK(never_begun.failure->kind == FailureKind::cancelled);
    CHECK(stopped.failure->kind == FailureKind::cancelled);
    CHECK(server.eventually([](const auto& now) { return now.exchanges == 0; }));
  }

  TEST_CASE("a request that cannot be sent fails alone") {
    ServerFixture server(hello);
    const auto client = make_client();
    Answer bad, good;
    web::ClientRequest request = get(server.url("/"));
    request.fields.add("Bad Name", "x");
    client->send(std::move(request), bad);
    client->send(get(server.url("/")), good);
    client->run();
    REQUIRE(bad.failure);
    CHECK(bad.text().starts_with("the request cannot be sent: "));
    CHECK(good.is_whole());
  }

  // RFC 9114 §3.1.2
  TEST_CASE("a URL of another scheme than https is not asked for") {
    std::atomic<int> asked = 0;
    ServerFixture server([&](web::Exchange& exchange) {
      asked++;
      exchange.send(204);
    });
    const auto failure = failure_of("http://localhost:" + std::to_string(port_of(server)) + "/");
    CHECK(failure.kind == FailureKind::stream);
    CHECK(failure.text.find("https") != std::string::npos);
    CHECK(asked == 0);
  }

  TEST_CASE("connect_to and resolve lead elsewhere, and the certificate stays that of the URL") {
    ServerFixture server(hello);
    const auto lead = [&](auto& options) {
      options.connect_to = [port = port_of(server)](const std::string& host, uint16_t) {
        CHECK(host == "localhost");
        return std::optional(std::pair(std::string("127.0.0.1"), port));
      };
    };
    CHECK(failure_of("https://localhost/", lead).text == "none");
  }

  // RFC 9114 §5.2: requests below a GOAWAY are not processed, and go again.
  TEST_CASE("a kept connection whose server is gone is replaced, once") {
    auto first = std::make_unique<ServerFixture>(hello);
    const uint16_t port = port_of(*first);
    const auto client = make_client();
    Answer before, after;
    client->send(get(first->url("/")), before);
    client->run();
    CHECK(before.is_whole());
    first.reset();
    ServerFixture second(hello, [&](auto& options) { options.listen.front().port = port; });
    client->send(get(second.url("/")), after);
    client->run();
    CHECK(after.text() == "");
    CHECK(after.body == "hello");
    CHECK_FALSE(after.facts.connection_reused);
  }

  // RFC 9114 §5.4
  TEST_CASE("what a server may have done is not asked for again, unless that does no harm") {
    for (const bool harmless : {true, false}) {
      std::atomic<bool> held = false;
      ServerFixture server([&](web::Exchange& exchange) {
        if (exchange.path() == "/") return exchange.send(200, {}, "hello");
        held = true;
      });
      const auto client =
          make_client([](auto& options) { options.transport.handshake_timeout = Duration::milliseconds(200); });
      Answer before, after;
      client->send(get(server.url("/")), before);
      client->run();
      REQUIRE(before.is_whole());
      client->send(harmless ? get(server.url("/held")) : post(server.url("/held"), "x"), after);
      std::thread stopper([&] {
        while (!held) std::this_thread::yield();
        server.server->stop();
        server.server->stop();
      });
      client->run();
      stopper.join();
      REQUIRE(after.failure);
      // The second try finds nobody.
      CHECK(after.failure->kind == (harmless ? FailureKind::connect : FailureKind::connection));
    }
  }

  TEST_CASE("a second connection resumes the first") {
    ServerFixture server(hello);
    const Visit first = visit(server, {}, false);
    CHECK_FALSE(first.answer.facts.resumed);
    REQUIRE(first.state);
    REQUIRE(first.state->ticket);
    const Visit second = visit(server, first.state, false);
    CHECK(second.answer.is_whole());
    CHECK(second.answer.facts.resumed);
    CHECK_FALSE(second.answer.facts.early_data);
  }

  // RFC 8470 §4, RFC 9114 §7.2.4.2
  TEST_CASE("a request goes in 0-RTT when it may and there is a ticket") {
    Early early;
    ServerFixture server(early.handler());
    const Visit first = visit(server, {}, true);
    CHECK(first.answer.body == "late");
    REQUIRE(first.state);
    const Visit second = visit(server, first.state, true);
    CHECK(second.answer.text() == "");
    CHECK(second.answer.body == "early");
    CHECK(second.answer.facts.early_data);
    CHECK(second.answer.facts.resumed);
    CHECK(early.early == 1);
    // The same ticket again: a replay, to the server, whose early data is not taken.
    const Visit third = visit(server, second.state, false);
    CHECK(third.answer.body == "late");
    CHECK_FALSE(third.answer.facts.early_data);
  }

  // RFC 8470 §5.2
  TEST_CASE("425 makes an early request go again after the handshake") {
    Early early;
    early.status = 425;
    ServerFixture server(early.handler());
    const Visit first = visit(server, {}, true);
    REQUIRE(first.state);
    const Visit second = visit(server, first.state, true);
    CHECK(second.answer.text() == "");
    CHECK(second.answer.status == 200);
    CHECK(second.answer.body == "late");
    CHECK_FALSE(second.answer.facts.early_data);
    CHECK(early.early == 1);
    CHECK(early.late == 2);
  }

  // RFC 8470 §5.1
  TEST_CASE("a request that was early on its way to an intermediary stays early") {
    Early early;
    ServerFixture server(early.handler());
    const auto client = make_client();
    for (const char* value : {"1", "0", "?"}) {
      Answer answer;
      web::ClientRequest request = get(server.url("/"));
      request.fields = {{"early-data", value}};
      client->send(std::move(request), answer);
      client->run();
      CHECK(answer.body == "early");
    }
  }

  TEST_CASE("early data that is refused is sent again by itself") {
    Early early;
    ServerFixture server(early.handler(), [](auto& options) { options.early_data = false; });
    const Visit first = visit(server, {}, true);
    REQUIRE(first.state);
    // As if it had been allowed: the server has changed its mind since.
    std::optional<quic::ResumptionState> state = first.state;
    state->ticket->max_early_data_size = UINT32_MAX;
    const Visit second = visit(server, state, true);
    CHECK(second.answer.text() == "");
    CHECK(second.answer.body == "late");
    CHECK_FALSE(second.answer.facts.early_data);
    CHECK(early.early == 0);
  }

  TEST_CASE("idle connections are closed while others work") {
    ServerFixture server([](web::Exchange& exchange) {
      if (exchange.path() == "/") exchange.send(200, {}, "hello");
      if (exchange.path() == "/wait") exchange.respond(200);
    });
    const auto client = make_client([](auto& options) { options.idle = Duration::milliseconds(50); });
    Answer first, second;
    client->send(get("https://127.0.0.1:" + std::to_string(port_of(server)) + "/"), first);
    web::ClientRequest request = get(server.url("/wait"));
    request.time_limit = Duration::milliseconds(400);
    client->send(std::move(request), second);
    std::thread watcher([&] {
      CHECK(server.eventually([](const auto& now) { return now.connections == 2; }));
      CHECK(server.eventually([](const auto& now) { return now.connections == 1; }));
    });
    client->run();
    watcher.join();
    CHECK(first.is_whole());
    CHECK(second.failure->kind == FailureKind::timeout);
  }
}

}  // namespace
}  // namespace quoll::tests
