// Connection::State: the owners of a connection and the work on them, cut by verb into files (connection.h lists them).
//
// Invariants: there is always a current path, and it is registered with LossDetection. Packets of a space are sent only
// while there are keys to seal them. When `close.phase` is not open, owners are neither asked nor told anything. Errors
// found anywhere go through fail(), which begins closing once.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/ring.h"
#include "quic/connection/close_state.h"
#include "quic/connection/connection.h"
#include "quic/connection/path_state.h"
#include "quic/path/local_connection_ids.h"
#include "quic/path/remote_connection_ids.h"
#include "quic/protect/packet_protection.h"
#include "quic/recovery/ecn.h"
#include "quic/recovery/loss_detection.h"
#include "quic/recovery/packet_builder.h"
#include "quic/recovery/received_packets.h"
#include "quic/stream/crypto_stream.h"
#include "quic/stream/datagram_queue.h"
#include "quic/stream/streams.h"

namespace quoll::quic {

/// Packets that came before their keys are kept until these come (RFC 9001 §5.7): what a peer sends in a round trip,
/// within reason.
inline constexpr size_t kKeptPacketsMax = 32;
inline constexpr size_t kKeptBytesMax = 64 * 1024;
/// RFC 9002 §6.2.3: how often a handshake's data goes out again before its PTO, and how far apart. More than once, since
/// networks that lose one packet lose several.
inline constexpr uint8_t kEarlyRepeatsMax = 3;
inline constexpr Duration kEarlyRepeatSpacing = Duration::milliseconds(10);
/// Datagrams of a train; GSO takes no more.
inline constexpr size_t kTrainMax = 64;
/// Events of the connection itself that wait for the application; there are few kinds, and a peer can repeat only the
/// last: tickets and tokens, which are dropped beyond it.
inline constexpr size_t kEventsMax = 64;
/// NEW_TOKEN frames that a server sends on a connection: each spares one later connection a round trip.
inline constexpr size_t kNewTokensMax = 8;
/// NEW_TOKEN tokens that a client takes: larger ones are of no use in an Initial packet.
inline constexpr size_t kTokenSizeMax = 512;
/// A connection is quiet when it has neither sent nor received for so many PTOs and nothing is in flight.
inline constexpr int kQuietPtos = 3;

/// A packet number space: what came, and what the packets in flight carried.
struct SpaceState {
  SpaceState(Space space, AckPolicy policy) : received(space, policy), tokens(kFrameTokensMax) {}

  ReceivedPackets received;
  FrameTokens tokens;
  uint8_t probes = 0;  // ack-eliciting packets that a PTO asks for, congestion window or not
  bool ping = false;   // something ack-eliciting is wanted
};

/// A packet that came before its keys.
struct KeptPacket {
  Buffer bytes;
  Path path;
  PacketType type = PacketType::one_rtt;
  Ecn ecn = Ecn::not_ect;
  Instant received_at;
};

/// What only the handshake needs; gone when it is confirmed.
struct HandshakeState {
  CryptoStream initial;
  CryptoStream handshake;
  HandshakeConnectionIds ids;
  ConnectionId initial_destination;  // Initial keys derive from it (RFC 9001 §5.2)
  std::vector<uint8_t> token;        // client: of a Retry or an earlier NEW_TOKEN, for Initial packets
  Instant deadline = Instant::never();

  // The client's version negotiation.
  VersionInformation versions_sent;
  bool reacted_to_version_negotiation = false;
  bool retried = false;
  bool processed_packet = false;    // of the server: Retry and Version Negotiation come too late
  bool version_is_settled = false;  // by the server's first long header, or by the client's parameters
  std::optional<ResumptionState> resumption;
  std::string server_name;
  bool early_data_offered = false;
  uint8_t early_repeats = 0;
  Instant next_early_repeat;  // not before
};

/// A packet on its way to the owners.
struct PacketContext {
  Instant now;
  Instant received_at;  // earlier than now for packets that were kept
  const Path& path;     // where it came
  PathState* path_state = nullptr;
  Ecn ecn = Ecn::not_ect;
  Bytes destination{};
  Bytes source{};
  Version version = Version::negotiation;
  size_t datagram_size = 0;
  size_t packet_size = 0;
  bool opened = false;  // a packet of the datagram was authentic
  const Buffer* buffer = nullptr;
};

struct Connection::State {
  State(Instant now, Role which, const ConnectionContext& shared, const TransportConfig& settings,
        TraceSink<TraceEvent>* sink);
  ~State();

