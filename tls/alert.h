// Alerts (RFC 8446 §6.2). A failed handshake is an Error of ErrorDomain::tls whose code is the alert to send: QUIC
// closes with CRYPTO_ERROR 0x0100 + alert (RFC 9001 §4.8), a stream sends the alert record.
#pragma once

#include <string_view>

#include "base/result.h"
#include "tls/x509/failure.h"

namespace quoll::tls {

enum class Alert : uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  handshake_failure = 40,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_revoked = 44,
  certificate_expired = 45,
  certificate_unknown = 46,
  illegal_parameter = 47,
  unknown_ca = 48,
  access_denied = 49,
  decode_error = 50,
  decrypt_error = 51,
  protocol_version = 70,
  insufficient_security = 71,
  internal_error = 80,
  inappropriate_fallback = 86,
  user_canceled = 90,
  missing_extension = 109,
  unsupported_extension = 110,
  unrecognized_name = 112,
  bad_certificate_status_response = 113,
  unknown_psk_identity = 115,
  certificate_required = 116,
  general_error = 117,  // RFC 9846 §6.2
  no_application_protocol = 120,
  ech_required = 121,  // RFC 9849 §11.2
};

/// The registered name, such as "handshake_failure"; "unknown" for a number without one.
std::string_view alert_name(uint8_t code);

/// The alert that tells a peer why its certificate was refused (RFC 8446 §6.2).
Alert alert_for(x509::Failure failure);

/// An Error that stands for an alert to send.
inline std::unexpected<Error> abort_with(Alert alert, const char* reason) {
  return std::unexpected(Error{.domain = ErrorDomain::tls, .code = static_cast<uint64_t>(alert), .reason = reason});
}

/// Breaches for which RFC 9001 (§4.1.3, §4.4, §4.6.1, §8.4) wants no alert but QUIC's PROTOCOL_VIOLATION: an Error that QUIC closes
/// the connection with as it is.
inline std::unexpected<Error> quic_protocol_violation(const char* reason) {
  constexpr uint64_t kProtocolViolation = 0x0a, kCryptoFrame = 0x06;  // RFC 9000 §20.1, §19.6
  return std::unexpected(Error{
      .domain = ErrorDomain::transport, .code = kProtocolViolation, .frame_type = kCryptoFrame, .reason = reason});
}

}  // namespace quoll::tls
