// A server on a port of the loopback interface in a thread of its own, and a client in this one, with a certificate that
// the client trusts.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/system_rng.h"
#include "tls/x509/certificate_maker.h"
#include "udp/loop.h"
#include "web/client.h"
#include "web/server.h"

namespace quoll::tests {

inline UnixTime system_time() {
  using namespace std::chrono;
  return UnixTime::from_milliseconds(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

/// Self-signed, for these names, valid from an hour ago.
inline std::shared_ptr<const tls::Identity> make_identity(std::vector<std::string> names = {"localhost", "127.0.0.1"},
                                                          Duration lifetime = Duration::seconds(3600)) {
  auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, os::thread_rng());
  x509::CertificateRequest request;
  // Certificates of the same name would be taken for each other's issuers.
  request.common_name = "test " + std::to_string(os::thread_rng().next_u64());
  request.names = std::move(names);
  request.not_before = system_time() - Duration::seconds(3600);
  request.not_after = system_time() + lifetime;
  const auto der = x509::make_certificate(request, key->public_key_info(), nullptr, *key, os::thread_rng());
  return std::make_shared<const tls::Identity>(tls::Identity::create({*der}, std::move(*key)).value());
}

inline const std::shared_ptr<const tls::Identity>& test_identity() {
  static const std::shared_ptr<const tls::Identity> identity = make_identity();
  return identity;
}

class ServerFixture {
 public:
  explicit ServerFixture(web::Handler handler, std::function<void(web::ServerOptions&)> change = {}) {
    web::ServerOptions options;
    options.listen = {*SocketAddress::parse("127.0.0.1:0")};
    options.identities = {test_identity()};
    options.drain = Duration::seconds(5);
    if (change) change(options);
    auto made = web::Server::listen(std::move(options), std::move(handler));
    if (!made) throw std::string(made.error().reason);
    server = std::move(*made);
    thread_ = std::thread([this] {
      (void)server->run();
      ended_ = true;
    });
  }
  ~ServerFixture() {
    if (!thread_.joinable()) return;
    server->stop();
    server->stop();
    thread_.join();
  }
  void join() { thread_.join(); }
  bool has_ended() const { return ended_; }

  std::string url(std::string_view path) const {
    return "https://localhost:" + std::to_string(server->addresses().front().port) + std::string(path);
  }
  /// Waits until the statistics are so; false after `patience`.
  bool eventually(const std::function<bool(const web::ServerStatistics&)>& so,
                  Duration patience = Duration::seconds(5)) const {
    const Instant until = udp::now() + patience;
    while (udp::now() < until) {
      if (so(server->statistics())) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  std::unique_ptr<web::Server> server;

 private:
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

/// Keeps what a response is.
class Answer : public web::Listener {
 public:
  void on_information(web::ClientExchange&, unsigned code, const http::FieldSection&) override {
    informed.push_back(code);
  }
  void on_response(web::ClientExchange&, unsigned code, const http::FieldSection& with) override {
    status = code;
    fields = with;
  }
  void on_readable(web::ClientExchange& exchange) override {
    while (auto data = exchange.read()) body += as_text(data->bytes());
  }
  void on_trailers(web::ClientExchange&, const http::FieldSection& with) override { trailers = with; }
  void on_end(web::ClientExchange& exchange, const std::optional<web::Failure>& how) override {
    facts = exchange.facts();
    failure = how;
    ends++;
    if (then) then();
  }
  bool is_whole() const { return ends == 1 && !failure; }
  std::string text() const { return failure ? failure->text : std::string(); }

  unsigned status = 0;
  std::vector<unsigned> informed;
  http::FieldSection fields, trailers;
  std::string body;
  web::Facts facts;
  std::optional<web::Failure> failure;
  int ends = 0;
  std::function<void()> then;
};

inline std::shared_ptr<tls::ClientConfig> trusting(const std::shared_ptr<const tls::Identity>& identity) {
  auto tls = std::make_shared<tls::ClientConfig>();
  auto trust = std::make_shared<x509::TrustStore>();
  trust->add(x509::Certificate::parse(identity->chain().front()).value());
  tls->trust = std::move(trust);
  return tls;
}

inline std::unique_ptr<web::Client> make_client(std::function<void(web::ClientOptions&)> change = {}) {
  web::ClientOptions options;
  options.tls = trusting(test_identity());
  options.ipv6 = false;
  if (change) change(options);
  return std::move(*web::Client::create(std::move(options)));
}

inline web::ClientRequest get(const std::string& url) {
  web::ClientRequest request;
  request.url = *http::Url::parse(url);
  return request;
}
inline web::ClientRequest post(const std::string& url, std::string body) {
  web::ClientRequest request = get(url);
  request.method = "POST";
  request.body = web::text_body(std::move(body));
  return request;
}

}  // namespace quoll::tests
