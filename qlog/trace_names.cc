#include "qlog/trace_names.h"

namespace quoll::qlog {

// As in quic_names.cc, values outside an enumeration have some text too.

std::string_view name_of(quic::trace::Side value) {
  using E = quic::trace::Side;
  switch (value) {
    case E::local:
      return "local";
    case E::remote:
      return "remote";
  }
  return "local";
}

std::string_view name_of(quic::trace::PacketKind value) {
  using E = quic::trace::PacketKind;
  switch (value) {
    case E::initial:
      return "initial";
    case E::zero_rtt:
      return "0RTT";
    case E::handshake:
      return "handshake";
    case E::one_rtt:
      return "1RTT";
    case E::retry:
      return "retry";
    case E::version_negotiation:
      return "version_negotiation";
    case E::stateless_reset:
      return "stateless_reset";
    case E::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view name_of(quic::trace::SendReason value) {
  using E = quic::trace::SendReason;
  switch (value) {
    case E::normal:
      return "";
    case E::retransmit_reordered:
      return "retransmit_reordered";
    case E::retransmit_timeout:
      return "retransmit_timeout";
    case E::pto_probe:
      return "pto_probe";
    case E::retransmit_crypto:
      return "retransmit_crypto";
    case E::cc_bandwidth_probe:
      return "cc_bandwidth_probe";
  }
  return {};
}

std::string_view name_of(quic::trace::BufferReason value) {
  using E = quic::trace::BufferReason;
  switch (value) {
    case E::keys_unavailable:
      return "keys_unavailable";
    case E::backpressure:
      return "backpressure";
  }
  return "keys_unavailable";
}

std::string_view name_of(quic::trace::LossReason value) {
  using E = quic::trace::LossReason;
  switch (value) {
    case E::unspecified:
      return "";
    case E::reordering_threshold:
      return "reordering_threshold";
    case E::time_threshold:
      return "time_threshold";
    case E::pto_expired:
      return "pto_expired";
  }
  return {};
}

std::string_view name_of(quic::trace::KeyReason value) {
  using E = quic::trace::KeyReason;
  switch (value) {
    case E::tls:
      return "tls";
    case E::remote_update:
      return "remote_update";
    case E::local_update:
      return "local_update";
  }
  return "tls";
}

std::string_view name_of(quic::trace::TimerKind value) {
  using E = quic::trace::TimerKind;
  switch (value) {
    case E::ack:
      return "ack";
    case E::pto:
      return "pto";
    case E::loss_timeout:
      return "loss_timeout";
    case E::path_validation:
      return "path_validation";
    case E::handshake_timeout:
      return "handshake_timeout";
    case E::idle_timeout:
      return "idle_timeout";
  }
  return "unknown";
}

std::string_view name_of(quic::trace::TimerChange value) {
  using E = quic::trace::TimerChange;
  switch (value) {
    case E::set:
      return "set";
    case E::expired:
      return "expired";
    case E::cancelled:
      return "cancelled";
  }
  return "set";
}

std::string_view name_of(quic::trace::ConnectionState value) {
  using E = quic::trace::ConnectionState;
  switch (value) {
    case E::attempted:
      return "attempted";
    case E::peer_validated:
      return "peer_validated";
    case E::handshake_started:
      return "handshake_started";
    case E::early_write:
      return "early_write";
    case E::handshake_complete:
      return "handshake_complete";
    case E::handshake_confirmed:
      return "handshake_confirmed";
    case E::closing:
      return "closing";
    case E::draining:
      return "draining";
    case E::closed:
      return "closed";
  }
  return "unknown";
}

std::string_view name_of(quic::trace::CloseReason value) {
  using E = quic::trace::CloseReason;
  switch (value) {
    case E::unspecified:
      return "unspecified";
    case E::idle_timeout:
      return "idle_timeout";
    case E::application:
      return "application";
    case E::error:
      return "error";
    case E::version_mismatch:
      return "version_mismatch";
    case E::stateless_reset:
      return "stateless_reset";
    case E::aborted:
      return "aborted";
  }
  return "unspecified";
}

std::string_view name_of(quic::trace::StreamPart value) {
  using E = quic::trace::StreamPart;
  switch (value) {
    case E::sending:
      return "sending";
    case E::receiving:
      return "receiving";
  }
  return "sending";
}

std::string_view name_of(quic::trace::StreamState value) {
  using E = quic::trace::StreamState;
  switch (value) {
    case E::idle:
      return "idle";
    case E::open:
      return "open";
    case E::closed:
      return "closed";
    case E::ready:
      return "ready";
    case E::send:
      return "send";
    case E::data_sent:
      return "data_sent";
    case E::reset_sent:
      return "reset_sent";
    case E::reset_received:
      return "reset_received";
    case E::receive:
      return "receive";
    case E::size_known:
      return "size_known";
    case E::data_read:
      return "data_read";
    case E::reset_read:
      return "reset_read";
    case E::data_received:
      return "data_received";
    case E::destroyed:
      return "destroyed";
  }
  return "unknown";
}

std::string_view name_of(quic::trace::DataLocation value) {
  using E = quic::trace::DataLocation;
  switch (value) {
    case E::application:
      return "application";
    case E::transport:
      return "transport";
    case E::network:
      return "network";
  }
  return "transport";
}

std::string_view name_of(quic::trace::BlockedReason value) {
  using E = quic::trace::BlockedReason;
  switch (value) {
    case E::unspecified:
      return "";
    case E::scheduling:
      return "scheduling";
    case E::pacing:
      return "pacing";
    case E::amplification_protection:
      return "amplification_protection";
    case E::congestion_control:
      return "congestion_control";
    case E::connection_flow_control:
      return "connection_flow_control";
    case E::stream_flow_control:
      return "stream_flow_control";
    case E::stream_id:
      return "stream_id";
    case E::application:
      return "application";
  }
  return {};
}

std::string_view name_of(quic::trace::MigrationState value) {
  using E = quic::trace::MigrationState;
  switch (value) {
    case E::probing_started:
      return "probing_started";
    case E::probing_abandoned:
      return "probing_abandoned";
    case E::probing_successful:
      return "probing_successful";
    case E::migration_started:
      return "migration_started";
    case E::migration_abandoned:
      return "migration_abandoned";
    case E::migration_complete:
      return "migration_complete";
  }
  return "probing_started";
}

std::string_view name_of(quic::trace::DropReason value) {
  using E = quic::trace::DropReason;
  switch (value) {
    case E::truncated:
      return "truncated";
    case E::too_short:
      return "too_short";
    case E::fixed_bit:
      return "fixed_bit";
    case E::connection_id_too_long:
      return "connection_id_too_long";
    case E::other_connection_id:
      return "other_connection_id";
    case E::misplaced:
      return "misplaced";
    case E::wrong_role:
      return "wrong_role";
    case E::unexpected_token:
      return "unexpected_token";
    case E::bad_retry:
      return "bad_retry";
    case E::bad_version_negotiation:
      return "bad_version_negotiation";
    case E::unsupported_version:
      return "unsupported_version";
    case E::unknown_connection:
      return "unknown_connection";
    case E::no_keys:
      return "no_keys";
    case E::unauthenticated:
      return "unauthenticated";
    case E::bad_integrity_tag:
      return "bad_integrity_tag";
    case E::duplicate:
      return "duplicate";
    case E::unexpected_retry:
      return "unexpected_retry";
    case E::unexpected_version_negotiation:
      return "unexpected_version_negotiation";
    case E::wrong_connection_id:
      return "wrong_connection_id";
    case E::initial_too_small:
      return "initial_too_small";
    case E::invalid_token:
      return "invalid_token";
    case E::connection_closed:
      return "connection_closed";
    case E::buffer_full:
      return "buffer_full";
    case E::path_limit:
      return "path_limit";
    case E::rate_limited:
      return "rate_limited";
    case E::other:
      return "other";
  }
  return "other";
}

std::string_view trigger_of(quic::trace::DropReason reason) {
  using E = quic::trace::DropReason;
  switch (reason) {
    case E::truncated:
    case E::too_short:
    case E::fixed_bit:
    case E::connection_id_too_long:
    case E::other_connection_id:
    case E::misplaced:
    case E::wrong_role:
    case E::unexpected_token:
    case E::bad_retry:
    case E::bad_version_negotiation:
    case E::wrong_connection_id:
    case E::initial_too_small:
      return "invalid";
    case E::unsupported_version:
      return "unsupported";
    case E::unknown_connection:
      return "connection_unknown";
    case E::no_keys:
      return "key_unavailable";
    case E::unauthenticated:
    case E::bad_integrity_tag:
      return "decryption_failure";
    case E::duplicate:
      return "duplicate";
    case E::unexpected_retry:
    case E::unexpected_version_negotiation:
    case E::invalid_token:
    case E::connection_closed:
    case E::buffer_full:
    case E::path_limit:
    case E::rate_limited:
      return "rejected";
    case E::other:
      break;
  }
  return "general";
}

}  // namespace quoll::qlog
