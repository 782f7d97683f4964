// A program of others over quoll::h3: a server on a thread of its own, and a client that asks it.
#include <quoll/base/version.h>
#include <quoll/os/system_rng.h>
#include <quoll/os/wall_clock.h>
#include <quoll/tls/x509/certificate_maker.h>
#include <quoll/web/client.h>
#include <quoll/web/server.h>

#include <cstdio>
#include <thread>

using namespace quoll;

struct Printer final : web::Listener {
  unsigned status = 0;
  void on_response(web::ClientExchange&, unsigned of, const http::FieldSection&) override { status = of; }
  void on_readable(web::ClientExchange& exchange) override {
    while (const auto piece = exchange.read()) std::fwrite(piece->data(), 1, piece->size(), stdout);
  }
  void on_end(web::ClientExchange&, const std::optional<web::Failure>& failure) override {
    if (failure) std::fprintf(stderr, "%s\n", failure->text.c_str());
  }
};

int main() {
  auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ecdsa_p256, os::thread_rng()).value();
  const UnixTime now = os::wall_clock();
  const Duration day = Duration::seconds(24 * 3600);
  const x509::CertificateRequest request{.names = {"localhost"}, .not_before = now - day, .not_after = now + day};
  auto leaf = x509::make_certificate(request, key.public_key_info(), nullptr, key, os::thread_rng()).value();
  web::ServerOptions options;
  options.listen = {*SocketAddress::parse("127.0.0.1:0")};
  options.identities = {
      std::make_shared<const tls::Identity>(tls::Identity::create({std::move(leaf)}, std::move(key)).value())};
  auto server = web::Server::listen(std::move(options), [](web::Exchange& exchange) {
    exchange.send(200, {}, std::string("hello from ") + kVersion + "\n");
  });
  if (!server) return 1;
  std::thread serving([&] { (void)(*server)->run(); });

  auto tls = std::make_shared<tls::ClientConfig>();
  tls->verification = tls::PeerVerification::none;
  auto client = web::Client::create({.tls = tls}).value();
  Printer printer;
  const auto url = http::Url::parse("https://" + (*server)->addresses().front().to_string() + "/");
  client->send({.url = *url}, printer);
  client->run();
  client->close();
  (*server)->stop();
  serving.join();
  return printer.status == 200 ? 0 : 1;
}
