// Members that several events of qlog_sink.h share.
#pragma once

#include <string>

#include "qlog/json_writer.h"
#include "qlog/quic_names.h"
#include "quic/trace/event.h"

namespace quoll::qlog {

/// A text that is left out when it is empty.
inline void write_text(JsonWriter& json, std::string_view member, std::string_view text) {
  if (!text.empty()) json.member(member, text);
}

/// RawInfo with the length alone.
inline void write_raw_length(JsonWriter& json, uint64_t length) {
  json.begin_object("raw");
  json.member("length", length);
  json.end_object();
}

/// Members of one address: ip_v4 and port_v4, or those of version 6; none without an address.
inline void write_address(JsonWriter& json, const SocketAddress& address) {
  switch (address.ip.family()) {
    case IpAddress::Family::none:
      break;
    case IpAddress::Family::ipv4:
      json.member("ip_v4", address.ip.to_string());
      json.member("port_v4", address.port);
      break;
    case IpAddress::Family::ipv6:
      json.member("ip_v6", address.ip.to_string());
      json.member("port_v6", address.port);
      break;
  }
}

/// §4.7 and §7.2 of the main schema: the tuple of the handshake is the empty text.
inline std::string tuple_id_of(quic::trace::PathNumber number) {
  return number == 0 ? std::string() : std::to_string(number);
}

/// A text that a peer chose: as text if it is UTF-8, as a hexstring if not (§5.2, §8.13.20).
inline void write_foreign_text(JsonWriter& json, std::string_view text_member, std::string_view bytes_member,
                               std::string_view text) {
  if (is_utf8(text)) {
    json.member(text_member, text);
  } else {
    json.member(bytes_member, as_bytes(text));
  }
}

/// §8.5: a TupleEndpointInfo.
inline void write_endpoint(JsonWriter& json, std::string_view member, const SocketAddress& address, Bytes id) {
  json.begin_object(member);
  write_address(json, address);
  if (!id.empty()) {
    json.begin_array("connection_ids");
    json.value(id);
    json.end_array();
  }
  json.end_object();
}

}  // namespace quoll::qlog
