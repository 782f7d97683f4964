#include "tests/vectors/quic_capture.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>

#include "base/hex.h"
#include "quic/protect/packet_protection.h"
#include "quic/wire/frame_reader.h"

namespace quoll::vectors {
namespace {

using namespace quic;
using Id = std::vector<uint8_t>;
using Kind = DecodedPacket::Kind;

Id id_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// The beginning of the CRYPTO data of one direction, in whatever order it comes.
class CryptoData {
 public:
  void add(const CryptoFrame& frame) {
    for (size_t i = 0; i < frame.data.size() && frame.offset + i < kSizeMax; i++) {
      bytes_[static_cast<size_t>(frame.offset) + i] = frame.data[i];
      present_[static_cast<size_t>(frame.offset) + i] = true;
    }
  }
  /// The bytes at a place, if all of them have come.
  std::optional<Bytes> at(size_t offset, size_t size) const {
    if (offset + size > kSizeMax) return {};
    const auto begin = present_.begin() + static_cast<ptrdiff_t>(offset);
    if (!std::all_of(begin, begin + static_cast<ptrdiff_t>(size), [](bool present) { return present; })) return {};
    return Bytes(bytes_).subspan(offset, size);
  }

 private:
  static constexpr size_t kSizeMax = 256;
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kSizeMax);
  std::vector<bool> present_ = std::vector<bool>(kSizeMax);
};

// RFC 8446 §4: type and length of the message, legacy_version, random.
constexpr size_t kRandomOffset = 1 + 3 + 2;
constexpr size_t kRandomSize = 32;

std::optional<std::string> random_of(const CryptoData& client) {
  const auto random = client.at(kRandomOffset, kRandomSize);
  return random ? std::optional(to_hex(*random)) : std::nullopt;
}

/// From a ServerHello or a HelloRetryRequest.
std::optional<tls::CipherSuite> suite_of(const CryptoData& server) {
  const size_t session_id = kRandomOffset + kRandomSize;
  const auto size = server.at(session_id, 1);
  const auto suite = size ? server.at(session_id + 1 + (*size)[0], 2) : std::nullopt;
  return suite ? std::optional(tls::CipherSuite{load_be<uint16_t>(suite->data())}) : std::nullopt;
}

/// What the first pass over a capture learns for the second.
struct Learned {
  std::optional<std::string> client_random;
  std::optional<tls::CipherSuite> suite;
  std::optional<Version> negotiated;
};

struct ObservedConnection {
  ObservedConnection(Version version, const Id& original, const CapturedDatagram& first)
      : original_version(version), original_id(original), clients{first.source}, server(first.destination) {
    initial_ids.insert(original);
    install_initial(version, original, PacketProtection::Initial::replace);
  }

  void install_initial(Version version, const Id& id, PacketProtection::Initial how) {
    current_id = id;
    versions.insert(version);
    at_client.install_initial(version, id, how);
    at_server.install_initial(version, id, how);
  }
  /// All secrets, given to the side that reads and to the side that writes.
  void install_secrets(const SecretsByLabel& secrets, tls::CipherSuite suite, Version negotiated) {
    const auto install = [&](const char* label, tls::Level level, bool from_client) {
      const auto found = secrets.find(label);
      if (found == secrets.end()) return;
      crypto::Digest secret(found->second.size());
      copy_bytes(secret.data(), found->second);
      const Version version = level == tls::Level::early_data ? original_version : negotiated;
      (from_client ? at_client : at_server).install({level, tls::Direction::write, suite, secret}, version);
      (from_client ? at_server : at_client).install({level, tls::Direction::read, suite, secret}, version);
    };
    install("CLIENT_EARLY_TRAFFIC_SECRET", tls::Level::early_data, true);
    install("CLIENT_HANDSHAKE_TRAFFIC_SECRET", tls::Level::handshake, true);
    install("SERVER_HANDSHAKE_TRAFFIC_SECRET", tls::Level::handshake, false);
    install("CLIENT_TRAFFIC_SECRET_0", tls::Level::application, true);
    install("SERVER_TRAFFIC_SECRET_0", tls::Level::application, false);
  }
  bool is_on(const CapturedDatagram& datagram) const {
    return (clients.contains(datagram.source) && datagram.destination == server) ||
           (datagram.source == server && clients.contains(datagram.destination));
  }
  bool is_from_client(const CapturedDatagram& datagram) const { return clients.contains(datagram.source); }

