// The peer's control stream (RFC 9114 §6.2.1, §7.2).
#include "h3/state.h"

namespace quoll::h3 {

void Session::State::take_control(Slice data) {
  while (is_open()) {
    if (!in_control_frame) {
      const std::optional<FrameHeader> header = control_frames.read_header(data);
      if (!header) return;
      if (!begin_control_frame(*header)) return;
    }
    Slice part = control_frames.take_payload(data);
    const bool known = !name_of(control_frame.type).empty();
    const bool whole = control_frames.payload_left() == 0;
    if (whole) in_control_frame = false;
    if (known && whole && control_payload.empty()) {
      on_control_frame(control_frame.type, part.bytes());
    } else if (known) {
      control_payload.insert(control_payload.end(), part.bytes().begin(), part.bytes().end());
      if (whole) on_control_frame(control_frame.type, std::exchange(control_payload, {}));
    }
    if (!whole) return;
  }
}

bool Session::State::begin_control_frame(const FrameHeader& header) {
  control_frame = header;
  in_control_frame = true;
  // RFC 9114 §6.2.1: SETTINGS before anything else, and be it of an unknown type.
  if (!check(check_settings_first(header.type, std::exchange(control_is_new, false)))) return false;
  if (!check(check_frame(header.type, StreamKind::control, role)) || !check(check_length(header))) return false;
  if (name_of(header.type).empty()) {
    statistics.unknown_frames++;
    count_useless();
  } else if (header.length > kControlPayloadMax) {
    fail(ErrorCode::excessive_load, "a large frame on the control stream");
  }
  return is_open();
}

void Session::State::on_control_frame(FrameType type, Bytes payload) {
  switch (type) {
    case FrameType::settings:
      return on_settings(payload);
    case FrameType::goaway:
      return on_goaway(payload);
    case FrameType::cancel_push:
    case FrameType::max_push_id: {
      const Result<uint64_t> id = parse_id(payload);
      if (!id) return fail(id.error());
      return type == FrameType::cancel_push ? on_cancel_push(*id) : on_max_push_id(*id);
    }
    case FrameType::priority_update_request:
    case FrameType::priority_update_push:
      return on_priority_update(type, payload);
    case FrameType::data:
    case FrameType::headers:
    case FrameType::push_promise:
      return;  // check_frame() lets none through
  }
}

void Session::State::on_settings(Bytes payload) {
  const Result<Settings> settings = Settings::parse(payload);
  if (!settings) return fail(settings.error());
  // RFC 9114 §7.2.4.2: what a server said before is what we have gone by, if it took our early data.
  if (options.remembered && !early_data_rejected && !check(check_compatible(*options.remembered, *settings))) return;
  peer_settings = *settings;
  if (encoder_stream.stream) use_peer_table();
  tell(SettingsReceived{.settings = *settings});
}

/// The peer's dynamic table may be filled: not before there is a stream to fill it by. In 0-RTT it is left alone: if early
/// data is refused, what was sent is sent again to a server whose table may be another.
void Session::State::use_peer_table() {
  encoder.set_peer_settings(peer_settings->qpack_max_table_capacity, peer_settings->qpack_blocked_streams);
}

}  // namespace quoll::h3
