// Versions: how they are chosen, and how a downgrade is recognised (RFC 9368; RFC 9369 §4; RFC 9000 §6, §15).
//
// All decisions are pure functions of what was sent and received. A client that learns of the server's versions from a
// Version Negotiation packet starts a new attempt; the version_information transport parameter then proves that the
// packet told the truth. Versions 1 and 2 are compatible with each other, so a server may also answer a first flight of
// one in the other.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>

#include "base/result.h"
#include "quic/wire/error_code.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// A few versions by value, in order.
class VersionList {
 public:
  /// The versions of a transport parameter or a configuration that are kept. There are two that mean anything to us; the
  /// others are kept as far as they fit, to be looked at.
  static constexpr size_t kCapacity = 16;

  constexpr VersionList() = default;
  constexpr VersionList(std::initializer_list<Version> versions) {
    for (const Version version : versions) add(version);
  }

  /// Takes a version to the end of the list. When the list is full of others it still takes each supported version once;
  /// what does not fit is left out, which changes no choice, because only supported versions are chosen.
  constexpr void add(Version version) {
    constexpr size_t kSupported = 2;
    const bool room = size_ < kCapacity - kSupported || (is_supported(version) && !contains(version));
    if (room && size_ < kCapacity) versions_[size_++] = version;
  }
  constexpr bool contains(Version version) const { return std::find(begin(), end(), version) != end(); }

  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const Version* begin() const { return versions_.data(); }
  constexpr const Version* end() const { return versions_.data() + size_; }

  friend constexpr bool operator==(const VersionList& a, const VersionList& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<Version, kCapacity> versions_{};
  size_t size_ = 0;
};

/// The version_information transport parameter, RFC 9368 §3.
struct VersionInformation {
  Version chosen = Version::v1;
  VersionList available{};

  friend bool operator==(const VersionInformation&, const VersionInformation&) = default;
};

/// Whether a first flight of `from` can be read as one of `to` (RFC 9368 §2.2); a version is compatible with itself.
constexpr bool is_compatible(Version from, Version to) { return is_supported(from) && is_supported(to); }

/// RFC 9000 §15: a reserved version, made from a random number.
constexpr Version reserved_version(uint32_t random) { return Version{(random & 0xf0f0f0f0) | 0x0a0a0a0a}; }

/// The first version of `preferred` (ours, best first) that is also offered and supported.
std::optional<Version> choose_version(std::span<const Version> preferred, std::span<const Version> offered);

/// What a client says of its first flight with the version `original`: it, and what is compatible with it among
/// `preferred`, in that order.
VersionInformation client_version_information(Version original, std::span<const Version> preferred);

/// The version in which a server goes on, given the version `in_use` of the client's first flight and what the client
/// said (nothing: RFC 9368 §4 allows to go on). Ours come first in preference. VERSION_NEGOTIATION_ERROR when the
/// client's Chosen Version is not the one in use.
Result<Version> negotiate_version(Version in_use, const std::optional<VersionInformation>& clients,
                                  std::span<const Version> preferred);

/// What a client does when a Version Negotiation packet with the right connection ids answers its first flight.
struct VersionNegotiationAnswer {
  enum class Action : uint8_t { ignore, abandon, retry_with };
  Action action = Action::ignore;
  Version version = Version::negotiation;  // for retry_with

  friend bool operator==(const VersionNegotiationAnswer&, const VersionNegotiationAnswer&) = default;
};

/// `original` is the version of the first flight; `reacting` tells that the attempt itself follows such a packet.
VersionNegotiationAnswer answer_version_negotiation(Version original, bool reacting, std::span<const Version> preferred,
                                                    std::span<const Version> offered);

/// A client's side of a version negotiation, when the server's transport parameters have come.
struct ClientVersionNegotiation {
  VersionInformation sent;           // our parameter; `chosen` is the version of our first flight
  Version negotiated = Version::v1;  // in use, as the server's long headers show
  bool reacted = false;              // to a Version Negotiation packet
};

/// RFC 9368 §4, §8: VERSION_NEGOTIATION_ERROR when the server's version information does not bear out the version in
/// use, or would have made us choose another.
Result<void> check_version_information(const ClientVersionNegotiation& ours,
                                       const std::optional<VersionInformation>& servers,
                                       std::span<const Version> preferred);

}  // namespace quoll::quic
