// LossDetection: which packets arrived, which are lost, and when to probe (RFC 9002 §5.1, §6, §7.6, Appendix A).
//
// One object serves the three packet number spaces of a connection. It takes plain values (numbers, sizes, instants,
// intervals) and gives summaries for the congestion controller, a timer, and a queue of outcomes: each packet whose
// fate is decided, with the place of its recovery tokens (tokens.h), to be polled after every call that can decide one.
// It knows neither frames nor controllers.
//
// RTT, delivery rate and bytes in flight belong to a path (RFC 9000 §9.4): they lie in PathRecovery objects that the
// connection owns and registers here. Packets on paths other than the current one are tracked, acknowledged and lost,
// but stay out of the summaries and of the estimates.
//
// Invariants: bytes_in_flight of a path is the sum over its packets that are in flight; a packet is acknowledged at
// most once, and lost at most once, before that; next_timeout() is finite while ack-eliciting packets are in flight,
// except where RFC 9002 §6.2.2.1 forbids it (a server that may send nothing) or §6.2.1 does (1-RTT before confirmation).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/result.h"
#include "quic/recovery/persistent_congestion.h"
#include "quic/recovery/rtt.h"
#include "quic/recovery/sent_packets.h"
#include "quic/wire/types.h"

namespace quoll::quic {

inline constexpr uint64_t kPacketThreshold = 3;  // RFC 9002 §6.1.1
/// The packet threshold follows reordering up to here; a longer one would leave too much to the time threshold.
inline constexpr uint64_t kPacketThresholdMax = 256;
inline constexpr int kTimeThresholdEighths = 9;  // RFC 9002 §6.1.2: 9/8
/// The time threshold follows reordering up to two round-trip times.
inline constexpr int kTimeThresholdEighthsMax = 16;
/// The backoff doubles at most this often: 2^16 times the PTO is beyond any idle timeout, and stays a finite time.
inline constexpr int kPtoBackoffMax = 16;
inline constexpr size_t kRecoveryPathsMax = 8;

/// What recovery keeps of one path; its owner keeps it in place while it is registered.
struct PathRecovery {
  uint64_t bytes_in_flight = 0;
  /// The start of the controller's recovery period, copied here by the connection: splits acknowledged bytes (RFC 9002
  /// §7.3.2) and delimits the losses that one undo takes back.
  Instant recovery_start = Instant::from_nanoseconds(INT64_MIN);
  Rtt rtt;
  DeliveryRate delivery_rate;
};

/// Packets declared lost by one call, in flight on the current path, MTU probes excepted.
struct LossSummary {
  uint64_t bytes = 0;
  uint32_t packets = 0;
  uint32_t ranges = 0;                  // of consecutive packet numbers
  uint32_t ect_packets = 0;             // of these, sent with an ECT codepoint
  Instant newest_time_sent;             // of the lost packets
  bool persistent_congestion = false;   // RFC 9002 §7.6: the window goes to its minimum
  std::optional<ExcessiveLoss> excess;  // of the first packet with which the loss became that, or certainly that
};

/// What an ACK frame did. Counts and bytes are of packets on the current path unless they say otherwise.
struct AckSummary {
  uint32_t newly_acked = 0;        // packets, on any path, that were not yet given up
  bool ack_eliciting = false;      // one of them was
  bool largest_increased = false;  // the largest acknowledged of the space has grown (RFC 9000 §13.4.2.1)
  uint64_t bytes_acked = 0;        // in flight
  uint64_t bytes_acked_after_recovery_start = 0;  // those sent after PathRecovery::recovery_start
  uint64_t prior_bytes_in_flight = 0;             // before this ACK
  Instant newest_time_sent;                       // of the newly acknowledged packets in flight
  uint32_t ect0_acked = 0;                        // newly acknowledged packets sent with ECT(0), for EcnValidator
  uint32_t ect1_acked = 0;
  Instant largest_time_sent;  // of the largest newly acknowledged: the time that a CE mark stands for
  std::optional<Duration> rtt_sample;
  RateSample rate;
  LossSummary lost;
  uint32_t spurious_packets = 0;  // acknowledged after they were declared lost
  bool undo = false;              // RFC 9438 §4.9: every loss of the current recovery period turned out spurious
};

class LossDetection {
 public:
  struct Options {
    Role role = Role::client;
    Duration max_ack_delay = Duration::milliseconds(25);  // the peer's, RFC 9000 §18.2
  };
  /// What made a packet lost: RFC 9002 §6.1.1, §6.1.2, or that no room is left for it after several probe timeouts.
  enum class LossCause : uint8_t { packet_threshold, time_threshold, given_up };
  /// What became of a packet.
  struct Outcome {
    enum class Kind : uint8_t {
      acked,
      acked_late,  // after it was `lost`
      lost,
      discarded,  // by on_retry() or discard_zero_rtt(): send its content again, nothing was lost
    };
    TokenRange tokens = {};
    PacketNumber packet_number = 0;
    Instant time_sent = {};
    uint16_t size = 0;
    Kind kind = Kind::acked;
    Space space = Space::initial;
    uint8_t path = 0;
    bool is_mtu_probe = false;
    LossCause cause = LossCause::packet_threshold;  // of `lost`
  };
  struct Ack {
    Space space = Space::initial;
    PacketNumber largest_acknowledged = 0;
    Duration ack_delay = {};  // decoded
  };
  /// A probe timeout expired: send `packets` ack-eliciting packets in `space` (RFC 9002 §6.2.4), congestion window or
  /// not; if `anti_deadlock`, there may be nothing to send but PING, in a padded datagram when Initial (§6.2.2.1).
  struct Probe {
    Space space = Space::initial;
    uint8_t packets = 0;
    bool anti_deadlock = false;
  };
  struct Timeout {
    LossSummary lost;  // with a probe: only what was given up before, in sending
    std::optional<Probe> probe;
  };

