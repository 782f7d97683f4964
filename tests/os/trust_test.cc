// Trust anchors from files, directories and the system's places.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "os/trust.h"
#include "tests/os/temporary_folder.h"
#include "tests/tls/x509/authorities.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
namespace fs = std::filesystem;
using quoll::tests::TemporaryFolder;

/// A variable of the environment for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    if (value) setenv(name, value, 1);
    if (!value) unsetenv(name);
  }
  ~Variable() {
    if (old_) setenv(name_, old_->c_str(), 1);
    if (!old_) unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

void write(const std::string& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

std::string new_root(tests::Authorities& make, const char* name) {
  return x509::write_pem("CERTIFICATE", make.root(name).certificate.der());
}

TEST_SUITE("os") {
  TEST_CASE("a file of PEM blocks fills a store, and what cannot is refused with a reason") {
    const TemporaryFolder directory;
    tests::Authorities make(21);
    write(directory / "bundle.pem", new_root(make, "One") + new_root(make, "Two") + x509::write_pem("CERTIFICATE", {}));
    x509::TrustStore store;
    const auto loaded = os::load_trust_file(store, (directory / "bundle.pem").c_str());
    REQUIRE(loaded);
    CHECK(loaded->added == 2);
    CHECK(loaded->skipped == 1);
    CHECK(store.size() == 2);

    const auto absent = os::load_trust_file(store, (directory / "absent").c_str());
    REQUIRE_FALSE(absent);
    CHECK(absent.error().domain == ErrorDomain::system);
    CHECK(absent.error().code == ENOENT);
    write(directory / "empty.pem", "nothing here\n");
    const auto empty = os::load_trust_file(store, (directory / "empty.pem").c_str());
    REQUIRE_FALSE(empty);
    CHECK(empty.error().code == static_cast<uint64_t>(x509::Failure::no_certificate));
    CHECK(store.size() == 2);
  }

  TEST_CASE("a directory gives the certificates of its files; links are followed, other entries passed over") {
    const TemporaryFolder directory;
    tests::Authorities make(22);
    fs::create_directory(directory / "certs");
    write(directory / "certs/a.pem", new_root(make, "One"));
    write(directory / "certs/b.txt", "no certificate\n");
    write(directory / "outside.pem", new_root(make, "Two"));
    fs::create_symlink(directory / "outside.pem", directory / "certs/0123abcd.0");
    fs::create_symlink(directory / "certs/a.pem", directory / "certs/89abcdef.0");
    fs::create_symlink(directory / "absent", directory / "certs/dangling");
    fs::create_directory(directory / "certs/below");
    write(directory / "certs/below/c.pem", new_root(make, "Three"));
    REQUIRE(mkfifo((directory / "certs/pipe").c_str(), 0600) == 0);
    x509::TrustStore store;
    const auto loaded = os::load_trust_directory(store, (directory / "certs").c_str());
    REQUIRE(loaded);
    CHECK(loaded->added == 2);
    CHECK(loaded->skipped == 1);
    CHECK(store.size() == 2);

    fs::create_directory(directory / "empty");
    const auto empty = os::load_trust_directory(store, (directory / "empty").c_str());
    REQUIRE_FALSE(empty);
    CHECK(empty.error().domain == ErrorDomain::certificate);
    CHECK(os::load_trust_directory(store, (directory / "absent").c_str()).error().code == ENOENT);
    CHECK(os::load_trust_directory(store, (directory / "outside.pem").c_str()).error().code == ENOTDIR);
  }

  TEST_CASE("a directory with too many entries is refused") {
    const TemporaryFolder directory;
    tests::Authorities make(23);
    write(directory / "a.pem", new_root(make, "One"));
    for (size_t i = 0; i < os::kTrustFilesMax; i++)
      write(directory / std::string("x").append(std::to_string(i)).c_str(), "");
    x509::TrustStore store;
    const auto loaded = os::load_trust_directory(store, directory.path().c_str());
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == E2BIG);
  }

  TEST_CASE("SSL_CERT_FILE and SSL_CERT_DIR take the place of the system's anchors") {
    const TemporaryFolder directory;
    tests::Authorities make(24);
    write(directory / "file.pem", new_root(make, "One"));
    fs::create_directory(directory / "d1");
    fs::create_directory(directory / "d2");
    write(directory / "d1/a.pem", new_root(make, "Two"));
    write(directory / "d2/b.pem", new_root(make, "Three"));
    const std::string file = directory / "file.pem", list = directory / "d1" + "::" + (directory / "d2") + ":/absent";
    {
      const Variable cert_file("SSL_CERT_FILE", file.c_str()), cert_dir("SSL_CERT_DIR", nullptr);
      x509::TrustStore store;
      CHECK(os::load_system_trust(store)->added == 1);
      CHECK(store.size() == 1);
    }
    {
      const Variable cert_file("SSL_CERT_FILE", ""), cert_dir("SSL_CERT_DIR", list.c_str());
      x509::TrustStore store;
      CHECK(os::load_system_trust(store)->added == 2);
    }
    {
      const Variable cert_file("SSL_CERT_FILE", file.c_str()), cert_dir("SSL_CERT_DIR", list.c_str());
      x509::TrustStore store;
      CHECK(os::load_system_trust(store)->added == 3);
    }
    {  // what the user names must be there: no falling back to anchors that he did not want
      const Variable cert_file("SSL_CERT_FILE", "/absent"), cert_dir("SSL_CERT_DIR", nullptr);
      x509::TrustStore store;
      CHECK(os::load_system_trust(store).error().code == ENOENT);
      CHECK(store.size() == 0);
    }
    {
      const Variable cert_file("SSL_CERT_FILE", nullptr), cert_dir("SSL_CERT_DIR", ":");
      x509::TrustStore store;
      CHECK_FALSE(os::load_system_trust(store));
    }
  }

  TEST_CASE("the system's bundle, where there is one, gives anchors") {
    const Variable cert_file("SSL_CERT_FILE", nullptr), cert_dir("SSL_CERT_DIR", nullptr);
    x509::TrustStore store;
    const auto loaded = os::load_system_trust(store);
    if (loaded) {
      CHECK(loaded->added == store.size());
      CHECK(store.size() > 0);
    } else {
      CHECK(loaded.error().code == static_cast<uint64_t>(x509::Failure::no_certificate));
    }
  }
}

}  // namespace
