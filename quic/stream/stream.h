// Stream: one stream as Streams keeps it: its parts, the queues that it is in, and what the application is to hear.
//
// A part is freed as soon as it is over and the application knows; the stream is forgotten when both are gone and no
// event waits. So a stream that only receives, or whose request is read, costs no send buffer.
#pragma once

#include <memory>

#include "quic/stream/receive_stream.h"
#include "quic/stream/scheduler.h"
#include "quic/stream/send_stream.h"

namespace quoll::quic {

/// Events that wait for poll_event(), as bits.
enum class StreamNews : uint8_t {
  opened = 1,
  stopped = 2,
  reset = 4,
  readable = 8,
  writable = 16,
  delivered = 32,
};

struct ControlTag;
struct NewsTag;

struct Stream : SchedulerEntry, ListHook<ControlTag>, ListHook<NewsTag> {
  using SchedulerEntry::SchedulerEntry;

  bool has(StreamNews kind) const { return (news & static_cast<uint8_t>(kind)) != 0; }
  void set(StreamNews kind) { news |= static_cast<uint8_t>(kind); }
  void clear(StreamNews kind) { news &= static_cast<uint8_t>(~static_cast<uint8_t>(kind)); }

  std::unique_ptr<SendStream> send;        // null: there is none, or it is over
  std::unique_ptr<ReceiveStream> receive;  // likewise
  uint64_t unsent_counted = 0;             // bytes of `send` that Streams has counted as unsent
  uint8_t news = 0;
  bool readable_told = false;  // and no read has come back empty since
  /// What a trace knows: states as trace::StreamState, 0 (idle) for nothing.
  struct {
    uint8_t sending = 0, receiving = 0;
    bool blocked = false;
  } told;
};

using ControlQueue = IntrusiveList<Stream, ControlTag>;  // streams with frames other than STREAM to send
using NewsQueue = IntrusiveList<Stream, NewsTag>;        // streams with events to tell

}  // namespace quoll::quic
