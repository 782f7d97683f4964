// draft-ietf-quic-qlog-quic-events §5.5 to §5.12, §7.4.
#include <algorithm>

#include "qlog/event_members.h"
#include "qlog/qlog_sink.h"
#include "qlog/quic_frames.h"
#include "qlog/trace_names.h"

namespace quoll::qlog {

namespace trace = quic::trace;

namespace {

/// §1.2: every packet ends in a tag of 16 bytes.
constexpr size_t kTagSize = 16;

void write_token(JsonWriter& json, std::string_view type, Bytes token) {
  json.begin_object("token");
  write_text(json, "type", type);
  write_raw_length(json, token.size());
  json.end_object();
}

/// Members of a long header; an id of no bytes is told as such.
void write_long_header(JsonWriter& json, quic::Version version, Bytes destination, Bytes source) {
  json.key("version");
  write_version(json, version);
  json.member("scil", source.size());
  json.member("dcil", destination.size());
  json.member("scid", source);
  json.member("dcid", destination);
}

/// §8.8: a PacketHeader.
void write_header(JsonWriter& json, const trace::PacketHeader& header, size_t payload_size) {
  json.begin_object("header");
  json.member("packet_type", name_of(header.type));
  if (header.type == quic::PacketType::one_rtt) {
    json.member("spin_bit", header.spin_bit);
    json.member("key_phase_bit", header.key_phase);
  }
  if (header.number_size != 0) json.member("packet_number_length", header.number_size);
  json.member("packet_number", header.number);
  if (!header.token.empty()) write_token(json, {}, header.token);
  if (quic::has_long_header(header.type)) {
    if (header.number_size != 0) json.member("length", header.number_size + payload_size + kTagSize);
    write_long_header(json, header.version, header.destination, header.source);
  } else if (!header.destination.empty()) {
    json.member("dcid", header.destination);
  }
  json.end_object();
}

/// The header of a packet of which little is known.
void write_kind(JsonWriter& json, trace::PacketKind kind, std::optional<quic::PacketNumber> number, Bytes destination) {
  json.begin_object("header");
  json.member("packet_type", name_of(kind));
  if (number) json.member("packet_number", *number);
  if (!destination.empty()) json.member("dcid", destination);
  json.end_object();
}

void write_packet_size(JsonWriter& json, size_t size, size_t payload_size) {
  json.begin_object("raw");
  json.member("length", size);
  json.member("payload_length", payload_size);
  json.end_object();
}

void write_datagram_id(JsonWriter& json, uint64_t id) {
  if (id != 0) json.member("datagram_id", id);
}

/// Datagrams that are told of one train: far more than GSO and GRO put into one.
constexpr size_t kTrainMax = 1024;

/// How many datagrams a train has; none of them is larger than `segment`.
struct Train {
  size_t size, segment, count;
};
Train train_of(size_t size, uint16_t segment_size) {
  const size_t segment = segment_size == 0 ? size : segment_size;
  const size_t count = segment == 0 ? 1 : size / segment + (size % segment != 0);
  return {size, segment, std::clamp<size_t>(count, 1, kTrainMax)};
}

void write_train(JsonWriter& json, const Train& train, Ecn ecn) {
  json.member("count", train.count);
  json.begin_array("raw");
  for (size_t i = 0; i < train.count; i++) {
    json.begin_object();
    json.member("length", std::min(train.segment, train.size - i * train.segment));
    json.end_object();
  }
  json.end_array();
  json.begin_array("ecn");
  for (size_t i = 0; i < train.count; i++) json.value(name_of(ecn));
  json.end_array();
}

}  // namespace

void QlogSink::write_frames_member(JsonWriter& json, quic::PacketType type, quic::Role receiver, Bytes frames) const {
  const bool sent = receiver != role_;
  uint64_t exponent = quic::TransportParameters().ack_delay_exponent;
  // RFC 9000 §18.2: Initial and Handshake packets go by the default, since nobody knows the parameter yet.
  if (type == quic::PacketType::one_rtt) exponent = sent ? local_ack_delay_exponent_ : remote_ack_delay_exponent_;
  json.key("frames");
  write_frames(json, {.type = type, .receiver = receiver, .frames = frames}, exponent);
}

void QlogSink::write(Instant now, const trace::PacketSent& event) {
  Log::Event record(log_, now, "quic:packet_sent", event.path);
  JsonWriter& json = record.json();
  write_header(json, event.header, event.frames.size());
  write_frames_member(json, event.header.type, other(role_), event.frames);
  write_packet_size(json, event.size, event.frames.size());
  write_datagram_id(json, event.datagram_id);
  if (event.is_mtu_probe) json.member("is_mtu_probe_packet", true);
  write_text(json, "trigger", name_of(event.reason));
}

void QlogSink::write(Instant now, const trace::PacketReceived& event) {
  Log::Event record(log_, now, "quic:packet_received", event.path);
  JsonWriter& json = record.json();
  write_header(json, event.header, event.frames.size());
  write_frames_member(json, event.header.type, role_, event.frames);
  write_packet_size(json, event.size, event.frames.size());
  write_datagram_id(json, event.datagram_id);
  if (event.was_buffered) json.member("trigger", "keys_available");
}

void QlogSink::write(Instant now, const trace::RetryReceived& event) {
  Log::Event record(log_, now, "quic:packet_received");
  JsonWriter& json = record.json();
  json.begin_object("header");
  json.member("packet_type", "retry");
  write_token(json, "retry", event.token);
  write_long_header(json, event.version, event.destination, event.source);
  json.end_object();
  write_raw_length(json, event.size);
}

void QlogSink::write(Instant now, const trace::VersionNegotiationReceived& event) {
  Log::Event record(log_, now, "quic:packet_received");
  JsonWriter& json = record.json();
  json.begin_object("header");
  json.member("packet_type", "version_negotiation");
  write_long_header(json, quic::Version::negotiation, event.destination, event.source);
  json.end_object();
  if (event.versions.size() >= 4) {
    json.begin_array("supported_versions");
    for (size_t i = 0; i + 4 <= event.versions.size(); i += 4) json.value(event.versions.subspan(i, 4));
    json.end_array();
  }
  write_raw_length(json, event.size);
}

void QlogSink::write(Instant now, const trace::StatelessResetReceived& event) {
  Log::Event record(log_, now, "quic:packet_received");
  JsonWriter& json = record.json();
  write_kind(json, trace::PacketKind::stateless_reset, {}, {});
  // Used, it is no secret any more.
  if (event.token.size() == quic::kStatelessResetTokenSize) json.member("stateless_reset_token", event.token);
  write_raw_length(json, event.size);
}

void QlogSink::write(Instant now, const trace::PacketDropped& event) {
  Log::Event record(log_, now, "quic:packet_dropped");
  JsonWriter& json = record.json();
  write_kind(json, event.kind, event.number, event.destination);
  write_raw_length(json, event.size);
  write_datagram_id(json, event.datagram_id);
  json.begin_object("details");
  json.member("reason", name_of(event.reason));
  json.end_object();
  json.member("trigger", trigger_of(event.reason));
}

void QlogSink::write(Instant now, const trace::PacketBuffered& event) {
  Log::Event record(log_, now, "quic:packet_buffered");
  JsonWriter& json = record.json();
  write_kind(json, event.kind, {}, {});
  write_raw_length(json, event.size);
  write_datagram_id(json, event.datagram_id);
  json.member("trigger", name_of(event.reason));
}

void QlogSink::write(Instant now, const trace::PacketsAcked& event) {
  const uint64_t end = event.numbers.end;
  for (uint64_t next = event.numbers.start; next < end && !log_.is_closed();) {
    Log::Event record(log_, now, "quic:packets_acked");
    JsonWriter& json = record.json();
    json.member("packet_number_space", name_of(event.space));
    json.begin_array("packet_numbers");
    for (const uint64_t stop = next + std::min(kAckedNumbersMax, end - next); next < stop; next++) json.value(next);
    json.end_array();
  }
}

void QlogSink::write(Instant now, const trace::PacketLost& event) {
  Log::Event record(log_, now, "quic:packet_lost");
  JsonWriter& json = record.json();
  write_kind(json, trace::kind_of(event.type), event.number, {});
  if (event.is_mtu_probe) json.member("is_mtu_probe_packet", true);
  write_text(json, "trigger", name_of(event.reason));
}

void QlogSink::write(Instant now, const trace::DatagramsSent& event) {
  Log::Event record(log_, now, "quic:udp_datagrams_sent");
  write_train(record.json(), train_of(event.size, event.segment_size), event.ecn);
}

void QlogSink::write(Instant now, const trace::DatagramsReceived& event) {
  Log::Event record(log_, now, "quic:udp_datagrams_received");
  write_train(record.json(), train_of(event.size, event.segment_size), event.ecn);
}

void QlogSink::write(Instant now, const trace::DatagramDropped& event) {
  Log::Event record(log_, now, "quic:udp_datagram_dropped");
  write_raw_length(record.json(), event.size);
}

}  // namespace quoll::qlog
