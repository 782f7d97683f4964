// The key schedule (RFC 8446 §7.1): three stages, each with the secrets that it alone can give.
//
//     KeySchedule schedule(hash, psk);          early: binder key, early traffic, early exporter
//     schedule.enter_handshake(shared_secret);  handshake traffic
//     schedule.enter_master();                  application traffic, exporter, resumption
//
// All secrets are Digests of the hash's size, wiped with their owners. Transcript hashes are the caller's.
#pragma once

#include <optional>
#include <string_view>

#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"

namespace quoll::tls {

using crypto::Digest;

enum class PskKind : uint8_t { resumption, external };

class KeySchedule {
 public:
  /// An empty `psk` stands for a handshake without one.
  KeySchedule(const crypto::HashAlgorithm& hash, Bytes psk);

  const crypto::HashAlgorithm& hash() const { return *hash_; }

  // The early stage.
  Digest binder_key(PskKind kind) const;
  Digest client_early_traffic(Bytes transcript_hash) const;
  Digest early_exporter_master(Bytes transcript_hash) const;

  // The handshake stage.
  void enter_handshake(Bytes shared_secret);
  Digest client_handshake_traffic(Bytes transcript_hash) const;
  Digest server_handshake_traffic(Bytes transcript_hash) const;

  // The last stage.
  void enter_master();
  Digest client_application_traffic(Bytes transcript_hash) const;
  Digest server_application_traffic(Bytes transcript_hash) const;
  Digest exporter_master(Bytes transcript_hash) const;
  Digest resumption_master(Bytes transcript_hash) const;

 private:
  enum class Stage : uint8_t { early, handshake, master };
  Digest derive(std::string_view label, Bytes transcript_hash) const;
  /// Derive-Secret(., "derived", ""): the salt of the next stage.
  Digest derived() const;

  const crypto::HashAlgorithm* hash_;
  /// The stage's secret, prepared as the key of all that is derived from it. Empty at first when there is no PSK: then
  /// the early stage gives nothing but a salt that is the same in every handshake.
  std::optional<crypto::Hmac> secret_;
  Stage stage_ = Stage::early;
};

/// HMAC(finished_key(base_key), transcript_hash): Finished's verify_data, and PSK binders (RFC 8446 §4.4.4, §4.2.11.2).
Digest finished_mac(const crypto::HashAlgorithm& hash, Bytes base_key, Bytes transcript_hash);

/// application_traffic_secret_N+1 (RFC 8446 §7.2). QUIC has its own label for that (RFC 9001 §6.1).
Digest next_traffic_secret(const crypto::HashAlgorithm& hash, Bytes traffic_secret);

/// The PSK of a ticket (RFC 8446 §4.6.1); a nonce has at most 255 bytes.
Digest resumption_psk(const crypto::HashAlgorithm& hash, Bytes resumption_master_secret, Bytes ticket_nonce);

/// TLS-Exporter (RFC 8446 §7.5). Failure::length when `out` or `label` are too long for HKDF.
[[nodiscard]] Result<void> export_keying_material(const crypto::HashAlgorithm& hash, Bytes exporter_master_secret,
                                                  std::string_view label, Bytes context, MutBytes out);

}  // namespace quoll::tls