  Version original_version;
  Id original_id;
  Id current_id;             // of which the Initial keys are made
  std::set<Id> initial_ids;  // the original one, and those of Retry packets
  std::set<Version> versions;
  std::set<UdpEndpoint> clients;  // it may move
  UdpEndpoint server;
  std::set<Id> client_ids;
  std::set<Id> server_ids;
  Learned learned;
  CryptoData client_crypto;
  CryptoData server_crypto;
  PacketNumber expected[2][kSpaceCount] = {};  // from the client, from the server
  PacketProtection at_client{crypto::best(), Role::client};
  PacketProtection at_server{crypto::best(), Role::server};
};

/// Notes frames by tshark's abbreviations, and what they teach about the connection.
struct FrameNotes {
  DecodedPacket& packet;
  std::set<Id>& ids;   // the sender's
  CryptoData* crypto;  // of Initial packets

  Result<void> note(const char* name) {
    packet.frames.emplace_back(name);
    return {};
  }
  Result<void> on_frame(const PaddingFrame&) { return note("PADDING"); }
  Result<void> on_frame(const PingFrame&) { return note("PING"); }
  Result<void> on_frame(const AckFrame& frame) { return note(frame.ecn ? "ACK_ECN" : "ACK"); }
  Result<void> on_frame(const ResetStreamFrame&) { return note("RS"); }
  Result<void> on_frame(const StopSendingFrame&) { return note("SS"); }
  Result<void> on_frame(const CryptoFrame& frame) {
    if (crypto != nullptr) crypto->add(frame);
    return note("CRYPTO");
  }
  Result<void> on_frame(const NewTokenFrame&) { return note("NT"); }
  Result<void> on_frame(const StreamFrame& frame) {
    return note(("STREAM(" + std::to_string(frame.stream_id.value()) + ")").c_str());
  }
  Result<void> on_frame(const MaxDataFrame&) { return note("MD"); }
  Result<void> on_frame(const MaxStreamDataFrame&) { return note("MSD"); }
  Result<void> on_frame(const MaxStreamsFrame&) { return note("MS"); }
  Result<void> on_frame(const DataBlockedFrame&) { return note("DB"); }
  Result<void> on_frame(const StreamDataBlockedFrame&) { return note("SDB"); }
  Result<void> on_frame(const StreamsBlockedFrame&) { return note("SB"); }
  Result<void> on_frame(const NewConnectionIdFrame& frame) {
    ids.insert(id_of(frame.connection_id));
    return note("NCI");
  }
  Result<void> on_frame(const RetireConnectionIdFrame&) { return note("RC"); }
  Result<void> on_frame(const PathChallengeFrame&) { return note("PC"); }
  Result<void> on_frame(const PathResponseFrame&) { return note("PR"); }
  Result<void> on_frame(const ConnectionCloseFrame&) { return note("CC"); }
  Result<void> on_frame(const HandshakeDoneFrame&) { return note("DONE"); }
  Result<void> on_frame(const DatagramFrame&) { return note("DG"); }
};

Kind kind_of(PacketType type) {
  switch (type) {
    case PacketType::initial:
      return Kind::initial;
    case PacketType::zero_rtt:
      return Kind::zero_rtt;
    case PacketType::handshake:
      return Kind::handshake;
    case PacketType::one_rtt:
      break;
  }
  return Kind::one_rtt;
}

class Observer {
 public:
  Observer(const KeyLog& keys, std::vector<Learned> learned) : keys_(keys), learned_(std::move(learned)) {}

  std::vector<DecodedPacket> decode(const CapturedDatagram& datagram);
  /// Of each connection, in the order in which they appeared.
  std::vector<Learned> learned() const {
    std::vector<Learned> all;
    for (const ObservedConnection& connection : connections_) all.push_back(connection.learned);
    return all;
  }

 private:
  ObservedConnection* find(const CapturedDatagram& datagram);
  ObservedConnection* find_by_id(const CapturedDatagram& datagram);
  ObservedConnection* start(const CapturedDatagram& datagram);
  DecodedPacket decode_packet(ObservedConnection* connection, bool from_client, const Packet& packet);
  void open(ObservedConnection& connection, bool from_client, const ProtectedPacket& packet, DecodedPacket& decoded);
  void learn(ObservedConnection& connection);

