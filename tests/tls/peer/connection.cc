#include "tests/tls/peer/connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/hex.h"
#include "tls/cipher_suite.h"

namespace quoll::tls::peer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLinger = std::chrono::seconds(2);
constexpr size_t kHeadSizeMax = 200;
constexpr size_t kToSendMax = 256 * 1024;  // bytes; above, nothing more is read that would have to be answered

[[noreturn]] void transport_failure(const char* what) {
  std::perror(what);
  std::exit(3);
}

/// Text that fits one line: other bytes become dots.
std::string printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '.';
  }
  return result;
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

void without_delay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

UnixTime unix_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return UnixTime::from_milliseconds(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

int connect_to(const std::string& host_and_port) {
  const size_t colon = host_and_port.rfind(':');
  if (colon == std::string::npos) usage_failure("--connect wants HOST:PORT");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string host = host_and_port.substr(0, colon), port = host_and_port.substr(colon + 1);
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) transport_failure("getaddrinfo");
  const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || connect(socket, found->ai_addr, found->ai_addrlen) != 0) transport_failure("connect");
  freeaddrinfo(found);
  without_delay(socket);
  return socket;
}

int listen_on(const std::string& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::strtoul(port.c_str(), nullptr, 10)));
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 16) != 0) {
    transport_failure("listen");
  }
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  print("port", std::to_string(ntohs(address.sin_port)));
  return listener;
}

int accept_from(int listener, std::chrono::seconds time_limit) {
  pollfd ready{.fd = listener, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, milliseconds_until(Clock::now() + time_limit)) != 1) {
    std::fputs("tls_peer: nobody connected\n", stderr);
    std::exit(3);
  }
  const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (socket < 0) transport_failure("accept");
  without_delay(socket);
  return socket;
}

void print(std::string_view name, std::string_view value) {
  std::printf("%.*s=%.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(value.size()), value.data());
  std::fflush(stdout);
}

FileKeyLog::FileKeyLog(const std::string& path) : file_(std::fopen(path.c_str(), "ae")) {
  if (!file_) usage_failure("cannot write " + path);
}
FileKeyLog::~FileKeyLog() { std::fclose(file_); }
void FileKeyLog::line(std::string_view text) {
  std::fprintf(file_, "%.*s\n", static_cast<int>(text.size()), text.data());
  std::fflush(file_);
}

Connection::Connection(int socket, Stream stream, std::chrono::seconds time_limit)
    : socket_(socket),
      stream_(std::move(stream)),
      deadline_(Clock::now() + time_limit),
      digest_(*crypto::best().sha256) {}

Connection::~Connection() { ::close(socket_); }

void Connection::send(std::vector<uint8_t> data) {
  pending_ = std::move(data);
  pending_written_ = 0;
}

void Connection::write_pending() {
  while (!is_written() && stream_.to_send().size() < kToSendMax / 2) {
    const Bytes piece =
        Bytes(pending_).subspan(pending_written_).first(std::min(pending_.size() - pending_written_, kToSendMax / 8));
    pending_written_ += piece.size();
    (void)stream_.write(piece);  // a failure stays in the stream
  }
}

bool Connection::run_until(const std::function<bool()>& condition) {
  while (!condition()) {
    if (!exchange()) return condition();
  }
  return true;
}

/// One round; false when nothing more can come of it. A failure is known only after its alert was sent.
bool Connection::exchange() {
  write_pending();
  if (stream_.failure() && stream_.to_send().empty()) return false;
  if (ended_ && stream_.to_send().empty()) return false;
  // What is to be sent may then be answers, which the peer makes us give: it has to take them first.
  const bool wants_data = !ended_ && stream_.to_send().size() < kToSendMax;
  pollfd ready{.fd = socket_, .events = 0, .revents = 0};
  if (wants_data) ready.events |= POLLIN;
  if (!stream_.to_send().empty()) ready.events |= POLLOUT;
  const int found = poll(&ready, 1, milliseconds_until(deadline_));
  if (found < 0 && errno == EINTR) return true;
  if (found <= 0) {
    timed_out_ = true;
    return false;
  }
  if (ready.revents & POLLOUT) send_some();
  if (wants_data && (ready.revents & (POLLIN | POLLHUP | POLLERR))) receive_some();
  return true;
}

void Connection::send_some() {
  const Bytes bytes = stream_.to_send();
  const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0) {
    stream_.sent(static_cast<size_t>(count));
  } else if (errno != EAGAIN && errno != EINTR) {
    stream_.sent(bytes.size());  // nobody takes it any more; what the peer sent before may still be there to be read
  }
}