  explicit LossDetection(Options options) : options_(options) {}

  /// Registers a path; the first one is current. Null when kRecoveryPathsMax are registered.
  [[nodiscard]] std::optional<uint8_t> add_path(PathRecovery& path);
  /// Its packets count nowhere from now on, but are still acknowledged or lost. Not the current one.
  void remove_path(uint8_t path);
  /// RFC 9000 §9.4: whose RTT sets the timers, and who is summarised.
  void set_current_path(Instant now, uint8_t path);

  PacketNumber next_packet_number(Space space) const { return state_of(space).sent.next_packet_number(); }
  /// A packet with the next number of its space was sent.
  void on_packet_sent(Space space, const SentPacket& packet);
  /// RFC 9000 §21.4: uses up a number, against peers that acknowledge what they did not receive.
  void skip_packet_number(Space space);

  /// An ACK frame, with its ranges as Intervals in any order; `now` is when its packet arrived, even if it could be
  /// decrypted only later (RFC 9002 §5.3). PROTOCOL_VIOLATION when it names a packet that was never sent.
  template <class Ranges>
  [[nodiscard]] Result<AckSummary> on_ack(Instant now, const Ack& ack, const Ranges& ranges) {
    begin_ack();
    if (const Result<void> known = check_sent(ack.space, ack.largest_acknowledged); !known) {
      return std::unexpected(known.error());
    }
    for (const Interval& range : ranges) {
      if (const Result<void> taken = on_ack_range(now, ack.space, range); !taken) return std::unexpected(taken.error());
    }
    return finish_ack(now, ack);
  }

  /// Instant::never() when there is nothing to wait for. May lie in the past.
  Instant next_timeout() const { return timer_; }
  Timeout on_timeout(Instant now);

  /// RFC 9002 §6.4: the keys of Initial or Handshake packets are gone, so are their packets and tokens.
  void discard_space(Instant now, Space space);
  /// 0-RTT was rejected: what is in flight of it is discarded.
  void discard_zero_rtt(Instant now);
  /// RFC 9002 §6.3: recovery starts anew, the packets are discarded. The controller and the path's Rtt are the caller's.
  void on_retry(Instant now);

  void on_handshake_keys(Instant now);
  void on_handshake_confirmed(Instant now);
  /// RFC 9002 §6.2.2.1: whether a server may send nothing before it receives more.
  void set_amplification_limited(Instant now, bool limited);
  void set_max_ack_delay(Duration max_ack_delay) { options_.max_ack_delay = max_ack_delay; }

  /// The next packet whose fate was decided; its tokens stay valid until the next call of another function.
  std::optional<Outcome> poll_outcome();
  /// Tokens of the space below this index are no longer needed, once all outcomes are polled.
  uint64_t first_token(Space space) const { return state_of(space).sent.first_token(); }

