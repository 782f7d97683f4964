// FleetKeys: all keys that servers of a fleet share, derived from one FleetSecret by HKDF-SHA-256 (RFC 5869):
//
//   PRK = HKDF-Extract("quoll fleet keys 1", secret), key = HKDF-Expand(PRK, label)
//
//   label              bytes  use
//   "retry token"      32     keys of Retry tokens (address_token.h)
//   "new token"        32     keys of NEW_TOKEN tokens (address_token.h)
//   "stateless reset"  32     HMAC-SHA-256 key of stateless reset tokens (RFC 9000 §10.3.2)
//   "tls tickets"      32     the secret of tls::TicketKeys::ratcheted()
//   "connection ids"   16     the AES key of WorkerConnectionIds
//
// No key tells anything about another one or the secret. Servers with the same secret, and a server that is started
// again, open each other's tokens and end each other's lost connections.
#pragma once

#include "crypto/hmac.h"
#include "crypto/provider.h"
#include "quic/path/local_connection_ids.h"

namespace quoll::quic {

/// The secret from which token, ticket and reset keys are derived: shared by the servers of a fleet, and kept over
/// restarts, so that tokens and resets go on working (RFC 9000 §8.1.4, §10.3.2).
inline constexpr size_t kFleetSecretSize = 32;
using FleetSecret = crypto::Secret<kFleetSecretSize>;

struct FleetKeys {
  FleetKeys(const crypto::Provider& provider, const FleetSecret& secret);

  crypto::Secret<32> retry_token;
  crypto::Secret<32> new_token;
  crypto::Secret<32> stateless_reset;
  crypto::Secret<32> tls_tickets;
  crypto::Secret<16> connection_ids;
};

/// RFC 9000 §10.3.2: the token of a connection id is HMAC-SHA-256 of it, cut to 16 bytes.
class FleetResetTokens final : public ResetTokenSource {
 public:
  FleetResetTokens(const crypto::Provider& provider, const crypto::Secret<32>& key) : hmac_(*provider.sha256, key) {}
  StatelessResetToken token_of(const ConnectionId& id) const override;

 private:
  crypto::Hmac hmac_;
};

}  // namespace quoll::quic
