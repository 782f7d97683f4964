// What BBR's two versions share and where they differ, as numbers and decisions with names: `bbr2` is
// draft-cardwell-iccrg-bbr-congestion-control-02, `bbr3` is draft-ietf-ccwg-bbr. Section numbers in the files of BBR are those of
// the latter.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace quoll::quic {

/// A factor in hundredths: 277 is 2.77.
using BbrGain = uint32_t;

inline constexpr BbrGain kBbrStartupPacingGain = 277;   // §2.5: 4 ln 2, which doubles the rate each round
inline constexpr BbrGain kBbrDrainPacingGain = 50;      // §5.3.2
inline constexpr BbrGain kBbrProbeDownPacingGain = 90;  // §5.3.3.1
inline constexpr BbrGain kBbrProbeUpPacingGain = 125;   // §5.3.3.5
inline constexpr BbrGain kBbrWindowGain = 200;          // §2.6
inline constexpr BbrGain kBbrProbeRttWindowGain = 50;   // §2.16.2
inline constexpr BbrGain kBbrUnity = 100;
inline constexpr BbrGain kBbrBeta = 70;         // §2.8
inline constexpr BbrGain kBbrSharedBeta = 88;   // of what was in flight when a probe among others lost too much; ours
inline constexpr BbrGain kBbrHeadroom = 15;     // §2.8: of the long-term limit, left to others
inline constexpr BbrGain kBbrPacingMargin = 1;  // §2.5: paced below the estimated bandwidth by so much
inline constexpr BbrGain kBbrFullBandwidthGrowth = 125;  // §5.3.1.2
inline constexpr uint32_t kBbrFullBandwidthRounds = 3;   // §5.3.1.2
inline constexpr uint64_t kBbrMinPipeDatagrams = 4;      // §2.8
inline constexpr uint64_t kBbrExtraAckedRounds = 10;     // §2.12
inline constexpr uint32_t kBbrStartupMarkedRounds = 2;   // rounds with CE marks that end Startup: ours, no draft has it
inline constexpr uint64_t kBbrRenoRoundsMax = 63;        // §5.3.3.8.2
inline constexpr int kBbrMinRttNoise = 16;  // a delay is measured again if it is this share of min_rtt above it; ours
inline constexpr int kBbrMarginFreeQueue = 8;  // up to this share of min_rtt in the queue no margin is kept; ours
inline constexpr uint32_t kBbrProbeUpRoundsMax = 30;                           // §5.3.3.9: doublings of the slope
inline constexpr uint64_t kBbrQuantumMax = uint64_t{1} << 16;                  // §5.6.3, bytes
inline constexpr Duration kBbrQuantumTime = Duration::milliseconds(1);         // §5.6.3
inline constexpr Duration kBbrMinRttFilter = Duration::seconds(10);            // §2.16.1
inline constexpr Duration kBbrProbeRttInterval = Duration::seconds(5);         // §2.16.2
inline constexpr Duration kBbrProbeRttDuration = Duration::milliseconds(200);  // §2.16.2
inline constexpr Duration kBbrProbeWaitMin = Duration::seconds(2);             // §5.3.3.8.2: T_bbr...
// ...and what is random of it: a second in the drafts. With this a raised rate is found, and in use, within three seconds; ours.
inline constexpr Duration kBbrProbeWaitSpread = Duration::milliseconds(700);

// A queue that ends Startup before its three rounds without growth are over; ours. It stands when the smallest of some delays is so
// much above min_rtt, and those span a share of it too, so that ACKs which come late together are not taken for one.
inline constexpr int kBbrQueueShare = 4;
inline constexpr Duration kBbrQueueMin = Duration::milliseconds(4);
inline constexpr Duration kBbrQueueWindowMin = Duration::milliseconds(8);
inline constexpr uint32_t kBbrQueueSamples = 8;
// A probe after which the bandwidth is a fifth more has met no end of the path: Startup is resumed; ours.
inline constexpr BbrGain kBbrFoundMore = 120;
// Bounds that hold less than this share of the bandwidth known, while for so many rounds nothing gave a reason to lower them, tell of
// losses that are over: the next probe does not wait for its time; ours.
inline constexpr BbrGain kBbrOutdatedShare = 80;
inline constexpr uint64_t kBbrOutdatedRounds = 4;

struct BbrParameters {
  /// The window's gain in a ProbeBW_UP that goes on until the delivery rate grows no more (§5.6.1).
  BbrGain thorough_window_gain;
  /// Discontiguous ranges of lost packets in a round that end Startup, if the loss is high as well (§5.3.1.3).
  uint32_t startup_loss_ranges;
  /// Send quanta that may be in flight whatever the bandwidth-delay product is (§5.5.8).
  uint64_t offload_quanta;
  /// Rounds that the estimate of aggregation looks back during Startup (§5.5.9).
  uint64_t startup_extra_acked_rounds;
  /// Rounds after which Drain ends although a queue seems to stand; 0: never (§5.3.2).
  uint64_t drain_rounds_max;
  /// In the first round of a recovery no more leaves than what is delivered (02 §4.6.4.4); ours: if too much was lost.
  bool conserves_packets;
  /// Rounds until the next probe after one that lost little and met no queue of others; ours in bbr2.
  uint64_t welcome_rounds;
  /// ProbeBW_UP ends when the delivery rate grows no more (§5.3.3.7), instead of at 1.25 bandwidth-delay products in flight. Where
  /// a queue stands already it does in both versions: ours, since flows that only ever share a full queue stay as unequal as they are.
  bool probes_until_plateau;
  /// After a probe that lost too much, the next one turns back where that one ended (§5.3.3.6).
  bool probes_with_caution;
  /// A Startup that ends by loss leaves a limit for the volume in flight (§5.3.1.3).
  bool startup_loss_limits_inflight;
};

inline constexpr BbrParameters kBbr2 = {.thorough_window_gain = 210,
                                        .startup_loss_ranges = 3,
                                        .offload_quanta = 3,
                                        .startup_extra_acked_rounds = kBbrExtraAckedRounds,
                                        .drain_rounds_max = 0,
                                        .conserves_packets = true,
                                        .welcome_rounds = 6,
                                        .probes_until_plateau = false,
                                        .probes_with_caution = false,
                                        .startup_loss_limits_inflight = false};

inline constexpr BbrParameters kBbr3 = {.thorough_window_gain = 225,
                                        .startup_loss_ranges = 6,
                                        .offload_quanta = 1,
                                        .startup_extra_acked_rounds = 1,
                                        .drain_rounds_max = 3,
                                        .conserves_packets = false,
                                        .welcome_rounds = kBbrRenoRoundsMax,
                                        .probes_until_plateau = true,
                                        .probes_with_caution = true,
                                        .startup_loss_limits_inflight = true};

}  // namespace quoll::quic
