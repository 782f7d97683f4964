// The command line of tls_peer: options with values, flags, and what the product's types make of them. A wrong one ends the
// program with exit code 2.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tls/config.h"

namespace quoll::tls::peer {

class Arguments {
 public:
  /// `valued` and `flags`: the names that are known, with their two hyphens. A valued one may come several times.
  Arguments(int argc, char** argv, const std::set<std::string_view>& valued, const std::set<std::string_view>& flags);

  bool has(std::string_view name) const { return values_.contains(name); }
  /// The last value; empty when there is none.
  std::string text(std::string_view name) const;
  /// All values, in their order.
  std::vector<std::string> all(std::string_view name) const;
  /// The last value, cut at its commas.
  std::vector<std::string> list(std::string_view name) const;
  uint64_t number(std::string_view name, uint64_t otherwise) const;
  /// The last value's hexadecimal digits.
  std::vector<uint8_t> hex(std::string_view name) const;

  /// --suites, --groups and --signatures over the defaults.
  Preferences preferences() const;
  /// The external PSK of --psk-identity and --psk (SHA-256).
  std::optional<ExternalPsk> external_psk() const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

[[noreturn]] void usage_failure(const std::string& message);

std::string name_of_group(NamedGroup group);
std::string name_of_scheme(SignatureScheme scheme);

/// A whole file, or exit code 2.
std::string file_text(const std::string& path);
std::shared_ptr<const x509::TrustStore> trust_from(const std::string& path);
Identities identities_from(const Arguments& arguments);

}  // namespace quoll::tls::peer
