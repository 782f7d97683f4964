// The search for a path (RFC 4158): depth first from the leaf, each certificate's possible issuers in the order of their
// promise, every rule that a partial path can break asked at once, so that a wrong turn ends early.
//
// Bounds: signatures checked and names compared (VerifyOptions), depth, steps, whole paths, and no key and name twice in a
// path. What does not depend on the path (who may have issued whom, signatures, rules of one certificate) is found out
// once and kept, so that a step that goes over known ground costs next to nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "tls/x509/by_bytes.h"
#include "tls/x509/certificate_rules.h"
#include "tls/x509/name_constraints.h"
#include "tls/x509/public_key.h"
#include "tls/x509/verify.h"

namespace quoll::x509 {

class PathBuilder {
 public:
  PathBuilder(const crypto::Provider& provider, std::span<const Certificate> chain, const TrustStore& anchors,
              const VerifyOptions& options)
      : provider_(provider),
        chain_(chain),
        anchors_(anchors),
        options_(options),
        signature_checks_left_(options.signature_checks_max),
        steps_left_(options.signature_checks_max * kStepsPerSignatureCheck),
        name_constraints_(options.name_comparisons_max) {}

  /// Once. The errors of verify_chain().
  [[nodiscard]] Result<Path> build();

 private:
  static constexpr size_t kStepsPerSignatureCheck = 16;
  static constexpr size_t kWholePathsMax = 64;

  struct Issuer {
    const Certificate* certificate;
    bool is_anchor;
  };

  // How far a refused path came: the furthest one's fault is told.
  enum Stage : size_t { no_issuer, wrong_signature, wrong_issuer, whole_path };
  static constexpr size_t kStages = 4;
  static constexpr size_t kAnchorReached = 1'000'000;

  Result<void> check_leaf();
  bool extend();
  bool try_issuer(const Issuer& issuer);
  bool try_anchor(const Certificate& anchor);
  bool try_intermediate(const Certificate& issuer);
  bool finish();

  const std::vector<Issuer>& issuers_of(const Certificate& subject);
  std::vector<Issuer> find_issuers(const Certificate& subject);
  bool is_in_path(const Certificate& candidate);
  bool trusts_itself(const Certificate& anchor) const;
  const Result<void>& check_issuer(const Issuer& issuer);
  Result<void> compute_issuer_check(const Certificate& issuer, Place place) const;
  Result<void> check_path_length(const Certificate& issuer);
  /// Of path_, behind the leaf, those that are not self-issued.
  size_t intermediates_below();
  Result<void> check_whole_path();
  Result<void> check_pins() const;

  Result<void> check_signature(const Certificate& subject, const Certificate& issuer);
  Result<void> compute_signature(const Certificate& subject, const Certificate& issuer);
  const Result<PublicKey>& key_of(const Certificate& certificate);

  /// Names by the bytes first, for authorities copy them; then by the canonical form, made once for each name.
  bool same_name(Bytes a, Bytes b);
  size_t number_of(Bytes name);

  /// Remembers the refusal if no path came further. Returns false, the value of a step that failed.
  bool note(const Error& error, Stage stage, bool anchor_reached = false);
  /// Ends the search.
  bool exhaust(const char* reason);

  const crypto::Provider& provider_;
  std::span<const Certificate> chain_;
  const TrustStore& anchors_;
  const VerifyOptions& options_;

  std::vector<const Certificate*> path_;
  size_t signature_checks_left_;
  size_t steps_left_;
  size_t whole_paths_left_ = kWholePathsMax;
  NameConstraintChecker name_constraints_;

  std::map<const Certificate*, std::vector<Issuer>> issuers_;
  std::map<const Certificate*, Result<void>> issuer_checks_;
  std::map<const Certificate*, Result<PublicKey>> keys_;
  std::map<std::pair<const Certificate*, const Certificate*>, Result<void>> signatures_;
  std::map<const uint8_t*, size_t> name_numbers_;  // by where the name stands
  std::map<std::vector<uint8_t>, size_t, ByBytes> canonical_numbers_;

  std::optional<Error> refusal_;
  size_t refusal_progress_ = 0;
  std::optional<Error> exhausted_;
};

}  // namespace quoll::x509
