#include "os/trust.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/file.h"
#include "tls/x509/failure.h"

namespace quoll::os {
namespace {

// Debian and its kin, Fedora and RHEL, openSUSE, Alpine, older RHEL: where their ca-certificates packages put it.
constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/cacert.pem",
};
constexpr const char* kDirectories[] = {"/etc/ssl/certs", "/etc/pki/tls/certs", "/system/etc/security/cacerts"};

std::unexpected<Error> no_anchors(const char* reason) { return x509::refuse(x509::Failure::no_certificate, reason); }

void add(TrustLoaded& sum, const TrustLoaded& more) {
  sum.added += more.added;
  sum.skipped += more.skipped;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// The names of the regular files, sorted, so that a directory means the same on every file system.
Result<std::vector<std::string>> regular_files(const char* path) {
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path));
  if (!directory) return std::unexpected(system_error(errno));
  std::vector<std::string> names;
  size_t entries = 0;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (!entry && errno != 0) return std::unexpected(system_error(errno));
    if (!entry) break;
    if (++entries > kTrustFilesMax) {
      return std::unexpected(Error{.domain = ErrorDomain::system, .code = E2BIG, .reason = "too many files"});
    }
    // Of what a link leads to: a pipe or a device would block the reader.
    struct stat status;
    if (fstatat(dirfd(directory.get()), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode)) {
      names.emplace_back(entry->d_name);
    }
  }
  std::ranges::sort(names);
  return names;
}

Result<TrustLoaded> load_directories(x509::TrustStore& store, std::string_view list) {
  TrustLoaded sum;
  bool any = false;
  Error last = no_anchors("SSL_CERT_DIR names no directory").error();
  while (!list.empty()) {
    const std::string path(list.substr(0, list.find(':')));
    list.remove_prefix(std::min(list.size(), path.size() + 1));
    if (path.empty()) continue;
    const auto loaded = load_trust_directory(store, path.c_str());
    if (loaded) add(sum, *loaded);
    if (!loaded) last = loaded.error();
    any = any || loaded;
  }
  if (!any) return std::unexpected(last);
  return sum;
}

/// A variable that is set and not empty.
const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

Result<TrustLoaded> load_usual_places(x509::TrustStore& store) {
  for (const char* path : kBundles) {
    if (const auto loaded = load_trust_file(store, path)) return loaded;
  }
  for (const char* path : kDirectories) {
    if (const auto loaded = load_trust_directory(store, path)) return loaded;
  }
  return no_anchors("the system has no bundle of trust anchors where Linux systems have it");
}

}  // namespace

Result<TrustLoaded> load_trust_file(x509::TrustStore& store, const char* path) {
  const auto contents = read_file(path, kTrustFileSizeMax);
  if (!contents) return std::unexpected(contents.error());
  const auto loaded = store.add_pem(as_text(*contents));
  if (!loaded) return std::unexpected(loaded.error());
  return TrustLoaded{.added = loaded->added, .skipped = loaded->skipped};
}

Result<TrustLoaded> load_trust_directory(x509::TrustStore& store, const char* path) {
  const auto names = regular_files(path);
  if (!names) return std::unexpected(names.error());
  TrustLoaded sum;
  bool any = false;
  for (const std::string& name : *names) {
    const auto loaded = load_trust_file(store, (std::string(path) + '/' + name).c_str());
    if (loaded) add(sum, *loaded);
    if (!loaded) sum.skipped++;
    any = any || loaded;
  }
  if (!any) return no_anchors("the directory has no file with a certificate in PEM form");
  return sum;
}

Result<TrustLoaded> load_system_trust(x509::TrustStore& store) {
  const char* file = variable("SSL_CERT_FILE");
  const char* directories = variable("SSL_CERT_DIR");
  if (!file && !directories) return load_usual_places(store);
  TrustLoaded sum;
  if (file) {
    const auto loaded = load_trust_file(store, file);
    if (!loaded) return loaded;
    add(sum, *loaded);
  }
  if (directories) {
    const auto loaded = load_directories(store, directories);
    if (!loaded) return loaded;
    add(sum, *loaded);
  }
  return sum;
}

}  // namespace quoll::os
