// A scripted QUIC peer for tests of the connection: it speaks to an Endpoint in memory, does a real TLS handshake and
// seals and opens real packets, but keeps no rule of its own. A test can send any frames in any packet of any space:
// with numbers that are skipped or used again, old or future keys, forged tags, wrong headers, coalesced or alone; and
// it sees every frame, packet and datagram that the endpoint sends.
//
// What is not scripted goes by itself, and can be switched off: the handshake, acknowledgements, HANDSHAKE_DONE. The
// puppet has no timers, repeats nothing and forgets no keys. stage.h puts it opposite an endpoint.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/net.h"
#include "quic/protect/packet_keys.h"
#include "quic/wire/packet_header_writer.h"
#include "quic/wire/transport_parameters.h"
#include "tests/support/frame_collector.h"
#include "tests/support/random.h"
#include "tls/session.h"

namespace quoll::quic::tests {

using quoll::tests::CollectedFrame;
using Data = std::vector<uint8_t>;

/// The bytes of frames, one after the other.
template <class... Frames>
Data frames(const Frames&... all) {
  Data out;
  const auto add = [&out](const Data& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  (add(quoll::tests::written(all)), ...);
  return out;
}
inline Data operator+(Data a, const Data& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
/// An ACK frame of these half-open intervals, which need not be true.
Data ack_of(std::initializer_list<Interval> ranges, std::optional<EcnCounts> ecn = {}, uint64_t delay = 0);
/// A connection id of eight bytes: seven that differ by `text`, as far as it goes, and `last`.
ConnectionId id_of(const char* text, uint8_t last = 0);

/// A packet as the puppet is to make it. What is left out is as it should be.
struct PuppetPacket {
  PacketType type = PacketType::one_rtt;
  Data frames = {};
  std::optional<PacketNumber> number = {};  // instead of the next one of its space
  size_t number_size = 4;
  std::optional<ConnectionId> destination = {};
  std::optional<ConnectionId> source = {};
  std::optional<Version> version = {};
  std::optional<Data> token = {};
  std::optional<uint64_t> generation = {};  // of the 1-RTT keys: how often they were updated
  std::optional<bool> key_phase = {};       // instead of the generation's
  uint8_t flip = 0;                         // bits of the first byte to turn over before it is protected
  bool forged = false;                      // the tag is wrong
  size_t size = 0;                          // of the packet at least, by PADDING
};

/// A packet that the endpoint sent.
struct SeenPacket {
  PacketType type = PacketType::one_rtt;
  Version version = Version::negotiation;
  ConnectionId destination{};
  ConnectionId source{};
  Data token{};
  PacketNumber number = 0;
  size_t number_size = 0;
  uint8_t first_byte = 0;  // without protection
  uint64_t generation = 0;
  std::vector<CollectedFrame> frames{};
  bool breaks_rules = false;  // parse_frames() refused it
  size_t size = 0;
  size_t datagram = 0;  // index in datagrams()

  const CollectedFrame* find(FrameType type) const;
  bool has(FrameType frame) const { return find(frame) != nullptr; }
  bool is_ack_eliciting() const;
};
struct SeenDatagram {
  Instant time;
  Path path;  // as the endpoint sees it
  Ecn ecn = Ecn::not_ect;
  Data bytes{};
  size_t unopened = 0;  // packets in it for which no key fits
};
struct SeenRetry {
  Version version = Version::v1;
  ConnectionId destination{};
  ConnectionId source{};
  Data token{};
  bool tag_is_right = false;
};
struct SeenVersionNegotiation {
  Data destination{};
  Data source{};
  std::vector<Version> versions{};
};

class Puppet {
 public:
  struct Options {
    Role role = Role::client;
    uint64_t seed = 1;
    Version version = Version::v1;
    std::optional<Version> negotiate{};  // a server's: goes on in this version
    /// Connection ids and version_information are filled in; `amend` has the last word, `raw` instead of all.
    TransportParameters parameters{};
    std::function<void(TransportParameters&)> amend{};
    std::optional<Data> raw_parameters{};
    std::shared_ptr<const tls::ClientConfig> tls_client{};
    std::shared_ptr<const tls::ServerConfig> tls_server{};
    std::optional<tls::ClientTicket> ticket{};
    bool early_data = false;
    ConnectionId id = id_of("puppet");
    ConnectionId first_destination = id_of("invent");  // a client's
    Data token{};                                      // a client's
  };
  explicit Puppet(Options options);
  ~Puppet();

  // What goes by itself.
  bool answers = true;         // anything at all
  bool acknowledges = true;    // all that arrives
  bool sends_done = true;      // a server's HANDSHAKE_DONE
  bool obeys_retry = true;     // a client starts again with the token
  size_t initial_size = 1200;  // of datagrams with Initial packets
  size_t crypto_chunk = 1000;  // bytes of CRYPTO frames
  UnixTime wall_clock = UnixTime::from_seconds(1'800'000'000);

  /// A client's first flight.
  void start();
  /// A datagram from the endpoint.
  void receive(Instant now, const Path& path, Ecn ecn, Bytes datagram);
  /// What goes by itself now.
  std::vector<Data> take_datagrams();

  Data seal(const PuppetPacket& packet);
  bool can_seal(PacketType type) const;
  /// Sends handshake bytes at a level, as if TLS had made them.
  void say(tls::Level level, Bytes bytes);
  /// A Retry packet for the client, with a right tag; what the client then sends is understood.
  Data retry(const Data& token, const ConnectionId& source, bool expect_it = true);
  Data version_negotiation(std::initializer_list<Version> versions) const;
  /// A server: the next Initial packet begins a connection.
  void forget_connection();

  // What it knows.
  Role role() const { return options_.role; }
  Version version() const { return version_; }
  const ConnectionId& id() const { return options_.id; }
  /// Where its packets go; may be set.
  ConnectionId remote{};
  /// Of the client's first Initial packet.
  const ConnectionId& original_destination() const { return original_destination_; }
  PacketNumber next_number(Space space) const { return next_number_[static_cast<size_t>(space)]; }
  void set_next_number(Space space, PacketNumber number) { next_number_[static_cast<size_t>(space)] = number; }
  void update_keys() { generation_++; }
  uint64_t generation() const { return generation_; }
  bool is_complete() const { return complete_; }
  const std::optional<Error>& tls_error() const { return tls_error_; }
  const std::optional<TransportParameters>& peer_parameters() const { return peer_parameters_; }
  const Data& raw_peer_parameters() const { return raw_peer_parameters_; }
  std::optional<bool> early_data_accepted() const { return early_data_accepted_; }
  const std::vector<tls::ClientTicket>& tickets() const { return tickets_; }
  tls::Session& session() { return *session_; }

  // What it saw.
  const std::vector<SeenPacket>& packets() const { return packets_; }
  const std::vector<SeenDatagram>& datagrams() const { return datagrams_; }
  const std::vector<SeenRetry>& retries() const { return retries_; }
  const std::vector<SeenVersionNegotiation>& version_negotiations() const { return version_negotiations_; }
  /// The packets of a space that the endpoint acknowledged.
  const std::set<PacketNumber>& acknowledged(Space space) const { return acknowledged_[static_cast<size_t>(space)]; }
  /// Handshake bytes that came at a level, in order.
  const Data& crypto_received(tls::Level level) const { return in_[static_cast<size_t>(level)].received; }

 private:
  struct Keys;
  struct CryptoIn {
    std::map<uint64_t, Data> waiting;
    Data received;
  };
  struct CryptoOut {
    Data bytes;
    size_t sent = 0;
  };

  void begin_server(const ProtectedPacket& initial);
  void note_destination(const ProtectedPacket& initial);
  Data own_parameters() const;
  void poll_session();
  void install(const tls::TrafficSecret& secret);
  Keys* read_keys(const ProtectedPacket& packet);
  Keys* write_keys(PacketType type, Version version);
  Keys* initial_keys(Version version, Role sender);
  Keys* one_rtt_keys(tls::Direction direction, uint64_t generation);
  bool open(const ProtectedPacket& packet, size_t datagram);
  bool try_open(Keys& keys, const ProtectedPacket& packet, SeenPacket& seen, Data& plain);
  void take(SeenPacket seen, Bytes plain);
  void take_crypto(tls::Level level, const CollectedFrame& frame);
  void take_ack(Space space, const CollectedFrame& frame);
  void take_retry(const RetryPacket& retry);
  void open_kept();

  Options options_;
  quoll::tests::SeededRng rng_;
  const crypto::Provider& provider_;
  Version version_;
  ConnectionId original_destination_{};
  ConnectionId initial_destination_{};  // from which Initial keys are made
  std::optional<ConnectionId> retry_source_{};
  std::optional<tls::Session> session_;
  std::optional<Error> tls_error_;
  bool complete_ = false;
  bool heard_ = false;
  bool done_is_due_ = false;
  uint64_t generation_ = 0;
  std::optional<bool> early_data_accepted_;
  std::optional<TransportParameters> peer_parameters_;
  Data raw_peer_parameters_;
  std::vector<tls::ClientTicket> tickets_;

  std::map<std::pair<Version, Role>, std::unique_ptr<Keys>> initial_;
  std::map<std::pair<tls::Level, tls::Direction>, std::unique_ptr<Keys>> keys_;
  std::map<std::pair<tls::Direction, uint64_t>, std::unique_ptr<Keys>> one_rtt_;
  std::array<PacketNumber, kSpaceCount> next_number_{};
  std::array<PacketNumber, kSpaceCount> expected_{};
  std::array<std::set<PacketNumber>, kSpaceCount> received_;
  std::array<std::set<PacketNumber>, kSpaceCount> acknowledged_;
  std::array<bool, kSpaceCount> ack_is_due_{};
  std::array<CryptoIn, tls::kLevelCount> in_;
  std::array<CryptoOut, tls::kLevelCount> out_;

  std::vector<SeenPacket> packets_;
  std::vector<SeenDatagram> datagrams_;
  std::vector<SeenRetry> retries_;
  std::vector<SeenVersionNegotiation> version_negotiations_;
  std::vector<std::pair<Data, size_t>> kept_;  // packets whose keys may still come
};

}  // namespace quoll::quic::tests
