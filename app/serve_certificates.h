// The certificates of `quoll serve`: read from files, or one for this machine's own names made on the spot.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "app/serve_options.h"
#include "tls/identity.h"

namespace quoll::app {

class ServeCertificates {
 public:
  /// Days that a certificate made here is good for: browsers that are given its hash take no more than 14.
  static constexpr int64_t kDays = 13;

  explicit ServeCertificates(std::vector<CertificateFiles> files) : files_(std::move(files)) {}

  /// Reads the files, or makes a certificate; again whenever it is called, but with the same key. The error is a line for a
  /// person that says which file is wrong.
  [[nodiscard]] std::expected<tls::Identities, std::string> load();

  /// Base64 of the SHA-256 of the public key that was made here (SubjectPublicKeyInfo); empty when there are files.
  const std::string& pin() const { return pin_; }

 private:
  std::expected<tls::Identities, std::string> make();

  std::vector<CertificateFiles> files_;
  std::optional<x509::PrivateKey> key_;  // that was made
  std::string pin_;
};

}  // namespace quoll::app
