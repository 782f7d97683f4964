// What stands beside plain requests: push, extended CONNECT with datagrams, and requests that go again.
#include "tests/web/fixture.h"
#include "tests/web/raw_client.h"

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

TEST_SUITE("web extensions") {
  // RFC 9114 §4.6
  TEST_CASE("a handler pushes a response along with its own") {
    std::atomic<int> complete = 0;
    ServerFixture server([&](web::Exchange& exchange) {
      const http::FieldSection style{
          {":method", "GET"}, {":scheme", "https"}, {":authority", exchange.authority()}, {":path", "/style.css"}};
      web::Exchange* pushed = exchange.push(style);
      REQUIRE(pushed);
      CHECK(pushed->path() == "/style.css");
      CHECK(pushed->is_request_complete());
      pushed->on_end([&](const web::Outcome& outcome) { complete += outcome.complete; });
      pushed->send(200, {}, "body {}");
      exchange.send(200, {}, "page");
    });
    h3::SessionOptions options;
    options.pushes_max = 4;
    RawClient client(server.server->addresses().front(), options);
    REQUIRE(client.connect());
    const uint64_t page = client.get("/");
    std::map<uint64_t, std::string> bodies;
    CHECK(client.run_until([&] {
      for (const h3::Event& event : client.events) {
        const auto* response = std::get_if<h3::ResponseReceived>(&event);
        if (!response) continue;
        while (auto chunk = client.session()->read_body(response->stream).value_or(std::nullopt)) {
          bodies[response->stream] += as_text(chunk->data.bytes());
          if (chunk->fin) break;
        }
      }
      return bodies.size() == 2 && complete == 1;
    }));
    const auto promised = client.find<h3::PushPromised>();
    const auto started = client.find<h3::PushStarted>();
    REQUIRE(promised);
    REQUIRE(started);
    CHECK(promised->stream == page);
    CHECK(promised->request.find(":path") == "/style.css");
    CHECK(bodies[page] == "page");
    CHECK(bodies[started->stream] == "body {}");
  }

  TEST_CASE("a client that takes no pushes gets none") {
    ServerFixture server([](web::Exchange& exchange) {
      CHECK(exchange.push({{":method", "GET"},
                           {":scheme", "https"},
                           {":authority", exchange.authority()},
                           {":path", "/style.css"}}) == nullptr);
      exchange.send(200, {}, "page");
    });
    const auto client = make_client();
    Answer answer;
    client->send(get(server.url("/")), answer);
    client->run();
    CHECK(answer.body == "page");
  }

  // RFC 9220, RFC 9297
  TEST_CASE("datagrams and bytes go both ways over an extended CONNECT") {
    ServerFixture server([](web::Exchange& exchange) {
      CHECK(exchange.method() == "CONNECT");
      CHECK(exchange.connect_protocol() == "echo");
      exchange.respond(200);
      exchange.on_datagram([&exchange] {
        while (auto datagram = exchange.receive_datagram()) CHECK(exchange.send_datagram(datagram->bytes()));
      });
      exchange.on_readable([&exchange] {
        while (auto data = exchange.read()) exchange.write(*data);
        if (exchange.is_request_complete()) exchange.finish();
      });
    });
    struct Tunnel final : Answer {
      void on_response(web::ClientExchange& exchange, unsigned code, const http::FieldSection& with) override {
        Answer::on_response(exchange, code, with);
        REQUIRE(exchange.max_datagram_size());
        CHECK(*exchange.max_datagram_size() > 1000);
        CHECK(exchange.send_datagram(as_bytes("a datagram")));
      }
      void on_datagram(web::ClientExchange& exchange) override {
        while (auto datagram = exchange.receive_datagram()) datagrams.emplace_back(as_text(datagram->bytes()));
        Slice bytes = Slice::copy_of(as_bytes("some bytes"));
        exchange.write(bytes);
        exchange.finish();
      }
      std::vector<std::string> datagrams;
    } tunnel;
    const auto client = make_client();
    // The server's SETTINGS must have come before.
    Answer first;
    web::ClientRequest warm_up = get(server.url("/"));
    warm_up.method = "CONNECT";
    warm_up.protocol = "echo";
    warm_up.streaming = true;
    client->send(std::move(warm_up), tunnel);
    client->run();
    CHECK(tunnel.text() == "");
    CHECK(tunnel.status == 200);
    CHECK(tunnel.datagrams == std::vector<std::string>{"a datagram"});
    CHECK(tunnel.body == "some bytes");
  }

  // RFC 9114 §4.1.1
  TEST_CASE("a request that is rejected goes again, once") {
    std::atomic<int> times = 0;
    ServerFixture server([&](web::Exchange& exchange) {
      const bool always = exchange.path() == "/always";
      if (times++ == 0 || always) return exchange.abort(h3::ErrorCode::request_rejected);
      std::string body;
      while (auto data = exchange.read()) body += as_text(data->bytes());
      exchange.send(200, {}, body);
    });
    const auto client = make_client();
    Answer again, never;
    client->send(post(server.url("/"), "a body"), again);
    client->run();
    CHECK(again.text() == "");
    CHECK(again.status == 200);
    CHECK(times == 2);
    client->send(get(server.url("/always")), never);
    client->run();
    REQUIRE(never.failure);
    CHECK(never.failure->code == static_cast<uint64_t>(h3::ErrorCode::request_rejected));
    CHECK(times == 4);
  }

  // RFC 9114 §5.2
  TEST_CASE("after GOAWAY, requests go to another server at the same place") {
    std::atomic<bool> stuck = false;
    auto first = std::make_unique<ServerFixture>([&](web::Exchange& exchange) {
      stuck = true;
      exchange.respond(200);
    });
    const uint16_t port = first->server->addresses().front().port;
    const auto client = make_client();
    Answer held, next;
    web::ClientExchange& exchange = client->send(get(first->url("/held")), held);
    std::unique_ptr<ServerFixture> second;
    int phase = 0;
    client->on_tick(Duration::milliseconds(20), [&](Instant) {
      if (phase == 0 && stuck) {
        first->server->stop();
        phase = 1;
      } else if (phase >= 1 && ++phase == 6) {
        // Drained, but held open by the first request: the new one wants a new connection, which is refused.
        client->send(get(first->url("/next")), next);
        next.then = [&] { exchange.cancel(); };
      }
    });
    client->run();
    REQUIRE(next.failure);
    CHECK(next.failure->kind == web::FailureKind::connect);
    CHECK(next.text().find("CONNECTION_REFUSED") != std::string::npos);
    CHECK(held.failure->kind == web::FailureKind::cancelled);
    first->join();
    first.reset();
    second = std::make_unique<ServerFixture>([](web::Exchange& each) { each.send(200, {}, "second"); },
                                             [&](auto& options) { options.listen.front().port = port; });
    Answer last;
    client->send(get(second->url("/")), last);
    client->run();
    CHECK(last.body == "second");
  }
}

}  // namespace
}  // namespace quoll::tests