  const KeyLog& keys_;
  std::vector<Learned> learned_;
  std::deque<ObservedConnection> connections_;  // stay in place
};

bool starts_with(Bytes bytes, const Id& id) {
  return bytes.size() >= id.size() && std::ranges::equal(bytes.first(id.size()), id);
}

/// The known connection id that a short header begins with, the longest that fits.
const Id* id_at(const std::set<Id>& ids, Bytes bytes) {
  const Id* best = nullptr;
  for (const Id& id : ids) {
    if (starts_with(bytes, id) && (best == nullptr || best->size() < id.size())) best = &id;
  }
  return best;
}

/// Whether a client's datagram begins with an Initial packet that opens with the keys of this connection.
bool opens_initial(ObservedConnection& connection, const CapturedDatagram& datagram) {
  std::vector<uint8_t> copy = datagram.payload;
  DatagramReader reader(copy, {.role = Role::server, .accept_fixed_bit_zero = true});
  const auto first = reader.next();
  const auto* packet = first && *first ? std::get_if<ProtectedPacket>(&**first) : nullptr;
  if (packet == nullptr || packet->type() != PacketType::initial)
    return packet && packet->type() == PacketType::handshake;
  const auto opened = connection.at_server.open({}, *packet, connection.expected[0][0]);
  return opened && opened->status == OpenedPacket::Status::opened;
}

ObservedConnection* Observer::find(const CapturedDatagram& datagram) {
  const auto header = parse_invariant_header(datagram.payload, 0);
  const bool long_header = header && header->long_header;
  ObservedConnection* known = nullptr;
  ObservedConnection* on_path = nullptr;
  for (ObservedConnection& connection : connections_) {
    if (!connection.is_on(datagram)) continue;
    on_path = &connection;
    const Id destination = id_of(long_header ? header->destination : Bytes());
    if (!long_header || !connection.is_from_client(datagram) || connection.server_ids.contains(destination) ||
        connection.initial_ids.contains(destination)) {
      known = &connection;
    }
  }
  if (known != nullptr) return known;
  // A client may use an id that came in a packet that nobody can open here.
  if (on_path != nullptr && long_header && opens_initial(*on_path, datagram)) return on_path;
  return find_by_id(datagram);
}

/// A client that moved to another address.
ObservedConnection* Observer::find_by_id(const CapturedDatagram& datagram) {
  if (datagram.payload.empty() || (datagram.payload[0] & kLongHeaderBit) != 0) return nullptr;
  for (ObservedConnection& connection : connections_) {
    const Id* id = id_at(connection.server_ids, Bytes(datagram.payload).subspan(1));
    if (id == nullptr || id->empty()) continue;
    if (datagram.destination != connection.server) continue;
    connection.clients.insert(datagram.source);
    return &connection;
  }
  return nullptr;
}

/// A new connection, when the datagram begins with a client's Initial or 0-RTT packet.
ObservedConnection* Observer::start(const CapturedDatagram& datagram) {
  std::vector<uint8_t> copy = datagram.payload;
  DatagramReader reader(copy, {.role = Role::server, .accept_fixed_bit_zero = true});
  const auto first = reader.next();
  const auto* packet = first && *first ? std::get_if<ProtectedPacket>(&**first) : nullptr;
  const bool starts = packet && (packet->type() == PacketType::initial || packet->type() == PacketType::zero_rtt);
  if (!starts) return nullptr;
  ObservedConnection& connection = connections_.emplace_back(packet->version(), id_of(packet->destination()), datagram);
  if (connections_.size() > learned_.size()) return &connection;
  const Learned& learned = learned_[connections_.size() - 1];
  const auto secrets = learned.client_random ? keys_.find(*learned.client_random) : keys_.end();
  if (secrets != keys_.end() && learned.suite) {
    connection.install_secrets(secrets->second, *learned.suite, learned.negotiated.value_or(packet->version()));
  }
  return &connection;
}

std::vector<DecodedPacket> Observer::decode(const CapturedDatagram& datagram) {
  ObservedConnection* connection = find(datagram);
  if (connection == nullptr) connection = start(datagram);
  const auto header = parse_invariant_header(datagram.payload, 0);
  const bool long_header = header && header->long_header;
  const bool negotiation = long_header && header->version == Version::negotiation;
  const bool from_client = connection == nullptr ? !negotiation : connection->is_from_client(datagram);
  HeaderOptions options{.role = from_client ? Role::server : Role::client, .accept_fixed_bit_zero = true};
  if (connection != nullptr && !datagram.payload.empty()) {
    const auto& ids = from_client ? connection->server_ids : connection->client_ids;
    const Id* id = id_at(ids, Bytes(datagram.payload).subspan(1));
    options.local_connection_id_size = long_header ? header->destination.size() : id ? id->size() : 0;
  }
  std::vector<uint8_t> bytes = datagram.payload;
  DatagramReader reader(bytes, options);
  std::vector<DecodedPacket> decoded;
  while (const auto packet = reader.next()) {
    decoded.push_back(*packet ? decode_packet(connection, from_client, **packet) : DecodedPacket{});
  }
  if (connection != nullptr) learn(*connection);
  return decoded;
}

DecodedPacket Observer::decode_packet(ObservedConnection* connection, bool from_client, const Packet& packet) {
  DecodedPacket decoded;
  if (const auto* negotiation = std::get_if<VersionNegotiationPacket>(&packet)) {
    decoded.kind = Kind::version_negotiation;
    decoded.destination = to_hex(negotiation->destination);
    decoded.source = to_hex(negotiation->source);
  } else if (const auto* unknown = std::get_if<UnknownVersionPacket>(&packet)) {
    decoded.kind = Kind::unknown_version;
    decoded.destination = to_hex(unknown->destination);
    decoded.source = to_hex(unknown->source);
  } else if (const auto* retry = std::get_if<RetryPacket>(&packet)) {
    decoded.kind = Kind::retry;
    decoded.destination = to_hex(retry->destination);
    decoded.source = to_hex(retry->source);
    if (connection == nullptr) return decoded;
    connection->initial_ids.insert(id_of(retry->source));
    const auto tag = retry_integrity_tag(crypto::best(), retry->version, connection->original_id, retry->without_tag);
    decoded.tag_is_wrong = !std::ranges::equal(tag, retry->integrity_tag);
  } else {
    const auto& with_frames = std::get<ProtectedPacket>(packet);
    decoded.kind = kind_of(with_frames.type());
    decoded.destination = to_hex(with_frames.destination());
    decoded.source = to_hex(with_frames.source());
    decoded.destination_known = has_long_header(with_frames.type());
    if (connection != nullptr) open(*connection, from_client, with_frames, decoded);
  }
  return decoded;
}

void Observer::open(ObservedConnection& connection, bool from_client, const ProtectedPacket& packet,
                    DecodedPacket& decoded) {
  std::set<Id>& ids = from_client ? connection.client_ids : connection.server_ids;
  if (has_long_header(packet.type())) ids.insert(id_of(packet.source()));
  if (packet.type() == PacketType::initial) {
    const Id destination = id_of(packet.destination());
    // RFC 9001 §5.2: after a Retry the keys are those of the id in it.
    if (from_client && connection.initial_ids.contains(destination) && destination != connection.current_id) {
      connection.versions.clear();
      connection.install_initial(packet.version(), destination, PacketProtection::Initial::replace);
    }
    if (!connection.versions.contains(packet.version())) {
      connection.install_initial(packet.version(), connection.current_id, PacketProtection::Initial::add);
    }
    if (!from_client) connection.learned.negotiated = packet.version();
  }
  PacketProtection& receiver = from_client ? connection.at_server : connection.at_client;
  decoded.has_keys = receiver.can_open(packet.type());
  PacketNumber& expected = connection.expected[from_client ? 0 : 1][static_cast<size_t>(space_of(packet.type()))];
  const auto opened = receiver.open({}, packet, expected);
  if (!opened || opened->status != OpenedPacket::Status::opened) return;
  decoded.opened = true;
  decoded.destination_known = true;
  decoded.number = opened->number;
  decoded.key_phase = packet.type() == PacketType::one_rtt && key_phase_of(opened->first_byte);
  expected = std::max(expected, opened->number + 1);
  // A receiver answers, and makes its next read keys by that.
  (void)receiver.seal_keys(PacketType::one_rtt);
  const bool initial = packet.type() == PacketType::initial;
  FrameNotes notes{.packet = decoded,
                   .ids = ids,
                   .crypto = !initial      ? nullptr
                             : from_client ? &connection.client_crypto
                                           : &connection.server_crypto};
  const auto parsed = parse_frames(
      {.type = packet.type(), .receiver = from_client ? Role::server : Role::client, .frames = opened->payload}, notes);
  if (!parsed) decoded.wrong_frame = parsed.error().frame_type;
}

void Observer::learn(ObservedConnection& connection) {
  if (!connection.learned.client_random) connection.learned.client_random = random_of(connection.client_crypto);
  if (!connection.learned.suite) connection.learned.suite = suite_of(connection.server_crypto);
}

}  // namespace

KeyLog read_key_log(const std::string& path) {
  KeyLog keys;
  std::ifstream stream(path);
  std::string line;
  while (std::getline(stream, line)) {
    std::istringstream words(line);
    std::string label, random, secret;
    if (!(words >> label >> random >> secret) || label.starts_with('#')) continue;
    if (auto bytes = from_hex(secret)) keys[random][label] = std::move(*bytes);
  }
  return keys;
}

std::vector<std::vector<DecodedPacket>> decode_capture(const Capture& capture, const KeyLog& keys) {
  // Which secrets belong to a connection may be seen later than the first packet that wants them: hence two passes.
  Observer first(keys, {});
  for (const CapturedDatagram& datagram : capture.datagrams) first.decode(datagram);
  Observer second(keys, first.learned());
  std::vector<std::vector<DecodedPacket>> decoded;
  for (const CapturedDatagram& datagram : capture.datagrams) decoded.push_back(second.decode(datagram));
  return decoded;
}

}  // namespace quoll::vectors
