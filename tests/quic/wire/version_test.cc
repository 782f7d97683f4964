#include "quic/wire/version.h"

#include <vector>

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;

namespace {

constexpr Version kV1 = Version::v1;
constexpr Version kV2 = Version::v2;
constexpr Version kReserved{0x1a2a3a4a};
constexpr Version kOther{0xff00001d};
using Action = VersionNegotiationAnswer::Action;
using Versions = std::vector<Version>;

template <class T>
void expect_refused(const Result<T>& result) {
  REQUIRE(!result);
  CHECK_EQ(result.error().domain, ErrorDomain::transport);
  CHECK_EQ(result.error().code, static_cast<uint64_t>(TransportError::version_negotiation_error));
}

}  // namespace

TEST_SUITE("quic versions") {
  TEST_CASE("the best common version is chosen, never a reserved one") {  // RFC 9000 §15
    CHECK_EQ(choose_version(Versions{kV2, kV1}, Versions{kV1, kV2}), kV2);
    CHECK_EQ(choose_version(Versions{kV2, kV1}, Versions{kOther, kV1}), kV1);
    CHECK_EQ(choose_version(Versions{kReserved, kV1}, Versions{kReserved, kV1}), kV1);
    CHECK_EQ(choose_version(Versions{kV2}, Versions{kV1}), std::nullopt);
    CHECK_EQ(choose_version(Versions{kV2}, Versions{}), std::nullopt);
    for (uint32_t random : {0u, 0xffffffffu, 0x12345678u}) CHECK(is_reserved(reserved_version(random)));
  }

  TEST_CASE("versions 1 and 2 are compatible, others are not assumed to be") {  // RFC 9368 §2.2, RFC 9369 §4
    CHECK(is_compatible(kV1, kV2));
    CHECK(is_compatible(kV2, kV1));
    CHECK(is_compatible(kV1, kV1));
    CHECK_FALSE(is_compatible(kV1, kOther));
    CHECK_FALSE(is_compatible(kOther, kV1));
  }

  TEST_CASE("a client lists its chosen version among the available ones") {  // RFC 9368 §3
    const VersionInformation both = client_version_information(kV1, Versions{kV2, kV1});
    CHECK_EQ(both.chosen, kV1);
    CHECK(both.available == VersionList{kV2, kV1});
    CHECK(client_version_information(kV1, Versions{kV2}).available == VersionList{kV2, kV1});
    CHECK(client_version_information(kV2, Versions{}).available == VersionList{kV2});
  }

  TEST_CASE("a server goes on in the version it prefers among those offered") {  // RFC 9368 §2.3
    const VersionInformation offer{.chosen = kV1, .available = {kV1, kV2}};
    CHECK_EQ(negotiate_version(kV1, offer, Versions{kV2, kV1}), kV2);
    CHECK_EQ(negotiate_version(kV1, offer, Versions{kV1, kV2}), kV1);
    CHECK_EQ(negotiate_version(kV1, offer, Versions{kOther, kV1}), kV1);
    CHECK_EQ(negotiate_version(kV1, VersionInformation{.chosen = kV1, .available = {kV1}}, Versions{kV2, kV1}), kV1);
    CHECK_EQ(negotiate_version(kV2, std::nullopt, Versions{kV2, kV1}), kV2);
  }

  TEST_CASE("a chosen version that is not in use is VERSION_NEGOTIATION_ERROR") {  // RFC 9368 §4
    expect_refused(negotiate_version(kV1, VersionInformation{.chosen = kV2, .available = {kV2, kV1}}, Versions{kV1}));
  }

  TEST_CASE("a Version Negotiation packet is ignored, or answered, or ends the attempt") {  // RFC 9368 §2.1, §4
    const Versions ours = {kV2, kV1};
    CHECK(answer_version_negotiation(kV1, false, ours, Versions{kV1, kV2}).action == Action::ignore);
    CHECK(answer_version_negotiation(kV1, true, ours, Versions{kV2}).action == Action::ignore);
    CHECK(answer_version_negotiation(kV1, false, ours, Versions{kOther, kReserved}).action == Action::abandon);
    CHECK(answer_version_negotiation(kV1, false, ours, Versions{kOther, kV2}) ==
          VersionNegotiationAnswer{Action::retry_with, kV2});
    CHECK(answer_version_negotiation(kReserved, false, ours, Versions{kV1, kV2}) ==
          VersionNegotiationAnswer{Action::retry_with, kV2});
  }

  TEST_CASE("without version negotiation, the server's information is checked for what is in use") {  // RFC 9368 §4
    const Versions ours = {kV2, kV1};
    ClientVersionNegotiation client{.sent = client_version_information(kV1, ours), .negotiated = kV1, .reacted = false};
    const VersionInformation one{.chosen = kV1, .available = {}};
    const VersionInformation two{.chosen = kV2, .available = {kV1, kV2}};
    CHECK(check_version_information(client, std::nullopt, ours));
    CHECK(check_version_information(client, one, ours));
    expect_refused(check_version_information(client, two, ours));
    client.negotiated = kV2;
    CHECK(check_version_information(client, two, ours));
    expect_refused(check_version_information(client, one, ours));
    expect_refused(check_version_information(client, std::nullopt, ours));
    client.sent.available = {kV1};
    expect_refused(check_version_information(client, two, ours));
  }

  TEST_CASE("after version negotiation, a downgrade is VERSION_NEGOTIATION_ERROR") {  // RFC 9368 §4
    const Versions ours = {kV2, kV1};
    // An attacker hid version 2; the server's parameter shows it.
    ClientVersionNegotiation client{.sent = {.chosen = kV1, .available = {kV1}}, .negotiated = kV1, .reacted = true};
    expect_refused(
        check_version_information(client, VersionInformation{.chosen = kV1, .available = {kOther, kV1, kV2}}, ours));
    CHECK(check_version_information(client, VersionInformation{.chosen = kV1, .available = {kOther, kV1}}, ours));
    // The negotiated version counts even when it is not fully deployed.
    CHECK(check_version_information(client, VersionInformation{.chosen = kV1, .available = {kOther}}, ours));
    expect_refused(check_version_information(client, VersionInformation{.chosen = kV1, .available = {}}, ours));
  }

  TEST_CASE("after version negotiation, missing information passes in version 1 alone") {  // RFC 9368 §4, §8
    const Versions ours = {kV2, kV1};
    ClientVersionNegotiation client{.sent = {.chosen = kV1, .available = {kV1}}, .negotiated = kV1, .reacted = true};
    CHECK(check_version_information(client, std::nullopt, ours));
    client.negotiated = kV2;
    expect_refused(check_version_information(client, std::nullopt, ours));
    client = {.sent = {.chosen = kV2, .available = {kV2}}, .negotiated = kV2, .reacted = true};
    expect_refused(check_version_information(client, std::nullopt, ours));
  }

  TEST_CASE("compatible negotiation may follow incompatible negotiation") {  // RFC 9368 §2.3, figure 1
    const Versions ours = {kV1, kV2};
    const ClientVersionNegotiation client{
        .sent = {.chosen = kV1, .available = {kV1, kV2}}, .negotiated = kV2, .reacted = true};
    CHECK(check_version_information(client, VersionInformation{.chosen = kV2, .available = {kV2, kV1}}, ours));
  }

  TEST_CASE("a full list of versions still takes the supported ones, once") {
    VersionList list;
    for (int i = 0; i < 100; i++) list.add(kOther);
    CHECK_EQ(list.size(), VersionList::kCapacity - 2);
    for (int i = 0; i < 3; i++) {
      list.add(kV1);
      list.add(kV2);
    }
    CHECK_EQ(list.size(), VersionList::kCapacity);
    CHECK(list.contains(kV1));
    CHECK(list.contains(kV2));
    VersionList ones;
    for (int i = 0; i < 100; i++) ones.add(kV1);
    ones.add(kV2);
    CHECK(ones.contains(kV2));
  }
}
