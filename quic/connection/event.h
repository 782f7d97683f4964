// What a connection tells the application, as values to poll.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/net.h"
#include "base/result.h"
#include "quic/connection/config.h"
#include "quic/stream/stream_events.h"

namespace quoll::quic {

/// The handshake is complete (RFC 9001 §4.1.1): the peer is authenticated as the TLS configuration asks; Connection::tls()
/// has the details. Streams may be used; a server may have got early data before.
struct Connected {
  bool resumed = false;
  bool early_data_accepted = false;
  Version version = Version::v1;
};
/// Client: 0-RTT was offered and refused. What was sent on streams goes out again by itself, under the real limits.
struct EarlyDataRejected {};
/// The handshake is confirmed (RFC 9001 §4.1.2).
struct Confirmed {};
/// Client: a ticket or a token that makes the next connection faster.
struct ResumptionReceived {
  ResumptionState state;
};
/// A datagram waits (RFC 9221).
struct DatagramReceived {};
/// The connection goes on over another path.
struct Migrated {
  Path path;
};
/// Client: migrate() failed, the old path goes on.
struct MigrationFailed {
  Path path;
};
/// The connection is over for the application: nothing more comes. Its handle stays valid until the endpoint has drained it.
struct Closed {
  enum class Why : uint8_t {
    local,            // close() or an error that we found
    peer,             // CONNECTION_CLOSE
    stateless_reset,  // RFC 9000 §10.3
    idle_timeout,     // RFC 9000 §10.1
    handshake_timeout,
    no_viable_path,       // RFC 9000 §9.3.2: the last path failed
    version_negotiation,  // there is no version in common
  };
  Why why = Why::local;
  bool application = false;  // whose code it is
  uint64_t error_code = 0;
  uint64_t frame_type = 0;
  std::string reason;  // the peer's text, cut to a length; ours
};

using Event = std::variant<Connected, EarlyDataRejected, Confirmed, ResumptionReceived, StreamOpened, StreamReadable,
                           StreamWritable, StreamDelivered, StreamStopped, StreamReset, StreamsAvailable,
                           DatagramReceived, Migrated, MigrationFailed, Closed>;

}  // namespace quoll::quic
