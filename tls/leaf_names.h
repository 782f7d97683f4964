// The DNS names of our own certificates, arranged for looking one up in every handshake: sorted once, found by binary
// search, without allocation. It answers what tls/x509/host_name.h's verify_host() answers for DNS names (RFC 9525), and
// whether it was by a wildcard.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tls/x509/certificate.h"

namespace quoll::tls {

/// A name that a client asks for, in the form that is compared: lower case, no final dot.
class ServerName {
 public:
  /// Anything that is no DNS name (an address, or empty) becomes the empty name, which no certificate carries.
  explicit ServerName(std::string_view name);
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  static constexpr size_t kSizeMax = 253;  // RFC 1035 §2.3.4
  std::array<char, kSizeMax> text_;
  size_t size_ = 0;
};

enum class NameMatch : uint8_t { none, wildcard, exact };

class LeafNames {
 public:
  /// Copies the names that may be presented; others in the certificate match nothing.
  explicit LeafNames(const x509::Certificate& leaf);

  NameMatch match(const ServerName& name) const;

 private:
  std::vector<std::string> exact_;
  std::vector<std::string> wildcards_;  // without the asterisk: ".example.com"
};

}  // namespace quoll::tls
