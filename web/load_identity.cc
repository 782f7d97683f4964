#include "web/load_identity.h"

#include "crypto/ct.h"
#include "os/file.h"

namespace quoll::web {

Result<std::shared_ptr<const tls::Identity>> load_identity(const std::string& certificate_path,
                                                           const std::string& key_path) {
  const auto chain = os::read_file(certificate_path.c_str(), kIdentityFileSizeMax);
  if (!chain) return std::unexpected(chain.error());
  auto key = os::read_file(key_path.c_str(), kIdentityFileSizeMax);
  if (!key) return std::unexpected(key.error());
  auto identity = tls::Identity::from_pem(crypto::best(), as_text(*chain), as_text(*key));
  crypto::ct::wipe(key->data(), key->size());
  if (!identity) return std::unexpected(identity.error());
  return std::make_shared<const tls::Identity>(std::move(*identity));
}

}  // namespace quoll::web
