// PacketKeys: what protects the packets of one direction at one level (RFC 9001 §5): an AEAD key with its IV. The header
// protection key is separate, because a key update replaces only the former (RFC 9001 §6.1). Labels and salts depend on
// the version (RFC 9001 §5.1, §5.2; RFC 9369 §3.3).
//
// Invariants: a PacketKeys counts what it sealed and what failed to open, and knows the first packet number that it
// sealed; made anew from its secret and its KeyUsage it goes on with these counts and keeps the limits of RFC 9001 §6.6.
// Secrets, keys and IVs are wiped on destruction.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/header_protection.h"
#include "crypto/provider.h"
#include "quic/wire/packet_number.h"
#include "quic/wire/types.h"
#include "tls/codepoints.h"

namespace quoll::quic {

/// The secrets of Initial packets, derived from the Destination Connection ID of the client's first Initial packet
/// (RFC 9001 §5.2).
struct InitialSecrets {
  crypto::Digest client;
  crypto::Digest server;
};
InitialSecrets initial_secrets(const crypto::Provider& provider, Version version, Bytes client_destination);

/// The secret of the next key phase ("quic ku", "quicv2 ku"; RFC 9001 §6.1, RFC 9369 §3.3.2).
crypto::Digest next_secret(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                           const crypto::Digest& secret);

/// How much a key was used.
struct KeyUsage {
  uint64_t sealed = 0;
  uint64_t failed = 0;                               // to open
  PacketNumber first_sealed = kPacketNumberMax + 1;  // no packet's number: nothing was sealed yet
};

class PacketKeys {
 public:
  /// `before`: of the same secret, in objects that are gone.
  PacketKeys(const crypto::Provider& provider, tls::CipherSuite suite, Version version, const crypto::Digest& secret,
             const KeyUsage& before = {});

  /// RFC 9001 §5.3: the IV and the packet number.
  crypto::Nonce nonce(PacketNumber number) const;
  crypto::AeadKey& aead() { return aead_; }
  const crypto::AeadKey& aead() const { return aead_; }
  /// Seals all jobs or none: false when that would pass the confidentiality limit.
  [[nodiscard]] bool seal(std::span<const crypto::SealJob> jobs);
  /// False, and nothing is touched, when the integrity limit was reached earlier.
  [[nodiscard]] bool open(std::span<crypto::OpenJob> jobs);
  uint64_t sealed() const { return before_.sealed + aead_.sealed(); }
  KeyUsage usage() const {
    return {.sealed = sealed(), .failed = before_.failed + aead_.failed(), .first_sealed = before_.first_sealed};
  }

  /// Packets from `number` on are sealed with these keys.
  void note_sealed(PacketNumber number) { before_.first_sealed = std::min(before_.first_sealed, number); }
  /// Whether `number`, of a packet that was sent in this space, was sealed with these keys or later ones.
  bool has_sealed(PacketNumber number) const { return number >= before_.first_sealed; }

 private:
  crypto::AeadKey aead_;
  crypto::Secret<crypto::kAeadNonceSize> iv_;
  KeyUsage before_;  // counts without those of aead_
};

/// The bytes of a header protection key: what is kept of a traffic secret for it ("quic hp").
using HeaderKeyBytes = crypto::Secret<crypto::kAeadKeySizeMax>;
HeaderKeyBytes header_key_bytes(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                                const crypto::Digest& secret);
crypto::HeaderProtectionKey header_key(const crypto::Provider& provider, tls::CipherSuite suite,
                                       const HeaderKeyBytes& bytes);

/// The header protection key of a traffic secret.
crypto::HeaderProtectionKey header_key(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                                       const crypto::Digest& secret);

/// RFC 9001 §5.8: the Retry integrity tag over the pseudo-packet of the original connection id and `without_tag`.
std::array<uint8_t, crypto::kAeadTagSize> retry_integrity_tag(const crypto::Provider& provider, Version version,
                                                              Bytes original_destination, Bytes without_tag);

}  // namespace quoll::quic
