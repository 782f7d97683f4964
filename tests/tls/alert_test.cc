// Alerts: names of the registry, and what a peer is told about its certificate.
#include "tls/alert.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

TEST_SUITE("tls alert") {
  TEST_CASE("alerts have their registered names, other numbers none") {
    CHECK(alert_name(0) == "close_notify");
    CHECK(alert_name(40) == "handshake_failure");
    CHECK(alert_name(47) == "illegal_parameter");
    CHECK(alert_name(109) == "missing_extension");
    CHECK(alert_name(117) == "general_error");
    CHECK(alert_name(120) == "no_application_protocol");
    CHECK(alert_name(121) == "ech_required");
    CHECK(alert_name(41) == "unknown");
    CHECK(alert_name(255) == "unknown");
    std::set<std::string_view> names;
    for (int code = 0; code < 256; code++) names.insert(alert_name(static_cast<uint8_t>(code)));
    CHECK(names.size() == 29 + 1);
  }

  TEST_CASE("an Error that stands for an alert carries its number") {
    const Result<void> result = abort_with(Alert::decode_error, "why");
    CHECK(result.error().domain == ErrorDomain::tls);
    CHECK(result.error().code == 50);
    CHECK(std::string(result.error().reason) == "why");
  }

  // RFC 8446 §6.2 describes what each alert says.
  TEST_CASE("every reason to refuse a certificate has an alert") {
    using x509::Failure;
    CHECK(alert_for(Failure::malformed) == Alert::bad_certificate);
    CHECK(alert_for(Failure::limit) == Alert::bad_certificate);
    CHECK(alert_for(Failure::unsupported) == Alert::unsupported_certificate);
    CHECK(alert_for(Failure::weak) == Alert::bad_certificate);
    CHECK(alert_for(Failure::bad_signature) == Alert::bad_certificate);
    CHECK(alert_for(Failure::unknown_issuer) == Alert::unknown_ca);
    CHECK(alert_for(Failure::not_yet_valid) == Alert::certificate_expired);
    CHECK(alert_for(Failure::expired) == Alert::certificate_expired);
    CHECK(alert_for(Failure::not_a_ca) == Alert::unknown_ca);
    CHECK(alert_for(Failure::path_too_long) == Alert::unknown_ca);
    CHECK(alert_for(Failure::wrong_usage) == Alert::unsupported_certificate);
    CHECK(alert_for(Failure::name_constraint) == Alert::bad_certificate);
    CHECK(alert_for(Failure::name_mismatch) == Alert::bad_certificate);
    CHECK(alert_for(Failure::critical_extension) == Alert::unsupported_certificate);
    CHECK(alert_for(Failure::policy) == Alert::certificate_unknown);
    CHECK(alert_for(Failure::pin_mismatch) == Alert::bad_certificate);
    CHECK(alert_for(Failure::no_certificate) == Alert::certificate_required);
  }
}

}  // namespace
}  // namespace quoll::tls
