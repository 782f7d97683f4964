// PacketKeys: what protects the packets of one direction at one level (RFC 9001 §5): an AEAD key with its IV, and a
// header protection key. Labels and salts depend on the version (RFC 9001 §5.1, §5.2; RFC 9369 §3.3).
//
// HeaderKey is separate from the AEAD key because a key update replaces only the latter (RFC 9001 §6.1).
#pragma once

#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/header_protection.h"
#include "crypto/provider.h"
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

class PacketKeys {
 public:
  PacketKeys(const crypto::Provider& provider, tls::CipherSuite suite, Version version, const crypto::Digest& secret);

  /// RFC 9001 §5.3: the IV and the packet number.
  crypto::Nonce nonce(PacketNumber number) const;
  crypto::AeadKey& aead() { return aead_; }
  const crypto::AeadKey& aead() const { return aead_; }

 private:
  crypto::AeadKey aead_;
  crypto::Nonce iv_;  // secret
};

/// The header protection key of a traffic secret ("quic hp").
crypto::HeaderProtectionKey header_key(const crypto::Provider& provider, tls::CipherSuite suite, Version version,
                                       const crypto::Digest& secret);

/// RFC 9001 §5.8: the Retry integrity tag over the pseudo-packet of the original connection id and `without_tag`.
std::array<uint8_t, crypto::kAeadTagSize> retry_integrity_tag(const crypto::Provider& provider, Version version,
                                                              Bytes original_destination, Bytes without_tag);

}  // namespace quoll::quic
