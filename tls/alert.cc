#include "tls/alert.h"

namespace quoll::tls {

std::string_view alert_name(uint8_t code) {
  switch (static_cast<Alert>(code)) {
    case Alert::close_notify:
      return "close_notify";
    case Alert::unexpected_message:
      return "unexpected_message";
    case Alert::bad_record_mac:
      return "bad_record_mac";
    case Alert::record_overflow:
      return "record_overflow";
    case Alert::handshake_failure:
      return "handshake_failure";
    case Alert::bad_certificate:
      return "bad_certificate";
    case Alert::unsupported_certificate:
      return "unsupported_certificate";
    case Alert::certificate_revoked:
      return "certificate_revoked";
    case Alert::certificate_expired:
      return "certificate_expired";
    case Alert::certificate_unknown:
      return "certificate_unknown";
    case Alert::illegal_parameter:
      return "illegal_parameter";
    case Alert::unknown_ca:
      return "unknown_ca";
    case Alert::access_denied:
      return "access_denied";
    case Alert::decode_error:
      return "decode_error";
    case Alert::decrypt_error:
      return "decrypt_error";
    case Alert::protocol_version:
      return "protocol_version";
    case Alert::insufficient_security:
      return "insufficient_security";
    case Alert::internal_error:
      return "internal_error";
    case Alert::inappropriate_fallback:
      return "inappropriate_fallback";
    case Alert::user_canceled:
      return "user_canceled";
    case Alert::missing_extension:
      return "missing_extension";
    case Alert::unsupported_extension:
      return "unsupported_extension";
    case Alert::unrecognized_name:
      return "unrecognized_name";
    case Alert::bad_certificate_status_response:
      return "bad_certificate_status_response";
    case Alert::unknown_psk_identity:
      return "unknown_psk_identity";
    case Alert::certificate_required:
      return "certificate_required";
    case Alert::general_error:
      return "general_error";
    case Alert::no_application_protocol:
      return "no_application_protocol";
    case Alert::ech_required:
      return "ech_required";
  }
  return "unknown";
}

Alert alert_for(x509::Failure failure) {
  switch (failure) {
    case x509::Failure::malformed:
    case x509::Failure::limit:
    case x509::Failure::weak:           // RFC 8446 §4.4.2.4: MD5 and SHA-1
    case x509::Failure::bad_signature:  // RFC 8446 §6.2: "contained signatures that did not verify correctly"
    case x509::Failure::name_constraint:
    case x509::Failure::name_mismatch:
    case x509::Failure::pin_mismatch:
      return Alert::bad_certificate;
    case x509::Failure::unsupported:
    case x509::Failure::wrong_usage:
    case x509::Failure::critical_extension:
      return Alert::unsupported_certificate;
    // A path ends at an issuer that may not be one: what is left leads to no authority.
    case x509::Failure::unknown_issuer:
    case x509::Failure::not_a_ca:
    case x509::Failure::path_too_long:
      return Alert::unknown_ca;
    case x509::Failure::not_yet_valid:  // RFC 8446 §6.2: "has expired or is not currently valid"
    case x509::Failure::expired:
      return Alert::certificate_expired;
    case x509::Failure::policy:
      return Alert::certificate_unknown;
    case x509::Failure::no_certificate:
      return Alert::certificate_required;
  }
  return Alert::certificate_unknown;
}

}  // namespace quoll::tls
