#include "qlog/quic_frames.h"

#include <algorithm>

#include "qlog/event_members.h"

namespace quoll::qlog {
namespace {

using namespace quic;

/// An AckDelay in the units of the frame, as a duration that no exponent makes overflow.
Duration ack_delay_of(uint64_t encoded, uint64_t exponent) {
  const uint64_t shift = std::min(exponent, kAckDelayExponentMax);
  const uint64_t microseconds = encoded > (uint64_t{INT64_MAX} >> shift) ? INT64_MAX : encoded << shift;
  return Duration::microseconds(static_cast<int64_t>(microseconds));
}

class FrameWriter {
 public:
  FrameWriter(JsonWriter& json, uint64_t ack_delay_exponent) : json_(json), exponent_(ack_delay_exponent) {}

  Result<void> on_frame(const PaddingFrame& frame) {
    begin("padding");
    // §8.13.1: one frame for a run of them.
    json_.begin_object("raw");
    json_.member("length", uint64_t{frame.size});
    json_.member("payload_length", uint64_t{frame.size});
    json_.end_object();
    return end();
  }
  Result<void> on_frame(const PingFrame&) {
    begin("ping");
    return end();
  }
  Result<void> on_frame(const AckFrame& frame) {
    begin("ack");
    json_.member("ack_delay", ack_delay_of(frame.ack_delay, exponent_));
    json_.begin_array("acked_ranges");
    for (const Interval range : frame.ranges) write_range(range);
    json_.end_array();
    if (frame.ecn) {
      json_.member("ect1", frame.ecn->ect1);
      json_.member("ect0", frame.ecn->ect0);
      json_.member("ce", frame.ecn->ce);
    }
    return end();
  }
  Result<void> on_frame(const ResetStreamFrame& frame) {
    begin("reset_stream");
    json_.member("stream_id", frame.stream_id.value());
    write_application_error(json_, "error", frame.application_error_code);
    json_.member("final_size", frame.final_size);
    return end();
  }
  Result<void> on_frame(const StopSendingFrame& frame) {
    begin("stop_sending");
    json_.member("stream_id", frame.stream_id.value());
    write_application_error(json_, "error", frame.application_error_code);
    return end();
  }
  Result<void> on_frame(const CryptoFrame& frame) {
    begin("crypto");
    json_.member("offset", frame.offset);
    raw_length(frame.data);
    return end();
  }
  Result<void> on_frame(const NewTokenFrame& frame) {
    begin("new_token");
    json_.begin_object("token");
    json_.member("type", "resumption");
    raw_length(frame.token);
    json_.end_object();
    return end();
  }
  Result<void> on_frame(const StreamFrame& frame) {
    begin("stream");
    json_.member("stream_id", frame.stream_id.value());
    json_.member("offset", frame.offset);
    if (frame.fin) json_.member("fin", true);
    raw_length(frame.data);
    return end();
  }
  Result<void> on_frame(const MaxDataFrame& frame) {
    begin("max_data");
    json_.member("maximum", frame.maximum_data);
    return end();
  }
  Result<void> on_frame(const MaxStreamDataFrame& frame) {
    begin("max_stream_data");
    json_.member("stream_id", frame.stream_id.value());
    json_.member("maximum", frame.maximum_stream_data);
    return end();
  }
  Result<void> on_frame(const MaxStreamsFrame& frame) {
    begin("max_streams");
    stream_type(frame.unidirectional);
    json_.member("maximum", frame.maximum_streams);
    return end();
  }
  Result<void> on_frame(const DataBlockedFrame& frame) {
    begin("data_blocked");
    json_.member("limit", frame.maximum_data);
    return end();
  }
  Result<void> on_frame(const StreamDataBlockedFrame& frame) {
    begin("stream_data_blocked");
    json_.member("stream_id", frame.stream_id.value());
    json_.member("limit", frame.maximum_stream_data);
    return end();
  }
  Result<void> on_frame(const StreamsBlockedFrame& frame) {
    begin("streams_blocked");
    stream_type(frame.unidirectional);
    json_.member("limit", frame.maximum_streams);
    return end();
  }
  Result<void> on_frame(const NewConnectionIdFrame& frame) {
    begin("new_connection_id");
    json_.member("sequence_number", frame.sequence_number);
    json_.member("retire_prior_to", frame.retire_prior_to);
    json_.member("connection_id_length", uint64_t{frame.connection_id.size()});
    json_.member("connection_id", frame.connection_id.bytes());
    return end();
  }
  Result<void> on_frame(const RetireConnectionIdFrame& frame) {
    begin("retire_connection_id");
    json_.member("sequence_number", frame.sequence_number);
    return end();
  }
  Result<void> on_frame(const PathChallengeFrame& frame) {
    begin("path_challenge");
    json_.member("data", Bytes(frame.data));
    return end();
  }
  Result<void> on_frame(const PathResponseFrame& frame) {
    begin("path_response");
    json_.member("data", Bytes(frame.data));
    return end();
  }
  Result<void> on_frame(const ConnectionCloseFrame& frame) {
    begin("connection_close");
    json_.member("error_space", frame.application ? "application" : "transport");
    if (frame.application) {
      write_application_error(json_, "error", frame.error_code);
    } else {
      write_transport_error(json_, "error", frame.error_code);
    }
    if (!frame.reason_phrase.empty()) {
      write_foreign_text(json_, "reason", "reason_bytes", as_text(frame.reason_phrase));
    }
    // RFC 9000 §19.19: 0 when the type of the frame is not known.
    if (!frame.application && frame.frame_type != 0) write_trigger(FrameType{frame.frame_type});
    return end();
  }
  Result<void> on_frame(const HandshakeDoneFrame&) {
    begin("handshake_done");
    return end();
  }
  Result<void> on_frame(const DatagramFrame& frame) {
    begin("datagram");
    raw_length(frame.data);
    return end();
  }

  void unknown(uint64_t type) {
    begin("unknown");
    json_.member("frame_type_bytes", type);
    (void)end();
  }

 private:
  void begin(std::string_view type) {
    json_.begin_object();
    json_.member("frame_type", type);
  }
  Result<void> end() {
    json_.end_object();
    return {};
  }
  /// §8.13.7, §8.13.9, §8.13.23: the value of the frame's length field goes to raw.length.
  void raw_length(Bytes data) {
    json_.begin_object("raw");
    json_.member("length", uint64_t{data.size()});
    json_.end_object();
  }
  void stream_type(bool unidirectional) {
    json_.member("stream_type", unidirectional ? "unidirectional" : "bidirectional");
  }
  /// §8.13.3: a single number stands for itself.
  void write_range(Interval range) {
    json_.begin_array();
    json_.value(range.start);
    if (range.size() > 1) json_.value(range.end - 1);
    json_.end_array();
  }
  void write_trigger(FrameType type) {
    if (traits_of(type).known) {
      json_.member("trigger_frame_type", frame_type_name(type));
    } else {
      json_.member("trigger_frame_type", static_cast<uint64_t>(type));
    }
  }

  JsonWriter& json_;
  uint64_t exponent_;
};

}  // namespace

void write_frames(JsonWriter& json, const PlainPayload& payload, uint64_t ack_delay_exponent) {
  json.begin_array();
  if (!payload.frames.empty()) {
    FrameWriter writer(json, ack_delay_exponent);
    if (const auto parsed = parse_frames(payload, writer); !parsed) writer.unknown(parsed.error().frame_type);
  }
  json.end_array();
}

}  // namespace quoll::qlog
