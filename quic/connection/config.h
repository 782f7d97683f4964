// What connections are configured with: constant, shared by all connections of a kind. What a peer may make us hold or do
// is bounded by the limits that stand here and in the owners' headers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "quic/congestion/make_controller.h"
#include "quic/path/mtu_discovery.h"
#include "quic/protect/packet_protection.h"
#include "quic/recovery/rtt.h"
#include "quic/stream/datagram_queue.h"
#include "quic/stream/streams.h"
#include "quic/trace/event.h"
#include "quic/wire/transport_parameters.h"
#include "tls/config.h"

namespace quoll::quic {

struct TransportConfig {
  StreamLimits streams;
  /// RFC 9221: the largest DATAGRAM frame that we take; 0: none.
  uint64_t max_datagram_frame_size = 0;
  DatagramLimits datagrams;

  /// RFC 9000 §10.1; infinite: none.
  Duration max_idle_timeout = Duration::seconds(30);
  /// A PING after so long without anything received, or a third of the idle timeout that both ends agree on if that is
  /// less, while streams are open or `keep_alive_always`; zero: never.
  Duration keep_alive = {};
  bool keep_alive_always = false;
  /// PINGs, a round-trip time apart and a tenth of a second at least, that ask for the rest when a peer falls silent in the midst of a
  /// transfer: after an outage its own probes come ever more rarely (RFC 9002 §6.2.1). For who knows that an open stream has more to
  /// come, as an HTTP client does; a stream that may rest would be asked for nothing. 0: none.
  uint8_t stall_pings = 0;
  /// RFC 9000 §8.1, §10.1: a handshake that takes longer is given up.
  Duration handshake_timeout = Duration::seconds(10);

  Duration max_ack_delay = Duration::milliseconds(25);
  uint64_t ack_delay_exponent = 3;
  /// Ack-eliciting packets that may wait for their ACK (RFC 9000 §13.2.2).
  uint64_t ack_eliciting_threshold = 1;
  Duration initial_rtt = kInitialRtt;

  CongestionAlgorithm congestion = CongestionAlgorithm::cubic;
  InitialWindow initial_window;
  bool pacing = true;
  /// How long before its departure a paced train may be handed out (Transmit::departure), for callers that hold it back until then,
  /// as a kernel does that is told (udp::SocketOptions::departures). Such a caller is woken half as often as trains leave, and
  /// they leave on time when it is late. Zero: nothing is handed out before its time. A few milliseconds at the most.
  Duration departure_horizon = {};
  bool ecn = true;
  MtuDiscovery::Options mtu;
  KeyUpdatePolicy key_update;
  /// RFC 9000 §18.2: tells the peer not to migrate to other addresses than its own NAT's.
  bool disable_active_migration = false;
  /// RFC 9000 §9: as a client, whether we follow a server's preferred_address.
  bool follow_preferred_address = true;
  /// RFC 9287: accept packets without the QUIC bit, and send such when the peer accepts them.
  bool grease_quic_bit = true;
  /// A reserved transport parameter (RFC 9000 §18.1) and, as a client, a reserved version in version_information.
  bool grease = true;
  /// RFC 9000 §17.4; off unless asked for.
  bool spin_bit = false;
  /// RFC 9000 §21.4: one packet number in about this many is skipped; 0: never.
  uint32_t skip_packet_number_every = 500;
  /// Versions in order of preference, each supported.
  std::vector<Version> versions = {Version::v1, Version::v2};
};

/// What a client remembers of a server for the next connection to it: a TLS ticket with the transport parameters that
/// 0-RTT goes by, and a token of NEW_TOKEN. encode() gives bytes that are as secret as a session.
struct ResumptionState {
  std::optional<tls::ClientTicket> ticket;
  TransportParameters parameters{};  // remembered_parameters()
  Version version = Version::v1;     // RFC 9369 §5: a ticket is good for its version alone
  std::vector<uint8_t> token;
};

struct ClientConfig {
  std::shared_ptr<const tls::ClientConfig> tls;
  TransportConfig transport;
  /// The version of the first flight; empty: the first of transport.versions. A reserved one (reserved_version(), RFC 9000
  /// §15) makes every server answer with its versions, of which one is taken then.
  std::optional<Version> original_version;
};

struct ServerConfig {
  std::shared_ptr<const tls::ServerConfig> tls;
  TransportConfig transport;
  /// RFC 9000 §9.6: where clients are asked to go on after the handshake.
  std::optional<SocketAddress> preferred_ipv4;
  std::optional<SocketAddress> preferred_ipv6;
  /// NEW_TOKEN frames sent after the handshake (RFC 9000 §8.1.3).
  size_t new_tokens = 1;
  /// What the application's 0-RTT data depends on, beside transport parameters (tls::ServerOptions).
  std::vector<uint8_t> early_data_context;
};

}  // namespace quoll::quic
