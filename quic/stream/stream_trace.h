// StreamTrace: what streams report to a trace: their states (RFC 9000 §3), where their data goes, and when flow control
// holds them back (§4.1). With nobody who listens, each report costs one branch.
#pragma once

#include "quic/stream/stream.h"
#include "quic/trace/event.h"

namespace quoll::quic {

class StreamTrace {
 public:
  /// Reports to nobody.
  StreamTrace() = default;
  /// `now`: the present, kept by the connection, which outlives this.
  StreamTrace(Trace<TraceEvent> trace, const Instant& now) : trace_(trace), now_(&now) {}

  /// What of the stream's states is new since the last call. To be called before a part is freed.
  void states(Stream& stream) const {
    if (trace_) [[unlikely]]
      tell_states(stream);
  }
  void moved(trace::StreamDataMoved event) const {
    if (trace_) [[unlikely]]
      trace_(*now_, event);
  }

 private:
  void tell_states(Stream& stream) const;
  void tell(StreamId id, trace::StreamPart part, uint8_t& told, trace::StreamState state) const;

  Trace<TraceEvent> trace_;
  const Instant* now_ = nullptr;
};

}  // namespace quoll::quic
