#include "interop/endpoint/settings.h"

#include <sys/stat.h>

#include <cstdio>

#include "app/cert.h"
#include "app/serve_certificates.h"
#include "tls/x509/verify.h"

namespace quoll::interop {
namespace {

// The runner's worst network loses 30 % of the packets each way, three in a row: a handshake may take long, and is to come
// to its end all the same.
constexpr Duration kHandshakeTimeout = Duration::seconds(120);
constexpr Duration kIdleTimeout = Duration::seconds(60);
// A client that waits for an answer asks whether the server is there, and tells it again what has arrived: a server whose
// probes and our ACKs were lost doubles its timer, and is not heard for a minute.
constexpr Duration kKeepAlive = Duration::seconds(1);
// In the midst of a file it need not wait so long to ask.
constexpr uint8_t kStallPings = 20;

Result<void> note_verification(const tls::PeerCertificates& peer, const x509::TrustStore& trust) {
  const x509::VerifyOptions options{.host = peer.server_name, .now = peer.now, .pins = {}};
  const Result<x509::Path> path = x509::verify_chain(crypto::best(), peer.chain, trust, options);
  if (!path) say("the server's certificate: " + app::error_text(path.error()));
  return {};
}

}  // namespace

quic::TransportConfig transport_for(TestCase test_case, const Environment& environment) {
  quic::TransportConfig transport;
  transport.congestion = environment.congestion;
  transport.initial_window = quic::kEagerInitialWindow;
  transport.handshake_timeout = kHandshakeTimeout;
  transport.max_idle_timeout = kIdleTimeout;
  transport.keep_alive = kKeepAlive;
  transport.stall_pings = kStallPings;
  // A server prefers what stands first, and a client begins with what it says for itself.
  const bool prefers_v2 = test_case == TestCase::v2;
  transport.versions = prefers_v2 ? std::vector{quic::Version::v2, quic::Version::v1} : std::vector{quic::Version::v1};
  // The runner counts what goes beside early data, and a probe of the path is as large as four requests.
  if (test_case == TestCase::zerortt) transport.mtu.enabled = false;
  return transport;
}

tls::Preferences preferences_for(TestCase test_case) {
  tls::Preferences preferences;
  if (test_case == TestCase::chacha20) preferences.cipher_suites = {tls::CipherSuite::chacha20_poly1305_sha256};
  // Where a third of all datagrams is lost, a ClientHello that fits one of them arrives sooner: no post-quantum key share.
  if (test_case == TestCase::multiconnect) preferences.groups = {tls::NamedGroup::x25519, tls::NamedGroup::secp256r1};
  return preferences;
}

std::shared_ptr<tls::ClientConfig> client_tls(TestCase test_case, const Environment& environment,
                                              tls::KeyLog* key_log) {
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->preferences = preferences_for(test_case);
  // The runner reads the cipher suites that are offered, and wants one alone.
  tls->grease = test_case != TestCase::chacha20;
  tls->application_protocols = {kHqProtocol};
  tls->key_log = key_log;
  tls->verification = tls::PeerVerification::none;
  auto trust = std::make_shared<x509::TrustStore>();
  if (auto anchors = app::read_certificates(environment.certificates + "/ca.pem")) {
    for (x509::Certificate& anchor : *anchors) trust->add(std::move(anchor));
    tls->verifier = [trust](const tls::PeerCertificates& peer) { return note_verification(peer, *trust); };
  }
  return tls;
}

std::expected<tls::Identities, std::string> server_identities(const Environment& environment) {
  const std::string& folder = environment.certificates;
  return app::ServeCertificates({{.chain = folder + "/cert.pem", .key = folder + "/priv.key"}}).load();
}

std::expected<std::unique_ptr<Logs>, std::string> Logs::open(const Environment& environment) {
  auto logs = std::make_unique<Logs>();
  if (!environment.key_log.empty()) {
    auto key_log = web::KeyLogFile::open(environment.key_log);
    if (!key_log)
      return std::unexpected("SSLKEYLOGFILE: " + environment.key_log + ": " + app::error_text(key_log.error()));
    logs->key_log_ = std::move(*key_log);
  }
  if (!environment.qlog_directory.empty()) mkdir(environment.qlog_directory.c_str(), 0755);  // the runner does not
  if (const Result<void> checked = web::check_qlog_directory(environment.qlog_directory); !checked) {
    say("QLOGDIR: " + environment.qlog_directory + ": " + app::error_text(checked.error()));
  } else {
    logs->qlog_directory_ = environment.qlog_directory;
  }
  return logs;
}

std::function<TraceSink<quic::TraceEvent>*(quic::Role, const quic::ConnectionId&)> Logs::traces() {
  if (qlog_directory_.empty()) return {};
  return [this](quic::Role role, const quic::ConnectionId& original_destination) -> TraceSink<quic::TraceEvent>* {
    if (traces_.size() == kTracedConnectionsMax) return nullptr;
    return &traces_.emplace_back(qlog_directory_, role, original_destination, clock_);
  };
}

void say(const std::string& text) { std::fputs(("quoll-interop: " + text + "\n").c_str(), stderr); }

}  // namespace quoll::interop
