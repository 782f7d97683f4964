// The end: errors, CONNECTION_CLOSE both ways, closing and draining, stateless reset (RFC 9000 §10, §11).
#include "quic/connection/state.h"

namespace quoll::quic {

void Connection::State::fail(Instant now, const Error& error) {
  if (!is_open()) return;
  const bool is_transport = error.domain == ErrorDomain::transport;
  const uint64_t code = is_transport ? error.code : static_cast<uint64_t>(TransportError::internal_error);
  begin_closing(now, false, code, error.frame_type, error.reason);
  end({.why = Closed::Why::local, .error_code = code, .frame_type = error.frame_type, .reason = error.reason});
}

void Connection::State::begin_closing(Instant now, bool application, uint64_t code, uint64_t frame_type,
                                      std::string_view reason) {
  close.phase = CloseState::Phase::closing;
  close.until = now + loss.pto() * kClosingPtos;
  close.application = application;
  close.error_code = code;
  close.frame_type = frame_type;
  close.reason = reason.substr(0, kCloseReasonMax);
  close.due = true;
  migrating_to = nullptr;
  trace(now, trace::ConnectionStateUpdated{.state = trace::ConnectionState::closing});
  trace(now, trace::ConnectionClosed{.initiator = trace::Side::local,
                                     .why = application ? trace::CloseReason::application : trace::CloseReason::error,
                                     .is_application = application,
                                     .error_code = code,
                                     .reason = close.reason});
}

void Connection::State::begin_draining(Instant now) {
  close.phase = CloseState::Phase::draining;
  close.until = now + loss.pto() * kClosingPtos;
  close.due = false;
  trace(now, trace::ConnectionStateUpdated{.state = trace::ConnectionState::draining});
}

void Connection::State::write_close(PacketBuilder& packet) {
  ConnectionCloseFrame frame{.application = close.application,
                             .error_code = close.error_code,
                             .frame_type = close.frame_type,
                             .reason_phrase = as_bytes(close.reason)};
  if (close.application && packet.type() != PacketType::one_rtt) {
    // RFC 9000 §10.2.3: an application's code and reason are not for those who may be somebody else.
    frame = {.error_code = static_cast<uint64_t>(TransportError::application_error)};
  }
  const FrameType type = frame.application ? FrameType::connection_close_application : FrameType::connection_close;
  if (packet.add(frame, type)) return;
  frame.reason_phrase = {};
  (void)packet.add(frame, type);
}

void Connection::State::on_peer_close(Instant now, const ConnectionCloseFrame& frame) {
  const bool was_open = is_open();
  if (close.phase == CloseState::Phase::drained) return;
  begin_draining(now);
  if (!was_open) return;
  const size_t reason_size = std::min(frame.reason_phrase.size(), kCloseReasonMax);
  trace(now, trace::ConnectionClosed{.initiator = trace::Side::remote,
                                     .is_application = frame.application,
                                     .error_code = frame.error_code,
                                     .reason = as_text(frame.reason_phrase.first(reason_size))});
  end({.why = Closed::Why::peer,
       .application = frame.application,
       .error_code = frame.error_code,
       .frame_type = frame.frame_type,
       .reason = std::string(as_text(frame.reason_phrase.first(reason_size)))});
}

void Connection::State::on_stateless_reset(Instant now) {
  if (close.phase == CloseState::Phase::draining || close.phase == CloseState::Phase::drained) return;
  const bool was_open = is_open();
  begin_draining(now);  // RFC 9000 §10.3.1: and nothing more is sent
  trace(now, trace::ConnectionClosed{.initiator = trace::Side::remote, .why = trace::CloseReason::stateless_reset});
  if (was_open) end({.why = Closed::Why::stateless_reset, .reason = "stateless reset"});
}

/// What the application is told last. What is left of the connection needs no more than keys and ids.
void Connection::State::end(Closed last) {
  closed = std::move(last);
  handshake.reset();
  forget_kept();
  idle_deadline = keep_alive_at = stall.at = pacing_until = quiet_at = zero_rtt_discard_at = forget_original_at =
      Instant::never();
}

void Connection::State::become_drained() {
  close.phase = CloseState::Phase::drained;
  close.until = Instant::never();
  close.due = false;
  local_ids->retire_all();
  remote_ids->forget_all_tokens();
  trace(present, trace::ConnectionStateUpdated{.state = trace::ConnectionState::closed});
}

}  // namespace quoll::quic
