// The server's role: hq-interop on a quic::Endpoint, or HTTP/3 by web::Server, on every address of the machine.
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <csignal>
#include <cstring>

#include "app/cert.h"
#include "app/signals.h"
#include "interop/endpoint/hq_server.h"
#include "interop/endpoint/roles.h"
#include "os/system_rng.h"
#include "tls/anti_replay.h"
#include "tls/server_ticket.h"
#include "udp/run.h"
#include "udp/sockaddr.h"
#include "web/server.h"
#include "web/static_files.h"

namespace quoll::interop {
namespace {

// RFC 9000 §9.6: where a server with a preferred address waits beside its port.
constexpr uint16_t kPreferredPort = 4443;

const std::vector<int> kEndingSignals = {SIGTERM, SIGINT};

int fail(const std::string& what, const Error& error) {
  say(what + ": " + app::error_text(error));
  return kFailed;
}

SocketAddress any_address(uint16_t port) { return *SocketAddress::parse("[::]:" + std::to_string(port)); }

/// An IPv6 socket that takes IPv4 too; IPv4 alone where there is no IPv6.
Result<udp::Socket> bind(uint16_t port) {
  if (auto socket = udp::Socket::bind(any_address(port))) return socket;
  return udp::Socket::bind(*SocketAddress::parse("0.0.0.0:" + std::to_string(port)));
}

/// This machine's address of a family that others reach it by.
std::optional<IpAddress> own_address(int family) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  std::optional<IpAddress> found;
  for (const ifaddrs* each = first; each && !found; each = each->ifa_next) {
    if (!each->ifa_addr || each->ifa_addr->sa_family != family || (each->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    udp::Sockaddr address{};
    std::memcpy(&address, each->ifa_addr, size);
    if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address.v6.sin6_addr)) continue;
    found = udp::from_sockaddr(address).ip;
  }
  freeifaddrs(first);
  return found;
}

void prefer_other_port(quic::ServerConfig& config) {
  if (const auto ip = own_address(AF_INET)) config.preferred_ipv4 = SocketAddress{*ip, kPreferredPort};
  if (const auto ip = own_address(AF_INET6)) config.preferred_ipv6 = SocketAddress{*ip, kPreferredPort};
}

/// So that a client may resume, and send early data.
void allow_resumption(tls::ServerConfig& tls, UnixTime now) {
  Rng& rng = os::thread_rng();
  tls::TicketKeys::Secret secret;
  rng.fill(secret);
  tls.ticket_keys = tls::TicketKeys::ratcheted(crypto::best(), secret, {.origin = now});
  // The keys are new, so no ticket is older than this server: its register has seen every one.
  tls::StrikeRegister::Options replay;
  replay.start = now - replay.window * 3;
  tls.anti_replay = std::make_shared<tls::StrikeRegister>(replay, rng);
}

std::shared_ptr<quic::ServerConfig> server_config(TestCase test_case, const Environment& environment,
                                                  tls::Identities identities, Logs& logs) {
  auto tls = std::make_shared<tls::ServerConfig>();
  tls->preferences = preferences_for(test_case);
  tls->application_protocols = {kHqProtocol};
  tls->identities = std::move(identities);
  tls->key_log = logs.key_log();
  allow_resumption(*tls, logs.clock().at(udp::now()));
  auto config = std::make_shared<quic::ServerConfig>();
  config->tls = std::move(tls);
  config->transport = transport_for(test_case, environment);
  if (test_case == TestCase::connectionmigration) prefer_other_port(*config);
  return config;
}

int serve_hq(TestCase test_case, const Environment& environment, tls::Identities identities, Logs& logs) {
  Result<web::RootFolder> files = web::RootFolder::open(environment.www.c_str());
  if (!files) return fail(environment.www, files.error());
  std::vector<udp::Socket> sockets;
  for (const uint16_t port : {environment.port, kPreferredPort}) {
    if (port == kPreferredPort && test_case != TestCase::connectionmigration) continue;
    Result<udp::Socket> socket = bind(port);
    if (!socket) return fail("UDP port " + std::to_string(port), socket.error());
    sockets.push_back(std::move(*socket));
  }
  Result<udp::Loop> loop = udp::Loop::create();
  if (!loop) return fail("the event loop", loop.error());

  quic::EndpointConfig config;
  config.wall_clock = [&logs](Instant now) { return logs.clock().at(now); };
  config.server = server_config(test_case, environment, std::move(identities), logs);
  config.retry = test_case == TestCase::retry ? quic::RetryPolicy::always : quic::RetryPolicy::never;
  config.trace = logs.traces();
  quic::Endpoint endpoint(config, crypto::best(), os::thread_rng());
  HqServer server(endpoint, std::move(*files));
  const app::SignalThread signals(kEndingSignals, [&](int) {
    server.stop();
    loop->wake();
  });
  const Result<void> ran = udp::run(*loop, endpoint, sockets, server);
  return ran ? kSucceeded : fail("the event loop", ran.error());
}

int serve_http3(TestCase test_case, const Environment& environment, tls::Identities identities, Logs& logs) {
  auto files = web::StaticFiles::create({.root = environment.www});
  if (!files) return fail(environment.www, files.error());
  web::ServerOptions options;
  options.listen = {any_address(environment.port)};
  options.identities = std::move(identities);
  options.retry = quic::RetryPolicy::never;
  options.transport = transport_for(test_case, environment);
  options.key_log = logs.key_log();
  options.qlog_directory = logs.qlog_directory();
  const auto handler = [&files](web::Exchange& exchange) { files->serve(exchange); };
  auto server = web::Server::listen(options, handler);
  if (!server) return fail("UDP port " + std::to_string(environment.port), server.error());
  const app::SignalThread signals(kEndingSignals, [&](int) { (*server)->stop(); });
  const Result<void> ran = (*server)->run();
  return ran ? kSucceeded : fail("the event loop", ran.error());
}

}  // namespace

int run_server(TestCase test_case, const Environment& environment, Logs& logs) {
  auto identities = server_identities(environment);
  if (!identities) {
    say(identities.error());
    return kFailed;
  }
  app::SignalThread::block(kEndingSignals);
  if (test_case == TestCase::http3) return serve_http3(test_case, environment, std::move(*identities), logs);
  return serve_hq(test_case, environment, std::move(*identities), logs);
}

}  // namespace quoll::interop
