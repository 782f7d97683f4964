// What the tests of packet protection share: packets built by hand, sealed in a train, read as from a datagram.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/hex.h"
#include "base/writer.h"
#include "quic/protect/packet_protection.h"
#include "quic/wire/packet_header_writer.h"
#include "tests/support/random.h"

namespace quoll::tests {

inline constexpr tls::CipherSuite kSuites[] = {tls::CipherSuite::aes_128_gcm_sha256,
                                               tls::CipherSuite::aes_256_gcm_sha384,
                                               tls::CipherSuite::chacha20_poly1305_sha256};

inline std::vector<uint8_t> hex(std::string_view text) {
  auto bytes = from_hex(text);
  return bytes ? *bytes : std::vector<uint8_t>{};
}

inline crypto::Digest digest_of(Bytes bytes) {
  crypto::Digest digest(bytes.size());
  copy_bytes(digest.data(), bytes);
  return digest;
}

/// Any secret of the suite's size, the same for the same seed.
inline crypto::Digest secret_of(tls::CipherSuite suite, uint64_t seed) {
  return digest_of(SeededRng(seed).bytes(suite == tls::CipherSuite::aes_256_gcm_sha384 ? 48 : 32));
}

/// The one packet that carries frames in a datagram; it must be one.
inline std::optional<quic::ProtectedPacket> read_packet(MutBytes datagram, quic::HeaderOptions options = {}) {
  quic::DatagramReader reader(datagram, options);
  const auto packet = reader.next();
  if (!packet || !*packet || !std::holds_alternative<quic::ProtectedPacket>(**packet)) return {};
  return std::get<quic::ProtectedPacket>(**packet);
}

/// A packet in memory of its own that waits to be sealed.
struct Draft {
  std::vector<uint8_t> bytes{};  // header, payload, room for the tag
  size_t packet_number_offset = 0;
  size_t packet_number_size = 0;
  quic::PacketNumber number = 0;

  size_t payload_offset() const { return packet_number_offset + packet_number_size; }
  quic::SealTrain::Packet packet(const quic::SealKeys& keys) {
    return {.keys = keys,
            .number = number,
            .bytes = bytes,
            .packet_number_offset = packet_number_offset,
            .packet_number_size = packet_number_size};
  }
};

inline Draft draft_of(Bytes header, Bytes payload, quic::SizedPacketNumber number) {
  Draft draft{
      .packet_number_offset = header.size() - number.size, .packet_number_size = number.size, .number = number.number};
  draft.bytes.assign(header.begin(), header.end());
  draft.bytes.insert(draft.bytes.end(), payload.begin(), payload.end());
  draft.bytes.resize(draft.bytes.size() + crypto::kAeadTagSize);
  return draft;
}

inline Draft short_draft(const quic::ShortHeader& header, quic::SizedPacketNumber number, Bytes payload) {
  std::vector<uint8_t> bytes(64);
  Writer writer(bytes);
  quic::write_short_header(writer, header, number);
  return draft_of(Bytes(bytes).first(writer.size()), payload, number);
}

inline Draft long_draft(const quic::LongHeader& header, quic::SizedPacketNumber number, Bytes payload) {
  std::vector<uint8_t> bytes(256 + payload.size());
  Writer writer(bytes);
  const quic::HeaderPlaces places = quic::write_long_header(writer, header, number);
  const size_t header_size = writer.size();
  writer.bytes(payload);
  quic::finish_long_header(writer, places, crypto::kAeadTagSize);
  return draft_of(Bytes(bytes).first(header_size), payload, number);
}

/// Seals one packet.
inline Result<void> seal(Draft& draft, const quic::SealKeys& keys) {
  quic::SealTrain train;
  train.add(draft.packet(keys));
  return train.seal();
}

/// Both sides of a connection that share 1-RTT secrets.
struct OneRttPair {
  explicit OneRttPair(const crypto::Provider& provider = crypto::best(),
                      tls::CipherSuite suite = tls::CipherSuite::aes_128_gcm_sha256,
                      quic::Version version = quic::Version::v1, quic::KeyUpdatePolicy policy = {})
      : client(provider, quic::Role::client, policy), server(provider, quic::Role::server, policy) {
    for (const auto direction : {tls::Direction::write, tls::Direction::read}) {
      const bool write = direction == tls::Direction::write;
      client.install({tls::Level::application, direction, suite, secret_of(suite, write ? 1 : 2)}, version);
      server.install({tls::Level::application, direction, suite, secret_of(suite, write ? 2 : 1)}, version);
    }
  }

  quic::PacketProtection client;
  quic::PacketProtection server;
};

/// A sealed 1-RTT packet with the present keys; the payload says its number again.
inline std::vector<uint8_t> sealed_short(quic::PacketProtection& from, quic::PacketNumber number,
                                         size_t number_size = 4) {
  std::array<uint8_t, 8> payload;
  store_be(payload.data(), number);
  Draft draft = short_draft({.key_phase = from.key_phase()}, {number, number_size}, payload);
  const quic::SealKeys keys = from.seal_keys(quic::PacketType::one_rtt);
  if (keys.packet == nullptr || !seal(draft, keys)) return {};
  return draft.bytes;
}

/// Opens a 1-RTT packet, of which a copy is made.
inline Result<quic::OpenedPacket> open_copy(quic::PacketProtection& at, const std::vector<uint8_t>& packet,
                                            quic::PacketNumber expected = 0, Instant now = {}) {
  std::vector<uint8_t> copy = packet;
  const auto read = read_packet(copy);
  if (!read) return usage_error("no packet");
  auto opened = at.open(now, *read, expected);
  if (opened) opened->payload = {};  // the copy goes
  return opened;
}

}  // namespace quoll::tests
