// PacketProtection: all keys of a connection, and the opening of its packets (RFC 9001 §5, §6; RFC 9369 §3.3, §4).
//
// Initial keys exist per version, because a compatible version negotiation (RFC 9368 §2.3) lets one connection see
// Initial packets of two; 0-RTT keys have the original version, Handshake and 1-RTT keys the negotiated one. Keys of the
// handshake are in one block that is freed with them.
//
// 1-RTT keys are updated by us (initiate_update()) or by the peer (a packet of the other key phase that opens under the
// next keys). Next read keys are made ahead, so that opening takes the same time (RFC 9001 §9.5); the previous ones are
// kept for reordered packets until three PTOs have passed (§6.5). Limits of §6.6: can_seal() ends and opening gives
// AEAD_LIMIT_REACHED when they are met.
#pragma once

#include <memory>
#include <span>

#include "base/time.h"
#include "quic/protect/open_packets.h"
#include "quic/protect/packet_keys.h"
#include "quic/protect/seal_train.h"
#include "quic/wire/error_code.h"
#include "quic/wire/packet_header.h"
#include "tls/level.h"
#include "tls/session.h"

namespace quoll::quic {

struct KeyUpdatePolicy {
  /// We update our keys after so many packets; at the latest well before the AEAD's confidentiality limit.
  uint64_t packets_max = uint64_t{1} << 22;
};

class PacketProtection {
 public:
  PacketProtection(const crypto::Provider& provider, Role role, KeyUpdatePolicy policy = {});
  PacketProtection(const PacketProtection&) = delete;
  PacketProtection& operator=(const PacketProtection&) = delete;
  ~PacketProtection();

  /// Makes Initial keys of a version. Packets of that version can be opened from now on, beside those of one other
  /// version; packets are sealed with it. `client_destination`: RFC 9001 §5.2; a client calls again after a Retry, which
  /// replaces all Initial keys (`replace`).
  enum class Initial : uint8_t { replace, add };
  void install_initial(Version version, Bytes client_destination, Initial how);
  /// Keys of a TLS traffic secret; `version` is the negotiated one, for 0-RTT the original one.
  void install(const tls::TrafficSecret& secret, Version version);

  bool can_open(PacketType type) const;
  /// The keys to seal with, null members when there are none.
  SealKeys seal_keys(PacketType type);
  bool can_seal(PacketType type) const;
  /// RFC 9001 §4.9.
  void discard(PacketType type);
  /// Gives up the memory of 1-RTT keys of a connection that is quiet: they are made again when a packet is opened or
  /// sealed. Nothing happens while there is a next_timeout(). Not between seal_keys() and the sealing.
  void trim();

  /// Opens one packet in place. `expected`: one more than the largest number received in the packet's space. An Error
  /// closes the connection: AEAD_LIMIT_REACHED, KEY_UPDATE_ERROR.
  [[nodiscard]] Result<OpenedPacket> open(Instant now, const ProtectedPacket& packet, PacketNumber expected);
  /// The same for up to kOpenBatchMax 1-RTT packets, masks and AEAD in batches. `opened` has the size of `packets`. All
  /// packet numbers are decoded with `expected`: a forged packet of the batch must not spoil the decoding of others.
  [[nodiscard]] Result<void> open_one_rtt(Instant now, std::span<const ProtectedPacket> packets, PacketNumber expected,
                                          std::span<OpenedPacket> opened);

  // Key updates (RFC 9001 §6). 1-RTT keys exist.

  /// Of packets that are sealed now.
  bool key_phase() const;
  /// How often write keys changed.
  uint64_t key_updates() const;
  /// The policy wants new keys, and an update is allowed: the handshake is confirmed, and a packet of the current phase
  /// was acknowledged.
  bool wants_update() const;
  bool can_update() const;
  /// RFC 9001 §6.6: the 1-RTT keys are nearly used up and cannot be updated. It is time to close the connection with
  /// AEAD_LIMIT_REACHED, as long as that can be said.
  bool must_close() const;
  /// New write and read keys from the next packet on. `next_number` is its number, `pto` the present PTO.
  void initiate_update(Instant now, PacketNumber next_number, Duration pto);
  void on_handshake_confirmed();
  /// A 1-RTT packet of ours was acknowledged by the packet that was opened last. Its number decides whether it was sealed
  /// with the current keys.
  void on_packet_acked(PacketNumber number);
  /// The present PTO, which times how long old keys are kept (RFC 9001 §6.5: three of it).
  void set_pto(Duration pto) { pto_ = pto; }
  /// When the old read keys go, or when the pause between two updates ends; never if there is neither.
  Instant next_timeout() const;
  void on_timeout(Instant now);

  /// Packets that failed to open, of all keys.
  uint64_t failed_to_open() const;

 private:
  /// Counts packets that failed to open under this key, and says whether they were too many.
  Result<void> count_failures(uint64_t count, const crypto::Aead& aead);

  const crypto::Provider& provider_;
  Role role_;
  KeyUpdatePolicy policy_;
  Duration pto_ = Duration::milliseconds(999);
  uint64_t failed_to_open_ = 0;
  std::unique_ptr<HandshakeKeys> handshake_;  // null when there are no such keys
  std::unique_ptr<OneRttKeys> one_rtt_;       // null before there are any
};

}  // namespace quoll::quic
