#include "quic/endpoint/fleet_keys.h"

#include <string_view>

#include "crypto/hkdf.h"

namespace quoll::quic {

FleetKeys::FleetKeys(const crypto::Provider& provider, const FleetSecret& secret) {
  const crypto::HashAlgorithm& sha256 = *provider.sha256;
  const crypto::Digest key = crypto::hkdf_extract(sha256, as_bytes("quoll fleet keys 1"), secret);
  const auto derive = [&](std::string_view label, MutBytes out) {
    const Result<void> made = crypto::hkdf_expand(sha256, key, as_bytes(label), out);
    QUOLL_CHECK(made);
  };
  derive("retry token", retry_token);
  derive("new token", new_token);
  derive("stateless reset", stateless_reset);
  derive("tls tickets", tls_tickets);
  derive("connection ids", connection_ids);
}

StatelessResetToken FleetResetTokens::token_of(const ConnectionId& id) const {
  crypto::Hmac hmac = hmac_;
  const crypto::Digest digest = hmac.update(id).digest();
  StatelessResetToken token;
  copy_bytes(token.data(), digest.bytes().first(token.size()));
  return token;
}

}  // namespace quoll::quic
