// Files are written whole, with the mode that was asked for, and replace what was there only when that is meant.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "os/file.h"
#include "os/write_file.h"
#include "tests/os/temporary_folder.h"

#include <doctest/doctest.h>

namespace quoll::os {
namespace {

namespace fs = std::filesystem;
using quoll::tests::TemporaryFolder;
using Buffer = std::vector<uint8_t>;

unsigned mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

TEST_SUITE("write_file") {
  TEST_CASE("a new file has the contents and the mode, less the umask") {
    const TemporaryFolder folder;
    const std::string path = folder / "file";
    const mode_t before = umask(027);
    CHECK(write_file(path.c_str(), Buffer(100'000, 7), 0644, Existing::keep));
    CHECK(write_file((folder / "secret").c_str(), Buffer{1}, 0600, Existing::replace));
    umask(before);
    CHECK(read_file(path.c_str(), 1 << 20) == Buffer(100'000, 7));
    CHECK(mode_of(path) == 0640);
    CHECK(mode_of(folder / "secret") == 0600);
    CHECK(folder.files() == 2);
  }

  TEST_CASE("a file that is there is replaced or kept, as asked") {
    const TemporaryFolder folder;
    const std::string path = folder / "file";
    REQUIRE(write_file(path.c_str(), Buffer{1}, 0600, Existing::keep));
    const auto kept = write_file(path.c_str(), Buffer{2}, 0600, Existing::keep);
    REQUIRE_FALSE(kept);
    CHECK(kept.error().domain == ErrorDomain::system);
    CHECK(kept.error().code == EEXIST);
    CHECK(read_file(path.c_str(), 10) == Buffer{1});
    CHECK(write_file(path.c_str(), Buffer{3, 4}, 0640, Existing::replace));
    CHECK(read_file(path.c_str(), 10) == Buffer{3, 4});
    CHECK(folder.files() == 1);
  }

  TEST_CASE("a symbolic link is replaced, what it names stays") {
    const TemporaryFolder folder;
    const std::string target = folder / "target", link = folder / "link";
    REQUIRE(write_file(target.c_str(), Buffer{1}, 0600, Existing::keep));
    REQUIRE(symlink(target.c_str(), link.c_str()) == 0);
    CHECK_FALSE(write_file(link.c_str(), Buffer{2}, 0600, Existing::keep));
    CHECK(write_file(link.c_str(), Buffer{2}, 0600, Existing::replace));
    CHECK(read_file(target.c_str(), 10) == Buffer{1});
    CHECK(read_file(link.c_str(), 10) == Buffer{2});
  }

  TEST_CASE("a device or a pipe, and a link to one, is not replaced by a file") {
    const TemporaryFolder folder;
    const std::string pipe = folder / "pipe", link = folder / "link";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    REQUIRE(symlink(pipe.c_str(), link.c_str()) == 0);
    for (const std::string& path : {pipe, link}) {
      const auto replaced = write_file(path.c_str(), Buffer{1}, 0644, Existing::replace);
      REQUIRE_FALSE(replaced);
      CHECK(replaced.error().code == EOPNOTSUPP);
      CHECK_FALSE(write_file(path.c_str(), Buffer{1}, 0600, Existing::keep));
    }
    CHECK(fs::is_fifo(pipe));
    CHECK(fs::is_symlink(link));
    CHECK(folder.files() == 2);
  }

  TEST_CASE("what cannot be written leaves nothing behind") {
    const TemporaryFolder folder;
    REQUIRE(mkdir((folder / "folder").c_str(), 0700) == 0);
    const auto over_folder = write_file((folder / "folder").c_str(), Buffer{1}, 0600, Existing::replace);
    REQUIRE_FALSE(over_folder);
    CHECK(over_folder.error().code == EISDIR);
    const auto nowhere = write_file((folder / "missing/file").c_str(), Buffer{1}, 0600, Existing::replace);
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().code == ENOENT);
    CHECK(folder.files() == 1);
  }
}

}  // namespace
}  // namespace quoll::os
