// What both roles of tls_peer do in the same way: data to send, exporters, the options that they share.
#pragma once

#include <set>
#include <string_view>

#include "tests/tls/peer/connection.h"

namespace quoll::tls::peer {

/// The options of both roles, and those of one.
std::set<std::string_view> with_shared_options(std::set<std::string_view> own);

StreamOptions stream_options(const Arguments& arguments);
std::chrono::seconds time_limit(const Arguments& arguments);

/// --send and --send-size.
std::vector<uint8_t> data_to_send(const Arguments& arguments);

/// --export, once the handshake is complete.
void report_export(const Arguments& arguments, const Stream& stream);

}  // namespace quoll::tls::peer
