#include "quic/protect/packet_protection.h"

#include "base/check.h"

namespace quoll::quic {
namespace {

using Status = OpenedPacket::Status;

}  // namespace

PacketProtection::PacketProtection(const crypto::Provider& provider, Role role, KeyUpdatePolicy policy)
    : provider_(provider), role_(role), policy_(policy) {}

PacketProtection::~PacketProtection() = default;

void PacketProtection::install_initial(Version version, Bytes client_destination, Initial how) {
  if (!handshake_) handshake_ = std::make_unique<HandshakeKeys>();
  if (how == Initial::replace) handshake_->discard(PacketType::initial);
  handshake_->install_initial(provider_, role_, version, client_destination);
}

void PacketProtection::install(const tls::TrafficSecret& secret, Version version) {
  const bool one_rtt = secret.level == tls::Level::application;
  if (one_rtt) {
    if (!one_rtt_) one_rtt_ = std::make_unique<OneRttKeys>(provider_, secret.cipher_suite, version);
    one_rtt_->install(secret.direction, secret.secret);
  } else {
    QUOLL_DCHECK(secret.level != tls::Level::initial);
    if (!handshake_) handshake_ = std::make_unique<HandshakeKeys>();
    const PacketType type = secret.level == tls::Level::early_data ? PacketType::zero_rtt : PacketType::handshake;
    handshake_->install(provider_, type, secret.direction, secret.cipher_suite, version, secret.secret);
  }
}

bool PacketProtection::can_open(PacketType type) const {
  if (type == PacketType::one_rtt) return one_rtt_ && one_rtt_->can_read();
  return handshake_ && handshake_->can_open(type);
}

bool PacketProtection::can_seal(PacketType type) const {
  if (type == PacketType::one_rtt) return one_rtt_ && one_rtt_->can_write();
  const LevelKeys* const keys = handshake_ ? handshake_->write_keys(type) : nullptr;
  // RFC 9001 §6.6: these keys are never updated; at the limit they are not used any more.
  return keys && keys->packet.sealed() < keys->packet.aead().aead().confidentiality_limit;
}

SealKeys PacketProtection::seal_keys(PacketType type) {
  if (!can_seal(type)) return {};
  if (type != PacketType::one_rtt) {
    LevelKeys& keys = *handshake_->write_keys(type);
    return {&keys.packet, &keys.header};
  }
  one_rtt_->wake();
  PacketKeys* const keys = one_rtt_->write_keys();
  return {keys, &one_rtt_->write_header()};
}

void PacketProtection::discard(PacketType type) {
  if (type == PacketType::one_rtt) {
    one_rtt_.reset();
  } else if (handshake_) {
    handshake_->discard(type);
    if (handshake_->empty()) handshake_.reset();
  }
}

void PacketProtection::trim() {
  if (one_rtt_) one_rtt_->trim();
}

Result<OpenedPacket> PacketProtection::open(Instant now, const ProtectedPacket& packet, PacketNumber expected) {
  OpenedPacket opened{.type = packet.type()};
  if (packet.type() == PacketType::one_rtt) {
    const auto done = open_one_rtt(now, {&packet, 1}, expected, {&opened, 1});
    return done ? Result<OpenedPacket>(opened) : std::unexpected(done.error());
  }
  LevelKeys* const keys = handshake_ ? handshake_->read_keys(packet.type(), packet.version()) : nullptr;
  if (keys == nullptr) return opened;
  opened = open_long(*keys, packet, expected);
  const auto counted = count_failures(opened.status != Status::opened, keys->packet.aead().aead());
  return counted ? Result<OpenedPacket>(opened) : std::unexpected(counted.error());
}

Result<void> PacketProtection::open_one_rtt(Instant now, std::span<const ProtectedPacket> packets,
                                            PacketNumber expected, std::span<OpenedPacket> opened) {
  QUOLL_CHECK(packets.size() <= kOpenBatchMax && opened.size() == packets.size());
  std::ranges::fill(opened, OpenedPacket{});
  if (!can_open(PacketType::one_rtt)) return {};
  one_rtt_->wake();
  const Result<void> in_order = open_short(now, pto_, *one_rtt_, packets, expected, opened);
  const auto failed = std::ranges::count(opened, Status::unauthenticated, &OpenedPacket::status);
  const Result<void> counted = count_failures(static_cast<uint64_t>(failed), one_rtt_->aead());
  return counted ? in_order : counted;
}

Result<void> PacketProtection::count_failures(uint64_t count, const crypto::Aead& aead) {
  failed_to_open_ += count;
  // RFC 9001 §6.6: of the whole connection, across all keys. A key by itself opens nothing more at the limit.
  if (failed_to_open_ < aead.integrity_limit) return {};
  return close_with(TransportError::aead_limit_reached, "forged packets up to the integrity limit");
}

bool PacketProtection::key_phase() const { return one_rtt_ && one_rtt_->key_phase(); }

uint64_t PacketProtection::key_updates() const { return one_rtt_ ? one_rtt_->generation() : 0; }

bool PacketProtection::wants_update() const { return can_update() && one_rtt_->is_worn(policy_.packets_max); }

bool PacketProtection::can_update() const { return one_rtt_ && one_rtt_->can_update(); }

bool PacketProtection::must_close() const { return one_rtt_ && !can_update() && one_rtt_->is_nearly_used_up(); }

void PacketProtection::initiate_update(Instant, PacketNumber next_number, Duration pto) {
  QUOLL_CHECK(can_update());
  pto_ = pto;
  one_rtt_->initiate_update(next_number);
}

void PacketProtection::on_handshake_confirmed() {
  if (one_rtt_) one_rtt_->on_handshake_confirmed();
}

void PacketProtection::on_packet_acked(PacketNumber number) {
  if (one_rtt_) one_rtt_->on_packet_acked(number, pto_);
}

Instant PacketProtection::next_timeout() const { return one_rtt_ ? one_rtt_->next_timeout() : Instant::never(); }

void PacketProtection::on_timeout(Instant now) {
  if (one_rtt_) one_rtt_->on_timeout(now);
}

uint64_t PacketProtection::failed_to_open() const { return failed_to_open_; }

}  // namespace quoll::quic
