#include "quic/protect/one_rtt_keys.h"

#include "base/check.h"
#include "crypto/ct.h"
#include "quic/wire/error_code.h"

namespace quoll::quic {
namespace {

/// RFC 9001 §6.5: old read keys are kept, and updates paused, for three PTOs.
constexpr int64_t kPtosOfUpdate = 3;

/// Packets that are kept back from the confidentiality limit to close the connection with; less when the limit is small.
constexpr uint64_t kPacketsToClose = 1024;

}  // namespace

void OneRttKeys::install(tls::Direction direction, const crypto::Digest& secret) {
  QUOLL_DCHECK(generation_ == 0);
  auto keys = std::make_unique<PacketKeys>(provider_, suite_, version_, secret);
  const HeaderKeyBytes header_bytes = header_key_bytes(provider_, suite_, version_, secret);
  auto header = std::make_unique<crypto::HeaderProtectionKey>(header_key(provider_, suite_, header_bytes));
  if (direction == tls::Direction::write) {
    write_ = std::move(keys);
    write_header_ = std::move(header);
    write_header_bytes_ = header_bytes;
    write_secret_ = secret;
  } else {
    current_ = std::move(keys);
    read_header_ = std::move(header);
    read_header_bytes_ = header_bytes;
    read_secret_ = secret;
    make_next();
  }
}

void OneRttKeys::trim() {
  if (trimmed_ || !current_ || !write_ || previous_) return;
  QUOLL_DCHECK(next_);
  trimmed_ = std::make_unique<Trimmed>(current_->usage(), next_->usage(), write_->usage());
  for (std::unique_ptr<PacketKeys>* keys : {&current_, &next_, &write_}) keys->reset();
  read_header_.reset();
  write_header_.reset();
}

void OneRttKeys::expand() {
  // RFC 9001 §6.6: the counts go on.
  const std::unique_ptr<Trimmed> before = std::move(trimmed_);
  current_ = std::make_unique<PacketKeys>(provider_, suite_, version_, read_secret_, before->current);
  make_next(before->next);
  write_ = std::make_unique<PacketKeys>(provider_, suite_, version_, write_secret_, before->write);
  read_header_ = std::make_unique<crypto::HeaderProtectionKey>(header_key(provider_, suite_, read_header_bytes_));
  write_header_ = std::make_unique<crypto::HeaderProtectionKey>(header_key(provider_, suite_, write_header_bytes_));
}

OneRttKeys::Slot OneRttKeys::slot_of(bool key_phase, PacketNumber number) const {
  namespace ct = crypto::ct;
  QUOLL_DCHECK(!trimmed_);
  // RFC 9001 §6.5: of the other phase, a number below one of the current phase means the previous keys, a number above
  // the next ones. Key Phase and number are not known to be authentic, and what they were must not be seen in the time
  // (§9.5): no branch depends on them.
  const uint64_t other_phase = ct::mask_nonzero(uint64_t{key_phase} ^ (generation_ & 1));
  const bool only_previous = next_ == nullptr || opened_.end == 0;
  const uint64_t low = ct::mask_less(number, opened_.end) | ct::mask_nonzero(uint64_t{only_previous});
  const uint64_t old = low & ct::mask_nonzero(uint64_t{previous_ != nullptr});
  const auto other = ct::select(old, static_cast<uint64_t>(Slot::previous), static_cast<uint64_t>(Slot::next));
  return static_cast<Slot>(ct::select(other_phase, other, static_cast<uint64_t>(Slot::current)));
}

PacketKeys& OneRttKeys::read_keys(Slot slot) {
  PacketKeys* const keys[kSlotCount] = {previous_.get(), current_.get(), next_.get()};
  PacketKeys* const chosen = keys[static_cast<size_t>(slot)];
  QUOLL_DCHECK(chosen != nullptr);
  return *chosen;
}

Result<void> OneRttKeys::on_opened(Instant now, uint64_t generation, PacketNumber number, Duration pto) {
  last_opened_ = now;
  if (generation < generation_) {
    // RFC 9001 §6.4: old keys, although newer ones were used for a lower number.
    if (number > opened_.lowest) return close_with(TransportError::key_update_error, "old keys after newer ones");
    opened_.end_of_older = std::max(opened_.end_of_older, number + 1);
    return {};
  }
  if (generation > generation_) {
    // RFC 9001 §6.2: the peer updated. Our own keys follow at once, so before this packet is acknowledged.
    QUOLL_DCHECK(generation == generation_ + 1);
    update();
  }
  // RFC 9001 §6.4, seen from the other side: a higher number came with older keys.
  if (number < opened_.end_of_older) return close_with(TransportError::key_update_error, "new keys before older ones");
  if (opened_.end == 0 && previous_) drop_previous_at_ = now + kPtosOfUpdate * pto;
  opened_.lowest = std::min(opened_.lowest, number);
  opened_.end = std::max(opened_.end, number + 1);
  return {};
}

bool OneRttKeys::can_write() const {
  // RFC 9001 §6.6: at the limit the keys are not used any more.
  return has_write() && write_usage().sealed < aead_.confidentiality_limit;
}

PacketKeys* OneRttKeys::write_keys() {
  QUOLL_DCHECK(!trimmed_);
  if (current_ && !next_) make_next();
  return can_write() ? write_.get() : nullptr;
}

void OneRttKeys::on_packet_acked(PacketNumber number, Duration pto) {
  if (acked_ || !has_write() || number < write_usage().first_sealed) return;
  acked_ = true;
  // RFC 9001 §6.5: after an update was confirmed, wait before the next one. The packet with the ACK is the last one that
  // was opened.
  if (generation_ != 0) resume_updates_at_ = last_opened_ + kPtosOfUpdate * pto;
}

bool OneRttKeys::is_worn(uint64_t packets_max) const {
  return has_write() && write_usage().sealed >= std::min(packets_max, aead_.confidentiality_limit / 2);
}

bool OneRttKeys::is_nearly_used_up() const {
  if (!write_) return false;
  const crypto::AeadKey& key = write_->aead();
  const uint64_t limit = key.aead().confidentiality_limit;
  return key.sealed() >= limit - std::min(kPacketsToClose, limit / 8);
}

void OneRttKeys::initiate_update(PacketNumber next_number) {
  wake();
  update();
  write_->note_sealed(next_number);
}

void OneRttKeys::on_timeout(Instant now) {
  if (drop_previous_at_ <= now) {
    // RFC 9001 §6.5: time to discard the old read keys.
    if (!next_) make_next();
    previous_.reset();
    drop_previous_at_ = Instant::never();
  }
  if (resume_updates_at_ <= now) resume_updates_at_ = Instant::never();
}

void OneRttKeys::update() {
  QUOLL_DCHECK(current_ && write_);
  if (!next_) make_next();
  previous_ = std::move(current_);
  current_ = std::move(next_);
  read_secret_ = next_secret(provider_, suite_, version_, read_secret_);
  write_secret_ = next_secret(provider_, suite_, version_, write_secret_);
  *write_ = PacketKeys(provider_, suite_, version_, write_secret_);
  generation_++;
  acked_ = false;
  opened_ = {.end_of_older = std::max(opened_.end, opened_.end_of_older)};
  drop_previous_at_ = Instant::never();
  resume_updates_at_ = Instant::never();
}

void OneRttKeys::make_next(const KeyUsage& usage) {
  // RFC 9001 §6.1: the header protection key stays.
  const crypto::Digest secret = next_secret(provider_, suite_, version_, read_secret_);
  next_ = std::make_unique<PacketKeys>(provider_, suite_, version_, secret, usage);
}

}  // namespace quoll::quic