  struct OpenPacket;  // datagram.h
  struct Datagram;    // datagram.h

  // --- handshake.cc
  Result<void> start_client(Instant now, UnixTime wall_clock, Version first_version);
  Result<void> start_server(Instant now, const ServerStart& start);
  TransportParameters own_parameters() const;
  void drive_tls(Instant now);
  Result<void> feed_tls(Instant now);
  Result<void> take_tls_outputs(Instant now);
  Result<void> on_tls_output(Instant now, tls::Output& output);
  Result<void> on_secret(Instant now, const tls::TrafficSecret& secret);
  Result<void> on_peer_parameters(Instant now, Bytes encoded);
  Result<void> on_early_data_decision(Instant now, bool accepted);
  Result<void> on_handshake_complete(Instant now);
  void issue_new_token(Instant now);
  void on_ticket(tls::ClientTicket ticket);
  void on_new_token(Bytes token);
  void confirm_handshake(Instant now);
  void discard_keys(Instant now, PacketType type);
  void on_retry(Instant now, const RetryPacket& packet);
  void on_version_negotiation(Instant now, const VersionNegotiationPacket& packet);
  CryptoStream* crypto_stream(Space space);

  // --- receive.cc
  void receive(Instant now, const Path& path, std::span<const ReceivedDatagram> datagrams, const Buffer& buffer);
  void receive_datagram(Instant now, const Path& path, const ReceivedDatagram& datagram, const Buffer& buffer);
  size_t receive_one_rtt_batch(Instant now, const Path& path, std::span<const ReceivedDatagram> datagrams,
                               const Buffer& buffer);
  void receive_packets(PacketContext& context, MutBytes datagram);
  void receive_packet(PacketContext& context, const ProtectedPacket& packet);
  void count_received(Instant now, const Path& path, const ReceivedDatagram& datagram);
  std::optional<trace::DropReason> reason_to_drop(const PacketContext& context, const ProtectedPacket& packet);
  bool is_expected_version(const ProtectedPacket& packet);
  bool is_worth_keeping(PacketType type) const;
  bool is_worth_reading(const PacketContext& context, PacketType type) const;
  void on_handshake_header(PacketContext& context, const OpenedPacket& packet);
  Result<PayloadTraits> dispatch(PacketContext& context, const OpenedPacket& packet);
  void on_opened(PacketContext& context, const OpenedPacket& packet);
  void after_packet(PacketContext& context, const OpenedPacket& packet, const PayloadTraits& traits);
  void keep_packet(const PacketContext& context, const ProtectedPacket& packet);
  void receive_kept(Instant now);
  void forget_kept();
  void check_stateless_reset(Instant now, const PacketContext& context, Bytes datagram);
  PacketNumber expected_number(Space space) const;
  HeaderOptions header_options() const;
  void count_drop(trace::DropReason reason, trace::PacketKind kind = trace::PacketKind::unknown, size_t size = 0);

  // --- delivery.cc
  Result<void> on_ack_frame(const PacketContext& context, Space space, const AckFrame& frame);
  void on_lost_summary(Instant now, const LossSummary& lost, uint64_t prior_bytes_in_flight);
  void settle_outcomes(Instant now);
  void on_frame_acked(Space space, const FrameToken& token);
  void on_frame_lost(Space space, const FrameToken& token);
  void on_packet_outcome(Instant now, const LossDetection::Outcome& outcome);
  void on_mtu_changed(Instant now, PathState& path);
  /// True when there was anything to repeat.
  bool repeat_oldest(Space which, size_t packets);
  void repeat_handshake_early(Instant now);
  void update_pacing(Instant now);

