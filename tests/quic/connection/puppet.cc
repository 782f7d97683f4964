#include "tests/quic/connection/puppet.h"

#include <algorithm>
#include <cstdlib>

#include "base/reader.h"
#include "quic/wire/frame_reader.h"
#include "tls/cipher_suite.h"

namespace quoll::quic::tests {
namespace {

constexpr size_t index_of(Space space) { return static_cast<size_t>(space); }
constexpr size_t index_of(tls::Level level) { return static_cast<size_t>(level); }

tls::Level level_of(PacketType type) {
  switch (type) {
    case PacketType::initial:
      return tls::Level::initial;
    case PacketType::zero_rtt:
      return tls::Level::early_data;
    case PacketType::handshake:
      return tls::Level::handshake;
    case PacketType::one_rtt:
      break;
  }
  return tls::Level::application;
}

PacketType type_of(tls::Level level) {
  switch (level) {
    case tls::Level::initial:
      return PacketType::initial;
    case tls::Level::early_data:
      return PacketType::zero_rtt;
    case tls::Level::handshake:
      return PacketType::handshake;
    case tls::Level::application:
      break;
  }
  return PacketType::one_rtt;
}

Data copy(Bytes bytes) { return Data(bytes.begin(), bytes.end()); }

/// For what cannot fail unless the puppet itself is wrong.
template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

Data ack_of_all(const std::set<PacketNumber>& numbers) {
  IntervalSet set(kAckRangesMax, IntervalSet::WhenFull::forget_lowest);
  for (const PacketNumber number : numbers) (void)set.insert(number);
  Counter counter;
  write_ack(counter, set, {}, set.size());
  Data out(counter.size());
  Writer writer(out);
  write_ack(writer, set, {}, set.size());
  return out;
}

}  // namespace

Data ack_of(std::initializer_list<Interval> ranges, std::optional<EcnCounts> ecn, uint64_t delay) {
  IntervalSet set(kAckRangesMax, IntervalSet::WhenFull::refuse);
  for (const Interval range : ranges) (void)set.insert(range);
  const AckFields fields{.ack_delay = delay, .ecn = ecn};
  Counter counter;
  write_ack(counter, set, fields, set.size());
  Data out(counter.size());
  Writer writer(out);
  write_ack(writer, set, fields, set.size());
  return out;
}

ConnectionId id_of(const char* text, uint8_t last) {
  std::array<uint8_t, 8> bytes{};
  for (size_t i = 0; i < 7 && text[i] != '\0'; i++) bytes[i] = static_cast<uint8_t>(text[i]);
  bytes[7] = last;
  return ConnectionId(bytes);
}

const CollectedFrame* SeenPacket::find(FrameType frame) const {
  for (const CollectedFrame& f : frames) {
    if (f.type == frame) return &f;
  }
  return nullptr;
}

bool SeenPacket::is_ack_eliciting() const {
  return std::ranges::any_of(frames, [](const CollectedFrame& f) { return traits_of(f.type).ack_eliciting; });
}

/// What protects packets of one direction: a key that opens or seals, and the one of the header.
struct Puppet::Keys {
  Keys(const crypto::Provider& provider, tls::CipherSuite cipher_suite, Version of, const crypto::Digest& traffic)
      : suite(cipher_suite),
        version(of),
        secret(traffic),
        packet(provider, suite, version, secret),
        header(header_key(provider, suite, version, secret)) {}

