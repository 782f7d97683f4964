// StatelessAnswers: what an endpoint says without a connection: Version Negotiation (RFC 9000 §6.1, RFC 8999 §6), Retry
// (§17.2.5.1), stateless resets (§10.3) and refusals (§5.2.2, §8.1.2), as small datagrams that wait to be sent.
//
// Every answer follows from one datagram and is smaller than it, so nothing here amplifies, and two endpoints that answer
// each other fall silent (§10.3.3): Version Negotiation, Retry and refusals answer only datagrams of 1200 bytes and more,
// and resets shrink below the smallest size that is answered. All share a rate limit, of which resets, which anyone can
// provoke with any datagram, take no more than half; and a bounded queue.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "base/net.h"
#include "base/ring.h"
#include "base/rng.h"
#include "crypto/provider.h"
#include "quic/endpoint/rate_limit.h"
#include "quic/wire/error_code.h"
#include "quic/wire/packet_header.h"
#include "quic/wire/stateless_reset.h"

namespace quoll::quic {

/// Answers that wait for the socket. More are dropped: whoever provoked them sends again.
inline constexpr size_t kAnswersQueuedMax = 128;
/// The largest answer is a Version Negotiation packet with two connection ids of 255 bytes and five versions.
inline constexpr size_t kAnswerSizeMax = 1 + 4 + 2 * (1 + 255) + 5 * 4;

/// RFC 9000 §10.3, §10.3.3: how many bytes a reset has that answers a datagram of `provoking` bytes: fewer than it, as
/// many as a usual short packet has where that is possible. Empty when it must not be answered.
std::optional<size_t> stateless_reset_size(size_t provoking, Rng& rng);

class StatelessAnswers {
 public:
  enum class Outcome : uint8_t {
    queued,
    suppressed,  // by the rate limit or a full queue
    none,        // there is no answer to such a datagram
  };

  /// `provider` and `rng` outlive this.
  StatelessAnswers(const crypto::Provider& provider, Rng& rng, uint32_t per_second)
      : provider_(provider), rng_(rng), limit_(per_second) {}

  /// The header of a datagram of `datagram_size` bytes with a version that is not among `versions`. With `grease` a
  /// reserved version stands among them (RFC 9000 §6.3).
  Outcome version_negotiation(Instant now, const Path& path, size_t datagram_size, const InvariantHeader& header,
                              std::span<const Version> versions, bool grease);

  struct Retry {
    Version version = Version::v1;
    Bytes client_source{};         // of the Initial packet that is answered
    Bytes original_destination{};  // likewise
    Bytes retry_source{};          // ours; differs from original_destination
    Bytes token{};
  };
  Outcome retry(Instant now, const Path& path, const Retry& retry);

  struct Refusal {
    Version version = Version::v1;
    Bytes client_source{};       // of the Initial packet that is answered
    Bytes client_destination{};  // likewise: the keys derive from it
    Bytes source{};              // ours
    TransportError error = TransportError::connection_refused;
  };
  /// CONNECTION_CLOSE in an Initial packet.
  Outcome refuse(Instant now, const Path& path, const Refusal& refusal);

  /// In answer to a datagram of `datagram_size` bytes with a short header and a connection id with this token.
  Outcome reset(Instant now, const Path& path, size_t datagram_size, const StatelessResetToken& token);

  /// Whether an answer would be taken now: worth asking before work that only an answer needs.
  bool has_room(Instant now);
  bool empty() const { return queue_.empty(); }
  /// The next answer, copied into `scratch`; empty when there is none, or `scratch` is too small for it.
  std::optional<Transmit> poll_transmit(Instant now, MutBytes scratch);

 private:
  struct Answer {
    Path path;
    size_t size = 0;
    std::array<uint8_t, kAnswerSizeMax> bytes;
  };

  /// Room for one more answer; null when the limits forbid it.
  Answer* allow(Instant now, const Path& path, uint32_t reserve = 0);
  uint8_t random_byte();

  const crypto::Provider& provider_;
  Rng& rng_;
  TokenBucket limit_;
  Ring<Answer> queue_{kAnswersQueuedMax};
};

}  // namespace quoll::quic
