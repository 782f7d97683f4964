// OneRttKeys: the keys of 1-RTT packets through all key updates (RFC 9001 §6).
//
// A generation is a pair of read and write keys; its lowest bit is the Key Phase bit of its packets. Both directions
// change together, by us or by the peer. Read keys of three generations can exist: previous, current and next, and of
// previous and next at least one does, so that every packet costs the opening under one key (§9.5). The previous ones
// stay until three PTOs after the first packet of the current generation. The next ones are never made while a packet
// is being opened: on a peer's update, the first packet that we seal afterwards makes them, before which no peer may
// update again; meanwhile the previous ones take their place (§6.3).
//
// Expanded keys are most of what an idle connection would hold. trim() gives them up and keeps what they are made from,
// with their counts: the current secrets, and the bytes of the header keys, whose secrets are long gone. wake() makes all
// of them again, the next read keys too, before anything of a packet is looked at: so the time that it takes says that
// the connection was quiet, and nothing of the packet (§9.5).
#pragma once

#include <algorithm>
#include <memory>

#include "base/result.h"
#include "base/time.h"
#include "quic/protect/packet_keys.h"
#include "tls/cipher_suite.h"
#include "tls/level.h"

namespace quoll::quic {

class OneRttKeys {
 public:
  OneRttKeys(const crypto::Provider& provider, tls::CipherSuite suite, Version version)
      : provider_(provider), aead_(tls::aead_of(provider, suite)), suite_(suite), version_(version) {}

  void install(tls::Direction direction, const crypto::Digest& secret);

  const crypto::Aead& aead() const { return aead_; }

  /// Gives up expanded keys until wake(), unless read keys wait to be discarded (next_timeout()) or a direction has none.
  void trim();
  /// Before keys are used.
  void wake() {
    if (trimmed_) [[unlikely]]
      expand();
  }

  // Reading. Awake, but for can_read().

  bool can_read() const { return current_ != nullptr || trimmed_; }
  const crypto::HeaderProtectionKey& read_header() const { return *read_header_; }

  /// Read keys by their age; a generation is generation() + slot - 1.
  enum class Slot : uint8_t { previous, current, next };
  static constexpr int kSlotCount = 3;
  /// Which keys open a packet that says this. They exist.
  Slot slot_of(bool key_phase, PacketNumber number) const;
  PacketKeys& read_keys(Slot slot);
  uint64_t generation_of(Slot slot) const { return generation_ + static_cast<uint64_t>(slot) - 1; }
  /// A packet opened under the keys of `generation`. KEY_UPDATE_ERROR when the order of numbers and generations is wrong.
  [[nodiscard]] Result<void> on_opened(Instant now, uint64_t generation, PacketNumber number, Duration pto);

  // Writing.

  /// There are write keys, and they have not reached the confidentiality limit.
  bool can_write() const;
  /// Null when not. Awake.
  PacketKeys* write_keys();
  const crypto::HeaderProtectionKey& write_header() const { return *write_header_; }
  uint64_t generation() const { return generation_; }
  bool key_phase() const { return (generation_ & 1) != 0; }

  // Updating.

  void on_handshake_confirmed() { confirmed_ = true; }
  void on_packet_acked(PacketNumber number, Duration pto);
  /// RFC 9001 §6.1: the first update wants a confirmed handshake, further ones an acknowledgment under the present keys too.
  bool can_update() const { return confirmed_ && (acked_ || generation_ == 0) && resume_updates_at_.is_never(); }
  /// Whether the write keys have sealed `packets_max`, or half of what they may seal at all.
  bool is_worn(uint64_t packets_max) const;
  /// Whether few packets are left below the confidentiality limit.
  bool is_nearly_used_up() const;
  void initiate_update(PacketNumber next_number);
  Instant next_timeout() const { return std::min(drop_previous_at_, resume_updates_at_); }
  void on_timeout(Instant now);

 private:
  /// The numbers of opened packets of the current generation, and of all that were before.
  struct Numbers {
    PacketNumber lowest = kPacketNumberMax + 1;  // of the current one
    PacketNumber end = 0;                        // one more than the highest of the current one
    PacketNumber end_of_older = 0;
  };

  /// What trimmed keys have done so far.
  struct Trimmed {
    KeyUsage current;
    KeyUsage next;
    KeyUsage write;
  };

  bool has_write() const { return write_ != nullptr || trimmed_; }
  KeyUsage write_usage() const { return trimmed_ ? trimmed_->write : write_->usage(); }
  void update();
  void make_next(const KeyUsage& usage = {});
  void expand();

  const crypto::Provider& provider_;
  const crypto::Aead& aead_;
  tls::CipherSuite suite_;
  Version version_;
  bool confirmed_ = false;
  bool acked_ = false;  // a packet of the current generation
  uint64_t generation_ = 0;
  Numbers opened_;
  Instant last_opened_ = {};
  Instant drop_previous_at_ = Instant::never();
  Instant resume_updates_at_ = Instant::never();  // while it is set we start no update

  std::unique_ptr<PacketKeys> previous_;
  std::unique_ptr<PacketKeys> current_;
  std::unique_ptr<PacketKeys> next_;
  std::unique_ptr<PacketKeys> write_;
  crypto::Digest read_secret_;   // of the current read keys
  crypto::Digest write_secret_;  // of the write keys
  // RFC 9001 §6.1: header keys stay, so they cannot come from secrets that are replaced.
  HeaderKeyBytes read_header_bytes_;
  HeaderKeyBytes write_header_bytes_;
  std::unique_ptr<crypto::HeaderProtectionKey> read_header_;
  std::unique_ptr<crypto::HeaderProtectionKey> write_header_;
  std::unique_ptr<Trimmed> trimmed_;  // null: awake
};

}  // namespace quoll::quic
