#include "capi/endpoint.h"
#include "tls/cipher_suite.h"

using namespace quoll;

int quoll_connection_close(quoll_endpoint* endpoint, quoll_connection connection, uint64_t now, uint64_t error_code,
                           const char* reason) {
  const std::optional<Instant> at = capi::instant_of(now);
  if (!at || !capi::is_varint(error_code)) return capi::invalid("a time and a code below 2^62 are wanted");
  return capi::with_connection(endpoint, connection, [&](quic::Connection& found) {
    found.close(*at, quic::ApplicationErrorCode{error_code}, reason ? reason : "");
    return QUOLL_OK;
  });
}

int quoll_connection_get_info(quoll_endpoint* endpoint, quoll_connection connection, quoll_connection_info* info) {
  if (!capi::is_struct(info)) return capi::invalid("an info with its struct_size is wanted");
  return capi::with_connection(endpoint, connection, [&](quic::Connection& found) {
    const tls::Negotiated& tls = found.tls();
    endpoint->info_protocol = tls.application_protocol;
    endpoint->info_server_name = tls.server_name;
    endpoint->info_cipher_suite = found.is_established() ? tls::name_of(tls.cipher_suite) : std::string_view();
    const quic::Statistics statistics = found.statistics();
    quoll_connection_info out{};
    out.local = capi::address_of(found.path().local);
    out.remote = capi::address_of(found.path().remote);
    out.is_server = found.role() == quic::Role::server;
    out.established = found.is_established();
    out.confirmed = found.is_confirmed();
    out.quic_version = static_cast<uint32_t>(found.version());
    out.protocol = endpoint->info_protocol.c_str();
    out.server_name = endpoint->info_server_name.c_str();
    out.cipher_suite = endpoint->info_cipher_suite.c_str();
    out.max_datagram_size = found.max_datagram_size().value_or(0);
    out.bytes_sent = statistics.bytes_sent;
    out.bytes_received = statistics.bytes_received;
    out.packets_sent = statistics.packets_sent;
    out.packets_received = statistics.packets_received;
    out.packets_lost = statistics.packets_lost;
    out.smoothed_rtt = static_cast<uint64_t>(statistics.smoothed_rtt.as_nanoseconds());
    out.min_rtt = static_cast<uint64_t>(statistics.min_rtt.as_nanoseconds());
    out.congestion_window = statistics.congestion_window;
    out.bytes_in_flight = statistics.bytes_in_flight;
    out.delivery_rate = statistics.delivery_rate.as_bytes_per_second();
    out.mtu = statistics.mtu;
    if (const x509::Certificate* certificate = found.peer_certificate()) {
      out.peer_certificate = certificate->der().data();
      out.peer_certificate_size = certificate->der().size();
    }
    capi::write_struct(info, out);
    return QUOLL_OK;
  });
}

int quoll_connection_migrate(quoll_endpoint* endpoint, quoll_connection connection, uint64_t now,
                             const quoll_address* local) {
  const std::optional<Instant> at = capi::instant_of(now);
  const auto address = local ? capi::address_of(*local) : std::nullopt;
  if (!at || !address) return capi::invalid("a time and a local address are wanted");
  return capi::with_connection(endpoint, connection, [&](quic::Connection& found) {
    const Result<void> begun = found.migrate(*at, *address);
    return begun ? QUOLL_OK : capi::fail(begun.error());
  });
}

int quoll_connection_export_key(quoll_endpoint* endpoint, quoll_connection connection, const char* label,
                                const uint8_t* context, size_t context_size, uint8_t* key, size_t key_size) {
  if (!label || !key || (context_size > 0 && !context))
    return capi::invalid("a label and memory for the key are wanted");
  return capi::with_connection(endpoint, connection, [&](quic::Connection& found) {
    const Bytes bound = context_size > 0 ? Bytes(context, context_size) : Bytes();
    const Result<void> exported = found.export_keying_material(label, bound, MutBytes(key, key_size));
    return exported ? QUOLL_OK : capi::fail(exported.error());
  });
}

int quoll_datagram_send(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, const void* data,
                        size_t size) {
  if (size > 0 && !data) return capi::invalid("no data");
  const Bytes bytes = size > 0 ? Bytes(static_cast<const uint8_t*>(data), size) : Bytes();
  const auto sent = [](const Result<bool>& result) {
    if (!result) return capi::fail(result.error());
    return *result ? int{QUOLL_OK} : capi::fail(QUOLL_E_AGAIN, "the queue of datagrams is full");
  };
  const auto check = [&](std::optional<size_t> max) {
    if (!max) return capi::fail(QUOLL_E_STATE, "the peer takes no datagrams");
    return size <= *max ? int{QUOLL_OK} : capi::fail(QUOLL_E_SIZE, "larger than a datagram may be now");
  };
  if (endpoint && endpoint->setup.http3) {
    return capi::with_session(endpoint, connection, [&](h3::Session& session) {
      const int status = check(session.max_datagram_size(stream));
      return status == QUOLL_OK ? sent(session.send_datagram(stream, bytes)) : status;
    });
  }
  return capi::with_connection(endpoint, connection, [&](quic::Connection& found) {
    const int status = check(found.max_datagram_size());
    return status == QUOLL_OK ? sent(found.send_datagram(Slice::copy_of(bytes))) : status;
  });
}

int quoll_datagram_receive(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, void* data,
                           size_t capacity, size_t* size) {
  if (!size || (capacity > 0 && !data)) return capi::invalid("memory and a place for the size are wanted");
  *size = 0;
  const auto give = [&](const std::optional<Slice>& datagram) {
    if (!datagram) return capi::fail(QUOLL_E_AGAIN, "no datagram waits");
    if (datagram->size() > capacity) return capi::fail(QUOLL_E_SIZE, "the datagram was larger, and is dropped");
    if (!datagram->empty()) std::memcpy(data, datagram->data(), datagram->size());
    *size = datagram->size();
    return int{QUOLL_OK};
  };
  if (endpoint && endpoint->setup.http3) {
    return capi::with_session(endpoint, connection,
                              [&](h3::Session& session) { return give(session.receive_datagram(stream)); });
  }
  return capi::with_connection(endpoint, connection,
                               [&](quic::Connection& found) { return give(found.receive_datagram()); });
}
