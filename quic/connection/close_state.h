// CloseState: how a connection ends (RFC 9000 §10): open, then closing (we said so) or draining (the peer did, or a
// stateless reset), then drained.
#pragma once

#include <string>

#include "base/time.h"
#include "quic/connection/event.h"

namespace quoll::quic {

/// Reason phrases are for people: what is longer is cut, ours when sent, the peer's when kept.
inline constexpr size_t kCloseReasonMax = 256;
/// RFC 9000 §10.2: closing and draining last three PTOs.
inline constexpr int kClosingPtos = 3;

struct CloseState {
  enum class Phase : uint8_t { open, closing, draining, drained };

  Phase phase = Phase::open;
  Instant until = Instant::never();  // of closing and draining

  // What CONNECTION_CLOSE says.
  bool application = false;
  uint64_t error_code = 0;
  uint64_t frame_type = 0;
  std::string reason;
  /// One is to be sent.
  bool due = false;
  /// RFC 9000 §10.2.1: the answers become rarer: after 1, 2, 4, … received datagrams.
  uint64_t received = 0;
  uint64_t answer_at = 1;
};

}  // namespace quoll::quic
