// Parses a handshake message and writes it again, for unit tests, vectors and the fuzzer.
//
// Two rewritings are compared with the message. `rewrite in order` writes the fixed fields from the struct and every
// extension raw, in the order in which it came: the same bytes must come out. `rewrite from members` writes each
// extension that the struct has a member for from that member, in the order of the members, and only the rest raw: each
// extension must have the same bytes as before, the order apart.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/reader.h"
#include "tls/messages.h"

namespace quoll::tests {

using Buffer = std::vector<uint8_t>;

inline Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

template <class WriteFunction>
Buffer message_of(WriteFunction write) {
  Buffer out;
  tls::append_message(out, write);
  return out;
}

/// The extensions of a block that a parser has accepted.
inline std::vector<tls::RawExtension> extensions_of(Bytes block) {
  std::vector<tls::RawExtension> all;
  for (Reader reader(block); reader.remaining() > 0;) {
    const tls::ExtensionType type{reader.u16()};
    all.push_back({type, reader.prefixed_u16().rest()});
  }
  return all;
}

/// The extensions of a block, each as the text of its bytes, sorted: equal for two blocks that differ in order alone.
inline std::vector<std::string> sorted_extensions(Bytes block) {
  std::vector<std::string> all;
  for (Reader reader(block); reader.remaining() > 0;) {
    std::string each(as_text(reader.bytes(2)));
    each += as_text(reader.prefixed_u16().rest());
    all.push_back(std::move(each));
  }
  std::ranges::sort(all);
  return all;
}

// For each message with a block of extensions: how to parse and write it, its copy without members for extensions, and
// whether a member of it says all that an extension says.

struct ClientHelloCodec {
  static auto parse(Bytes body) { return tls::parse_client_hello(body); }
  template <Sink S>
  static void write(S& sink, const tls::ClientHello& hello, std::span<const tls::RawExtension> extra) {
    tls::write_client_hello(sink, hello, extra);
  }
  static tls::ClientHello without_extensions(const tls::ClientHello& hello) {
    tls::ClientHello bare;
    bare.legacy_version = hello.legacy_version;
    bare.random = hello.random;
    bare.legacy_session_id = hello.legacy_session_id;
    bare.cipher_suites = hello.cipher_suites;
    bare.legacy_compression_methods = hello.legacy_compression_methods;
    bare.has_extensions = hello.has_extensions;
    return bare;
  }
  static bool holds(const tls::RawExtension& extension) {
    switch (extension.type) {
      case tls::ExtensionType::status_request:  // asks for OCSP, of any responder, without extensions
        return std::ranges::equal(extension.data, Buffer{1, 0, 0, 0, 0});
      case tls::ExtensionType::server_name:
      case tls::ExtensionType::supported_groups:
      case tls::ExtensionType::signature_algorithms:
      case tls::ExtensionType::signature_algorithms_cert:
      case tls::ExtensionType::application_layer_protocol_negotiation:
      case tls::ExtensionType::supported_versions:
      case tls::ExtensionType::cookie:
      case tls::ExtensionType::psk_key_exchange_modes:
      case tls::ExtensionType::early_data:
      case tls::ExtensionType::post_handshake_auth:
      case tls::ExtensionType::certificate_authorities:
      case tls::ExtensionType::key_share:
      case tls::ExtensionType::quic_transport_parameters:
      case tls::ExtensionType::pre_shared_key:
        return true;
      default:
        return false;
    }
  }
  static void drop_what_is_raw(tls::ClientHello& hello, const tls::RawExtension& extension) {
    if (extension.type == tls::ExtensionType::status_request) hello.status_request = false;
  }
};

struct ServerHelloCodec {
  static auto parse(Bytes body) { return tls::parse_server_hello(body); }
  template <Sink S>
  static void write(S& sink, const tls::ServerHello& hello, std::span<const tls::RawExtension> extra) {
    tls::write_server_hello(sink, hello, extra);
  }
  static tls::ServerHello without_extensions(const tls::ServerHello& hello) {
    tls::ServerHello bare;
    bare.legacy_version = hello.legacy_version;
    bare.random = hello.random;
    bare.legacy_session_id_echo = hello.legacy_session_id_echo;
    bare.cipher_suite = hello.cipher_suite;
    bare.legacy_compression_method = hello.legacy_compression_method;
    bare.has_extensions = hello.has_extensions;
    return bare;
  }
  static bool holds(const tls::RawExtension& extension) {
    return extension.type == tls::ExtensionType::supported_versions ||
           extension.type == tls::ExtensionType::key_share || extension.type == tls::ExtensionType::pre_shared_key ||
           extension.type == tls::ExtensionType::cookie;
  }
  static void drop_what_is_raw(tls::ServerHello&, const tls::RawExtension&) {}
};

struct EncryptedExtensionsCodec {
  static auto parse(Bytes body) { return tls::parse_encrypted_extensions(body); }
  template <Sink S>
  static void write(S& sink, const tls::EncryptedExtensions& message, std::span<const tls::RawExtension> extra) {
    tls::write_encrypted_extensions(sink, message, extra);
  }
  static tls::EncryptedExtensions without_extensions(const tls::EncryptedExtensions&) { return {}; }
  static bool holds(const tls::RawExtension& extension) {
    return extension.type == tls::ExtensionType::server_name ||
           extension.type == tls::ExtensionType::supported_groups ||
           extension.type == tls::ExtensionType::application_layer_protocol_negotiation ||
           extension.type == tls::ExtensionType::early_data ||
           extension.type == tls::ExtensionType::quic_transport_parameters;
  }
  static void drop_what_is_raw(tls::EncryptedExtensions&, const tls::RawExtension&) {}
};

struct CertificateRequestCodec {
  static auto parse(Bytes body) { return tls::parse_certificate_request(body); }
  template <Sink S>
  static void write(S& sink, const tls::CertificateRequest& message, std::span<const tls::RawExtension> extra) {
    tls::write_certificate_request(sink, message, extra);
  }
  static tls::CertificateRequest without_extensions(const tls::CertificateRequest& message) {
    tls::CertificateRequest bare;
    bare.context = message.context;
    return bare;
  }
  static bool holds(const tls::RawExtension& extension) {
    return extension.type == tls::ExtensionType::signature_algorithms ||
           extension.type == tls::ExtensionType::signature_algorithms_cert ||
           extension.type == tls::ExtensionType::certificate_authorities ||
           extension.type == tls::ExtensionType::status_request;
  }
  static void drop_what_is_raw(tls::CertificateRequest&, const tls::RawExtension&) {}
};

struct NewSessionTicketCodec {
  static auto parse(Bytes body) { return tls::parse_new_session_ticket(body); }
  template <Sink S>
  static void write(S& sink, const tls::NewSessionTicket& message, std::span<const tls::RawExtension> extra) {
    tls::write_new_session_ticket(sink, message, extra);
  }
  static tls::NewSessionTicket without_extensions(const tls::NewSessionTicket& message) {
    tls::NewSessionTicket bare = message;
    bare.max_early_data_size.reset();
    return bare;
  }
  static bool holds(const tls::RawExtension& extension) { return extension.type == tls::ExtensionType::early_data; }
  static void drop_what_is_raw(tls::NewSessionTicket&, const tls::RawExtension&) {}
};

/// What a round trip came to.
struct RoundTrip {
  bool parsed = false;
  Error error{};          // when it did not parse
  std::string complaint;  // empty: written again as it was
};

template <class Codec>
RoundTrip round_trip_with_extensions(Bytes whole) {
  const auto parsed = Codec::parse(whole.subspan(tls::kHandshakeHeaderSize));
  if (!parsed) return {false, parsed.error(), {}};
  const std::vector<tls::RawExtension> all = extensions_of(parsed->extensions);

  const auto bare = Codec::without_extensions(*parsed);
  const Buffer in_order = message_of([&](auto& sink) { Codec::write(sink, bare, all); });
  if (!std::ranges::equal(in_order, whole)) return {true, {}, "other bytes when written in order"};

  auto message = *parsed;
  std::vector<tls::RawExtension> extra;
  for (const tls::RawExtension& each : all) {
    if (Codec::holds(each)) continue;
    Codec::drop_what_is_raw(message, each);
    extra.push_back(each);
  }
  const Buffer from_members = message_of([&](auto& sink) { Codec::write(sink, message, extra); });
  if (from_members.size() != whole.size()) return {true, {}, "another size when written from the members"};
  const auto again = Codec::parse(Bytes(from_members).subspan(tls::kHandshakeHeaderSize));
  if (!again) return {true, {}, "does not parse when written from the members"};
  if (sorted_extensions(again->extensions) != sorted_extensions(parsed->extensions)) {
    return {true, {}, "other extensions when written from the members"};
  }
  const auto bare_again = Codec::without_extensions(*again);
  if (message_of([&](auto& sink) { Codec::write(sink, bare_again, all); }) != in_order) {
    return {true, {}, "other fields when written from the members"};
  }
  return {true, {}, {}};
}

/// A Certificate message: entries have no place for extensions that are not known, so with such ones only the rest is
/// compared.
inline RoundTrip round_trip_certificate(Bytes whole) {
  const auto parsed = tls::parse_certificate(whole.subspan(tls::kHandshakeHeaderSize));
  if (!parsed) return {false, parsed.error(), {}};
  std::vector<tls::CertificateEntry> entries;
  bool is_complete = true;
  for (tls::CertificateMessage rest = *parsed; const auto entry = rest.next();) {
    is_complete &= !entry->has_unknown_extension;
    entries.push_back(*entry);
  }
  if (entries.size() != parsed->count) return {true, {}, "entries that were not counted"};
  const Buffer again = message_of([&](auto& sink) { tls::write_certificate(sink, parsed->context, entries); });
  if (is_complete && !std::ranges::equal(again, whole)) return {true, {}, "other bytes"};
  auto reparsed = tls::parse_certificate(Bytes(again).subspan(tls::kHandshakeHeaderSize));
  if (!reparsed || reparsed->count != parsed->count) return {true, {}, "other entries"};
  for (const tls::CertificateEntry& entry : entries) {
    const auto other = reparsed->next();
    const bool same =
        std::ranges::equal(other->certificate, entry.certificate) &&
        to_buffer(other->ocsp_response.value_or(Bytes())) == to_buffer(entry.ocsp_response.value_or(Bytes()));
    if (!same) return {true, {}, "another entry"};
  }
  return {true, {}, {}};
}

inline RoundTrip same_bytes(Bytes whole, const Buffer& again) {
  return {true, {}, std::ranges::equal(whole, again) ? "" : "other bytes"};
}

/// `whole` has a header whose length is right.
inline RoundTrip round_trip(Bytes whole) {
  const Bytes body = whole.subspan(tls::kHandshakeHeaderSize);
  switch (tls::HandshakeType{whole[0]}) {
    case tls::HandshakeType::client_hello:
      return round_trip_with_extensions<ClientHelloCodec>(whole);
    case tls::HandshakeType::server_hello:
      return round_trip_with_extensions<ServerHelloCodec>(whole);
    case tls::HandshakeType::encrypted_extensions:
      return round_trip_with_extensions<EncryptedExtensionsCodec>(whole);
    case tls::HandshakeType::certificate_request:
      return round_trip_with_extensions<CertificateRequestCodec>(whole);
    case tls::HandshakeType::new_session_ticket:
      return round_trip_with_extensions<NewSessionTicketCodec>(whole);
    case tls::HandshakeType::certificate:
      return round_trip_certificate(whole);
    case tls::HandshakeType::certificate_verify: {
      const auto parsed = tls::parse_certificate_verify(body);
      if (!parsed) return {false, parsed.error(), {}};
      return same_bytes(whole, message_of([&](auto& sink) { tls::write_certificate_verify(sink, *parsed); }));
    }
    case tls::HandshakeType::key_update: {
      const auto parsed = tls::parse_key_update(body);
      if (!parsed) return {false, parsed.error(), {}};
      return same_bytes(whole, message_of([&](auto& sink) { tls::write_key_update(sink, *parsed); }));
    }
    case tls::HandshakeType::finished:
      return same_bytes(whole, message_of([&](auto& sink) { tls::write_finished(sink, body); }));
    case tls::HandshakeType::end_of_early_data:
      return same_bytes(whole, message_of([&](auto& sink) { tls::write_end_of_early_data(sink); }));
    case tls::HandshakeType::message_hash:
      break;
  }
  return {false, {}, "a message of no known type"};
}

/// Whether the length in the header is the message's.
inline bool has_right_header(Bytes whole) {
  Reader reader(whole);
  reader.u8();
  reader.prefixed_u24();
  return reader.finished();
}

}  // namespace quoll::tests
