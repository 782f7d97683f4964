#include "app/failure_exit.h"

#include "tls/alert.h"

namespace quoll::app {
namespace {

/// An alert that says what is wrong with a certificate, ours or the server's (RFC 8446 §6.2).
bool is_about_certificates(uint64_t alert) {
  switch (static_cast<tls::Alert>(alert)) {
    case tls::Alert::bad_certificate:
    case tls::Alert::unsupported_certificate:
    case tls::Alert::certificate_revoked:
    case tls::Alert::certificate_expired:
    case tls::Alert::certificate_unknown:
    case tls::Alert::unknown_ca:
    case tls::Alert::bad_certificate_status_response:
      return true;
    default:
      return false;
  }
}

}  // namespace

GetExit exit_for(const web::Failure& failure, const ServerJudge::Finding* finding, bool sending) {
  switch (failure.kind) {
    case web::FailureKind::resolve:
      return GetExit::resolve;
    case web::FailureKind::connect:
      return GetExit::connect;
    case web::FailureKind::tls:
      if (finding && finding->failure) {
        return *finding->failure == x509::Failure::pin_mismatch ? GetExit::pin_mismatch : GetExit::certificate;
      }
      return is_about_certificates(failure.code) ? GetExit::certificate : GetExit::tls;
    case web::FailureKind::connection:
      if (failure.application) return GetExit::http3;
      return sending ? GetExit::send_error : GetExit::receive_error;
    case web::FailureKind::stream:
      return GetExit::http3;
    case web::FailureKind::timeout:
      return GetExit::timeout;
    case web::FailureKind::body:
      return GetExit::read_error;
    case web::FailureKind::cancelled:
      return GetExit::interrupted;
  }
  return GetExit::receive_error;
}

}  // namespace quoll::app
