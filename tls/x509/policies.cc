#include "tls/x509/policies.h"

#include <algorithm>
#include <map>
#include <set>

#include "tls/x509/by_bytes.h"
#include "tls/x509/failure.h"
#include "tls/x509/oids.h"

namespace quoll::x509 {
namespace {

using Policies = std::set<Bytes, ByBytes>;

/// One level of the graph. anyPolicy stands beside the others, since its rules are its own.
struct Level {
  Policies valid;     // the level's nodes
  Policies expected;  // the union of their expected_policy_sets: what the next certificate may assert
  bool any = false;   // whether there is a node anyPolicy

  bool empty() const { return valid.empty() && !any; }
};

bool is_any(Bytes policy) { return oid::is(policy, oid::kAnyPolicy); }

/// RFC 9618 §5.3 (d): the level that `certificate` makes below `above`.
Level next_level(const Level& above, const std::vector<Bytes>& policies, bool any_is_allowed) {
  Level level;
  bool asserts_any = false;
  for (const Bytes policy : policies) {
    if (is_any(policy)) {
      asserts_any = true;
    } else if (above.expected.contains(policy) || above.any) {
      level.valid.insert(policy);
    }
  }
  if (asserts_any && any_is_allowed) {
    level.valid.insert(above.expected.begin(), above.expected.end());
    level.any = above.any;
  }
  level.expected = level.valid;
  return level;
}

/// RFC 5280 §6.1.4 (a) and (b), RFC 9618 §5.4. Returns false for a mapping from or to anyPolicy.
bool apply_mappings(Level& level, const std::vector<PolicyMapping>& mappings, bool mapping_is_allowed) {
  std::map<Bytes, Policies, ByBytes> by_issuer_policy;
  for (const PolicyMapping& mapping : mappings) {
    if (is_any(mapping.issuer_policy) || is_any(mapping.subject_policy)) return false;
    by_issuer_policy[mapping.issuer_policy].insert(mapping.subject_policy);
  }
  if (!mapping_is_allowed) {
    for (const auto& [policy, mapped] : by_issuer_policy) level.valid.erase(policy);
    level.expected = level.valid;
    return true;
  }
  Policies mapped_to;
  for (const auto& [policy, mapped] : by_issuer_policy) {
    if (!level.valid.contains(policy) && !level.any) continue;
    level.valid.insert(policy);
    mapped_to.insert(mapped.begin(), mapped.end());
  }
  // Whoever is mapped expects what it is mapped to, and itself no longer; the rest expect themselves.
  level.expected = std::move(mapped_to);
  for (const Bytes policy : level.valid) {
    if (!by_issuer_policy.contains(policy)) level.expected.insert(policy);
  }
  return true;
}

/// The counters of RFC 5280 §6.1.2 (d), (e), (f).
struct Counters {
  uint64_t explicit_policy, inhibit_any_policy, policy_mapping;

  static void lower(uint64_t& counter) { counter -= counter != 0; }
  static void limit(uint64_t& counter, const std::optional<uint64_t>& value) {
    if (value) counter = std::min(counter, *value);
  }

  /// RFC 5280 §6.1.4 (h), (i), (j).
  void prepare_for_next(const Certificate& certificate) {
    if (!certificate.is_self_issued()) {
      lower(explicit_policy);
      lower(inhibit_any_policy);
      lower(policy_mapping);
    }
    if (certificate.policy_constraints) {
      limit(explicit_policy, certificate.policy_constraints->require_explicit_policy);
      limit(policy_mapping, certificate.policy_constraints->inhibit_policy_mapping);
    }
    limit(inhibit_any_policy, certificate.inhibit_any_policy);
  }

  /// RFC 5280 §6.1.5 (a), (b).
  void wrap_up(const Certificate& leaf) {
    lower(explicit_policy);
    if (leaf.policy_constraints && leaf.policy_constraints->require_explicit_policy == 0) explicit_policy = 0;
  }
};

bool demands_policies(std::span<const Certificate* const> path) {
  return std::ranges::any_of(path, [](const Certificate* certificate) {
    return (certificate->policy_constraints && certificate->policy_constraints->require_explicit_policy) ||
           certificate->policy_mappings;
  });
}

std::unexpected<Error> no_policy() {
  return refuse(Failure::policy, "a policy is required, and none is valid for the whole path");
}

}  // namespace

Result<void> check_policies(std::span<const Certificate* const> path) {
  // Without a demand no outcome of the algorithm can refuse the path; mappings can be wrong in themselves.
  if (!demands_policies(path)) return {};
  const uint64_t unlimited = path.size() + 1;
  Counters counters{.explicit_policy = unlimited, .inhibit_any_policy = unlimited, .policy_mapping = unlimited};
  Level level{.valid = {}, .expected = {}, .any = true};
  for (size_t i = path.size(); i-- > 0;) {
    const Certificate& certificate = *path[i];
    if (certificate.certificate_policies && !level.empty()) {
      const bool any_is_allowed = counters.inhibit_any_policy > 0 || (i > 0 && certificate.is_self_issued());
      level = next_level(level, *certificate.certificate_policies, any_is_allowed);
    } else {
      level = Level();  // RFC 5280 §6.1.3 (e)
    }
    if (counters.explicit_policy == 0 && level.empty()) return no_policy();  // (f)
    if (i == 0) break;
    if (certificate.policy_mappings &&
        !apply_mappings(level, *certificate.policy_mappings, counters.policy_mapping > 0)) {
      return refuse(Failure::policy, "a policy mapping from or to anyPolicy");
    }
    counters.prepare_for_next(certificate);
  }
  counters.wrap_up(*path[0]);
  if (counters.explicit_policy == 0 && level.empty()) return no_policy();
  return {};
}

}  // namespace quoll::x509
