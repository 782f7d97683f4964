// Parsing the messages of a server, and those of an authenticating client, which are the same (RFC 8446 §4.1.3 to §4.6).
#include <algorithm>

#include "tls/extension_reader.h"
#include "tls/messages.h"

namespace quoll::tls {
namespace {

constexpr size_t kSessionIdMax = 32;

Result<void> read_extension(ServerHello& hello, ExtensionType type, Reader& contents) {
  switch (type) {
    case ExtensionType::supported_versions:
      hello.supported_version = contents.u16();
      break;
    case ExtensionType::key_share:
      if (hello.is_hello_retry_request()) {
        hello.selected_group = NamedGroup{contents.u16()};
      } else {
        const NamedGroup group{contents.u16()};
        const Bytes key_exchange = contents.prefixed_u16().rest();
        if (key_exchange.empty()) contents.fail();
        hello.key_share = KeyShareEntry{group, key_exchange};
      }
      break;
    case ExtensionType::pre_shared_key:
      hello.pre_shared_key = contents.u16();
      break;
    case ExtensionType::cookie:
      hello.cookie = contents.prefixed_u16().rest();
      if (hello.cookie->empty()) contents.fail();
      break;
    default:
      hello.has_unknown_extension = true;
      skip_rest(contents);
  }
  return {};
}

Result<void> read_extension(EncryptedExtensions& message, ExtensionType type, Reader& contents) {
  switch (type) {
    case ExtensionType::server_name:
      message.server_name = true;
      break;
    case ExtensionType::supported_groups:
      message.supported_groups.emplace(read_code_list(contents));
      break;
    case ExtensionType::application_layer_protocol_negotiation: {
      // RFC 7301 §3.1: the server's list has exactly one name.
      ProtocolNameList names(read_protocol_names(contents));
      if (!contents.ok()) break;
      message.application_protocol = names.next();
      if (names.next()) contents.fail();
      break;
    }
    case ExtensionType::early_data:
      message.early_data = true;
      break;
    case ExtensionType::quic_transport_parameters:
      message.quic_transport_parameters = contents.rest();
      skip_rest(contents);
      break;
    default:
      message.has_unknown_extension = true;
      skip_rest(contents);
  }
  return {};
}

Result<void> read_extension(CertificateRequest& message, ExtensionType type, Reader& contents) {
  switch (type) {
    case ExtensionType::signature_algorithms:
      message.signature_algorithms.emplace(read_code_list(contents));
      break;
    case ExtensionType::signature_algorithms_cert:
      message.signature_algorithms_cert.emplace(read_code_list(contents));
      break;
    case ExtensionType::certificate_authorities:
      message.certificate_authorities = read_certificate_authorities(contents);
      break;
    case ExtensionType::status_request:  // RFC 8446 §4.4.2.1: empty
      message.status_request = true;
      break;
    default:  // RFC 8446 §4.3.2: unknown ones are ignored
      skip_rest(contents);
  }
  return {};
}

Result<void> read_extension(CertificateEntry& entry, ExtensionType type, Reader& contents) {
  if (type == ExtensionType::status_request) {
    // RFC 8446 §4.4.2.1: a CertificateStatus (RFC 6066 §8), of the type that was asked for.
    constexpr uint8_t kOcsp = 1;
    const uint8_t status_type = contents.u8();
    entry.ocsp_response = contents.prefixed_u24().rest();
    if (status_type != kOcsp || entry.ocsp_response->empty()) contents.fail();
  } else {
    entry.has_unknown_extension = true;
    skip_rest(contents);
  }
  return {};
}

/// The next CertificateEntry of a list.
Result<CertificateEntry> read_certificate_entry(Reader& list) {
  CertificateEntry entry;
  entry.certificate = list.prefixed_u24().rest();
  const Reader block = list.prefixed_u16();
  if (!list.ok() || entry.certificate.empty()) return decode_error("a malformed entry of a Certificate message");
  const Result<void> read = read_extensions(block, kInCertificate, [&](ExtensionType type, Reader& contents) {
    return read_extension(entry, type, contents);
  });
  if (!read) return std::unexpected(read.error());
  return entry;
}

}  // namespace

Result<ServerHello> parse_server_hello(Bytes body) {
  ServerHello hello;
  Reader reader(body);
  hello.legacy_version = reader.u16();
  std::ranges::copy(reader.bytes(kRandomSize), hello.random.begin());
  hello.legacy_session_id_echo = reader.prefixed_u8().rest();
  hello.cipher_suite = CipherSuite{reader.u16()};
  hello.legacy_compression_method = reader.u8();
  if (!reader.ok()) return decode_error("a ServerHello that is cut short");
  if (hello.legacy_session_id_echo.size() > kSessionIdMax) return decode_error("a session id of over 32 bytes");
  hello.has_extensions = reader.remaining() > 0;
  if (!hello.has_extensions) return hello;  // of TLS 1.2; that supported_version is missing says so

  const Reader block = reader.prefixed_u16();
  if (!reader.finished()) return decode_error("a ServerHello whose extensions do not end with it");
  hello.extensions = block.rest();
  const Place place = hello.is_hello_retry_request() ? kInHelloRetryRequest : kInServerHello;
  const Result<WalkedExtensions> walked = walk_extensions(
      block, place, [&](ExtensionType type, Reader& contents) { return read_extension(hello, type, contents); });
  if (!walked) return std::unexpected(walked.error());
  // A ServerHello of TLS 1.2 answers everything here, and is to be refused for its version.
  if (walked->has_misplaced && hello.supported_version) {
    return abort_with(Alert::illegal_parameter, "an extension that does not belong into a ServerHello");
  }
  return hello;
}

Result<EncryptedExtensions> parse_encrypted_extensions(Bytes body) {
  EncryptedExtensions message;
  Reader reader(body);
  const Reader block = reader.prefixed_u16();
  if (!reader.finished()) return decode_error("malformed EncryptedExtensions");
  message.extensions = block.rest();
  const Result<void> read = read_extensions(block, kInEncryptedExtensions, [&](ExtensionType type, Reader& contents) {
    return read_extension(message, type, contents);
  });
  if (!read) return std::unexpected(read.error());
  return message;
}

Result<CertificateRequest> parse_certificate_request(Bytes body) {
  CertificateRequest message;
  Reader reader(body);
  message.context = reader.prefixed_u8().rest();
  const Reader block = reader.prefixed_u16();
  if (!reader.finished()) return decode_error("a malformed CertificateRequest");
  message.extensions = block.rest();
  const Result<void> read = read_extensions(block, kInCertificateRequest, [&](ExtensionType type, Reader& contents) {
    return read_extension(message, type, contents);
  });
  if (!read) return std::unexpected(read.error());
  return message;
}

Result<CertificateMessage> parse_certificate(Bytes body) {
  CertificateMessage message;
  Reader reader(body);
  message.context = reader.prefixed_u8().rest();
  Reader list = reader.prefixed_u24();
  if (!reader.finished()) return decode_error("a malformed Certificate message");
  message.entries = list.rest();
  while (list.remaining() > 0) {
    if (const Result<CertificateEntry> entry = read_certificate_entry(list); !entry) {
      return std::unexpected(entry.error());
    }
    message.count++;
  }
  return message;
}

std::optional<CertificateEntry> CertificateMessage::next() {
  if (entries.empty()) return std::nullopt;
  Reader list(entries);
  const Result<CertificateEntry> entry = read_certificate_entry(list);
  QUOLL_CHECK(entry.has_value());  // parse_certificate() has seen it
  entries = list.rest();
  return *entry;
}

Result<CertificateVerify> parse_certificate_verify(Bytes body) {
  CertificateVerify message;
  Reader reader(body);
  message.scheme = SignatureScheme{reader.u16()};
  message.signature = reader.prefixed_u16().rest();
  if (!reader.finished()) return decode_error("a malformed CertificateVerify");
  return message;
}

Result<NewSessionTicket> parse_new_session_ticket(Bytes body) {
  NewSessionTicket message;
  Reader reader(body);
  message.lifetime_seconds = reader.u32();
  message.age_add = reader.u32();
  message.nonce = reader.prefixed_u8().rest();
  message.ticket = reader.prefixed_u16().rest();
  const Reader block = reader.prefixed_u16();
  if (!reader.finished() || message.ticket.empty()) return decode_error("a malformed NewSessionTicket");
  message.extensions = block.rest();
  const Result<void> read =
      read_extensions(block, kInNewSessionTicket, [&](ExtensionType type, Reader& contents) -> Result<void> {
        if (type == ExtensionType::early_data) {
          message.max_early_data_size = contents.u32();
        } else {
          skip_rest(contents);  // RFC 8446 §4.6.1: unknown ones are ignored
        }
        return {};
      });
  if (!read) return std::unexpected(read.error());
  return message;
}

Result<bool> parse_key_update(Bytes body) {
  if (body.size() != 1) return decode_error("a malformed KeyUpdate");
  if (body[0] > 1)
    return abort_with(Alert::illegal_parameter, "a KeyUpdate with an unknown request");  // RFC 8446 §4.6.3
  return body[0] == 1;
}

}  // namespace quoll::tls
