// What streams tell the application, as values (RFC 9000 §2, §3). Each kind of news is told once until the application
// has reacted to it, so that the number of events that wait is bounded by the number of streams.
#pragma once

#include <variant>

#include "quic/wire/error_code.h"
#include "quic/wire/types.h"

namespace quoll::quic {

/// The peer opened a stream: there will be StreamReadable for it.
struct StreamOpened {
  StreamId stream_id;
};
/// There is something to read: bytes, or the end. Told again after a read has come back empty, so read until it does.
struct StreamReadable {
  StreamId stream_id;
};
/// There is room again after a write that was cut short.
struct StreamWritable {
  StreamId stream_id;
};
/// All that was written, and the end, has arrived at the peer: the stream's sending part is done.
struct StreamDelivered {
  StreamId stream_id;
};
/// The peer wants no more (STOP_SENDING). The sending part was reset with that code already (RFC 9000 §3.5).
struct StreamStopped {
  StreamId stream_id;
  ApplicationErrorCode error;
};
/// The peer gave the stream up (RESET_STREAM); what had arrived is dropped. By this, or by the Error of read(), the
/// application knows: the receiving part is over. Not told of streams that we have stopped.
struct StreamReset {
  StreamId stream_id;
  ApplicationErrorCode error;
};
/// More streams may be opened, after open() was refused.
struct StreamsAvailable {
  bool unidirectional = false;
};

using StreamEvent = std::variant<StreamOpened, StreamReadable, StreamWritable, StreamDelivered, StreamStopped,
                                 StreamReset, StreamsAvailable>;

}  // namespace quoll::quic
