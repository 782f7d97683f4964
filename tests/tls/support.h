// What tests of whole handshakes share: an authority that makes identities, configurations for both sides, and a Pump
// that carries bytes between two sessions until neither has more to say, checking on the way that each output comes when
// it may be acted upon.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/random.h"
#include "tests/tls/x509/key_samples.h"
#include "tls/session.h"
#include "tls/x509/certificate_maker.h"

namespace quoll::tls::tests {

using quoll::tests::SeededRng;

inline constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);  // a day in 2027
inline constexpr Duration kDay = Duration::seconds(24 * 3600);

/// The value, or the end of the test program: for what must not fail while a test is set up.
template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

/// RSA keys are samples, the others are drawn.
inline x509::PrivateKey make_key(x509::KeyType type, Rng& rng) {
  const crypto::Provider& provider = crypto::best();
  switch (type) {
    case x509::KeyType::rsa:
      return must(x509::PrivateKey::parse_pem(provider, quoll::tests::kPkcs8Rsa));
    case x509::KeyType::rsa_pss:
      return must(x509::PrivateKey::parse_pem(provider, quoll::tests::kPkcs8Pss));
    default:
      return must(x509::PrivateKey::generate(provider, type, rng));
  }
}

/// A certificate authority: a self-signed root, and the leaves that it issues.
class Authority {
 public:
  explicit Authority(Rng& rng, std::string name = "Test Authority", x509::KeyType type = x509::KeyType::ecdsa_p256)
      : rng_(rng), key_(make_key(type, rng)), der_(make_root(name)), root_(must(x509::Certificate::parse(der_))) {}

  struct Leaf {
    std::vector<std::string> names = {"example.com"};
    x509::KeyType type = x509::KeyType::ecdsa_p256;
    UnixTime not_before = kNow - kDay, not_after = kNow + kDay;
    bool server_auth = true, client_auth = true;
    std::vector<uint8_t> ocsp_response = {};
  };
  std::shared_ptr<const Identity> issue(const Leaf& leaf) {
    x509::PrivateKey key = make_key(leaf.type, rng_);
    x509::CertificateRequest request;
    request.common_name = "Leaf";
    request.names = leaf.names;
    request.not_before = leaf.not_before;
    request.not_after = leaf.not_after;
    request.server_auth = leaf.server_auth;
    request.client_auth = leaf.client_auth;
    std::vector<uint8_t> der = must(x509::make_certificate(request, key.public_key_info(), &root_, key_, rng_));
    return std::make_shared<const Identity>(
        must(Identity::create({std::move(der)}, std::move(key), leaf.ocsp_response)));
  }
  std::shared_ptr<const Identity> issue() { return issue(Leaf{}); }

  const x509::Certificate& root() const { return root_; }
  std::shared_ptr<const x509::TrustStore> trust() const {
    auto store = std::make_shared<x509::TrustStore>();
    store->add(root_.clone());
    return store;
  }

 private:
  std::vector<uint8_t> make_root(const std::string& name) {
    x509::CertificateRequest request;
    request.common_name = name;
    request.is_ca = true;
    request.not_before = kNow - kDay;
    request.not_after = kNow + Duration::seconds(30 * 24 * 3600);
    return must(x509::make_certificate(request, key_.public_key_info(), nullptr, key_, rng_));
  }

  Rng& rng_;
  x509::PrivateKey key_;
  std::vector<uint8_t> der_;
  x509::Certificate root_;
};

/// Carries bytes between two sessions.
class Pump {
 public:
  Pump(Session client, Session server, size_t chunk = SIZE_MAX)
      : chunk_(chunk), ends_{End(std::move(client)), End(std::move(server))} {}

  /// Runs until both sessions are quiet, or one fails. `now` is what both are told.
  Result<void> run(UnixTime now = kNow) {
    for (bool moved = true; moved;) {
      moved = false;
      for (const Side side : {Side::client, Side::server}) {
        while (std::optional<Output> output = end(side).session.poll()) {
          moved = true;
          if (Result<void> done = act(side, std::move(*output), now); !done) return done;
        }
      }
    }
    return {};
  }

  /// What one side has seen so far.
  struct End {
    explicit End(Session made) : session(std::move(made)) {}
    Session session;
    std::map<std::pair<Level, Direction>, TrafficSecret> secrets;  // the latest of each
    std::vector<std::string> outputs;                              // names, in order
    std::optional<bool> early_data;                                // the decision
    std::vector<uint8_t> peer_transport_parameters;
    std::vector<ClientTicket> tickets;
    std::map<Level, std::vector<uint8_t>> sent;
    Level stream_writer = Level::initial;  // whose key a record layer would be writing with
    bool complete = false;
  };
  End& end(Side side) { return ends_[side == Side::client ? 0 : 1]; }
  End& client() { return ends_[0]; }
  End& server() { return ends_[1]; }

  /// Who failed, if run() gave an error.
  std::optional<Side> failed() const { return failed_; }
  bool complete() const { return ends_[0].complete && ends_[1].complete; }

  /// Outputs that came before their time: bytes without their keys, anything of the handshake after its end.
  const std::string& disorder() const { return disorder_; }

  /// Whether each secret that one side writes with is the one that the other side reads with.
  bool secrets_agree() {
    size_t agreed = 0;
    for (const Side side : {Side::client, Side::server}) {
      const Side peer = side == Side::client ? Side::server : Side::client;
      for (const auto& [which, secret] : end(side).secrets) {
        if (which.second != Direction::write) continue;
        const auto found = end(peer).secrets.find({which.first, Direction::read});
        if (found == end(peer).secrets.end()) {
          if (which.first == Level::early_data) continue;  // refused
          return false;
        }
        if (found->second.secret != secret.secret || found->second.cipher_suite != secret.cipher_suite) return false;
        agreed++;
      }
    }
    return agreed >= 4;
  }