  tls::CipherSuite suite;
  Version version;
  crypto::Digest secret;
  PacketKeys packet;
  crypto::HeaderProtectionKey header;
};

Puppet::Puppet(Options options)
    : options_(std::move(options)), rng_(options_.seed + 1000), provider_(crypto::best()), version_(options_.version) {
  if (options_.role == Role::client) {
    original_destination_ = initial_destination_ = remote = options_.first_destination;
  }
}
Puppet::~Puppet() = default;

// The handshake.

void Puppet::start() {
  tls::ClientOptions options;
  options.server_name = "example.com";
  options.transport_parameters = own_parameters();
  options.ticket = options_.ticket;
  options.early_data = options_.early_data;
  session_ = must(tls::Session::client(options_.tls_client, std::move(options), rng_, wall_clock));
  poll_session();
}

void Puppet::begin_server(const ProtectedPacket& initial) {
  remote = ConnectionId(initial.source());
  note_destination(initial);
  version_ = options_.negotiate.value_or(initial.version());
  tls::ServerOptions options;
  options.transport_parameters = own_parameters();
  session_ = must(tls::Session::server(options_.tls_server, std::move(options), rng_));
}

/// The first Initial packet of a client decides about keys.
void Puppet::note_destination(const ProtectedPacket& initial) {
  if (!original_destination_.empty()) return;
  original_destination_ = initial_destination_ = ConnectionId(initial.destination());
  initial_.clear();
}

void Puppet::forget_connection() {
  original_destination_ = {};
  session_.reset();
  initial_.clear();
  keys_.clear();
  one_rtt_.clear();
  complete_ = heard_ = done_is_due_ = false;
  for (size_t i = 0; i < kSpaceCount; i++) {
    received_[i].clear();
    ack_is_due_[i] = false;
    expected_[i] = next_number_[i] = 0;
  }
  for (CryptoIn& in : in_) in = {};
  for (CryptoOut& out : out_) out = {};
  retry_source_.reset();
}

Data Puppet::own_parameters() const {
  if (options_.raw_parameters) return *options_.raw_parameters;
  TransportParameters parameters = options_.parameters;
  parameters.initial_source_connection_id = options_.id;
  if (options_.role == Role::server) {
    parameters.original_destination_connection_id = original_destination_;
    parameters.retry_source_connection_id = retry_source_;
    if (options_.negotiate) {
      parameters.version_information = VersionInformation{.chosen = version_, .available = {Version::v1, Version::v2}};
    }
  }
  if (options_.amend) options_.amend(parameters);
  Counter counter;
  write_transport_parameters(counter, parameters, nullptr);
  Data out(counter.size());
  Writer writer(out);
  write_transport_parameters(writer, parameters, nullptr);
  return out;
}

void Puppet::poll_session() {
  while (session_) {
    std::optional<tls::Output> output = session_->poll();
    if (!output) break;
    if (auto* send = std::get_if<tls::Send>(&*output)) {
      say(send->level, send->bytes);
    } else if (auto* secret = std::get_if<tls::TrafficSecret>(&*output)) {
      install(*secret);
    } else if (auto* parameters = std::get_if<tls::PeerTransportParameters>(&*output)) {
      raw_peer_parameters_ = parameters->encoded;
      const auto parsed = parse_transport_parameters(parameters->encoded, other(options_.role));
      if (parsed) peer_parameters_ = *parsed;
    } else if (auto* decision = std::get_if<tls::EarlyDataDecision>(&*output)) {
      early_data_accepted_ = decision->accepted;
    } else if (std::holds_alternative<tls::HandshakeComplete>(*output)) {
      complete_ = true;
      done_is_due_ = options_.role == Role::server;
    } else if (auto* ticket = std::get_if<tls::TicketReceived>(&*output)) {
      tickets_.push_back(std::move(ticket->ticket));
    }
  }
}

void Puppet::install(const tls::TrafficSecret& secret) {
  const Version version = secret.level == tls::Level::early_data ? options_.version : version_;
  auto keys = std::make_unique<Keys>(provider_, secret.cipher_suite, version, secret.secret);
  if (secret.level == tls::Level::application) {
    one_rtt_[{secret.direction, 0}] = std::move(keys);
  } else {
    keys_[{secret.level, secret.direction}] = std::move(keys);
  }
}

void Puppet::say(tls::Level level, Bytes bytes) {
  Data& out = out_[index_of(level)].bytes;
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Keys.

Puppet::Keys* Puppet::initial_keys(Version version, Role sender) {
  std::unique_ptr<Keys>& keys = initial_[{version, sender}];
  if (!keys) {
    const InitialSecrets secrets = initial_secrets(provider_, version, initial_destination_);
    keys = std::make_unique<Keys>(provider_, tls::CipherSuite::aes_128_gcm_sha256, version,
                                  sender == Role::client ? secrets.client : secrets.server);
  }
  return keys.get();
}

Puppet::Keys* Puppet::one_rtt_keys(tls::Direction direction, uint64_t generation) {
  const auto found = one_rtt_.find({direction, generation});
  if (found != one_rtt_.end()) return found->second.get();
  if (generation == 0) return nullptr;
  const Keys* before = one_rtt_keys(direction, generation - 1);
  if (!before) return nullptr;
  const crypto::Digest secret = next_secret(provider_, before->suite, before->version, before->secret);
  // The header's key stays that of the first generation: one_rtt_[{direction, 0}] is used for it.
  auto keys = std::make_unique<Keys>(provider_, before->suite, before->version, secret);
  return (one_rtt_[{direction, generation}] = std::move(keys)).get();
}

Puppet::Keys* Puppet::write_keys(PacketType type, Version version) {
  if (type == PacketType::initial) return initial_keys(version, options_.role);
  const auto found = keys_.find({level_of(type), tls::Direction::write});
  return found == keys_.end() ? nullptr : found->second.get();
}

Puppet::Keys* Puppet::read_keys(const ProtectedPacket& packet) {
  if (packet.type() == PacketType::initial) return initial_keys(packet.version(), other(options_.role));
  const auto found = keys_.find({level_of(packet.type()), tls::Direction::read});
  return found == keys_.end() ? nullptr : found->second.get();
}

// Sending.

bool Puppet::can_seal(PacketType type) const {
  if (type == PacketType::initial) return !initial_destination_.empty();
  if (type == PacketType::one_rtt) return one_rtt_.contains({tls::Direction::write, 0});
  return keys_.contains({level_of(type), tls::Direction::write});
}

Data Puppet::seal(const PuppetPacket& packet) {
  PacketNumber& next = next_number_[index_of(space_of(packet.type))];
  const PacketNumber number = packet.number.value_or(next);
  if (!packet.number) next++;
  const SizedPacketNumber sized{.number = number, .size = packet.number_size};
  const Version version = packet.version.value_or(packet.type == PacketType::zero_rtt ? options_.version : version_);
  const ConnectionId destination = packet.destination.value_or(remote);
  const ConnectionId source = packet.source.value_or(options_.id);
  const uint64_t generation = packet.generation.value_or(generation_);
  const bool is_short = packet.type == PacketType::one_rtt;
  Keys* keys = is_short ? one_rtt_keys(tls::Direction::write, generation) : write_keys(packet.type, version);
  Keys* header_keys = is_short ? one_rtt_keys(tls::Direction::write, 0) : keys;
  if (!keys || !header_keys) std::abort();

  Data out(4096);
  Writer writer(out);
  HeaderPlaces places;
  if (is_short) {
    places = write_short_header(
        writer, {.destination = destination, .key_phase = packet.key_phase.value_or(generation % 2 != 0)}, sized);
  } else {
    const bool with_token = packet.type == PacketType::initial && options_.role == Role::client;
    const Data token = packet.token.value_or(with_token ? options_.token : Data());
    places = write_long_header(
        writer, {.type = packet.type, .version = version, .destination = destination, .source = source, .token = token},
        sized);
  }
  const size_t payload = writer.size();
  writer.bytes(packet.frames);
  if (writer.size() + crypto::kAeadTagSize < packet.size) {
    writer.zeros(packet.size - writer.size() - crypto::kAeadTagSize);
  }
  if (!is_short) finish_long_header(writer, places, crypto::kAeadTagSize);
  if (!writer.ok()) std::abort();
  out.resize(writer.size() + crypto::kAeadTagSize);
  out[0] ^= packet.flip;

  const MutBytes body = MutBytes(out).subspan(payload);
  if (!keys->packet.aead().seal(keys->packet.nonce(number), Bytes(out).first(payload),
                                body.first(body.size() - crypto::kAeadTagSize), body)) {
    std::abort();
  }
  if (packet.forged) out.back() ^= 1;
  const auto mask =
      header_keys->header.mask(Bytes(out).subspan(places.packet_number + kSampleOffset).first<kSampleSize>());
  out[0] ^= static_cast<uint8_t>(mask[0] & (is_short ? 0x1f : 0x0f));
  for (size_t i = 0; i < packet.number_size; i++) out[places.packet_number + i] ^= mask[1 + i];
  return out;
}

std::vector<Data> Puppet::take_datagrams() {
  std::vector<Data> all;
  if (!answers) return all;
  const auto pad = [this](PacketType type) { return type == PacketType::initial ? initial_size : size_t{0}; };
  for (const tls::Level level : {tls::Level::initial, tls::Level::handshake, tls::Level::application}) {
    const PacketType type = type_of(level);
    if (!can_seal(type)) continue;
    const size_t space = index_of(space_of(type));
    CryptoOut& out = out_[index_of(level)];
    while (out.sent < out.bytes.size()) {
      const size_t size = std::min(crypto_chunk, out.bytes.size() - out.sent);
      Data frame = frames(CryptoFrame{.offset = out.sent, .data = Bytes(out.bytes).subspan(out.sent, size)});
      if (std::exchange(ack_is_due_[space], false) && acknowledges) frame = ack_of_all(received_[space]) + frame;
      all.push_back(seal({.type = type, .frames = frame, .size = pad(type)}));
      out.sent += size;
    }
    if (type == PacketType::one_rtt && complete_ && sends_done && std::exchange(done_is_due_, false)) {
      all.push_back(seal({.type = type, .frames = frames(HandshakeDoneFrame{})}));
    }
    if (std::exchange(ack_is_due_[space], false) && acknowledges) {
      all.push_back(seal({.type = type, .frames = ack_of_all(received_[space]), .size = pad(type)}));
    }
  }
  return all;
}

Data Puppet::retry(const Data& token, const ConnectionId& source, bool expect_it) {
  Data out(300);
  Writer writer(out);
  write_retry(writer, {.version = version_, .destination = remote, .source = source, .token = token}, 0x05);
  out.resize(writer.size());
  const auto tag = retry_integrity_tag(provider_, version_, original_destination_, out);
  out.insert(out.end(), tag.begin(), tag.end());
  if (expect_it) {
    retry_source_ = initial_destination_ = source;
    initial_.clear();
    session_.reset();
    in_ = {};
  }
  return out;
}

Data Puppet::version_negotiation(std::initializer_list<Version> versions) const {
  // The client's connection ids, which the packet swaps.
  const InvariantHeader answered{
      .long_header = true, .destination = original_destination_.bytes(), .source = remote.bytes()};
  Data out(300);
  Writer writer(out);
  write_version_negotiation(writer, answered, std::span(versions.begin(), versions.size()), 0x2a);
  out.resize(writer.size());
  return out;
}

// Receiving.

void Puppet::receive(Instant now, const Path& path, Ecn ecn, Bytes datagram) {
  datagrams_.push_back({.time = now, .path = path, .ecn = ecn, .bytes = copy(datagram)});
  Data bytes = copy(datagram);
  DatagramReader reader(
      bytes, {.local_connection_id_size = options_.id.size(), .role = options_.role, .accept_fixed_bit_zero = true});
  while (std::optional<ParsedPacket> parsed = reader.next()) {
    if (!*parsed) {
      datagrams_.back().unopened++;
      continue;
    }
    if (const auto* packet = std::get_if<ProtectedPacket>(&**parsed)) {
      const bool begins = packet->type() == PacketType::initial && options_.role == Role::server && !session_;
      if (begins && !answers) {
        remote = ConnectionId(packet->source());
        note_destination(*packet);
      } else if (begins) {
        begin_server(*packet);
      }
      if (!open(*packet, datagrams_.size() - 1)) {
        datagrams_.back().unopened++;
        kept_.push_back({copy(packet->bytes()), datagrams_.size() - 1});
      }
    } else if (const auto* retry = std::get_if<RetryPacket>(&**parsed)) {
      take_retry(*retry);
    } else if (const auto* negotiation = std::get_if<VersionNegotiationPacket>(&**parsed)) {
      SeenVersionNegotiation seen{copy(negotiation->destination), copy(negotiation->source), {}};
      for (size_t i = 0; i < negotiation->size(); i++) seen.versions.push_back((*negotiation)[i]);
      version_negotiations_.push_back(std::move(seen));
    } else {
      datagrams_.back().unopened++;
    }
  }
  open_kept();
}

/// Keys come with packets that were behind in the datagram, or ahead.
void Puppet::open_kept() {
  for (size_t i = 0; i < kept_.size();) {
    auto [bytes, datagram] = kept_[i];
    DatagramReader reader(
        bytes, {.local_connection_id_size = options_.id.size(), .role = options_.role, .accept_fixed_bit_zero = true});
    const auto parsed = reader.next();
    const auto* packet = parsed && *parsed ? std::get_if<ProtectedPacket>(&**parsed) : nullptr;
    if (packet && open(*packet, datagram)) {
      datagrams_[datagram].unopened--;
      kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(i));
    } else {
      i++;
    }
  }
}

bool Puppet::open(const ProtectedPacket& packet, size_t datagram) {
  SeenPacket seen{.type = packet.type(),
                  .version = packet.version(),
                  .destination = ConnectionId(packet.destination()),
                  .source = ConnectionId(packet.source()),
                  .token = copy(packet.token()),
                  .size = packet.bytes().size(),
                  .datagram = datagram};
  Data plain;
  if (packet.type() != PacketType::one_rtt) {
    Keys* keys = read_keys(packet);
    if (!keys || !try_open(*keys, packet, seen, plain)) return false;
  } else {
    // Whichever generation fits, near the newest that was seen.
    bool opened = false;
    for (uint64_t generation = 0; generation < generation_ + 3 && !opened; generation++) {
      Keys* keys = one_rtt_keys(tls::Direction::read, generation);
      seen.generation = generation;
      opened = keys && try_open(*keys, packet, seen, plain);
    }
    if (!opened) return false;
  }
  // A client goes on with the connection id, and in the version, of the first Initial packet.
  if (options_.role == Role::client && packet.type() == PacketType::initial && !std::exchange(heard_, true)) {
    remote = seen.source;
    version_ = seen.version;
  }
  take(std::move(seen), plain);
  return true;
}

bool Puppet::try_open(Keys& keys, const ProtectedPacket& packet, SeenPacket& seen, Data& plain) {
  Data bytes = copy(packet.bytes());
  const size_t at = packet.packet_number_offset();
  const bool is_short = packet.type() == PacketType::one_rtt;
  Keys& header_keys = is_short ? *one_rtt_keys(tls::Direction::read, 0) : keys;
  const auto mask = header_keys.header.mask(Bytes(bytes).subspan(at + kSampleOffset).first<kSampleSize>());
  bytes[0] ^= static_cast<uint8_t>(mask[0] & (is_short ? 0x1f : 0x0f));
  const size_t number_size = packet_number_size_of(bytes[0]);
  for (size_t i = 0; i < number_size; i++) bytes[at + i] ^= mask[1 + i];
  PacketNumber& expected = expected_[index_of(space_of(packet.type()))];
  const PacketNumber number =
      decode_packet_number(read_truncated_packet_number(Bytes(bytes).subspan(at), number_size), number_size, expected);
  const size_t header = at + number_size;
  const Result<MutBytes> opened =
      keys.packet.aead().open(keys.packet.nonce(number), Bytes(bytes).first(header), MutBytes(bytes).subspan(header));
  if (!opened) return false;
  expected = std::max(expected, number + 1);
  seen.number = number;
  seen.number_size = number_size;
  seen.first_byte = bytes[0];
  plain = copy(*opened);
  return true;
}

void Puppet::take(SeenPacket seen, Bytes plain) {
  const Space space = space_of(seen.type);
  quoll::tests::FrameCollector collector;
  const auto traits = parse_frames({.type = seen.type, .receiver = options_.role, .frames = plain}, collector);
  seen.breaks_rules = !traits;
  seen.frames = std::move(collector.frames);
  received_[index_of(space)].insert(seen.number);
  if (traits && traits->ack_eliciting) ack_is_due_[index_of(space)] = true;
  for (const CollectedFrame& frame : seen.frames) {
    if (frame.type == FrameType::crypto) take_crypto(level_of(seen.type), frame);
    if (frame.type == FrameType::ack || frame.type == FrameType::ack_ecn) take_ack(space, frame);
  }
  packets_.push_back(std::move(seen));
}

void Puppet::take_crypto(tls::Level level, const CollectedFrame& frame) {
  CryptoIn& in = in_[index_of(level)];
  in.waiting[frame.numbers[0]] = frame.bytes;
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& [offset, bytes] : in.waiting) {
      const uint64_t end = offset + bytes.size();
      if (offset > in.received.size() || end <= in.received.size()) continue;
      const Data news(bytes.begin() + static_cast<ptrdiff_t>(in.received.size() - offset), bytes.end());
      in.received = in.received + news;
      if (session_ && !tls_error_) {
        if (const Result<void> taken = session_->receive(level, news, wall_clock); !taken) tls_error_ = taken.error();
        poll_session();
      }
      moved = true;
      break;
    }
  }
}

void Puppet::take_ack(Space space, const CollectedFrame& frame) {
  for (size_t i = 0; i < frame.numbers[2]; i++) {
    for (uint64_t number = frame.numbers[3 + 2 * i]; number < frame.numbers[4 + 2 * i]; number++) {
      acknowledged_[index_of(space)].insert(number);
    }
  }
}

void Puppet::take_retry(const RetryPacket& retry) {
  const auto tag = retry_integrity_tag(provider_, retry.version, original_destination_, retry.without_tag);
  retries_.push_back({.version = retry.version,
                      .destination = ConnectionId(retry.destination),
                      .source = ConnectionId(retry.source),
                      .token = copy(retry.token),
                      .tag_is_right = std::ranges::equal(tag, retry.integrity_tag)});
  if (!obeys_retry || retries_.size() > 1 || heard_) return;
  remote = initial_destination_ = ConnectionId(retry.source);
  retry_source_ = remote;
  initial_.clear();
  options_.token = copy(retry.token);
  for (CryptoOut& out : out_) out.sent = 0;
}

}  // namespace quoll::quic::tests
