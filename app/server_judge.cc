#include "app/server_judge.h"

#include <algorithm>

#include "app/cert.h"
#include "tls/x509/name.h"
#include "tls/x509/verify.h"

namespace quoll::app {

Result<void> ServerJudge::verify(const tls::PeerCertificates& peer) {
  const Result<void> decided = decide(peer);
  Finding& finding = findings_[std::string(peer.server_name)];
  finding = {};
  finding.certificates = peer.chain.size();
  if (!peer.chain.empty()) {
    const x509::Certificate& leaf = peer.chain.front();
    finding.subject = x509::name_is_empty(leaf.subject) ? "(none)" : x509::name_text(leaf.subject);
    finding.issuer = x509::name_is_empty(leaf.issuer) ? "(none)" : x509::name_text(leaf.issuer);
    finding.not_after = rfc3339_text(leaf.not_after);
    finding.pin = pin_text(leaf);
  }
  if (!decided) {
    finding.failure = static_cast<x509::Failure>(decided.error().code);
    finding.reason = decided.error().reason;
  }
  return decided;
}

Result<void> ServerJudge::decide(const tls::PeerCertificates& peer) const {
  if (peer.chain.empty()) return x509::refuse(x509::Failure::no_certificate, "the server has no certificate");
  if (!trust_) {
    const x509::SpkiPin pin = x509::spki_pin(crypto::best(), peer.chain.front());
    if (std::ranges::find(pins_, pin) != pins_.end()) return {};
    return x509::refuse(x509::Failure::pin_mismatch, "the server's key is not the pinned one");
  }
  // RFC 9525 §6.1: a server is verified against a name.
  if (peer.server_name.empty()) return x509::refuse(x509::Failure::name_mismatch, "the server has no name to verify");
  const x509::VerifyOptions options{.host = peer.server_name, .now = peer.now, .pins = pins_};
  const Result<x509::Path> path = x509::verify_chain(crypto::best(), peer.chain, *trust_, options);
  if (!path) return std::unexpected(path.error());
  return {};
}

const ServerJudge::Finding* ServerJudge::find(const std::string& server_name) const {
  const auto found = findings_.find(server_name);
  return found == findings_.end() ? nullptr : &found->second;
}

}  // namespace quoll::app