  /// QUIC: what the server's transport layer answers with, when ServerOptions had no parameters.
  std::optional<std::vector<uint8_t>> late_server_parameters;
  /// Checks the order of keys as one writer per side sees it.
  bool is_stream = false;
  /// Changes bytes on their way; `from` sent them.
  std::function<void(Side from, Level level, std::vector<uint8_t>& bytes)> tamper;

 private:
  Result<void> act(Side side, Output output, UnixTime now) {
    End& from = end(side);
    if (Send* send = std::get_if<Send>(&output)) return carry(side, *send, now);
    if (const auto* secret = std::get_if<TrafficSecret>(&output)) {
      from.outputs.push_back("secret");
      from.secrets.insert_or_assign({secret->level, secret->direction}, *secret);
      if (secret->direction == Direction::write) from.stream_writer = secret->level;
    } else if (auto* parameters = std::get_if<PeerTransportParameters>(&output)) {
      from.outputs.push_back("transport parameters");
      from.peer_transport_parameters = std::move(parameters->encoded);
      if (side == Side::server && late_server_parameters) {
        return from.session.set_transport_parameters(*late_server_parameters, now);
      }
    } else if (const auto* decision = std::get_if<EarlyDataDecision>(&output)) {
      from.outputs.push_back("early data");
      if (from.early_data) disorder_ += "two decisions on early data; ";
      from.early_data = decision->accepted;
      // A client that was refused writes without keys again, until it gets others.
      if (!decision->accepted && side == Side::client && from.stream_writer == Level::early_data) {
        from.stream_writer = Level::initial;
      }
    } else if (std::holds_alternative<HandshakeComplete>(output)) {
      from.outputs.push_back("complete");
      if (from.complete) disorder_ += "complete twice; ";
      from.complete = true;
    } else if (auto* ticket = std::get_if<TicketReceived>(&output)) {
      from.outputs.push_back("ticket");
      if (!from.complete) disorder_ += "a ticket before the end; ";
      from.tickets.push_back(std::move(ticket->ticket));
    }
    return {};
  }

  Result<void> carry(Side side, Send& send, UnixTime now) {
    End& from = end(side);
    from.outputs.push_back("send");
    if (send.bytes.empty()) disorder_ += "nothing to send; ";
    if (send.level != Level::initial && !from.secrets.contains({send.level, Direction::write})) {
      disorder_ += "bytes before their keys; ";
    }
    // Over a stream there is one writer; its keys change in the order of the outputs.
    if (is_stream && send.level != from.stream_writer) disorder_ += "bytes for other keys than the writer's; ";
    if (tamper) tamper(side, send.level, send.bytes);
    std::vector<uint8_t>& sent = from.sent[send.level];
    sent.insert(sent.end(), send.bytes.begin(), send.bytes.end());

    const Side peer = side == Side::client ? Side::server : Side::client;
    for (Bytes rest = send.bytes; !rest.empty(); rest = rest.subspan(std::min(chunk_, rest.size()))) {
      if (Result<void> taken = end(peer).session.receive(send.level, rest.first(std::min(chunk_, rest.size())), now);
          !taken) {
        failed_ = peer;
        return taken;
      }
    }
    return {};
  }

  size_t chunk_;
  End ends_[2];
  std::optional<Side> failed_;
  std::string disorder_;
};

/// One authority, one identity of each side, and a configuration of each side that trusts it; to be changed at will
/// before sessions are made.
struct Scene {
  explicit Scene(Mode mode, uint64_t seed = 1) : rng(seed), authority(rng) {
    client.mode = server.mode = mode;
    client.application_protocols = server.application_protocols = {"h3"};
    client.trust = authority.trust();
    client_options.server_name = "example.com";
    if (mode == Mode::quic) {
      client_options.transport_parameters = {1, 2, 3};
      server_options.transport_parameters = {4, 5, 6, 7};
    }
    server.identities = {authority.issue()};
  }

  /// With resumption, and 0-RTT that has not to wait for its register.
  void give_tickets() {
    StrikeRegister::Options options;
    options.start = kNow - kDay;
    server.anti_replay = std::make_shared<StrikeRegister>(options, rng);
    TicketKeys::Secret secret;
    rng.fill(secret);
    server.ticket_keys = must(TicketKeys::from_secrets(*server.provider, std::span(&secret, 1)));
  }

  Result<Session> make_client(UnixTime now = kNow) {
    return Session::client(std::make_shared<const ClientConfig>(client), client_options, rng, now);
  }
  Session make_server() {
    return must(Session::server(std::make_shared<const ServerConfig>(server), server_options, rng));
  }
  Pump pump(size_t chunk = SIZE_MAX, UnixTime now = kNow) {
    Pump made(must(make_client(now)), make_server(), chunk);
    made.is_stream = client.mode == Mode::stream;
    return made;
  }

  SeededRng rng;
  Authority authority;
  ClientConfig client;
  ServerConfig server;
  ClientOptions client_options;
  ServerOptions server_options;
};

/// The alert of a failed result; -1 if it did not fail with one.
/// What alert_of() gives for the errors of quic_protocol_violation().
inline constexpr int kProtocolViolation = 1'000;

inline int alert_of(const Result<void>& result) {
  if (!result && result.error().domain == ErrorDomain::transport) return kProtocolViolation;
  return !result && result.error().domain == ErrorDomain::tls ? static_cast<int>(result.error().code) : -1;
}

}  // namespace quoll::tls::tests
