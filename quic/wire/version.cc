#include "quic/wire/version.h"

namespace quoll::quic {

std::optional<Version> choose_version(std::span<const Version> preferred, std::span<const Version> offered) {
  for (const Version version : preferred) {
    // RFC 9000 §15: reserved versions are never chosen.
    if (is_supported(version) && std::ranges::find(offered, version) != offered.end()) return version;
  }
  return {};
}

VersionInformation client_version_information(Version original, std::span<const Version> preferred) {
  VersionInformation information{.chosen = original, .available = {}};
  for (const Version version : preferred) {
    if (is_compatible(original, version)) information.available.add(version);
  }
  // RFC 9368 §3: the Chosen Version is among the available ones.
  if (!information.available.contains(original)) information.available.add(original);
  return information;
}

Result<Version> negotiate_version(Version in_use, const std::optional<VersionInformation>& clients,
                                  std::span<const Version> preferred) {
  if (!clients) return in_use;
  // RFC 9368 §4: the server validates that the client's Chosen Version is the version in use.
  if (clients->chosen != in_use) {
    return close_with(TransportError::version_negotiation_error, "the chosen version is not the one in use");
  }
  // RFC 9368 §2.3: a version that the client lists and we know to be compatible with the first flight.
  for (const Version version : preferred) {
    if (is_compatible(in_use, version) && clients->available.contains(version)) return version;
  }
  return in_use;
}

VersionNegotiationAnswer answer_version_negotiation(Version original, bool reacting, std::span<const Version> preferred,
                                                    std::span<const Version> offered) {
  using Action = VersionNegotiationAnswer::Action;
  // RFC 9368 §4: ignored when it lists the version of the first flight, or answers an attempt that reacts to another.
  if (reacting || std::ranges::find(offered, original) != offered.end()) return {.action = Action::ignore};
  const std::optional<Version> version = choose_version(preferred, offered);
  if (!version) return {.action = Action::abandon};  // RFC 9368 §2.1
  return {.action = Action::retry_with, .version = *version};
}

Result<void> check_version_information(const ClientVersionNegotiation& ours,
                                       const std::optional<VersionInformation>& servers,
                                       std::span<const Version> preferred) {
  const auto refuse = [](const char* reason) { return close_with(TransportError::version_negotiation_error, reason); };
  std::optional<VersionInformation> theirs = servers;
  if (!theirs) {
    if (!ours.reacted) {
      if (ours.negotiated == ours.sent.chosen) return {};
      return refuse("the version changed without version_information");
    }
    // RFC 9368 §8: servers that know version 1 alone; §4: otherwise the parameter must be there.
    if (ours.sent.chosen != Version::v1) return refuse("version_information is missing after version negotiation");
    theirs = VersionInformation{.chosen = Version::v1, .available = {Version::v1}};
  }
  // RFC 9368 §4: the server chose what we offered, and what its long headers show.
  if (!ours.sent.available.contains(theirs->chosen)) return refuse("the server chose a version that was not offered");
  if (theirs->chosen != ours.negotiated) return refuse("the server's chosen version is not the one in use");
  if (!ours.reacted) return {};
  // RFC 9368 §4: with knowledge of all these versions, we would have attempted the same one.
  if (theirs->available.empty()) return refuse("no available versions after version negotiation");
  VersionList known;
  known.add(ours.negotiated);
  for (const Version version : theirs->available) known.add(version);
  if (choose_version(preferred, known) != ours.sent.chosen) return refuse("version downgrade");
  return {};
}

}  // namespace quoll::quic
