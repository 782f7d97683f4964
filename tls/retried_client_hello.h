// The ClientHello that answers a HelloRetryRequest (RFC 8446 §4.1.2, §4.1.4, §4.2.2): the same as the first one, but for
// what it may or must change.
#pragma once

#include "tls/messages.h"

namespace quoll::tls {

/// What a HelloRetryRequest asked for.
struct RetryRequest {
  NamedGroup group{};
  Bytes cookie;  // empty: none was sent
};

/// Compares what the server goes by: all fields, and the extensions that it reads. Extensions that it does not know may
/// differ: some, such as padding and encrypted_client_hello, have to. illegal_parameter for a difference, a share that
/// was not asked for, early_data, or a wrong cookie; missing_extension without the cookie or the shares.
[[nodiscard]] Result<void> check_retried_client_hello(const ClientHello& first, const ClientHello& second,
                                                      const RetryRequest& request);

}  // namespace quoll::tls
