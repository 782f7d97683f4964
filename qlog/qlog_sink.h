// QlogSink: writes the transport's trace of one connection into a Log, as the events of draft-ietf-quic-qlog-quic-events
// (the namespace "quic").
//
// Names and members of events are the draft's. Beyond it there is "datagram_id" in packet events, which tells packets of
// one datagram as older drafts did; packet_dropped has our own reason in "details", which the draft provides for. Neither
// secrets nor the data of streams, tokens and unused reset tokens are written. Whatever a peer sends becomes valid JSON.
#pragma once

#include "qlog/log.h"
#include "quic/trace/event.h"

namespace quoll::qlog {

/// The packet numbers that one packets_acked event lists; more are written as further events.
inline constexpr uint64_t kAckedNumbersMax = 1024;

class QlogSink : public TraceSink<quic::TraceEvent> {
 public:
  /// The log outlives the sink; `role` is that of this endpoint.
  QlogSink(Log& log, quic::Role role) : log_(log), role_(role) {}

  void on_event(Instant now, const quic::TraceEvent& event) override;

 private:
  // Connectivity and security: connectivity_events.cc.
  void write(Instant now, const quic::trace::ConnectionStarted& event);
  void write(Instant now, const quic::trace::ConnectionStateUpdated& event);
  void write(Instant now, const quic::trace::ConnectionClosed& event);
  void write(Instant now, const quic::trace::ConnectionIdUpdated& event);
  void write(Instant now, const quic::trace::SpinBitUpdated& event);
  void write(Instant now, const quic::trace::PathAssigned& event);
  void write(Instant now, const quic::trace::MigrationStateUpdated& event);
  void write(Instant now, const quic::trace::MtuUpdated& event);
  void write(Instant now, const quic::trace::KeyUpdated& event);
  void write(Instant now, const quic::trace::KeyDiscarded& event);
  // Versions and parameters: parameter_events.cc.
  void write(Instant now, const quic::trace::VersionInformation& event);
  void write(Instant now, const quic::trace::AlpnInformation& event);
  void write(Instant now, const quic::trace::ParametersSet& event);
  void write(Instant now, const quic::trace::ParametersRestored& event);
  // Packets and datagrams: packet_events.cc.
  void write(Instant now, const quic::trace::PacketSent& event);
  void write(Instant now, const quic::trace::PacketReceived& event);
  void write(Instant now, const quic::trace::RetryReceived& event);
  void write(Instant now, const quic::trace::VersionNegotiationReceived& event);
  void write(Instant now, const quic::trace::StatelessResetReceived& event);
  void write(Instant now, const quic::trace::PacketDropped& event);
  void write(Instant now, const quic::trace::PacketBuffered& event);
  void write(Instant now, const quic::trace::PacketsAcked& event);
  void write(Instant now, const quic::trace::PacketLost& event);
  void write(Instant now, const quic::trace::DatagramsSent& event);
  void write(Instant now, const quic::trace::DatagramsReceived& event);
  void write(Instant now, const quic::trace::DatagramDropped& event);
  // Streams and what blocks them: stream_events.cc.
  void write(Instant now, const quic::trace::StreamStateUpdated& event);
  void write(Instant now, const quic::trace::StreamDataMoved& event);
  void write(Instant now, const quic::trace::DatagramDataMoved& event);
  void write(Instant now, const quic::trace::ConnectionBlockedUpdated& event);
  void write(Instant now, const quic::trace::StreamBlockedUpdated& event);
  void write(Instant now, const quic::trace::DatagramBlockedUpdated& event);
  // Recovery: recovery_events.cc.
  void write(Instant now, const quic::trace::RecoveryParametersSet& event);
  void write(Instant now, const quic::trace::MetricsUpdated& event);
  void write(Instant now, const quic::trace::CongestionStateUpdated& event);
  void write(Instant now, const quic::trace::TimerUpdated& event);
  void write(Instant now, const quic::trace::EcnStateUpdated& event);

  void write_frames_member(JsonWriter& json, quic::PacketType type, quic::Role receiver, Bytes frames) const;

  Log& log_;
  quic::Role role_;
  uint64_t local_ack_delay_exponent_ = quic::TransportParameters().ack_delay_exponent;
  uint64_t remote_ack_delay_exponent_ = quic::TransportParameters().ack_delay_exponent;
  quic::trace::MetricsUpdated metrics_{};  // as written last
  bool has_metrics_ = false;
};

}  // namespace quoll::qlog
