// The metrics' server, with scrapers that behave and others.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "app/metrics_server.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

constexpr IpAddress kLoopback = IpAddress::v4({127, 0, 0, 1});

int connect_to(uint16_t port) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return connection;
}

/// What comes back until the connection is closed.
std::string answer_to(uint16_t port, std::string_view request) {
  const int connection = connect_to(port);
  while (!request.empty()) {
    const ssize_t sent = send(connection, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    request.remove_prefix(static_cast<size_t>(sent));
  }
  std::string answer;
  char room[4096];
  for (ssize_t got; (got = recv(connection, room, sizeof room, 0)) > 0;) answer.append(room, static_cast<size_t>(got));
  close(connection);
  return answer;
}

}  // namespace

TEST_CASE("GET /metrics is answered, and nothing else") {
  const auto server = MetricsServer::start({.ip = kLoopback}, [] { return std::string("quoll_test 1\n"); });
  REQUIRE(server);
  const uint16_t port = (*server)->address().port;
  const std::string good = answer_to(port, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(good.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(good.find("\r\nContent-Length: 13\r\n") != std::string::npos);
  CHECK(good.ends_with("\r\n\r\nquoll_test 1\n"));
  CHECK(answer_to(port, "GET /metrics?name[]=x HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
  CHECK(answer_to(port, "HEAD /metrics HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
  CHECK(answer_to(port, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  CHECK(answer_to(port, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
  CHECK(answer_to(port, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(answer_to(port, "\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(answer_to(port, "GET /metrics HTTP/2\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

TEST_CASE("a request without an end gets none, and others are served after it") {
  const auto server = MetricsServer::start({.ip = kLoopback}, [] { return std::string("quoll_test 1\n"); });
  REQUIRE(server);
  const uint16_t port = (*server)->address().port;
  CHECK(answer_to(port, "GET /" + std::string(3 * MetricsServer::kRequestSizeMax, 'x')).find("200") ==
        std::string::npos);
  const int silent = connect_to(port);
  CHECK(answer_to(port, "GET /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
  close(silent);
}

TEST_CASE("it ends while a scraper keeps silent") {
  auto server = MetricsServer::start({.ip = kLoopback}, [] { return std::string(); });
  REQUIRE(server);
  const int silent = connect_to((*server)->address().port);
  usleep(20'000);
  server->reset();
  close(silent);
}

TEST_CASE("an address that is not ours is an error") {
  CHECK_FALSE(MetricsServer::start({.ip = IpAddress::v4({192, 0, 2, 1}), .port = 1}, [] { return std::string(); }));
}

}  // namespace quoll::app