void Connection::receive_some() {
  uint8_t buffer[64 * 1024];
  const ssize_t count = recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    ended_ = true;
    clean_end_ = stream_.receive_end();
    return;
  }
  // Rounded up, so that a ticket never looks older than it is: GnuTLS takes no early data with such a ticket. The error
  // stays in stream_.failure().
  const UnixTime now = unix_now() + Duration::milliseconds(1);
  (void)stream_.receive(Bytes(buffer).first(static_cast<size_t>(count)), now);
  take_data();
}

void Connection::take_data() {
  for (;;) {
    const auto [data, early] = stream_.readable();
    if (data.empty()) return;
    const std::vector<uint8_t> copy(data.begin(), data.end());
    stream_.consume(data.size());
    digest_.update(copy);
    received_size_ += copy.size();
    const size_t head_size = std::min(copy.size(), kHeadSizeMax - head_.size());
    head_ += as_text(Bytes(copy).first(head_size));
    if (early) early_ += as_text(copy);
    if (on_data_) on_data_(copy, early);
  }
}

void Connection::finish_sending() {
  run_until([this] { return stream_.to_send().empty(); });
  shutdown(socket_, SHUT_WR);
  if (stream_.failure()) linger();
}

/// Reads what nobody wants any more: closing a socket with unread data would reset the connection, and the peer might
/// never see our alert.
void Connection::linger() {
  uint8_t buffer[4096];
  pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
  while (!ended_ && poll(&ready, 1, milliseconds_until(std::min(deadline_, Clock::now() + kLinger))) == 1) {
    ended_ = recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT) <= 0;
  }
}

void Connection::report_negotiated() {
  const Negotiated& negotiated = stream_.negotiated();
  print("handshake", stream_.is_complete() ? "complete" : "incomplete");
  if (!stream_.is_complete()) return;
  print("suite", name_of(negotiated.cipher_suite));
  print("group", negotiated.group ? name_of_group(*negotiated.group) : "none");
  print("alpn", negotiated.application_protocol);
  print("server_name", negotiated.server_name);
  print("resumed", negotiated.resumed ? "yes" : "no");
  print("hello_retry", negotiated.hello_retry ? "yes" : "no");
  const auto early = stream_.early_data_accepted();
  print("early_data", !early ? "none" : *early ? "accepted" : "rejected");
  print("peer_scheme", negotiated.peer_signature_scheme ? name_of_scheme(*negotiated.peer_signature_scheme) : "none");
  print("peer_certificates", std::to_string(negotiated.peer_certificates.size()));
  print("ocsp_size", std::to_string(negotiated.peer_ocsp_response.size()));
}

void Connection::report_data() {
  print("received_size", std::to_string(received_size_));
  print("received_sha256", to_hex(digest_.digest()));
  print("received", printable(head_));
  if (!early_.empty()) print("early_received", printable(early_));
}

void Connection::report_end() {
  if (timed_out_) print("timed_out", "yes");
  if (const auto alert = stream_.peer_alert()) {
    print("alert_received", alert_name(*alert));
  } else if (const auto& failure = stream_.failure()) {
    // What the Stream made of the error is in the Session's hands: errors of the tls domain are alerts.
    print("alert_sent",
          failure->domain == ErrorDomain::tls ? alert_name(static_cast<uint8_t>(failure->code)) : "other");
  }
  if (const auto& failure = stream_.failure()) print("reason", failure->reason);
  print("end", stream_.is_read_closed() || clean_end_ ? "close_notify" : ended_ ? "cut" : "open");
}

}  // namespace quoll::tls::peer
