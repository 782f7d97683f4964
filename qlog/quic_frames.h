// The frames of a packet as JSON (draft-ietf-quic-qlog-quic-events §8.13): parsed anew from the plain payload, so that the
// transport does no work for a log but to name the bytes.
//
// What frames carry (data, tokens) is told by its length alone; reset tokens are left out, since who reads one can end
// the connection (§14 of the main schema).
#pragma once

#include "qlog/json_writer.h"
#include "quic/wire/frame_reader.h"

namespace quoll::qlog {

/// Writes an array of all frames. A payload that cannot be parsed ends in an UnknownFrame with the type that was wrong.
/// `ack_delay_exponent` is that of the sender.
void write_frames(JsonWriter& json, const quic::PlainPayload& payload, uint64_t ack_delay_exponent);

}  // namespace quoll::qlog
