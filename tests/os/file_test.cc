// Files are read whole, or refused with the reason.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "os/file.h"
#include "tests/os/temporary_folder.h"

#include <doctest/doctest.h>

namespace {

using namespace quoll;
namespace fs = std::filesystem;
using quoll::tests::TemporaryFolder;

std::vector<uint8_t> sample(size_t size) {
  std::vector<uint8_t> out(size);
  for (size_t i = 0; i < size; i++) out[i] = static_cast<uint8_t>(i * 31 + i / 256);
  return out;
}

void write(const std::string& path, const std::vector<uint8_t>& contents) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(contents.data()), static_cast<long>(contents.size()));
}

Error error_of(const std::string& path, size_t size_max) {
  const auto read = os::read_file(path.c_str(), size_max);
  REQUIRE_FALSE(read);
  return read.error();
}

}  // namespace

TEST_SUITE("os") {
  TEST_CASE("a file of any size is read whole, up to exactly the limit") {
    const TemporaryFolder directory;
    const std::string path = directory / "file";
    for (const size_t size : {0, 1, 4095, 4096, 4097, 100'000}) {
      write(path, sample(size));
      for (const size_t more : {0, 1, 5000}) CHECK(os::read_file(path.c_str(), size + more).value() == sample(size));
      CHECK(os::read_file(path.c_str(), SIZE_MAX).value() == sample(size));
      if (size == 0) continue;
      CHECK(error_of(path, size - 1).code == EFBIG);
      CHECK(error_of(path, 0).code == EFBIG);
    }
  }

  TEST_CASE("a pipe is read to its end, and refused beyond the limit") {
    for (const size_t size : {0, 5, 4096, 4097, 60'000}) {
      for (const size_t limit : {size_t{60'000}, size_t{4096}}) {
        int ends[2];
        REQUIRE(pipe(ends) == 0);
        const std::vector<uint8_t> contents = sample(size);
        REQUIRE(::write(ends[1], contents.data(), size) == static_cast<ssize_t>(size));  // a pipe holds 64 KiB
        close(ends[1]);
        const std::string path = "/dev/fd/" + std::to_string(ends[0]);
        const auto read = os::read_file(path.c_str(), limit);
        CHECK(read.has_value() == (size <= limit));
        if (read) CHECK(*read == contents);
        if (!read) CHECK(read.error().code == EFBIG);
        close(ends[0]);
      }
    }
  }

  TEST_CASE("what cannot be read is refused with the system's number and a sentence") {
    const TemporaryFolder directory;
    CHECK(error_of(directory / "absent", 10).domain == ErrorDomain::system);
    CHECK(error_of(directory / "absent", 10).code == ENOENT);
    CHECK(std::string(error_of(directory / "absent", 10).reason) == "no such file or directory");
    CHECK(error_of(directory / "", 10).code == EISDIR);
    write(directory / "file", sample(3));
    CHECK(error_of(directory / "file/below", 10).code == ENOTDIR);
    CHECK(error_of("", 10).code == ENOENT);
    fs::create_symlink("loop", directory / "loop");
    CHECK(error_of(directory / "loop", 10).code == ELOOP);
  }

  TEST_CASE("reading leaves no descriptor open") {
    const TemporaryFolder directory;
    write(directory / "file", sample(3));
    const int before = dup(0);
    close(before);
    for (int i = 0; i < 20; i++) {
      CHECK(os::read_file((directory / "file").c_str(), 10));
      CHECK_FALSE(os::read_file((directory / "file").c_str(), 1));
      CHECK_FALSE(os::read_file((directory / "").c_str(), 1));
    }
    const int after = dup(0);
    close(after);
    CHECK(after == before);
  }
}
