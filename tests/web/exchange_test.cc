// Requests and responses between web::Client and web::Server over sockets.
#include "tests/support/random.h"
#include "tests/web/fixture.h"

#include <deque>

#include <doctest/doctest.h>

namespace quoll::tests {
namespace {

std::string random_text(size_t size, uint64_t seed) {
  SeededRng rng(seed);
  std::string text(size, '\0');
  rng.fill({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  return text;
}

/// Answers with what it got, when it has all of it.
void echo(web::Exchange& exchange) {
  auto body = std::make_shared<std::string>();
  exchange.on_readable([&exchange, body] {
    while (auto data = exchange.read()) *body += as_text(data->bytes());
    if (exchange.is_request_complete()) exchange.send(200, {}, *body);
  });
}

/// Pieces of a size, as they are asked for.
class Counted final : public web::BodySource {
 public:
  Counted(size_t size, size_t* given) : left_(size), given_(given) {}
  Result<Piece> next(size_t max) override {
    const size_t size = std::min({max, left_, size_t{10'000}});
    left_ -= size;
    *given_ += size;
    return Piece{.data = Slice::copy_of(std::vector<uint8_t>(size, 'x')), .end = left_ == 0};
  }

 private:
  size_t left_;
  size_t* given_;
};

class Broken final : public web::BodySource {
 public:
  Result<Piece> next(size_t) override {
    if (std::exchange(begun_, true)) {
      return std::unexpected(Error{.domain = ErrorDomain::system, .code = 5, .reason = "the disk is on fire"});
    }
    return Piece{.data = Slice::copy_of(as_bytes("some"))};
  }
  std::optional<uint64_t> size() const override { return 1000; }

 private:
  bool begun_ = false;
};

TEST_SUITE("web exchanges") {
  TEST_CASE("a GET brings status, fields and body") {
    ServerFixture server([](web::Exchange& exchange) {
      CHECK(exchange.method() == "GET");
      CHECK(exchange.path() == "/hello?x=1");
      CHECK(exchange.scheme() == "https");
      CHECK(exchange.authority().starts_with("localhost:"));
      CHECK(exchange.connect_protocol().empty());
      CHECK(exchange.peer().ip == *IpAddress::parse("127.0.0.1"));
      CHECK(exchange.is_request_complete());
      CHECK_FALSE(exchange.is_early());
      exchange.send(200, {{"content-type", "text/plain"}}, "hello");
    });
    const auto client = make_client();
    Answer answer;
    client->send(get(server.url("/hello?x=1")), answer);
    client->run();
    CHECK(answer.text() == "");
    CHECK(answer.is_whole());
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello");
    CHECK(answer.fields.find("content-type") == "text/plain");
    CHECK(answer.fields.find("content-length") == "5");
    CHECK(answer.fields.find("date")->ends_with(" GMT"));  // RFC 9110 §6.6.1
    const web::Facts& facts = answer.facts;
    CHECK(facts.body_received == 5);
    CHECK(facts.header_size > 20);
    CHECK(facts.remote.port == server.server->addresses().front().port);
    CHECK_FALSE(facts.connection_reused);
    CHECK(facts.timings.begin <= *facts.timings.resolved);
    CHECK(*facts.timings.resolved <= *facts.timings.connected);
    CHECK(*facts.timings.connected <= *facts.timings.sent);
    CHECK(*facts.timings.sent <= *facts.timings.first_byte);
    CHECK(*facts.timings.first_byte <= *facts.timings.end);
    client->close();
    CHECK(server.eventually([](const web::ServerStatistics& now) {
      return now.connections == 0 && now.requests == 1 && now.exchanges == 0;
    }));
  }

  TEST_CASE("HEAD brings the head of what GET would") {
    ServerFixture server([](web::Exchange& exchange) { exchange.send(200, {}, "hello"); });
    const auto client = make_client();
    Answer answer;
    web::ClientRequest request = get(server.url("/"));
    request.method = "HEAD";
    client->send(std::move(request), answer);
    client->run();
    CHECK(answer.is_whole());
    CHECK(answer.fields.find("content-length") == "5");
    CHECK(answer.body.empty());
  }

  TEST_CASE("answers without content") {
    ServerFixture server([](web::Exchange& exchange) {
      if (exchange.path() == "/204") return exchange.send(204);
      if (exchange.path() == "/304") return exchange.send(304, {{"etag", "\"1\""}}, "never sent");
      exchange.send(200, {}, "");
    });
    const auto client = make_client();
    Answer none, same, empty;
    client->send(get(server.url("/204")), none);
    client->send(get(server.url("/304")), same);
    client->send(get(server.url("/")), empty);
    client->run();
    CHECK((none.is_whole() && same.is_whole() && empty.is_whole()));
    CHECK((none.body.empty() && same.body.empty() && empty.body.empty()));
    CHECK_FALSE(none.fields.find("content-length"));
    CHECK(empty.fields.find("content-length") == "0");
  }

  TEST_CASE("one MiB up and down arrives as it was") {
    ServerFixture server(echo);
    const auto client = make_client();
    const std::string text = random_text(1 << 20, 1);
    Answer answer;
    client->send(post(server.url("/"), text), answer);
    client->run();
    CHECK(answer.text() == "");
    CHECK(answer.body == text);
    CHECK(answer.facts.body_sent == text.size());
  }

  TEST_CASE("interim responses and trailers") {
    ServerFixture server([](web::Exchange& exchange) {
      exchange.inform(103, {{"link", "</style.css>; rel=preload"}});
      exchange.respond(200, {{"x", "y"}});
      Slice data = Slice::copy_of(as_bytes("body"));
      exchange.write(data);
      CHECK(data.empty());
      exchange.finish({{"checksum", "1"}});
    });
    const auto client = make_client();
    Answer answer;
    client->send(get(server.url("/")), answer);
    client->run();
    CHECK(answer.is_whole());
    CHECK(answer.informed == std::vector<unsigned>{103});
    CHECK(answer.body == "body");
    CHECK(answer.trailers.find("checksum") == "1");
  }

  // RFC 9114 §4.1: trailers are a part of the message, however it is read.
  TEST_CASE("trailers reach a listener that reads again after it has read everything") {
    struct Eager : Answer {
      void on_readable(web::ClientExchange& exchange) override {
        for (int i = 0; i < 3; i++) Answer::on_readable(exchange);
      }
    };
    ServerFixture server([](web::Exchange& exchange) {
      exchange.respond(200);
      Slice data = Slice::copy_of(as_bytes("body"));
      exchange.write(data);
      exchange.finish({{"checksum", "1"}});
    });
    const auto client = make_client();
    Eager answer;
    client->send(get(server.url("/")), answer);
    client->run();
    CHECK(answer.is_whole());
    CHECK(answer.body == "body");
    CHECK(answer.trailers.find("checksum") == "1");
  }

  // RFC 9114 §4.2.1
  TEST_CASE("a handler gets cookies in one field") {
    std::string cookie;
    size_t lines = 0;
    ServerFixture server([&](web::Exchange& exchange) {
      lines = exchange.fields().count("cookie");
      cookie = exchange.fields().find("cookie").value_or("");
      exchange.send(200, {}, exchange.fields().find("x").value_or(""));
    });
    const auto client = make_client();
    Answer answer;
    web::ClientRequest request = get(server.url("/"));
    request.fields = {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2; c=3"}, {"cookie", "d=4"}};
    client->send(std::move(request), answer);
    client->run();
    CHECK(answer.body == "y");
    CHECK(lines == 1);
    CHECK(cookie == "a=1; b=2; c=3; d=4");
  }

  // RFC 9110 §10.1.1
  TEST_CASE("a client that waits to be asked for its content is asked once a handler wants it") {
    ServerFixture server([](web::Exchange& exchange) {
      if (exchange.path() == "/no") return exchange.send(413, {}, "");
      const auto answer = [&exchange] {
        std::string all;
        while (auto data = exchange.read()) all += as_text(data->bytes());
        if (exchange.is_request_complete()) exchange.send(200, {}, all);
      };
      exchange.on_readable(answer);
      answer();
    });
    struct Waiting : Answer {
      void on_information(web::ClientExchange& exchange, unsigned code, const http::FieldSection& with) override {
        Answer::on_information(exchange, code, with);
        Slice data = Slice::copy_of(as_bytes("content"));
        exchange.write(data);
        exchange.finish();
      }
    };
    const auto client = make_client();
    for (const char* path : {"/", "/no"}) {
      Waiting answer;
      web::ClientRequest request = get(server.url(path));
      request.method = "POST";
      request.fields = {{"expect", "100-continue"}};
      request.streaming = true;
      request.time_limit = Duration::seconds(5);
      client->send(std::move(request), answer);
      client->run();
      CHECK(answer.text() == "");
      const bool wanted = std::string_view(path) == "/";
      CHECK(answer.informed == (wanted ? std::vector<unsigned>{100} : std::vector<unsigned>{}));
      CHECK(answer.body == (wanted ? "content" : ""));
    }
  }

  // RFC 9110 §8.6
  TEST_CASE("a content-length that may not stand there is left out") {
    ServerFixture server(
        [](web::Exchange& exchange) { exchange.send(204, {{"content-length", "0"}, {"x", "y"}}, ""); });
    const auto client = make_client();
    Answer answer;
    client->send(get(server.url("/")), answer);
    client->run();
    CHECK(answer.is_whole());
    CHECK(answer.status == 204);
    CHECK(answer.fields.find("x") == "y");
    CHECK_FALSE(answer.fields.find("content-length"));
  }

  TEST_CASE("1,000 requests over one connection") {
    ServerFixture server([](web::Exchange& exchange) { exchange.send(200, {}, exchange.path()); });
    const auto client = make_client();
    std::deque<Answer> answers(1000);
    for (size_t i = 0; i < answers.size(); i++) client->send(get(server.url("/" + std::to_string(i))), answers[i]);
    client->run();
    for (size_t i = 0; i < answers.size(); i++) {
      CAPTURE(i);
      REQUIRE(answers[i].is_whole());
      REQUIRE(answers[i].body == "/" + std::to_string(i));
    }
    CHECK(answers.back().facts.connection_reused);
    CHECK(server.eventually([](const web::ServerStatistics& now) {
      return now.requests == 1000 && now.endpoint.accepted == 1 && now.exchanges == 0;
    }));
  }

  TEST_CASE("a request from the end of another one") {
    ServerFixture server([](web::Exchange& exchange) { exchange.send(200, {}, exchange.path()); });
    const auto client = make_client();
    Answer first, second;
    first.then = [&] { client->send(get(server.url("/second")), second); };
    client->send(get(server.url("/first")), first);
    client->run();
    CHECK(first.body == "/first");
    CHECK(second.body == "/second");
    CHECK(second.facts.connection_reused);
  }

  TEST_CASE("a handler writes as there is room, and a slow reader slows its own stream alone") {
    constexpr size_t kSize = 64 << 20;
    std::atomic<size_t> written = 0;
    ServerFixture server([&](web::Exchange& exchange) {
      if (exchange.path() == "/quick") return exchange.send(200, {}, "quick");
      exchange.respond(200);
      const auto go_on = [&exchange, &written] {
        while (written < kSize) {
          Slice data = Slice::copy_of(std::vector<uint8_t>(100'000, 'a'));
          const size_t before = data.size();
          exchange.write(data);
          written += before - data.size();
          if (!data.empty()) return;
        }
        exchange.finish();
      };
      exchange.on_writable(go_on);
      go_on();
    });
    /// Reads nothing.
    struct Sleeper final : web::Listener {
      void on_response(web::ClientExchange&, unsigned, const http::FieldSection&) override { responded = true; }
      void on_readable(web::ClientExchange&) override {}
      void on_end(web::ClientExchange&, const std::optional<web::Failure>& how) override { failure = how; }
      bool responded = false;
      std::optional<web::Failure> failure;
    } slow;
    const auto client = make_client();
    web::ClientExchange& sleeping = client->send(get(server.url("/slow")), slow);
    std::deque<Answer> quick(50);
    size_t done = 0;
    for (Answer& answer : quick) {
      answer.then = [&] {
        if (++done < quick.size()) {
          client->send(get(server.url("/quick")), quick[done]);
        } else {
          sleeping.cancel();
        }
      };
    }
    client->send(get(server.url("/quick")), quick[0]);
    client->run();
    CHECK(slow.responded);
    REQUIRE(slow.failure);
    CHECK(slow.failure->kind == web::FailureKind::cancelled);
    for (const Answer& answer : quick) CHECK(answer.is_whole());
    CHECK(written < kSize / 2);  // the windows and the buffer, and no more
    CHECK(server.eventually([](const web::ServerStatistics& now) { return now.exchanges == 0; }));
  }

  TEST_CASE("an upload is asked for as the server reads it") {
    constexpr size_t kSize = 64 << 20;
    std::atomic<bool> read_on = false;
    ServerFixture server([&](web::Exchange& exchange) {
      if (exchange.path() == "/go") {
        read_on = true;
        return exchange.send(204);
      }
      auto total = std::make_shared<size_t>(0);
      exchange.on_readable([&, total] {
        if (!read_on && *total > 0) return;
        while (auto data = exchange.read()) {
          *total += data->size();
          if (!read_on) return;
        }
        if (exchange.is_request_complete()) exchange.send(200, {}, std::to_string(*total));
      });
    });
    const auto client = make_client();
    size_t given = 0;
    Answer upload;
    web::ClientRequest request = get(server.url("/upload"));
    request.method = "PUT";
    request.body = std::make_unique<Counted>(kSize, &given);
    web::ClientExchange& exchange = client->send(std::move(request), upload);
    int ticks = 0;
    size_t stood_at = 0;
    client->on_tick(Duration::milliseconds(20), [&](Instant) {
      if (++ticks == 10) {
        stood_at = given;
        exchange.cancel();
      }
    });
    client->run();
    CHECK(stood_at < kSize / 2);
    CHECK(upload.failure->kind == web::FailureKind::cancelled);
    read_on = true;
    given = 0;
    Answer second;
    request = get(server.url("/upload"));
    request.method = "PUT";
    request.body = std::make_unique<Counted>(4 << 20, &given);
    client->send(std::move(request), second);
    client->run();
    CHECK(second.text() == "");
    CHECK(second.body == std::to_string(4 << 20));
  }

  // RFC 9114 §4.1: "a server can send a complete response prior to the client sending an entire request".
  TEST_CASE("an answer before the end of the request stops the request, without an error") {
    ServerFixture server([](web::Exchange& exchange) { exchange.send(413, {}, "too large"); });
    const auto client = make_client();
    size_t given = 0;
    Answer answer;
    web::ClientRequest request = get(server.url("/"));
    request.method = "POST";
    request.body = std::make_unique<Counted>(256 << 20, &given);
    client->send(std::move(request), answer);
    client->run();
    CHECK(answer.text() == "");
    CHECK(answer.status == 413);
    CHECK(answer.body == "too large");
    CHECK(given < (200 << 20));
  }

  TEST_CASE("what a handler abandons fails at the client, and the connection goes on") {
    std::atomic<int> ends = 0;
    ServerFixture server([&](web::Exchange& exchange) {
      exchange.on_end([&](const web::Outcome& outcome) {
        ends++;
        CHECK(outcome.complete == (exchange.path() == "/fine"));
      });
      if (exchange.path() == "/abort") return exchange.abort(h3::ErrorCode::excessive_load);
      if (exchange.path() == "/broken") return exchange.send(200, {}, std::make_unique<Broken>());
      exchange.send(200, {}, "fine");
    });
    const auto client = make_client();
    Answer aborted, broken, fine;
    client->send(get(server.url("/abort")), aborted);
    client->send(get(server.url("/broken")), broken);
    client->send(get(server.url("/fine")), fine);
    client->run();
    REQUIRE(aborted.failure);
    CHECK(aborted.failure->kind == web::FailureKind::stream);
    CHECK(aborted.failure->code == static_cast<uint64_t>(h3::ErrorCode::excessive_load));
    CHECK(aborted.text() == "the server gave the request up with H3_EXCESSIVE_LOAD (0x107)");
    REQUIRE(broken.failure);
    CHECK(broken.failure->kind == web::FailureKind::stream);
    CHECK(broken.failure->code == static_cast<uint64_t>(h3::ErrorCode::internal_error));
    CHECK(fine.is_whole());
    CHECK(server.eventually([&](const web::ServerStatistics&) { return ends == 3; }));
  }

  TEST_CASE("a request's body that cannot be read is the client's failure") {
    ServerFixture server(echo);
    const auto client = make_client();
    Answer answer;
    web::ClientRequest request = get(server.url("/"));
    request.method = "POST";
    request.body = std::make_unique<Broken>();
    client->send(std::move(request), answer);
    client->run();
    REQUIRE(answer.failure);
    CHECK(answer.failure->kind == web::FailureKind::body);
    CHECK(answer.text() == "the request's body failed: the disk is on fire");
    CHECK(server.eventually([](const web::ServerStatistics& now) { return now.exchanges == 0; }));
  }

  TEST_CASE("a callback that is set late is told what it has missed") {
    web::Exchange* waiting = nullptr;
    ServerFixture server([&](web::Exchange& exchange) {
      if (exchange.path() == "/upload") {
        waiting = &exchange;
        return;
      }
      echo(*waiting);
      exchange.send(204);
    });
    const auto client = make_client();
    Answer upload, poke;
    client->send(post(server.url("/upload"), "what came before"), upload);
    int ticks = 0;
    client->on_tick(Duration::milliseconds(10), [&](Instant) {
      if (++ticks == 3) client->send(get(server.url("/poke")), poke);
    });
    client->run();
    CHECK(upload.text() == "");
    CHECK(upload.body == "what came before");
  }

  TEST_CASE("what a handler writes for HEAD is dropped") {
    ServerFixture server([](web::Exchange& exchange) {
      exchange.respond(200, {{"content-length", "4"}});
      Slice data = Slice::copy_of(as_bytes("body"));
      exchange.write(data);
      CHECK(data.empty());
      exchange.finish();
    });
    const auto client = make_client();
    Answer answer;
    web::ClientRequest request = get(server.url("/"));
    request.method = "HEAD";
    client->send(std::move(request), answer);
    client->run();
    CHECK(answer.text() == "");
    CHECK(answer.fields.find("content-length") == "4");
  }

  TEST_CASE("a streaming request and its response interleave") {
    ServerFixture server([](web::Exchange& exchange) {
      exchange.respond(200);
      exchange.on_readable([&exchange] {
        while (auto data = exchange.read()) exchange.write(*data);
        if (exchange.is_request_complete()) exchange.finish();
      });
    });
    struct Talk final : Answer {
      void on_response(web::ClientExchange& exchange, unsigned code, const http::FieldSection& with) override {
        Answer::on_response(exchange, code, with);
        say(exchange);
      }
      void on_readable(web::ClientExchange& exchange) override {
        const size_t before = body.size();
        Answer::on_readable(exchange);
        if (body.size() == before || ends) return;
        if (body.size() < 30) {
          say(exchange);
        } else {
          exchange.finish();
        }
      }
      static void say(web::ClientExchange& exchange) {
        Slice data = Slice::copy_of(as_bytes("0123456789"));
        exchange.write(data);
        CHECK(data.empty());
      }
    } talk;
    const auto client = make_client();
    web::ClientRequest request = get(server.url("/"));
    request.method = "POST";
    request.streaming = true;
    client->send(std::move(request), talk);
    client->run();
    CHECK(talk.text() == "");
    CHECK(talk.body == "012345678901234567890123456789");
  }
}

}  // namespace
}  // namespace quoll::tests
