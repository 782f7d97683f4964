// Identity: a certificate chain with its private key, and how a server chooses among several.
//
// An Identity is constant once made, and threads may share it. Choosing allocates nothing: the names of the leaf and the
// schemes of the key are worked out when the identity is made.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/provider.h"
#include "tls/codepoints.h"
#include "tls/leaf_names.h"
#include "tls/messages.h"
#include "tls/x509/certificate.h"
#include "tls/x509/private_key.h"

namespace quoll::tls {

class Identity {
 public:
  static constexpr size_t kChainMax = 16;                    // certificates
  static constexpr size_t kChainSizeMax = 128 * 1024;        // bytes of all of them: more than peers take
  static constexpr size_t kOcspResponseSizeMax = 32 * 1024;  // bytes; an extension holds no more than 64 KiB

  /// `chain`: DER certificates, leaf first, at least one; the rest is sent as it is. `ocsp_response`: a DER OCSPResponse
  /// to staple, or empty. ErrorDomain::certificate: the leaf cannot be parsed (its failure), an empty chain
  /// (no_certificate), more than the limits above (limit), an empty certificate or a key that is not the leaf's
  /// (malformed), a leaf that may not sign (wrong_usage).
  [[nodiscard]] static Result<Identity> create(std::vector<std::vector<uint8_t>> chain, x509::PrivateKey key,
                                               std::vector<uint8_t> ocsp_response = {});
  /// The same from PEM texts: every CERTIFICATE block of `chain`, the first private key of `key`.
  [[nodiscard]] static Result<Identity> from_pem(const crypto::Provider& provider, std::string_view chain,
                                                 std::string_view key, std::vector<uint8_t> ocsp_response = {});

  std::span<const std::vector<uint8_t>> chain() const { return chain_; }
  const x509::Certificate& leaf() const { return leaf_; }
  const x509::PrivateKey& key() const { return key_; }
  /// The type that the leaf gives the key, which decides about the schemes that the peer accepts: handshake_algorithm()
  /// wants it. It differs from key().type() when only one of the two says that an RSA key is for PSS alone.
  x509::KeyType key_type() const { return key_type_; }
  Bytes ocsp_response() const { return ocsp_response_; }

  /// Whether the leaf carries this DNS name (tls/x509/host_name.h's verify_host), and how.
  NameMatch match(const ServerName& name) const { return names_.match(name); }
  bool is_for(std::string_view server_name) const { return match(ServerName(server_name)) != NameMatch::none; }

  /// The first of our preferred schemes that the key can make and the peer offered; empty if there is none.
  std::optional<SignatureScheme> choose_scheme(CodeList<SignatureScheme> offered) const;

 private:
  Identity(std::vector<std::vector<uint8_t>> chain, x509::Certificate leaf, x509::PrivateKey key,
           const x509::PublicKey& leaf_key, std::vector<uint8_t> ocsp_response);

  std::vector<std::vector<uint8_t>> chain_;
  x509::Certificate leaf_;
  x509::PrivateKey key_;
  x509::KeyType key_type_;
  std::vector<uint8_t> ocsp_response_;
  LeafNames names_;
  std::vector<SignatureScheme> schemes_;  // that the key can make, preferred first
};

using Identities = std::vector<std::shared_ptr<const Identity>>;

struct ChosenIdentity {
  const Identity* identity = nullptr;
  SignatureScheme scheme{};
  bool name_matched = false;
};

/// The identity for a server name (empty: none was sent) and the peer's schemes: among those that can sign, first one
/// whose leaf carries the name exactly, then by wildcard, then the first of the list. Null when none can sign.
ChosenIdentity choose_identity(const Identities& identities, std::string_view server_name,
                               CodeList<SignatureScheme> offered);

}  // namespace quoll::tls
