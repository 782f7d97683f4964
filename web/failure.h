// What a person is told when a request fails: kind, code and one line of text, from how a connection or a stream ended.
#pragma once

#include <string>

#include "base/address.h"
#include "quic/connection/event.h"
#include "web/client.h"

namespace quoll::web {

/// `server`: as the person named it; `established`: the handshake had been complete.
Failure failure_of(const quic::Closed& closed, const std::string& server, bool established);
/// The stream ended before its response did, `by_peer`, or because the response was malformed, or its fields too many.
Failure stream_failure(uint64_t code, bool by_peer);
/// "H3_NO_ERROR (0x100)", "0x12345".
std::string code_name(uint64_t code);

}  // namespace quoll::web
