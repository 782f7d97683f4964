// HandshakeKeys: the keys of everything that comes before 1-RTT packets: Initial, 0-RTT, Handshake (RFC 9001 §4.9,
// §5.2; RFC 9369 §4.1).
//
// Every direction of every level is a block of its own that is freed when its keys are discarded. Initial keys exist
// for up to two versions; the one that was added last is sealed with.
#pragma once

#include <array>
#include <memory>

#include "quic/protect/packet_keys.h"
#include "quic/protect/seal_train.h"
#include "quic/wire/packet_header.h"
#include "tls/level.h"

namespace quoll::quic {

/// All keys of one direction at a level without key updates.
struct LevelKeys {
  LevelKeys(const crypto::Provider& provider, tls::CipherSuite suite, Version of, const crypto::Digest& secret)
      : version(of), packet(provider, suite, of, secret), header(header_key(provider, suite, of, secret)) {}

  Version version;
  PacketKeys packet;
  crypto::HeaderProtectionKey header;
};

class HandshakeKeys {
 public:
  /// The two versions of RFC 9368 §2.3: the original one, and the negotiated one.
  static constexpr size_t kInitialVersionsMax = 2;

  void install_initial(const crypto::Provider& provider, Role role, Version version, Bytes client_destination);
  void discard_initial() { initial_ = {}; }
  /// Keys of a level with one direction (0-RTT) or two (Handshake).
  void install(const crypto::Provider& provider, PacketType type, tls::Direction direction, tls::CipherSuite suite,
               Version version, const crypto::Digest& secret);
  /// Any type but 1-RTT.
  void discard(PacketType type);
  bool empty() const;

  bool can_open(PacketType type) const;
  /// The keys that open a packet, null when there are none for its type and version.
  LevelKeys* read_keys(PacketType type, Version version) const;
  LevelKeys* write_keys(PacketType type) const;

 private:
  struct Pair {
    std::unique_ptr<LevelKeys> read;
    std::unique_ptr<LevelKeys> write;
  };
  /// `initial_[0]` for Initial packets.
  const Pair& pair_of(PacketType type) const;
  Pair& pair_of(PacketType type);

  std::array<Pair, kInitialVersionsMax> initial_;  // the latest first
  Pair zero_rtt_;                                  // one of the two
  Pair handshake_;
};

}  // namespace quoll::quic
