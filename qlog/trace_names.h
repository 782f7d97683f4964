// The texts of draft-ietf-quic-qlog-quic-events for the terms of trace events (§4 to §7).
#pragma once

#include <string_view>

#include "quic/trace/terms.h"

namespace quoll::qlog {

std::string_view name_of(quic::trace::Side side);
std::string_view name_of(quic::trace::PacketKind kind);
std::string_view name_of(quic::trace::SendReason reason);  // empty: none
std::string_view name_of(quic::trace::BufferReason reason);
std::string_view name_of(quic::trace::LossReason reason);  // empty: none
std::string_view name_of(quic::trace::KeyReason reason);
std::string_view name_of(quic::trace::TimerKind kind);
std::string_view name_of(quic::trace::TimerChange change);
std::string_view name_of(quic::trace::ConnectionState state);
std::string_view name_of(quic::trace::CloseReason reason);
std::string_view name_of(quic::trace::StreamPart part);
std::string_view name_of(quic::trace::StreamState state);
std::string_view name_of(quic::trace::DataLocation location);
std::string_view name_of(quic::trace::BlockedReason reason);  // empty: none
std::string_view name_of(quic::trace::MigrationState state);
/// Our own reason, finer than the draft's.
std::string_view name_of(quic::trace::DropReason reason);

/// §5.7: the trigger that a reason falls under.
std::string_view trigger_of(quic::trace::DropReason reason);

}  // namespace quoll::qlog
