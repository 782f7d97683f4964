// SealTrain: the packets of a train, collected while they are built and sealed together (RFC 9001 §5.3, §5.4).
//
// A packet lies in the datagram as header, payload and room for the tag. Most of its payload is written in place;
// stream data may be left out (a Gap: its room is there, its bytes are not) and is encrypted straight from the
// application's memory. seal() runs over consecutive packets under one key as one batch, first the AEAD, then the header
// protection masks. Until then everything that is pointed at stays in place, keys included: they are not updated while
// a packet waits. Nothing is allocated once warm.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/header_protection.h"
#include "quic/protect/packet_keys.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// Data that is to stand at `offset` of the payload, and is read from elsewhere when the packet is sealed.
struct Gap {
  size_t offset = 0;
  Bytes data{};
};

/// The keys that seal packets of one type; owned by PacketProtection.
struct SealKeys {
  PacketKeys* packet = nullptr;
  const crypto::HeaderProtectionKey* header = nullptr;
};

class SealTrain {
 public:
  struct Packet {
    SealKeys keys;
    PacketNumber number = 0;
    MutBytes bytes{};                 // header, payload, room for the tag
    size_t packet_number_offset = 0;  // in bytes
    size_t packet_number_size = 0;
    size_t gaps_begin = 0;  // in gaps(), in order of their offsets, without overlap
    size_t gaps_count = 0;
  };

  /// Gaps of the packets to be sealed; whoever builds a packet appends to it.
  std::vector<Gap>& gaps() { return gaps_; }

  void add(const Packet& packet) { packets_.push_back(packet); }
  size_t size() const { return packets_.size(); }
  bool empty() const { return packets_.empty(); }

  /// Seals all packets and forgets them. An Error (AEAD_LIMIT_REACHED) when a key is used up: then nothing of the train
  /// may be sent, and the connection is to be closed.
  [[nodiscard]] Result<void> seal();
  /// Forgets all packets.
  void clear();

 private:
  Result<void> seal_run(std::span<const Packet> run);
  crypto::SealJob job_of(const Packet& packet);

  std::vector<Packet> packets_;
  std::vector<Gap> gaps_;
  // Scratch of seal().
  std::vector<crypto::SealJob> jobs_;
  std::vector<Bytes> pieces_;
  std::vector<const uint8_t*> samples_;
  std::vector<crypto::HeaderMask> masks_;
};

}  // namespace quoll::quic
