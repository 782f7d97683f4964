#include "app/metrics_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "udp/sockaddr.h"

namespace quoll::app {
namespace {

int64_t now_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

uint16_t bound_port(int listener) {
  udp::Sockaddr bound{};
  socklen_t size = sizeof bound;
  if (getsockname(listener, &bound.any, &size) != 0) return 0;
  return udp::from_sockaddr(bound).port;
}

/// A listening socket, or -1 with errno.
int open_listener(const SocketAddress& address) {
  const int family = address.ip.family() == IpAddress::Family::ipv4 ? AF_INET : AF_INET6;
  const int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return -1;
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  udp::Sockaddr wanted{};
  const socklen_t size = udp::to_sockaddr(address, family, wanted);
  if (bind(listener, &wanted.any, size) == 0 && listen(listener, 16) == 0) return listener;
  const int error = errno;
  close(listener);
  errno = error;
  return -1;
}

std::string response(std::string_view status, std::string_view type, std::string_view body, bool with_body) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: ").append(type).append("\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\nConnection: close\r\n");
  if (status.starts_with("405")) text.append("Allow: GET, HEAD\r\n");
  return text.append("\r\n").append(with_body ? body : std::string_view());
}

}  // namespace

std::expected<std::unique_ptr<MetricsServer>, std::string> MetricsServer::start(const SocketAddress& address,
                                                                                std::function<std::string()> render) {
  const int listener = open_listener(address);
  if (listener < 0) return std::unexpected(std::string(std::strerror(errno)));
  std::array<int, 2> wake{};
  if (pipe2(wake.data(), O_CLOEXEC) != 0) {
    const std::string why = std::strerror(errno);
    close(listener);
    return std::unexpected(why);
  }
  auto server = std::unique_ptr<MetricsServer>(new MetricsServer(listener, wake[0], wake[1], std::move(render)));
  server->address_ = {.ip = address.ip, .port = bound_port(listener)};
  server->thread_ = std::thread([raw = server.get()] { raw->run(); });
  return server;
}

MetricsServer::MetricsServer(int listener, int wake_read, int wake_write, std::function<std::string()> render)
    : listener_(listener), wake_read_(wake_read), wake_write_(wake_write), render_(std::move(render)) {}

MetricsServer::~MetricsServer() {
  close(wake_write_);  // its other end is readable from now on
  thread_.join();
  close(wake_read_);
  close(listener_);
}

/// Until `fd` is ready. False: the time is over, or the server ends.
bool MetricsServer::wait(int fd, short events, int64_t until_ms) const {
  for (;;) {
    std::array<pollfd, 2> watched = {pollfd{fd, events, 0}, pollfd{wake_read_, POLLIN, 0}};
    const int64_t left = until_ms < 0 ? -1 : std::max<int64_t>(until_ms - now_ms(), 0);
    const int ready = poll(watched.data(), watched.size(), static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && watched[1].revents == 0;
  }
}

void MetricsServer::run() {
  while (wait(listener_, POLLIN, -1)) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) {
      answer(connection);
      close(connection);
    } else if (errno == EMFILE || errno == ENFILE) {
      // No descriptor is left: the scraper has to wait in the queue, and so do we.
      wait(-1, 0, now_ms() + 100);
    }
  }
}

void MetricsServer::answer(int connection) {
  const int64_t until = now_ms() + kPatience.as_milliseconds();
  std::string request;
  std::array<char, 2048> room;
  while (request.find("\r\n\r\n") == std::string::npos) {
    if (request.size() > kRequestSizeMax || !wait(connection, POLLIN, until)) return;
    const ssize_t got = recv(connection, room.data(), room.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return;
    request.append(room.data(), static_cast<size_t>(got));
  }
  const std::string whole = response_to(request);
  std::string_view rest = whole;
  while (!rest.empty() && wait(connection, POLLOUT, until)) {
    const ssize_t sent = send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (sent < 0) return;
    rest.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string MetricsServer::response_to(const std::string& request) const {
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  std::string_view line = std::string_view(request).substr(0, request.find("\r\n"));
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !line.substr(last + 1).starts_with("HTTP/1.")) {
    return response("400 Bad Request", kText, "400 Bad Request\n", true);
  }
  const std::string_view method = line.substr(0, first);
  std::string_view path = line.substr(first + 1, last - first - 1);
  path = path.substr(0, path.find('?'));
  const bool is_head = method == "HEAD";
  if (method != "GET" && !is_head) return response("405 Method Not Allowed", kText, "405 Method Not Allowed\n", true);
  if (path != "/metrics") return response("404 Not Found", kText, "404 Not Found: see /metrics\n", !is_head);
  return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", render_(), !is_head);
}

}  // namespace quoll::app
