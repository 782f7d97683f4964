// A set of trust anchors, found by subject. Constant once built, so threads may share it.
//
// A name that is byte for byte an anchor's subject is found without making its canonical form.
// It reads no file: os/trust.h fills one from the system's bundle, a file or a directory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "tls/x509/by_bytes.h"
#include "tls/x509/certificate.h"

namespace quoll::x509 {

class TrustStore {
 public:
  /// Adds an anchor. A certificate that is already there is not added again.
  void add(Certificate certificate);

  struct Loaded {
    size_t added = 0;
    size_t skipped = 0;  // PEM blocks that are no certificate that we can read: a bundle may hold such
  };
  /// Adds every CERTIFICATE of a PEM text. Failure::no_certificate when there is none at all that can be read.
  [[nodiscard]] Result<Loaded> add_pem(std::string_view pem);

  /// The anchors whose subject equals `name` (a Name, whole element).
  std::span<const Certificate* const> find(Bytes name) const;

  /// Whether exactly this certificate is an anchor.
  bool contains(Bytes der) const;

  size_t size() const { return certificates_.size(); }
  /// All anchors, in the order in which they were added.
  std::span<const std::unique_ptr<Certificate>> certificates() const { return certificates_; }

 private:
  using Group = std::vector<const Certificate*>;  // of one subject

  // The views are of the certificates, whose addresses last.
  std::vector<std::unique_ptr<Certificate>> certificates_;
  std::set<Bytes, ByBytes> by_der_;
  std::map<std::vector<uint8_t>, Group, ByBytes> by_canonical_subject_;
  std::map<Bytes, const Group*, ByBytes> by_subject_;
};

}  // namespace quoll::x509