  // --- tracing.cc
  void trace_recovery(Instant now, CongestionState before) const;
  void trace_acked(Instant now, const LossDetection::Outcome& outcome);
  void tell_acked(Instant now);
  void trace_loss_timer(Instant now, bool expired = false);
  std::optional<trace::BlockedReason> blocked_reason(const PathState& path, bool interest) const;
  void trace_blocked(Instant now, std::optional<trace::BlockedReason> reason);
  void trace_sent(const Datagram& datagram) const;
  void trace_received(const PacketContext& context, const OpenedPacket& packet) const;

  // --- transmit.cc
  std::optional<Transmit> poll_transmit(Instant now, MutBytes scratch);
  std::optional<Transmit> transmit_train(Instant now, MutBytes scratch);
  std::optional<Transmit> transmit_path_frames(Instant now, MutBytes scratch);
  std::optional<Transmit> transmit_mtu_probe(Instant now, MutBytes scratch);
  std::optional<Transmit> transmit_close(Instant now, MutBytes scratch);
  std::optional<Transmit> finish_transmit(Instant now, const PathState& path, Ecn mark, Bytes bytes, size_t segment);
  /// `departure`: of the train that this is a part of; empty before its first datagram, which decides.
  size_t build_datagram(Instant now, PathState& path, MutBytes room, Ecn mark, std::optional<Instant>& departure);
  bool wants_to_send(PacketType type) const;
  bool wants_application_frames(PacketType type) const;
  bool has_content(PacketType type) const;
  bool wants_ack(const SpaceState& state) const;
  void write_frames(PacketBuilder& packet, Instant now, bool ack_only);
  void write_ack(PacketBuilder& packet, Instant now, size_t reserved = 0);
  void write_application_frames(PacketBuilder& packet);
  void write_handshake_done_and_tokens(PacketBuilder& packet);
  void write_close(PacketBuilder& packet);
  bool begin_packet(Datagram& datagram, PacketType type);
  void build_packet(Datagram& datagram, PacketType type, bool ack_only);
  void finish_packet(Datagram& datagram);
  size_t finish_datagram(Datagram& datagram);
  void on_packet_sent(const Datagram& datagram, PacketType type, size_t size, const PayloadTraits& traits);
  bool may_send_in_flight(Instant now, PathState& path, size_t size, std::optional<Instant>& departure);
  void note_app_limited(Instant now, PathState& path, bool interest);
  size_t payload_size_max() const;
  bool next_random_bit();
  bool grease_fixed_bit() const;
  void maybe_skip_number();
  void update_keys(Instant now);

  // --- migrate.cc
  PathState* find_path(const Path& path);
  PathState* add_path(Instant now, const Path& path);
  void remove_path(PathState& path);
  PathState* path_of(PacketContext& context, PacketType type);
  void release_spare_paths(bool is_urgent);
  void on_non_probing_packet(Instant now, PathState& path);
  void go_over(Instant now, PathState& path);
  void switch_path(Instant now, PathState& path);
  void start_validation(Instant now, PathState& path);
  void on_path_challenge(Instant now, PathState& path, const PathData& data);
  void on_path_response(Instant now, const PathData& data);
  void on_path_failed(Instant now, PathState& path);
  void forget_fallback(Instant now);
  void on_path_validated(Instant now, PathState& path);
  Result<void> migrate(Instant now, const Path& path);
  void follow_preferred_address(Instant now);
  void replace_retired_ids(Instant now);
  void setup_path(PathState& path, Duration initial_rtt);

  // --- close.cc
  void fail(Instant now, const Error& error);
  void begin_closing(Instant now, bool application, uint64_t code, uint64_t frame_type, std::string_view reason);
  void begin_draining(Instant now);
  void on_peer_close(Instant now, const ConnectionCloseFrame& frame);
  void on_stateless_reset(Instant now);
  void end(Closed last);
  void become_drained();
  bool is_open() const { return close.phase == CloseState::Phase::open; }

  // --- timers.cc
  Instant next_timeout() const;
  void on_timeout(Instant now);
  void on_loss_timeout(Instant now);
  void restart_idle_timer(Instant now);
  void restart_quiet_timer(Instant now);
  void on_quiet();
  Duration idle_period() const;
  Instant ack_deadline() const;

