#include "tls/retried_client_hello.h"

#include <functional>

#include "tests/tls/hello_draft.h"
#include "tls/alert.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::Buffer;
using tests::HelloDraft;
using tests::protocols_of;
using tests::shares_of;
using tests::wire;

/// A first ClientHello with an offer that the server did not take, and the answer to a request for P-256.
struct Retry {
  Retry() {
    first.groups = second.groups = wire({NamedGroup::x25519, NamedGroup::secp256r1});
    second.key_shares = shares_of({NamedGroup::secp256r1});
  }

  /// The alert; -1 for none.
  int alert() {
    const ClientHello first_view = first.view(), second_view = second.view();
    const Result<void> result =
        check_retried_client_hello(first_view, second_view, {.group = NamedGroup::secp256r1, .cookie = cookie});
    return result ? -1 : static_cast<int>(result.error().code);
  }

  HelloDraft first, second;
  Buffer cookie;
};

constexpr int kIllegal = static_cast<int>(Alert::illegal_parameter);
constexpr int kMissing = static_cast<int>(Alert::missing_extension);

TEST_CASE("a second ClientHello with nothing but the requested share changed passes") { CHECK(Retry().alert() == -1); }

// RFC 8446 §4.1.2
TEST_CASE("a second ClientHello that differs in a field or an extension is illegal") {
  const std::vector<std::function<void(HelloDraft&)>> changes = {
      [](HelloDraft& draft) { draft.legacy_version = 0x0302; },
      [](HelloDraft& draft) { draft.random[31] ^= 1; },
      [](HelloDraft& draft) { draft.session_id = {1}; },
      [](HelloDraft& draft) { draft.cipher_suites.resize(2); },
      [](HelloDraft& draft) { draft.compression_methods = {0, 1}; },
      [](HelloDraft& draft) { draft.server_name = "example.org"; },
      [](HelloDraft& draft) { draft.server_name.reset(); },
      [](HelloDraft& draft) { draft.groups = wire({NamedGroup::secp256r1}); },
      [](HelloDraft& draft) { draft.signature_algorithms = wire({SignatureScheme::ed25519}); },
      [](HelloDraft& draft) { draft.protocols = protocols_of({"h2"}); },
      [](HelloDraft& draft) { draft.protocols.reset(); },
      [](HelloDraft& draft) { draft.versions = wire<uint16_t>({kTls13, 0x0303}); },
      [](HelloDraft& draft) { draft.psk_modes = Buffer{1}; },
      [](HelloDraft& draft) { draft.transport_parameters = Buffer{3}; },
      [](HelloDraft& draft) { draft.early_data = true; },
  };
  for (const auto& change : changes) {
    Retry retry;
    change(retry.second);
    CHECK(retry.alert() == kIllegal);
  }
}

TEST_CASE("early_data of the first ClientHello is gone in the second") {
  Retry retry;
  retry.first.psk_modes = retry.second.psk_modes = Buffer{1};
  retry.first.psks = retry.second.psks = {{.identity = {1}}};
  retry.first.early_data = true;
  CHECK(retry.alert() == -1);
  retry.second.early_data = true;
  CHECK(retry.alert() == kIllegal);
}

// RFC 8446 §4.2.8
TEST_CASE("the second ClientHello has exactly the share that was asked for") {
  Retry retry;
  for (const auto& groups :
       {shares_of({}), shares_of({NamedGroup::x25519}), shares_of({NamedGroup::x25519, NamedGroup::secp256r1}),
        shares_of({NamedGroup::secp256r1, NamedGroup::secp384r1})}) {
    retry.second.key_shares = groups;
    CHECK(retry.alert() == kIllegal);
  }
  retry.second.key_shares.reset();
  CHECK(retry.alert() == kMissing);
}

// RFC 8446 §4.2.2
TEST_CASE("a cookie comes back as it was, and only if there was one") {
  Retry retry;
  retry.second.cookie = Buffer{1, 2};
  CHECK(retry.alert() == kIllegal);
  retry.cookie = {1, 2};
  CHECK(retry.alert() == -1);
  retry.cookie = {1, 3};
  CHECK(retry.alert() == kIllegal);
  retry.cookie = {1, 2, 3};
  CHECK(retry.alert() == kIllegal);
  retry.second.cookie.reset();
  CHECK(retry.alert() == kMissing);
}

TEST_CASE("PSKs may be dropped and renewed in the second ClientHello, but neither added nor moved") {
  Retry retry;
  retry.first.psk_modes = retry.second.psk_modes = Buffer{1};
  retry.first.psks = {{.identity = {1}}, {.identity = {2, 2}}, {.identity = {3}}};
  retry.second.psks = {{.identity = {1}, .obfuscated_ticket_age = 77, .binder = Buffer(48, 1)}, {.identity = {3}}};
  CHECK(retry.alert() == -1);
  retry.second.psks = {};
  CHECK(retry.alert() == -1);
  retry.second.psks = {{.identity = {3}}, {.identity = {1}}};
  CHECK(retry.alert() == kIllegal);
  retry.second.psks = {{.identity = {3}}, {.identity = {3}}};
  CHECK(retry.alert() == kIllegal);
  retry.second.psks = {{.identity = {4}}};
  CHECK(retry.alert() == kIllegal);
  retry.first.psks = {};
  CHECK(retry.alert() == kIllegal);
}

}  // namespace
}  // namespace quoll::tls
