#include "app/failure_exit.h"

#include "tls/alert.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

using web::FailureKind;

GetExit exit_of(FailureKind kind, uint64_t code = 0, bool application = false, bool sending = false) {
  return exit_for({.kind = kind, .code = code, .application = application, .text = {}}, nullptr, sending);
}

}  // namespace

TEST_SUITE("app/failure_exit") {
  TEST_CASE("each way to fail has curl's number") {
    CHECK(exit_of(FailureKind::resolve) == GetExit::resolve);
    CHECK(exit_of(FailureKind::connect) == GetExit::connect);
    CHECK(exit_of(FailureKind::timeout) == GetExit::timeout);
    CHECK(exit_of(FailureKind::body) == GetExit::read_error);
    CHECK(exit_of(FailureKind::stream) == GetExit::http3);
    CHECK(exit_of(FailureKind::connection, 0x100, true) == GetExit::http3);
    CHECK(exit_of(FailureKind::connection, 1, false, true) == GetExit::send_error);
    CHECK(exit_of(FailureKind::connection, 1, false, false) == GetExit::receive_error);
    CHECK(exit_of(FailureKind::cancelled) == GetExit::interrupted);
  }

  TEST_CASE("a handshake that fails for a certificate is told from one that fails otherwise") {
    CHECK(exit_of(FailureKind::tls, static_cast<uint64_t>(tls::Alert::unknown_ca)) == GetExit::certificate);
    CHECK(exit_of(FailureKind::tls, static_cast<uint64_t>(tls::Alert::certificate_expired)) == GetExit::certificate);
    CHECK(exit_of(FailureKind::tls, static_cast<uint64_t>(tls::Alert::no_application_protocol)) == GetExit::tls);
    CHECK(exit_of(FailureKind::tls, static_cast<uint64_t>(tls::Alert::handshake_failure)) == GetExit::tls);
    const web::Failure failure{.kind = FailureKind::tls, .code = 42, .text = {}};
    ServerJudge::Finding finding{.failure = x509::Failure::pin_mismatch};
    CHECK(exit_for(failure, &finding, false) == GetExit::pin_mismatch);
    finding.failure = x509::Failure::expired;
    CHECK(exit_for(failure, &finding, false) == GetExit::certificate);
  }
}

}  // namespace quoll::app
