// Trust anchors from files: the system's bundle, a file of PEM blocks, or a directory of such files.
//
// What cannot be used is skipped and counted, since bundles hold old and odd certificates; a source without any that can
// be used is an error. Bounds: kTrustFileSizeMax for each file, kTrustFilesMax files of a directory.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "tls/x509/trust_store.h"

namespace quoll::os {

inline constexpr size_t kTrustFileSizeMax = 16 * 1024 * 1024;  // bytes; bundles of all public roots have a quarter MiB
inline constexpr size_t kTrustFilesMax = 4096;

/// What one source gave.
struct TrustLoaded {
  size_t added = 0;    // anchors that were not in the store
  size_t skipped = 0;  // certificates, or files of a directory, that could not be read
};

/// The certificates of a file. ErrorDomain::system when it cannot be read, ErrorDomain::certificate when it is no PEM
/// or holds no certificate.
[[nodiscard]] Result<TrustLoaded> load_trust_file(x509::TrustStore& store, const char* path);

/// The certificates of all regular files of a directory (links are followed, subdirectories are not), in the order of
/// their names. ErrorDomain::system when it cannot be read; E2BIG when it has more than kTrustFilesMax entries;
/// x509::Failure::no_certificate when no file gave one.
[[nodiscard]] Result<TrustLoaded> load_trust_directory(x509::TrustStore& store, const char* path);

/// The system's anchors. SSL_CERT_FILE (a file) and SSL_CERT_DIR (directories, separated by colons), as OpenSSL has
/// them, take the place of the usual files and directories of Linux; what is named there must be usable. Otherwise the
/// first usable file wins, then the first usable directory. x509::Failure::no_certificate when there is none.
[[nodiscard]] Result<TrustLoaded> load_system_trust(x509::TrustStore& store);

}  // namespace quoll::os