  void push_event(Event event);
  bool has_space(Space which) const { return which == Space::application || handshake_spaces; }
  SpaceState& space(Space which) {
    if (which == Space::application) [[likely]]
      return application_space;
    QUOLL_DCHECK(handshake_spaces);
    return (*handshake_spaces)[static_cast<size_t>(which)];
  }
  const SpaceState& space(Space which) const { return const_cast<State*>(this)->space(which); }
  bool established() const { return handshake_complete; }
  void check_invariants() const;

  Role role;
  ConnectionContext shared;
  const TransportConfig& config;
  std::shared_ptr<const ClientConfig> client_config;
  std::shared_ptr<const ServerConfig> server_config;
  Trace<TraceEvent> trace;
  /// What the trace knows already.
  struct {
    trace::PacketsAcked acked;  // not told yet: more may follow on it
    Instant loss_timer = Instant::never();
    std::optional<trace::BlockedReason> blocked;
  } traced;

  Version version = Version::v1;           // in use
  Version original_version = Version::v1;  // of the client's first flight
  ConnectionId original_destination;       // of the client's first Initial
  UnixTime wall_clock;                     // at `wall_clock_at`
  Instant wall_clock_at;

  PacketProtection protection;
  LossDetection loss;
  SpaceState application_space;
  std::unique_ptr<std::array<SpaceState, 2>> handshake_spaces;  // until the handshake is confirmed
  EcnValidator ecn;
  std::optional<LocalConnectionIds> local_ids;
  std::optional<RemoteConnectionIds> remote_ids;
  Streams streams;
  DatagramQueue datagrams;
  std::optional<tls::Session> session;
  std::unique_ptr<HandshakeState> handshake;
  // Not of the handshake: a server's is gone when the packets that waited for its end can be read.
  std::vector<KeptPacket> kept_packets;
  size_t kept_bytes = 0;
  CryptoStream application_crypto;
  std::unique_ptr<TransportParameters> peer_parameters;
  std::array<std::unique_ptr<PathState>, kPathsMax> paths;
  PathState* current = nullptr;
  PathState* migrating_to = nullptr;  // client: where migrate() wants to go
  PathState* fallback = nullptr;      // server: the validated path before a migration that is not validated yet

  bool handshake_complete = false;
  bool confirmed = false;
  bool crypto_arrived = false;
  bool handshake_done_due = false;
  bool handshake_packet_sent = false;
  PacketNumber first_one_rtt_number = kPacketNumberMax;  // that we have sent
  bool zero_rtt_decided = false;
  bool new_token_due = false;
  uint8_t new_tokens_left = 0;
  std::vector<uint8_t> new_token_in_flight;  // the token of NEW_TOKEN, until it is acknowledged
  Instant zero_rtt_discard_at = Instant::never();
  PacketNumber largest_non_probing = 0;
  bool is_spinning = false;  // RFC 9000 §17.4: not on one connection in 16, whoever asks for it
  bool spin = false;
  uint64_t random_bits = 0;
  int random_bits_left = 0;
  uint64_t next_skip_in = 0;

  CloseState close;
  Instant idle_deadline = Instant::never();
  Instant keep_alive_at = Instant::never();
  bool ack_eliciting_sent_since_receive = false;
  Instant pacing_until = Instant::never();
  Instant quiet_at = Instant::never();            // when memory is given back, if nothing happens until then
  Instant forget_original_at = Instant::never();  // server: when the client's first id routes here no longer
  std::optional<Closed> closed;                   // told after all other events

  Ring<Event> events{kEventsMax};
  bool datagram_event_due = false;
  bool is_finished = false;  // Closed was polled
  struct Counters {
    uint64_t datagrams_sent = 0, datagrams_received = 0, bytes_sent = 0, bytes_received = 0;
    uint64_t packets_sent = 0, packets_received = 0, packets_lost = 0, packets_spuriously_lost = 0;
    uint64_t packets_duplicate = 0, packets_dropped = 0, packets_kept = 0, probe_timeouts = 0, early_repeats = 0,
             migrations = 0;
    uint64_t mtu_probes_sent = 0, mtu_probes_lost = 0, black_holes = 0, congestion_events = 0;
  } counters;
  RateSample last_rate;
  Instant present;  // of the last input or poll, for what is told on the way
};

}  // namespace quoll::quic
