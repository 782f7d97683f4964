// Messages that are malformed, each as a stream error (RFC 9114 §4.1.2): the session gives the stream up with
// H3_MESSAGE_ERROR, tells the application nothing of it, and goes on with others.
#include "tests/h3/raw.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::h3;
using namespace quoll::tests;

namespace {

constexpr uint64_t kMessageError = static_cast<uint64_t>(ErrorCode::message_error);

/// In no message.
const http::FieldLine kBadFields[] = {
    {"connection", "close"},
    {"keep-alive", "1"},
    {"proxy-connection", "close"},
    {"transfer-encoding", "chunked"},
    {"upgrade", "h2c"},
    {"te", "gzip"},
    {"X-Upper", "1"},
    {"a b", "1"},
    {"", "1"},
    {"a", "x\r\ny"},
    {"a", " x"},
    {":unknown", "1"},
    {":status", "200"},
    {":path", "/"},
    {":method", "GET"},
};

const http::FieldSection kRequests[] = {
    {},
    {{":method", "GET"}},
    {{":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}},
    {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", ""}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", ""}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "*"}},
    {{":method", "G T"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "u@a"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"host", "b"}},
    {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", ""}},
    {{":method", "GET"}, {":scheme", "https"}, {"a", "b"}, {":authority", "a"}, {":path", "/"}},
    {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {":status", "200"}},
    {{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"content-length", "x"}},
    {{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"content-length", "1, 2"}},
    {{":method", "POST"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"content-length", "1"}},
    {{":method", "CONNECT"}},
    {{":method", "CONNECT"}, {":authority", "a"}},
    {{":method", "CONNECT"}, {":scheme", "https"}, {":authority", "a:1"}},
    {{":method", "CONNECT"}, {":authority", "a:1"}, {":path", "/"}},
    {{":method", "CONNECT"}, {":protocol", "websocket"}, {":authority", "a:1"}},
    {{":method", "GET"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
};

const http::FieldSection kResponses[] = {
    {},
    {{"a", "b"}},
    {{":status", ""}},
    {{":status", "20"}},
    {{":status", "2000"}},
    {{":status", "2xx"}},
    {{":status", "099"}},
    {{":status", "101"}},
    {{":status", "200"}, {":status", "200"}},
    {{"a", "b"}, {":status", "200"}},
    {{":status", "200"}, {":path", "/"}},
    {{":status", "200"}, {"content-length", "1"}},
    {{":status", "200"}, {"content-length", "-1"}},
    {{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}},
};

/// Both parts of the stream end, and nothing else does.
void check_given_up(H3End& end) {
  const std::optional<uint64_t> reset = end.transport.out[0].reset;
  const std::optional<uint64_t> stopped = end.transport.in[0].stop;
  CHECK_EQ(reset ? reset : stopped, kMessageError);
  CHECK_EQ(end.session.open_exchanges(), 0);
  CHECK_FALSE(end.close_code().has_value());
  end.session.check_invariants();
}

void check_request(const http::FieldSection& fields) {
  for (const bool fin : {true, false}) {
    if (!fin && fields.find("content-length") == "1") continue;  // which may come
    ServerEnd end;
    end.receive(0, headers(fields), fin);
    check_given_up(end);
    CHECK(end.events().empty());
    end.receive(4, headers(get()), true);
    CHECK(end.next<RequestReceived>().has_value());
  }
}

void check_response(const http::FieldSection& fields) {
  ClientEnd end;
  end.receive(0, headers(fields), true);
  const auto events = end.events();
  CHECK(std::ranges::none_of(events, [](const Event& e) { return std::holds_alternative<ResponseReceived>(e); }));
  check_given_up(end);
}

}  // namespace

TEST_SUITE("h3 conformance") {
  // RFC 9114 §4.1.2, §4.3.1, §4.4
  // RFC 9220 §3
  TEST_CASE("a request that is malformed ends its stream, and is not told") {
    for (size_t i = 0; i < std::size(kRequests); i++) {
      CAPTURE(i);
      check_request(kRequests[i]);
    }
  }

  // RFC 9114 §4.1.2, §4.3.2, §4.5
  TEST_CASE("a response that is malformed ends its stream, and is not told") {
    for (size_t i = 0; i < std::size(kResponses); i++) {
      CAPTURE(i);
      check_response(kResponses[i]);
    }
  }

  // RFC 9114 §4.2, §4.3, §10.3
  TEST_CASE("a field that may stand nowhere makes each message malformed") {
    for (const http::FieldLine& bad : kBadFields) {
      CAPTURE(std::string(bad.name));
      http::FieldSection request = get(), response = status("200"), interim = status("103");
      request.add(bad);
      response.add(bad);
      interim.add(bad);
      check_request(request);
      check_response(response);
      check_response(interim);
      // In trailers, which are looked at when somebody reads so far.
      ServerEnd server;
      server.receive(0, headers(get()) + headers({bad}), true);
      (void)server.read_all(0);
      check_given_up(server);
      ClientEnd client;
      client.receive(0, headers(status("200")) + headers({bad}), true);
      (void)client.read_all(0);
      check_given_up(client);
    }
  }

  // RFC 9114 §4.1, §4.2, §4.3, §4.3.1, §4.4
  TEST_CASE("what is malformed is not sent either") {
    for (const http::FieldSection& fields : kRequests) {
      ClientEnd end;
      CHECK_FALSE(end.session.request(fields, true).has_value());
    }
    for (const http::FieldLine& bad : kBadFields) {
      CAPTURE(std::string(bad.name));
      ClientEnd client;
      http::FieldSection request = get();
      request.add(bad);
      CHECK_FALSE(client.session.request(request, true).has_value());
      CHECK_EQ(client.transport.opened[0], 1);  // by the request that all ends begin with
      ServerEnd server;
      server.receive(0, headers(get()), true);
      CHECK_FALSE(server.session.inform(0, 103, {bad}).has_value());
      CHECK_FALSE(server.session.respond(0, 200, {bad}, true).has_value());
      CHECK(server.transport.out[0].bytes.empty());
      REQUIRE(server.session.respond(0, 200, {}, false).has_value());
      CHECK_FALSE(server.session.finish(0, {bad}).has_value());
    }
  }

  // RFC 9114 §4.2.1
  // RFC 9114 §4.3.1
  TEST_CASE("what looks strange and is allowed is told") {
    const http::FieldSection good[] = {
        {{":path", "/"}, {":authority", "a"}, {":scheme", "https"}, {":method", "GET"}},
        {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}},
        {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"host", "a"}},
        {{":method", "OPTIONS"}, {":scheme", "https"}, {":authority", "a"}, {":path", "*"}},
        {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"te", "trailers"}},
        {{":method", "GET"},
         {":scheme", "https"},
         {":authority", "a"},
         {":path", "/"},
         {"cookie", "a"},
         {"cookie", "b"}},
        {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}, {"content-length", "0"}},
        {{":method", "GET"}, {":scheme", "ftp"}, {":path", "/"}},
        {{":method", "anything"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
    };
    for (const http::FieldSection& fields : good) {
      ServerEnd end;
      end.receive(0, headers(fields), true);
      CHECK(end.next<RequestReceived>().has_value());
    }
  }
}
