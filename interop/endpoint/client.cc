// The client's role: hq-interop on a quic::Endpoint, or HTTP/3 by web::Client.
#include <list>

#include "app/cert.h"
#include "interop/endpoint/hq_client.h"
#include "interop/endpoint/roles.h"
#include "os/system_rng.h"
#include "udp/run.h"
#include "web/client.h"
#include "web/resolve.h"

namespace quoll::interop {
namespace {

/// A socket for an address's family. With IPv6 it takes IPv4 too, so that a server may prefer another address.
Result<udp::Socket> bind_for(const IpAddress& remote) {
  if (auto socket = udp::Socket::bind(*SocketAddress::parse("[::]:0"))) return socket;
  const bool is_ipv6 = remote.family() == IpAddress::Family::ipv6;
  return udp::Socket::bind(*SocketAddress::parse(is_ipv6 ? "[::]:0" : "0.0.0.0:0"));
}

int fetch_hq(TestCase test_case, const Environment& environment, Logs& logs) {
  const http::Url& first = environment.requests.front();
  for (const http::Url& each : environment.requests) {
    if (each.authority() == first.authority()) continue;
    say("REQUESTS: " + each.to_string() + ": another server than the first URL's");
    return kFailed;
  }
  const web::Resolved resolved = web::resolve(first.host, true, true);
  if (resolved.addresses.empty()) {
    say(first.host + ": " + resolved.failure);
    return kFailed;
  }
  const IpAddress& address = resolved.addresses.front();
  Result<udp::Socket> socket = bind_for(address);
  if (!socket) {
    say("a UDP socket: " + app::error_text(socket.error()));
    return kFailed;
  }

  auto config = std::make_shared<quic::ClientConfig>();
  config->tls = client_tls(test_case, environment, logs.key_log());
  config->transport = transport_for(test_case, environment);
  if (test_case == TestCase::v2) config->original_version = quic::Version::v1;
  if (test_case == TestCase::versionnegotiation) {
    config->original_version = quic::reserved_version(static_cast<uint32_t>(os::thread_rng().next_u64()));
  }
  quic::EndpointConfig endpoint_config;
  endpoint_config.wall_clock = [&logs](Instant now) { return logs.clock().at(now); };
  endpoint_config.trace = logs.traces();
  quic::Endpoint endpoint(endpoint_config, crypto::best(), os::thread_rng());
  HqClient client(endpoint, config,
                  {.path = socket->path_to(SocketAddress{address, first.port}), .server_name = first.host},
                  plan_for(test_case, environment.requests), environment.downloads);
  if (const Result<void> ran = udp::run(endpoint, *socket, client); !ran) {
    say("the event loop: " + app::error_text(ran.error()));
    return kFailed;
  }
  return client.failed() ? kFailed : kSucceeded;
}

/// One request of HTTP/3, into a file.
class Fetch final : public web::Listener {
 public:
  Fetch(std::string folder, std::string name) : folder_(std::move(folder)), name_(std::move(name)) {}

  bool succeeded() const { return succeeded_; }

  void on_response(web::ClientExchange& exchange, unsigned status, const http::FieldSection&) override {
    constexpr unsigned kOk = 200;
    if (status == kOk) file_ = Download::create(folder_, name_);
    if (file_) return;
    say(name_ + (status == kOk ? ": cannot be written" : ": status " + std::to_string(status)));
    exchange.cancel();
  }
  void on_readable(web::ClientExchange& exchange) override {
    while (const std::optional<Slice> piece = exchange.read()) {
      if (file_ && file_->write(piece->bytes())) continue;
      if (file_) say(name_ + ": cannot be written");
      file_.reset();
    }
  }
  void on_end(web::ClientExchange&, const std::optional<web::Failure>& failure) override {
    if (failure) {
      say(name_ + ": " + failure->text);
    } else {
      succeeded_ = file_ && file_->finish();
    }
    file_.reset();
  }

 private:
  std::string folder_, name_;
  std::unique_ptr<Download> file_;
  bool succeeded_ = false;
};

int fetch_http3(TestCase test_case, const Environment& environment, Logs& logs) {
  web::ClientOptions options;
  options.tls = client_tls(test_case, environment, logs.key_log());
  options.transport = transport_for(test_case, environment);
  options.qlog_directory = logs.qlog_directory();
  auto client = web::Client::create(std::move(options));
  if (!client) {
    say("the client: " + app::error_text(client.error()));
    return kFailed;
  }
  std::list<Fetch> fetches;
  for (const http::Url& url : environment.requests) {
    Fetch& fetch = fetches.emplace_back(environment.downloads, file_name_of(url));
    web::ClientRequest request;
    request.url = url;
    (*client)->send(std::move(request), fetch);
  }
  (*client)->run();
  (*client)->close();
  bool succeeded = true;
  for (const Fetch& fetch : fetches) succeeded &= fetch.succeeded();
  return succeeded ? kSucceeded : kFailed;
}

}  // namespace

int run_client(TestCase test_case, const Environment& environment, Logs& logs) {
  if (test_case == TestCase::http3) return fetch_http3(test_case, environment, logs);
  return fetch_hq(test_case, environment, logs);
}

}  // namespace quoll::interop
