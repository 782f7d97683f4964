// Parsing a ClientHello (RFC 8446 §4.1.2). Clients of TLS 1.2 send one, too, and are to be told protocol_version: so what
// TLS 1.2 allows is no error here.
#include <algorithm>

#include "tls/extension_reader.h"
#include "tls/messages.h"

namespace quoll::tls {
namespace {

constexpr size_t kSessionIdMax = 32;
constexpr size_t kHostNameMax = 255;  // RFC 1035 §2.3.4
constexpr size_t kBinderMin = 32;

/// Letters, digits and hyphens, as DNS host names have them; besides, what is seen in names all the same: underscores,
/// and the colons of IP literals. Which names are acceptable is not decided here.
bool is_name_character(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == ':';
}

/// ServerNameList (RFC 6066 §3): there is one type of name, and a list has at most one of a type, so exactly one.
Bytes read_server_name(Reader& contents) {
  constexpr uint8_t kHostName = 0;
  Reader list = contents.prefixed_u16();
  const uint8_t type = list.u8();
  const Bytes name = list.prefixed_u16().rest();
  const bool is_name = !name.empty() && name.size() <= kHostNameMax && std::ranges::all_of(name, is_name_character);
  if (!list.finished() || type != kHostName || !is_name) contents.fail();
  return name;
}

/// CertificateStatusRequest (RFC 6066 §8): whether it is for OCSP; requests of other types are none that we know.
bool read_status_request(Reader& contents) {
  constexpr uint8_t kOcsp = 1;
  if (contents.u8() != kOcsp) {
    skip_rest(contents);
    return false;
  }
  Reader responders = contents.prefixed_u16();
  while (responders.remaining() > 0) {
    if (responders.prefixed_u16().remaining() == 0) responders.fail();
  }
  contents.prefixed_u16();  // request_extensions
  if (!responders.ok()) contents.fail();
  return true;
}

Bytes read_supported_versions(Reader& contents) {
  const Bytes versions = contents.prefixed_u8().rest();
  if (versions.empty() || versions.size() % 2 != 0) contents.fail();
  return versions;
}

/// KeyShareClientHello (RFC 8446 §4.2.8). The list may be empty, which asks for a HelloRetryRequest.
Result<Bytes> read_key_shares(Reader& contents) {
  Reader list = contents.prefixed_u16();
  const Bytes whole = list.rest();
  CodePointSet groups;
  while (list.remaining() > 0) {
    const uint16_t group = list.u16();
    if (list.prefixed_u16().remaining() == 0) list.fail();
    if (!list.ok()) break;
    if (!groups.insert(group)) return abort_with(Alert::illegal_parameter, "two key shares of one group");
  }
  if (!list.ok()) contents.fail();
  return whole;
}

/// OfferedPsks (RFC 8446 §4.2.11). `contents` lies in `body`.
Result<PskOffer> read_offered_psks(Reader& contents, Bytes body) {
  PskOffer offer;
  Reader identities = contents.prefixed_u16();
  offer.identities = identities.rest();
  while (identities.remaining() > 0) {
    if (identities.prefixed_u16().remaining() == 0) identities.fail();
    identities.u32();
    offer.count++;
  }
  offer.binders_offset = static_cast<size_t>(contents.rest().data() - body.data());
  Reader binders = contents.prefixed_u16();
  offer.binders = binders.rest();
  size_t binder_count = 0;
  while (binders.remaining() > 0) {
    if (binders.prefixed_u8().remaining() < kBinderMin) binders.fail();
    binder_count++;
  }
  const bool is_empty = offer.identities.empty() || offer.binders.empty();
  if (is_empty || !identities.ok() || !binders.ok()) {
    contents.fail();
  } else if (binder_count != offer.count) {
    return abort_with(Alert::illegal_parameter, "not as many binders as identities");
  }
  return offer;
}

Result<void> read_extension(ClientHello& hello, ExtensionType type, Reader& contents, Bytes body) {
  switch (type) {
    case ExtensionType::server_name:
      hello.server_name = read_server_name(contents);
      break;
    case ExtensionType::status_request:
      hello.status_request = read_status_request(contents);
      break;
    case ExtensionType::supported_groups:
      hello.supported_groups.emplace(read_code_list(contents));
      break;
    case ExtensionType::signature_algorithms:
      hello.signature_algorithms.emplace(read_code_list(contents));
      break;
    case ExtensionType::signature_algorithms_cert:
      hello.signature_algorithms_cert.emplace(read_code_list(contents));
      break;
    case ExtensionType::application_layer_protocol_negotiation:
      hello.application_protocols.emplace(read_protocol_names(contents));
      break;
    case ExtensionType::supported_versions:
      hello.supported_versions.emplace(read_supported_versions(contents));
      break;
    case ExtensionType::cookie:
      hello.cookie = contents.prefixed_u16().rest();
      if (hello.cookie->empty()) contents.fail();
      break;
    case ExtensionType::psk_key_exchange_modes:
      hello.psk_key_exchange_modes = contents.prefixed_u8().rest();
      if (hello.psk_key_exchange_modes->empty()) contents.fail();
      break;
    case ExtensionType::early_data:
      hello.early_data = true;
      break;
    case ExtensionType::post_handshake_auth:
      hello.post_handshake_auth = true;
      break;
    case ExtensionType::certificate_authorities:
      hello.certificate_authorities = read_certificate_authorities(contents);
      break;
    case ExtensionType::key_share: {
      const Result<Bytes> shares = read_key_shares(contents);
      if (!shares) return std::unexpected(shares.error());
      hello.key_shares.emplace(*shares);
      break;
    }
    case ExtensionType::quic_transport_parameters:
      hello.quic_transport_parameters = contents.rest();
      skip_rest(contents);
      break;
    case ExtensionType::pre_shared_key: {
      const bool is_last = contents.rest().data() + contents.remaining() == body.data() + body.size();
      if (!is_last) return abort_with(Alert::illegal_parameter, "pre_shared_key is not the last extension");
      const Result<PskOffer> offer = read_offered_psks(contents, body);
      if (!offer) return std::unexpected(offer.error());
      hello.pre_shared_key = *offer;
      break;
    }
    default:
      skip_rest(contents);
  }
  return {};
}

}  // namespace

Result<ClientHello> parse_client_hello(Bytes body) {
  ClientHello hello;
  Reader reader(body);
  hello.legacy_version = reader.u16();
  std::ranges::copy(reader.bytes(kRandomSize), hello.random.begin());
  hello.legacy_session_id = reader.prefixed_u8().rest();
  const Bytes suites = reader.prefixed_u16().rest();
  hello.cipher_suites = CodeList<CipherSuite>(suites);
  hello.legacy_compression_methods = reader.prefixed_u8().rest();
  if (!reader.ok()) return decode_error("a ClientHello that is cut short");
  if (hello.legacy_session_id.size() > kSessionIdMax) return decode_error("a session id of over 32 bytes");
  if (suites.empty() || suites.size() % 2 != 0) return decode_error("a malformed list of cipher suites");
  if (hello.legacy_compression_methods.empty()) return decode_error("a ClientHello without compression methods");

  hello.has_extensions = reader.remaining() > 0;
  if (!hello.has_extensions) return hello;
  const Reader block = reader.prefixed_u16();
  if (!reader.finished()) return decode_error("a ClientHello whose extensions do not end with it");
  hello.extensions = block.rest();
  const Result<void> read = read_extensions(block, kInClientHello, [&](ExtensionType type, Reader& contents) {
    return read_extension(hello, type, contents, body);
  });
  if (!read) return std::unexpected(read.error());
  return hello;
}

}  // namespace quoll::tls
