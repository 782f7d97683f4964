// CryptoStream: the handshake bytes of one level in both directions (RFC 9000 §7.5, §19.6), from offset 0 each.
//
// There is no flow control: what arrives ahead of what TLS has read is bounded here, and to exceed it closes the
// connection. Handshake bytes are few and kept for long, so both directions copy. Which level it is, and when it ends, is
// the connection's to know.
#pragma once

#include "base/result.h"
#include "quic/recovery/packet_builder.h"
#include "quic/stream/receive_buffer.h"
#include "quic/stream/send_buffer.h"
#include "quic/wire/error_code.h"

namespace quoll::quic {

/// RFC 9000 §7.5 asks for 4096 at least; a chain of certificates with post-quantum signatures arrives out of order whole.
inline constexpr uint64_t kCryptoBufferMax = 64 * 1024;

class CryptoStream {
 public:
  /// CRYPTO_BUFFER_EXCEEDED when data lies too far ahead of what was read, or leaves too many gaps.
  [[nodiscard]] Result<void> on_frame(const CryptoFrame& frame);
  /// All that a frame holds was given out by read() before.
  bool has_read(const CryptoFrame& frame) const {
    return !frame.data.empty() && frame.offset + frame.data.size() <= received_.read_offset();
  }
  /// The next bytes in order, for TLS.
  std::optional<Slice> read() { return received_.read(SIZE_MAX); }
  /// Handshake data is cut in the middle of something: a level must not end with bytes that wait (RFC 9001 §4.1.3).
  bool has_unread() const { return received_.held() != 0; }

  /// Bytes for the peer.
  void write(Bytes data);
  bool wants_to_send() const { return sent_.next(UINT64_MAX).has_value(); }
  /// One CRYPTO frame or more, as the room allows; true when something was written.
  bool write_frames(PacketBuilder& packet);
  void on_acked(const FrameToken& token) { sent_.on_acked({token.offset, token.offset + token.size}); }
  void on_lost(const FrameToken& token) { sent_.on_lost({token.offset, token.offset + token.size}); }
  /// All is to be sent anew (Retry).
  void rewind() { sent_.rewind(); }
  bool all_acked() const { return sent_.all_acked(); }
  /// Gives back memory that nothing is in.
  void trim() {
    sent_.trim();
    received_.trim();
  }

 private:
  SendBuffer sent_;
  ReceiveBuffer received_;
};

}  // namespace quoll::quic
