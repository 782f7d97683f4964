// Who a server has to be, for `quoll get`: authorities and pins, and what was found, for -v and for exit codes that tell a
// certificate from a pin.
//
// With pins and no authorities of one's own (--cacert), the server's own key is what is pinned, and who signed its
// certificate does not matter; with both, both are demanded.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tls/config.h"
#include "tls/x509/failure.h"
#include "tls/x509/trust_store.h"

namespace quoll::app {

class ServerJudge {
 public:
  struct Finding {
    std::optional<x509::Failure> failure{};
    std::string reason{};  // of the failure
    std::string subject{}, issuer{}, not_after{};
    std::string pin{};  // of the server's key
    size_t certificates = 0;
  };

  /// `trust` is null when the pins alone count.
  ServerJudge(std::shared_ptr<const x509::TrustStore> trust, std::vector<x509::SpkiPin> pins)
      : trust_(std::move(trust)), pins_(std::move(pins)) {}

  [[nodiscard]] Result<void> verify(const tls::PeerCertificates& peer);
  /// Of the last certificate of that server; null: it has shown none.
  const Finding* find(const std::string& server_name) const;

 private:
  Result<void> decide(const tls::PeerCertificates& peer) const;

  std::shared_ptr<const x509::TrustStore> trust_;
  std::vector<x509::SpkiPin> pins_;
  std::map<std::string, Finding, std::less<>> findings_;  // of the servers that the user, or redirects, name
};

}  // namespace quoll::app
