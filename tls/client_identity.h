// Which certificate a client answers a CertificateRequest with (RFC 8446 §4.3.2, §4.4.2.3).
#pragma once

#include <memory>

#include "tls/identity.h"
#include "tls/messages.h"

namespace quoll::tls {

struct ClientIdentity {
  std::shared_ptr<const Identity> identity;  // null: none can sign with what the server takes
  SignatureScheme scheme{};
};

/// Of the identities that can sign with a scheme of the request, the first whose chain leads to one of the
/// certificate_authorities (among the first 512); if none does, or none are named, the first of all.
ClientIdentity choose_client_identity(const Identities& identities, const CertificateRequest& request);

}  // namespace quoll::tls
