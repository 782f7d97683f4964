// The texts of draft-ietf-quic-qlog-quic-events for the nouns of the wire and of recovery (§8).
#pragma once

#include <string_view>

#include "base/net.h"
#include "qlog/json_writer.h"
#include "quic/congestion/controller.h"
#include "quic/recovery/ecn.h"
#include "quic/wire/error_code.h"
#include "quic/wire/frame.h"

namespace quoll::qlog {

std::string_view name_of(quic::PacketType type);
std::string_view name_of(quic::Space space);
std::string_view name_of(Ecn ecn);
std::string_view name_of(quic::CongestionState state);
std::string_view name_of(quic::EcnValidator::State state);

/// §8.11, of the keys that protect the packets of `sender`.
std::string_view key_type_of(quic::PacketType type, quic::Role sender);
/// §8.13: the frame_type of a known frame; "unknown" for others.
std::string_view frame_type_name(quic::FrameType type);

/// Writes `member` with the text of a transport error (§8.13.24, §8.13.26); a code without a text becomes "unknown", and
/// error_code follows.
void write_transport_error(JsonWriter& json, std::string_view member, uint64_t code);
/// §8.13.25: the transport knows no application's codes.
void write_application_error(JsonWriter& json, std::string_view member, uint64_t code);

/// §8.1: the version as a hexstring.
void write_version(JsonWriter& json, quic::Version version);

}  // namespace quoll::qlog