  int pto_count() const { return pto_count_; }
  uint64_t packet_threshold() const { return packet_threshold_; }
  int time_threshold_eighths() const { return time_threshold_eighths_; }
  std::optional<PacketNumber> largest_acknowledged(Space space) const { return state_of(space).largest_acked; }
  /// Ack-eliciting packets in flight.
  uint64_t ack_eliciting_in_flight(Space space) const { return state_of(space).ack_eliciting_in_flight; }
  /// For validation: the tracked packets.
  const SentPackets& sent_packets(Space space) const { return state_of(space).sent; }
  /// The PTO of the application space without backoff: the unit of idle, closing and draining periods (RFC 9000 §10).
  Duration pto() const { return current().rtt.pto_base() + options_.max_ack_delay; }
  /// Whether the space is remembered: trim() ends those of the handshake, and nobody asks for them afterwards.
  bool has_space(Space space) const { return space == Space::application || handshake_spaces_; }
  /// For a quiet connection: returns memory that packets in flight do not need, and forgets packets that are not. After
  /// the handshake is confirmed, and the spaces of Initial and Handshake packets are discarded, these go too.
  void trim();

 private:
  static constexpr uint8_t kNoPath = 0xff;

  struct SpaceState {
    SentPackets sent;
    std::optional<PacketNumber> largest_acked;
    PacketNumber cursor = 0;  // loss detection has settled all below
    std::optional<PacketNumber> last_lost;
    uint64_t ack_eliciting_in_flight = 0;
    Instant time_of_last_ack_eliciting;
    Instant loss_time = Instant::never();
  };
  struct PtoTime {
    Instant time = Instant::never();
    Space space = Space::initial;
    bool anti_deadlock = false;
  };

  const SpaceState& state_of(Space space) const {
    if (space == Space::application) [[likely]]
      return application_;
    QUOLL_CHECK(handshake_spaces_);
    return (*handshake_spaces_)[static_cast<size_t>(space)];
  }
  SpaceState& state_of(Space space) { return const_cast<SpaceState&>(std::as_const(*this).state_of(space)); }
  std::span<const Space> spaces() const;
  const PathRecovery& current() const { return *paths_[current_path_]; }
  PathRecovery& current() { return *paths_[current_path_]; }
  bool is_current(const SentPackets::Entry& entry) const { return entry.path == current_path_; }

  void begin_ack();
  Result<void> check_sent(Space space, PacketNumber number) const;
  Result<void> on_ack_range(Instant now, Space space, Interval range);
  Result<AckSummary> finish_ack(Instant now, const Ack& ack);
  void on_packet_acked(Instant now, Space space, PacketNumber number, SentPackets::Entry& entry);
  void on_spurious_loss(Instant now, Space space, PacketNumber number, SentPackets::Entry& entry);
  void take_rtt_sample(Instant now, const Ack& ack);
  void detect_lost(Instant now, Space space, LossSummary& lost);
  bool is_beyond_packet_threshold(const SpaceState& state, PacketNumber number) const;
  void declare_lost(Instant now, Space space, PacketNumber number, LossCause cause, LossSummary& lost);
  void discard_packet(Space space, PacketNumber number);
  void leave_flight(SpaceState& state, const SentPackets::Entry& entry);
  void retire(Instant now, SpaceState& state);
  Outcome& report(Outcome::Kind kind, Space space, PacketNumber number, const SentPackets::Entry& entry);
  void make_room(Instant now, Space space);

  bool peer_completed_address_validation() const;
  PtoTime pto_time(Instant now) const;
  Space earliest_loss_space() const;
  void set_timer(Instant now);

  SpaceState application_;
  std::unique_ptr<std::array<SpaceState, 2>> handshake_spaces_ = std::make_unique<std::array<SpaceState, 2>>();
  Instant timer_ = Instant::never();
  Options options_;
  int pto_count_ = 0;
  bool has_handshake_keys_ = false;
  bool handshake_confirmed_ = false;
  bool handshake_acked_ = false;
  bool amplification_limited_ = false;
  uint8_t current_path_ = kNoPath;
  std::array<PathRecovery*, kRecoveryPathsMax> paths_{};

  uint64_t packet_threshold_ = kPacketThreshold;
  int time_threshold_eighths_ = kTimeThresholdEighths;
  LostRun lost_run_;
  // Losses since the last congestion event, and how many of them were spurious.
  Instant episode_floor_ = Instant::from_nanoseconds(INT64_MIN);  // its packets were sent after this
  uint32_t episode_lost_ = 0;
  uint32_t episode_spurious_ = 0;

  // The ACK that is being processed.
  AckSummary summary_;
  std::optional<PacketNumber> largest_newly_acked_;
  uint8_t largest_newly_acked_path_ = kNoPath;
  LossSummary pending_lost_;  // given up for lack of room, reported with the next summary
  Ring<Outcome> outcomes_{2 * kSpaceCount * kSentPacketsMax};  // no packet has more than two
};

}  // namespace quoll::quic
