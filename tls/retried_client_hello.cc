#include "tls/retried_client_hello.h"

#include <algorithm>

#include "tls/alert.h"

namespace quoll::tls {
namespace {

bool same_bytes(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

bool same(const std::optional<Bytes>& a, const std::optional<Bytes>& b) {
  return a.has_value() == b.has_value() && (!a || same_bytes(*a, *b));
}

/// For the lists that know their bytes.
template <class List>
bool same(const std::optional<List>& a, const std::optional<List>& b) {
  return a.has_value() == b.has_value() && (!a || same_bytes(a->raw(), b->raw()));
}

bool same_fields(const ClientHello& a, const ClientHello& b) {
  return a.legacy_version == b.legacy_version && a.random == b.random &&
         same_bytes(a.legacy_session_id, b.legacy_session_id) &&
         same_bytes(a.cipher_suites.raw(), b.cipher_suites.raw()) &&
         same_bytes(a.legacy_compression_methods, b.legacy_compression_methods);
}

bool same_extensions(const ClientHello& a, const ClientHello& b) {
  return same(a.server_name, b.server_name) && a.status_request == b.status_request &&
         same(a.supported_groups, b.supported_groups) && same(a.signature_algorithms, b.signature_algorithms) &&
         same(a.signature_algorithms_cert, b.signature_algorithms_cert) &&
         same(a.application_protocols, b.application_protocols) && same(a.supported_versions, b.supported_versions) &&
         same(a.psk_key_exchange_modes, b.psk_key_exchange_modes) && a.post_handshake_auth == b.post_handshake_auth &&
         same(a.certificate_authorities, b.certificate_authorities) &&
         same(a.quic_transport_parameters, b.quic_transport_parameters);
}

/// The identities of `second` are some of `first`'s, in the same order; their ages may differ.
bool identities_are_a_part(const PskOffer& first, const PskOffer& second) {
  Reader from(first.identities), part(second.identities);
  while (part.remaining() != 0) {
    const Bytes wanted = part.prefixed_u16().rest();
    part.skip(4);
    bool found = false;
    while (!found && from.remaining() != 0) {
      found = same_bytes(from.prefixed_u16().rest(), wanted);
      from.skip(4);
    }
    if (!found) return false;
  }
  return true;
}

Result<void> check_cookie(const ClientHello& hello, Bytes sent) {
  if (sent.empty()) {
    // RFC 8446 §4.1.2: a cookie only if one was sent.
    if (!hello.cookie) return {};
    return abort_with(Alert::illegal_parameter, "a cookie that was not sent");
  }
  // RFC 8446 §4.2.2: the cookie comes back as it was.
  if (!hello.cookie) return abort_with(Alert::missing_extension, "the cookie did not come back");
  if (!same_bytes(*hello.cookie, sent)) return abort_with(Alert::illegal_parameter, "the cookie came back changed");
  return {};
}

Result<void> check_share(const ClientHello& hello, NamedGroup group) {
  if (!hello.key_shares) return abort_with(Alert::missing_extension, "no key_share after a HelloRetryRequest");
  KeyShareList shares = *hello.key_shares;
  const std::optional<KeyShareEntry> first = shares.next();
  // RFC 8446 §4.2.8: one share, of the group that was asked for.
  if (first && first->group == group && shares.empty()) return {};
  return abort_with(Alert::illegal_parameter, "other key shares than the HelloRetryRequest asked for");
}

}  // namespace

Result<void> check_retried_client_hello(const ClientHello& first, const ClientHello& second,
                                        const RetryRequest& request) {
  // RFC 8446 §4.1.2: the same ClientHello without modification.
  if (!same_fields(first, second) || !same_extensions(first, second)) {
    return abort_with(Alert::illegal_parameter, "the second ClientHello differs from the first");
  }
  // RFC 8446 §4.1.2: PSKs may be removed, not added.
  if (second.pre_shared_key &&
      (!first.pre_shared_key || !identities_are_a_part(*first.pre_shared_key, *second.pre_shared_key))) {
    return abort_with(Alert::illegal_parameter, "the second ClientHello offers other PSKs than the first");
  }
  // RFC 8446 §4.1.2: no early data after a HelloRetryRequest.
  if (second.early_data) return abort_with(Alert::illegal_parameter, "early_data after a HelloRetryRequest");
  if (const Result<void> good = check_cookie(second, request.cookie); !good) return good;
  return check_share(second, request.group);
}

}  // namespace quoll::tls
