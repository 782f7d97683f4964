// What a Session tells the application, as values to poll.
#pragma once

#include <cstdint>
#include <variant>

#include "h3/settings.h"
#include "http/field_section.h"
#include "http/priority.h"

namespace quoll::h3 {

/// The peer's SETTINGS came.
struct SettingsReceived {
  Settings settings;
};
/// Server: the head of a request, checked (RFC 9114 §4.3.1). Its body comes by BodyReadable.
struct RequestReceived {
  uint64_t stream = 0;
  http::FieldSection fields;
  bool has_body = true;  // false: the stream ended with the head
};
/// Client: an interim response (1xx).
struct InformationReceived {
  uint64_t stream = 0;
  unsigned status = 0;
  http::FieldSection fields;
};
/// Client: the head of the final response, to a request or of a push stream.
struct ResponseReceived {
  uint64_t stream = 0;
  unsigned status = 0;
  http::FieldSection fields;
  bool has_body = true;
};
/// There may be something to read with read_body(): bytes, or the end. Told again after read_body() has come back empty.
struct BodyReadable {
  uint64_t stream = 0;
};
/// Trailers, after the whole body was read and before its end is told.
struct TrailersReceived {
  uint64_t stream = 0;
  http::FieldSection fields;
};
/// There is room again after write_body() took less than it was given.
struct BodyWritable {
  uint64_t stream = 0;
};
/// The peer gave its message up (RESET_STREAM), or it was malformed and we gave it up (RFC 9114 §4.1.2): nothing more of
/// it comes.
struct MessageAborted {
  uint64_t stream = 0;
  uint64_t code = 0;
  bool by_peer = true;
};
/// The peer wants no more of our message (STOP_SENDING): what is written is dropped.
struct SendingStopped {
  uint64_t stream = 0;
  uint64_t code = 0;
};
/// Both messages of the stream are over and it is forgotten; the last event of it. `delivered`: all that we sent arrived.
struct ExchangeClosed {
  uint64_t stream = 0;
  bool delivered = false;
};
/// Client: the server promises to push the response to this request (RFC 9114 §4.6). May be told for several requests.
struct PushPromised {
  uint64_t stream = 0;  // of the request whose response it belongs to
  uint64_t push_id = 0;
  http::FieldSection request;
};
/// Client: the push stream of a promise; its response follows under this stream's number.
struct PushStarted {
  uint64_t push_id = 0;
  uint64_t stream = 0;
};
/// The peer gave a push up (CANCEL_PUSH).
struct PushCancelled {
  uint64_t push_id = 0;
};
/// The peer ends: requests from this stream on (client), or pushes from this id on (server), are not processed.
struct GoawayReceived {
  uint64_t id = 0;
};
/// Server: the client's wish for a response (RFC 9218 §7); applied already.
struct PriorityUpdated {
  uint64_t stream = 0;
  http::Priority priority;
};
/// A datagram of this request waits (RFC 9297 §2).
struct DatagramReceived {
  uint64_t stream = 0;
};
/// request() may be called again after it was refused for want of streams.
struct RequestsAvailable {};
/// We found an error of the peer's and closed the connection (RFC 9114 §8).
struct SessionFailed {
  uint64_t code = 0;
  const char* reason = "";
};

using Event = std::variant<SettingsReceived, RequestReceived, InformationReceived, ResponseReceived, BodyReadable,
                           TrailersReceived, BodyWritable, MessageAborted, SendingStopped, ExchangeClosed, PushPromised,
                           PushStarted, PushCancelled, GoawayReceived, PriorityUpdated, DatagramReceived,
                           RequestsAvailable, SessionFailed>;

}  // namespace quoll::h3
