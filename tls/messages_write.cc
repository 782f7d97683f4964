// Writing handshake messages (RFC 8446 §4): what the structs hold, in the order of their members.
#include "tls/messages.h"

namespace quoll::tls {
namespace {

template <Sink S>
void vector_u8(S& sink, Bytes bytes) {
  const LengthPrefix prefix(sink, Prefix::u8);
  sink.bytes(bytes);
}

template <Sink S>
void vector_u16(S& sink, Bytes bytes) {
  const LengthPrefix prefix(sink, Prefix::u16);
  sink.bytes(bytes);
}

template <Sink S>
void vector_u24(S& sink, Bytes bytes) {
  const LengthPrefix prefix(sink, Prefix::u24);
  sink.bytes(bytes);
}

template <Sink S, class Body>
void message(S& sink, HandshakeType type, Body body) {
  sink.u8(static_cast<uint8_t>(type));
  const LengthPrefix prefix(sink, Prefix::u24);
  body();
}

template <Sink S, class Contents>
void extension(S& sink, ExtensionType type, Contents contents) {
  sink.u16(static_cast<uint16_t>(type));
  const LengthPrefix prefix(sink, Prefix::u16);
  contents();
}

/// An extension without contents, where it is set.
template <Sink S>
void flag(S& sink, ExtensionType type, bool is_set) {
  if (is_set) extension(sink, type, [] {});
}

/// An extension whose contents are one list or one string behind a 16-bit length, where there is one.
template <Sink S>
void list(S& sink, ExtensionType type, const std::optional<Bytes>& contents) {
  if (contents) extension(sink, type, [&] { vector_u16(sink, *contents); });
}

template <Sink S, class List>
  requires requires(const List& of_codes) { of_codes.raw(); }
void list(S& sink, ExtensionType type, const std::optional<List>& contents) {
  if (contents) extension(sink, type, [&] { vector_u16(sink, contents->raw()); });
}

template <Sink S>
void raw(S& sink, ExtensionType type, const std::optional<Bytes>& contents) {
  if (contents) extension(sink, type, [&] { sink.bytes(*contents); });
}

template <Sink S>
void raw_extensions(S& sink, std::span<const RawExtension> extensions) {
  for (const RawExtension& each : extensions) extension(sink, each.type, [&] { sink.bytes(each.data); });
}

template <Sink S>
void server_name(S& sink, Bytes name) {
  extension(sink, ExtensionType::server_name, [&] {
    const LengthPrefix names(sink, Prefix::u16);
    sink.u8(0);  // host_name
    vector_u16(sink, name);
  });
}

/// CertificateStatusRequest (RFC 6066 §8): OCSP, of any responder.
template <Sink S>
void status_request(S& sink) {
  extension(sink, ExtensionType::status_request, [&] {
    sink.u8(1);
    vector_u16(sink, {});
    vector_u16(sink, {});
  });
}

template <Sink S>
void client_hello_extensions(S& sink, const ClientHello& hello, std::span<const RawExtension> extra) {
  const LengthPrefix prefix(sink, Prefix::u16);
  if (hello.server_name) server_name(sink, *hello.server_name);
  if (hello.status_request) status_request(sink);
  list(sink, ExtensionType::supported_groups, hello.supported_groups);
  list(sink, ExtensionType::signature_algorithms, hello.signature_algorithms);
  list(sink, ExtensionType::signature_algorithms_cert, hello.signature_algorithms_cert);
  list(sink, ExtensionType::application_layer_protocol_negotiation, hello.application_protocols);
  if (hello.supported_versions) {
    extension(sink, ExtensionType::supported_versions, [&] { vector_u8(sink, hello.supported_versions->raw()); });
  }
  list(sink, ExtensionType::cookie, hello.cookie);
  if (hello.psk_key_exchange_modes) {
    extension(sink, ExtensionType::psk_key_exchange_modes, [&] { vector_u8(sink, *hello.psk_key_exchange_modes); });
  }
  flag(sink, ExtensionType::early_data, hello.early_data);
  flag(sink, ExtensionType::post_handshake_auth, hello.post_handshake_auth);
  list(sink, ExtensionType::certificate_authorities, hello.certificate_authorities);
  list(sink, ExtensionType::key_share, hello.key_shares);
  raw(sink, ExtensionType::quic_transport_parameters, hello.quic_transport_parameters);
  raw_extensions(sink, extra);
  if (hello.pre_shared_key) {
    extension(sink, ExtensionType::pre_shared_key, [&] {
      vector_u16(sink, hello.pre_shared_key->identities);
      vector_u16(sink, hello.pre_shared_key->binders);
    });
  }
}

}  // namespace

template <Sink S>
void write_client_hello(S& sink, const ClientHello& hello, std::span<const RawExtension> extra) {
  message(sink, HandshakeType::client_hello, [&] {
    sink.u16(hello.legacy_version);
    sink.bytes(hello.random);
    vector_u8(sink, hello.legacy_session_id);
    vector_u16(sink, hello.cipher_suites.raw());
    vector_u8(sink, hello.legacy_compression_methods);
    if (hello.has_extensions) client_hello_extensions(sink, hello, extra);
  });
}

template <Sink S>
void write_server_hello(S& sink, const ServerHello& hello, std::span<const RawExtension> extra) {
  message(sink, HandshakeType::server_hello, [&] {
    sink.u16(hello.legacy_version);
    sink.bytes(hello.random);
    vector_u8(sink, hello.legacy_session_id_echo);
    sink.u16(static_cast<uint16_t>(hello.cipher_suite));
    sink.u8(hello.legacy_compression_method);
    if (!hello.has_extensions) return;
    const LengthPrefix prefix(sink, Prefix::u16);
    if (hello.supported_version) {
      extension(sink, ExtensionType::supported_versions, [&] { sink.u16(*hello.supported_version); });
    }
    if (hello.key_share) {
      extension(sink, ExtensionType::key_share, [&] {
        sink.u16(static_cast<uint16_t>(hello.key_share->group));
        vector_u16(sink, hello.key_share->key_exchange);
      });
    }
    if (hello.selected_group) {
      extension(sink, ExtensionType::key_share, [&] { sink.u16(static_cast<uint16_t>(*hello.selected_group)); });
    }
    if (hello.pre_shared_key) {
      extension(sink, ExtensionType::pre_shared_key, [&] { sink.u16(*hello.pre_shared_key); });
    }
    list(sink, ExtensionType::cookie, hello.cookie);
    raw_extensions(sink, extra);
  });
}

template <Sink S>
void write_encrypted_extensions(S& sink, const EncryptedExtensions& extensions, std::span<const RawExtension> extra) {
  message(sink, HandshakeType::encrypted_extensions, [&] {
    const LengthPrefix prefix(sink, Prefix::u16);
    flag(sink, ExtensionType::server_name, extensions.server_name);
    list(sink, ExtensionType::supported_groups, extensions.supported_groups);
    if (extensions.application_protocol) {
      extension(sink, ExtensionType::application_layer_protocol_negotiation, [&] {
        const LengthPrefix names(sink, Prefix::u16);
        vector_u8(sink, *extensions.application_protocol);
      });
    }
    flag(sink, ExtensionType::early_data, extensions.early_data);
    raw(sink, ExtensionType::quic_transport_parameters, extensions.quic_transport_parameters);
    raw_extensions(sink, extra);
  });
}

template <Sink S>
void write_certificate_request(S& sink, const CertificateRequest& request, std::span<const RawExtension> extra) {
  message(sink, HandshakeType::certificate_request, [&] {
    vector_u8(sink, request.context);
    const LengthPrefix prefix(sink, Prefix::u16);
    list(sink, ExtensionType::signature_algorithms, request.signature_algorithms);
    list(sink, ExtensionType::signature_algorithms_cert, request.signature_algorithms_cert);
    list(sink, ExtensionType::certificate_authorities, request.certificate_authorities);
    flag(sink, ExtensionType::status_request, request.status_request);
    raw_extensions(sink, extra);
  });
}

template <Sink S>
void write_certificate(S& sink, Bytes context, std::span<const CertificateEntry> entries) {
  message(sink, HandshakeType::certificate, [&] {
    vector_u8(sink, context);
    const LengthPrefix prefix(sink, Prefix::u24);
    for (const CertificateEntry& entry : entries) {
      vector_u24(sink, entry.certificate);
      const LengthPrefix extensions(sink, Prefix::u16);
      if (!entry.ocsp_response) continue;
      extension(sink, ExtensionType::status_request, [&] {
        sink.u8(1);  // ocsp
        vector_u24(sink, *entry.ocsp_response);
      });
    }
  });
}

template <Sink S>
void write_certificate_verify(S& sink, const CertificateVerify& verify) {
  message(sink, HandshakeType::certificate_verify, [&] {
    sink.u16(static_cast<uint16_t>(verify.scheme));
    vector_u16(sink, verify.signature);
  });
}

template <Sink S>
void write_finished(S& sink, Bytes verify_data) {
  message(sink, HandshakeType::finished, [&] { sink.bytes(verify_data); });
}

template <Sink S>
void write_new_session_ticket(S& sink, const NewSessionTicket& ticket, std::span<const RawExtension> extra) {
  message(sink, HandshakeType::new_session_ticket, [&] {
    sink.u32(ticket.lifetime_seconds);
    sink.u32(ticket.age_add);
    vector_u8(sink, ticket.nonce);
    vector_u16(sink, ticket.ticket);
    const LengthPrefix prefix(sink, Prefix::u16);
    if (ticket.max_early_data_size) {
      extension(sink, ExtensionType::early_data, [&] { sink.u32(*ticket.max_early_data_size); });
    }
    raw_extensions(sink, extra);
  });
}

template <Sink S>
void write_key_update(S& sink, bool request_update) {
  message(sink, HandshakeType::key_update, [&] { sink.u8(request_update ? 1 : 0); });
}

template <Sink S>
void write_end_of_early_data(S& sink) {
  message(sink, HandshakeType::end_of_early_data, [] {});
}

using Extra = std::span<const RawExtension>;
template void write_client_hello(Writer&, const ClientHello&, Extra);
template void write_client_hello(Counter&, const ClientHello&, Extra);
template void write_server_hello(Writer&, const ServerHello&, Extra);
template void write_server_hello(Counter&, const ServerHello&, Extra);
template void write_encrypted_extensions(Writer&, const EncryptedExtensions&, Extra);
template void write_encrypted_extensions(Counter&, const EncryptedExtensions&, Extra);
template void write_certificate_request(Writer&, const CertificateRequest&, Extra);
template void write_certificate_request(Counter&, const CertificateRequest&, Extra);
template void write_certificate(Writer&, Bytes, std::span<const CertificateEntry>);
template void write_certificate(Counter&, Bytes, std::span<const CertificateEntry>);
template void write_certificate_verify(Writer&, const CertificateVerify&);
template void write_certificate_verify(Counter&, const CertificateVerify&);
template void write_finished(Writer&, Bytes);
template void write_finished(Counter&, Bytes);
template void write_new_session_ticket(Writer&, const NewSessionTicket&, Extra);
template void write_new_session_ticket(Counter&, const NewSessionTicket&, Extra);
template void write_key_update(Writer&, bool);
template void write_key_update(Counter&, bool);
template void write_end_of_early_data(Writer&);
template void write_end_of_early_data(Counter&);

}  // namespace quoll::tls
