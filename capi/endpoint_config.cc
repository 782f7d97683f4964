#include "capi/endpoint_config.h"

#include "capi/identity.h"
#include "capi/status.h"
#include "capi/values.h"
#include "h3/over_quic.h"
#include "os/system_rng.h"
#include "os/trust.h"
#include "os/wall_clock.h"
#include "quic/endpoint/fleet_keys.h"

namespace quoll::capi {
namespace {

constexpr size_t kProtocolsMax = 16;
constexpr size_t kProtocolSizeMax = 255;  // RFC 7301 §3.1
constexpr size_t kPinsMax = 64;
constexpr uint64_t kConnectionsMax = 10'000'000;
// Above RFC 9000's limits on what can be announced, or beyond any memory.
constexpr uint64_t kWindowMax = uint64_t{1} << 40;

bool is_one_of(int value, int last) { return value >= 0 && value <= last; }

/// What a member asks for; 0 leaves the default.
template <class T>
bool take(uint64_t asked, uint64_t max, T& out) {
  if (asked > max) return false;
  if (asked != 0) out = static_cast<T>(asked);
  return true;
}

std::optional<quic::CongestionAlgorithm> congestion_of(int asked) {
  switch (asked) {
    case QUOLL_CONGESTION_DEFAULT:
    case QUOLL_CONGESTION_CUBIC:
      return quic::CongestionAlgorithm::cubic;
    case QUOLL_CONGESTION_NEW_RENO:
      return quic::CongestionAlgorithm::new_reno;
    case QUOLL_CONGESTION_BBR2:
      return quic::CongestionAlgorithm::bbr2;
    case QUOLL_CONGESTION_BBR3:
      return quic::CongestionAlgorithm::bbr3;
    default:
      return {};
  }
}

int read_protocols(const quoll_endpoint_config& given, std::vector<std::string>& protocols) {
  if (given.http3 != 0) {
    if (given.protocol_count != 0) return invalid("with http3 the protocol is h3");
    protocols = {std::string(h3::kProtocol)};
    return QUOLL_OK;
  }
  if (given.protocol_count == 0 || given.protocol_count > kProtocolsMax || !given.protocols) {
    return invalid("QUIC wants 1 to 16 ALPN protocols");
  }
  for (size_t i = 0; i < given.protocol_count; i++) {
    const char* name = given.protocols[i];
    if (!name || *name == '\0' || std::strlen(name) > kProtocolSizeMax)
      return invalid("an ALPN name has 1 to 255 bytes");
    protocols.emplace_back(name);
  }
  return QUOLL_OK;
}

int read_transport(const quoll_endpoint_config& given, const EndpointSetup& setup, quic::TransportConfig& transport) {
  const auto congestion = congestion_of(given.congestion);
  if (!congestion) return invalid("no such congestion control");
  transport.congestion = *congestion;
  if (given.idle_timeout != 0) transport.max_idle_timeout = duration_of(given.idle_timeout);
  transport.keep_alive = given.keep_alive == QUOLL_NEVER ? Duration() : duration_of(given.keep_alive);
  if (given.handshake_timeout != 0) transport.handshake_timeout = duration_of(given.handshake_timeout);
  quic::StreamLimits& streams = transport.streams;
  const bool fits = take(given.max_stream_window, kWindowMax, streams.max_stream_window) &&
                    take(given.max_connection_window, kWindowMax, streams.max_connection_window) &&
                    take(given.send_buffer_max, kWindowMax, streams.send_buffer_max) &&
                    take(given.max_bidirectional_streams, quic::kStreamCountMax, streams.max_bidirectional_streams) &&
                    take(given.max_unidirectional_streams, quic::kStreamCountMax, streams.max_unidirectional_streams);
  if (!fits) return invalid("a window or a number of streams is out of range");
  streams.initial_stream_window = std::min(streams.initial_stream_window, streams.max_stream_window);
  streams.initial_connection_window = std::min(streams.initial_connection_window, streams.max_connection_window);
  if (given.datagrams != 0) transport.max_datagram_frame_size = 65'535;
  if (setup.http3) h3::prepare(transport, setup.session);
  return QUOLL_OK;
}

Result<std::shared_ptr<const x509::TrustStore>> read_trust(const char* file) {
  auto trust = std::make_shared<x509::TrustStore>();
  const Result<os::TrustLoaded> loaded = file ? os::load_trust_file(*trust, file) : os::load_system_trust(*trust);
  if (!loaded) return std::unexpected(loaded.error());
  return trust;
}

int read_client(const quoll_endpoint_config& given, tls::ClientConfig& tls) {
  if (!is_one_of(given.verify, QUOLL_VERIFY_NONE)) return invalid("no such way to verify");
  if (given.pin_count > kPinsMax || (given.pin_count != 0 && !given.pins))
    return invalid("at most 64 pins of 32 bytes");
  for (size_t i = 0; i < given.pin_count; i++) {
    x509::SpkiPin pin;
    std::copy_n(given.pins + i * pin.size(), pin.size(), pin.begin());
    tls.pins.push_back(pin);
  }
  if (given.client_identity) tls.identities = {given.client_identity->identity};
  tls.verification = given.verify == QUOLL_VERIFY_NONE  ? tls::PeerVerification::none
                     : given.verify == QUOLL_VERIFY_PIN ? tls::PeerVerification::pinned_leaf
                                                        : tls::PeerVerification::chain;
  if (given.verify == QUOLL_VERIFY_PIN && tls.pins.empty()) return invalid("no pin to verify");
  // A server that never connects does not need the system's anchors, and may live where there are none.
  const bool wants_trust = given.verify == QUOLL_VERIFY_CHAIN && (given.trust_file || !given.identity);
  if (!wants_trust) return QUOLL_OK;
  const auto trust = read_trust(given.trust_file);
  if (!trust) return fail(trust.error());
  tls.trust = *trust;
  return QUOLL_OK;
}

int read_server(const quoll_endpoint_config& given, tls::ServerConfig& tls) {
  if (!is_one_of(given.client_auth, QUOLL_CLIENT_AUTH_REQUIRED)) return invalid("no such client authentication");
  tls.identities = {given.identity->identity};
  if (given.client_auth != QUOLL_CLIENT_AUTH_NONE) {
    if (!given.trust_file) return invalid("client_auth wants a trust_file");
    const auto trust = read_trust(given.trust_file);
    if (!trust) return fail(trust.error());
    tls.client_policy.authentication = given.client_auth == QUOLL_CLIENT_AUTH_REQUIRED
                                           ? tls::ClientAuthentication::required
                                           : tls::ClientAuthentication::optional;
    tls.client_policy.trust = *trust;
  }
  // The secret is drawn here, so no ticket is older than the endpoint: the register need not wait for what a predecessor
  // could have admitted.
  quic::FleetSecret secret;
  os::thread_rng().fill(secret);
  const UnixTime now = os::wall_clock();
  const quic::FleetKeys keys(crypto::best(), secret);
  tls.ticket_keys = tls::TicketKeys::ratcheted(crypto::best(), keys.tls_tickets, {.origin = now});
  if (given.accept_early_data != 0) {
    tls::StrikeRegister::Options replay;
    replay.start = now - replay.window * 3;
    tls.anti_replay = std::make_shared<tls::StrikeRegister>(replay, os::thread_rng());
  }
  return QUOLL_OK;
}

int read_endpoint(const quoll_endpoint_config& given, quic::EndpointConfig& endpoint) {
  switch (given.retry) {
    case QUOLL_RETRY_UNDER_LOAD:
      endpoint.retry = quic::RetryPolicy::under_load;
      break;
    case QUOLL_RETRY_NEVER:
      endpoint.retry = quic::RetryPolicy::never;
      break;
    case QUOLL_RETRY_ALWAYS:
      endpoint.retry = quic::RetryPolicy::always;
      break;
    default:
      return invalid("no such Retry policy");
  }
  if (!take(given.max_connections, kConnectionsMax, endpoint.max_connections)) return invalid("too many connections");
  return QUOLL_OK;
}

}  // namespace

int read_config(const quoll_endpoint_config* given, EndpointSetup& setup) {
  const std::optional<quoll_endpoint_config> config = read_struct(given);
  if (!config) return invalid("the configuration's struct_size is not set, or it asks for what this version cannot do");
  setup.http3 = config->http3 != 0;
  auto client_tls = std::make_shared<tls::ClientConfig>();
  auto server_tls = std::make_shared<tls::ServerConfig>();
  auto client = std::make_shared<quic::ClientConfig>();
  if (const int status = read_protocols(*config, client_tls->application_protocols); status != QUOLL_OK) return status;
  server_tls->application_protocols = client_tls->application_protocols;
  if (const int status = read_transport(*config, setup, client->transport); status != QUOLL_OK) return status;
  if (const int status = read_endpoint(*config, setup.endpoint); status != QUOLL_OK) return status;
  if (const int status = read_client(*config, *client_tls); status != QUOLL_OK) return status;
  if (config->key_log_file) {
    auto opened = web::KeyLogFile::open(config->key_log_file);
    if (!opened) return fail(opened.error());
    setup.key_log = std::move(*opened);
    client_tls->key_log = server_tls->key_log = setup.key_log.get();
  }
  if (config->identity) {
    if (const int status = read_server(*config, *server_tls); status != QUOLL_OK) return status;
    auto server = std::make_shared<quic::ServerConfig>();
    server->tls = std::move(server_tls);
    server->transport = client->transport;
    if (setup.http3) server->early_data_context = h3::early_data_context(setup.session);
    setup.endpoint.server = std::move(server);
  }
  client->tls = std::move(client_tls);
  setup.client = std::move(client);
  return QUOLL_OK;
}

}  // namespace quoll::capi
