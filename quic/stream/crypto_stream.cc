#include "quic/stream/crypto_stream.h"

namespace quoll::quic {

Result<void> CryptoStream::on_frame(const CryptoFrame& frame) {
  const auto exceeded = [](const char* reason) {
    return close_with(TransportError::crypto_buffer_exceeded, reason, static_cast<uint64_t>(FrameType::crypto));
  };
  // RFC 9000 §7.5: a buffer that is not expanded and exceeded closes the connection.
  const uint64_t end = frame.offset + frame.data.size();
  if (end > received_.read_offset() + kCryptoBufferMax) return exceeded("handshake data too far ahead");
  if (!received_.insert_copy(frame.offset, frame.data)) return exceeded("handshake data in too many pieces");
  return {};
}

void CryptoStream::write(Bytes data) { QUOLL_CHECK(sent_.append_copy(data)); }

bool CryptoStream::write_frames(PacketBuilder& packet) {
  bool written = false;
  while (const std::optional<Interval> range = sent_.next(UINT64_MAX)) {
    const size_t room = crypto_data_room(range->start, packet.room()).value_or(0);
    if (room == 0) break;
    const auto size = static_cast<size_t>(std::min<uint64_t>(room, range->size()));
    const FrameToken token{
        .offset = range->start, .size = static_cast<uint32_t>(size), .kind = FrameToken::Kind::crypto};
    if (!packet.begin_crypto(range->start, size, token)) break;
    const Interval sent = {range->start, range->start + size};
    sent_.for_each_piece(sent, [&](Bytes piece) { packet.add_data(piece); });
    sent_.on_sent(sent);
    written = true;
  }
  return written;
}

}  // namespace quoll::quic
