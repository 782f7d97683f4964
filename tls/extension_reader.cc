#include "tls/extension_reader.h"

namespace quoll::tls {

uint8_t places_of(ExtensionType type) {
  switch (type) {
    case ExtensionType::server_name:
      // RFC 9846 §4.3 adds the CertificateRequest, for RFC 9261.
      return kInClientHello | kInEncryptedExtensions | kInCertificateRequest;
    case ExtensionType::max_fragment_length:
    case ExtensionType::supported_groups:
    case ExtensionType::use_srtp:
    case ExtensionType::heartbeat:
    case ExtensionType::application_layer_protocol_negotiation:
    case ExtensionType::client_certificate_type:
    case ExtensionType::server_certificate_type:
    case ExtensionType::record_size_limit:
    case ExtensionType::quic_transport_parameters:
      return kInClientHello | kInEncryptedExtensions;
    case ExtensionType::status_request:
    case ExtensionType::signed_certificate_timestamp:
      return kInClientHello | kInCertificateRequest | kInCertificate;
    case ExtensionType::signature_algorithms:
    case ExtensionType::signature_algorithms_cert:
    case ExtensionType::certificate_authorities:
    case ExtensionType::compress_certificate:
      return kInClientHello | kInCertificateRequest;
    case ExtensionType::padding:
    case ExtensionType::psk_key_exchange_modes:
    case ExtensionType::post_handshake_auth:
      return kInClientHello;
    case ExtensionType::pre_shared_key:
      return kInClientHello | kInServerHello;
    case ExtensionType::early_data:
      return kInClientHello | kInEncryptedExtensions | kInNewSessionTicket;
    case ExtensionType::supported_versions:
    case ExtensionType::key_share:
      return kInClientHello | kInServerHello | kInHelloRetryRequest;
    case ExtensionType::cookie:
      return kInClientHello | kInHelloRetryRequest;
    case ExtensionType::oid_filters:
      return kInCertificateRequest;
    case ExtensionType::encrypted_client_hello:
      return kInClientHello | kInHelloRetryRequest | kInEncryptedExtensions;
  }
  return 0;
}

bool CodePointSet::insert(uint16_t value) {
  if (value < 64) {
    const uint64_t bit = uint64_t{1} << value;
    const bool is_new = (low_ & bit) == 0;
    low_ |= bit;
    return is_new;
  }
  if (others_ >= kListed) return insert_in_all(value);
  for (size_t i = 0; i < others_; i++) {
    if (listed_[i] == value) return false;
  }
  listed_[others_++] = value;
  return true;
}

bool CodePointSet::insert_in_all(uint16_t value) {
  if (others_ == kListed) {
    all_.fill(0);
    for (const uint16_t known : listed_) all_[known / 64] |= uint64_t{1} << known % 64;
  }
  uint64_t& word = all_[value / 64];
  const uint64_t bit = uint64_t{1} << value % 64;
  if ((word & bit) != 0) return false;
  word |= bit;
  others_++;
  return true;
}

Bytes read_code_list(Reader& contents) {
  const Bytes list = contents.prefixed_u16().rest();
  if (list.empty() || list.size() % 2 != 0) contents.fail();
  return list;
}

Bytes read_certificate_authorities(Reader& contents) {
  Reader list = contents.prefixed_u16();
  const Bytes whole = list.rest();
  while (list.remaining() > 0) {
    if (list.prefixed_u16().remaining() == 0) list.fail();
  }
  if (whole.empty() || !list.ok()) contents.fail();
  return whole;
}

Bytes read_protocol_names(Reader& contents) {
  Reader list = contents.prefixed_u16();
  const Bytes whole = list.rest();
  while (list.remaining() > 0) {
    if (list.prefixed_u8().remaining() == 0) list.fail();
  }
  if (whole.empty() || !list.ok()) contents.fail();
  return whole;
}

}  // namespace quoll::tls
