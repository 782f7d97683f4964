// load_identity(): a server's certificate, or a client's, from files.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "tls/identity.h"

namespace quoll::web {

/// A file of a chain or a key may be so large: more than peers take (tls::Identity::kChainSizeMax), with room for comments.
inline constexpr size_t kIdentityFileSizeMax = 1024 * 1024;

/// The certificates of one PEM file, leaf first, with the first private key of another; both may be one file.
/// ErrorDomain::system when a file cannot be read, else as tls::Identity::from_pem().
/// What was read of the key is wiped.
[[nodiscard]] Result<std::shared_ptr<const tls::Identity>> load_identity(const std::string& certificate_path,
                                                                         const std::string& key_path);

}  // namespace quoll::web
