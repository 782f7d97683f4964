#include "app/get_output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "os/file.h"
#include "os/write_file.h"
#include "tests/os/temporary_folder.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

std::string contents(const std::string& path) {
  const auto bytes = os::read_file(path.c_str(), 1 << 20);
  return bytes ? std::string(as_text(*bytes)) : "(cannot be read)";
}

void put(const std::string& path, std::string_view text) {
  REQUIRE(os::write_file(path.c_str(), as_bytes(text), 0644, os::Existing::replace));
}

}  // namespace

TEST_SUITE("app/get_output") {
  TEST_CASE("a file is not to be seen before it is finished, and is whole then") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "file";
    GetOutput output;
    REQUIRE(output.open_file(path));
    REQUIRE(output.write("one "));
    CHECK_FALSE(file_size(path));
    std::vector<Slice> slices;
    for (int i = 0; i < 3000; i++) slices.push_back(Slice::copy_of(as_bytes("0123456789")));
    REQUIRE(output.write(slices));
    CHECK(slices.empty());
    REQUIRE(output.finish());
    CHECK_EQ(file_size(path), 30'004);
    CHECK(contents(path).starts_with("one 0123456789012"));
    CHECK_EQ(folder.files(), 1);
  }

  TEST_CASE("what is discarded leaves the old file as it was, and nothing else") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "file";
    put(path, "old");
    {
      GetOutput output;
      REQUIRE(output.open_file(path));
      REQUIRE(output.write("new"));
    }
    CHECK_EQ(contents(path), "old");
    CHECK_EQ(folder.files(), 1);
  }

  TEST_CASE("a file that is replaced keeps its mode, and a link to it stays one") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "file", link = folder / "link";
    put(path, "old");
    REQUIRE(chmod(path.c_str(), 0640) == 0);
    REQUIRE(symlink(path.c_str(), link.c_str()) == 0);
    GetOutput output;
    REQUIRE(output.open_file(link));
    REQUIRE(output.write("new"));
    REQUIRE(output.finish());
    CHECK_EQ(contents(path), "new");
    struct stat status{};
    REQUIRE(lstat(link.c_str(), &status) == 0);
    CHECK(S_ISLNK(status.st_mode));
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK_EQ(status.st_mode & 0777, 0640);
    CHECK_EQ(folder.files(), 2);
  }

  TEST_CASE("folders, and paths through what is no folder, are refused; devices are written as they are") {
    const tests::TemporaryFolder folder;
    const auto code_of = [](const std::string& path) {
      GetOutput output;
      const auto opened = output.open_file(path);
      return opened ? 0 : static_cast<int>(opened.error().code);
    };
    CHECK_EQ(code_of(folder.path()), EISDIR);
    CHECK_EQ(code_of(folder / "no/file"), ENOENT);
    put(folder / "file", "x");
    CHECK_EQ(code_of(folder / "file/file"), ENOTDIR);
    GetOutput output;
    REQUIRE(output.open_file("/dev/null"));
    CHECK(output.write("away"));
    CHECK(output.finish());
    struct stat status{};
    REQUIRE(stat("/dev/null", &status) == 0);
    CHECK(S_ISCHR(status.st_mode));
  }

  TEST_CASE("a full disk is told, and leaves nothing") {
    GetOutput output;
    REQUIRE(output.open_file("/dev/full"));
    const auto written = output.write("x");
    REQUIRE_FALSE(written);
    CHECK_EQ(written.error().code, ENOSPC);
  }

  TEST_CASE("a partial file goes on at the offset, and stays when it is given up") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "file";
    put(path, "0123456789");
    {
      GetOutput output;
      REQUIRE(output.open_partial(path, 4));
      REQUIRE(output.write("abc"));
    }
    CHECK_EQ(contents(path), "0123abc");
    {
      GetOutput output;
      REQUIRE(output.open_partial(folder / "new", 0));
      REQUIRE(output.write("abc"));
    }
    CHECK_EQ(contents(folder / "new"), "abc");
  }

  TEST_CASE("a pipe that nobody reads keeps nobody waiting, and gets the rest later") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "pipe";
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
    const int writer = open(path.c_str(), O_WRONLY);
    REQUIRE(reader >= 0);
    const int old = dup(STDOUT_FILENO);
    REQUIRE(dup2(writer, STDOUT_FILENO) == STDOUT_FILENO);
    GetOutput output;
    const auto opened = output.open_standard_output();
    REQUIRE(dup2(old, STDOUT_FILENO) == STDOUT_FILENO);
    close(old);
    close(writer);
    REQUIRE(opened);
    const std::string text(3 << 20, 'x');
    REQUIRE(output.write(text));
    CHECK(output.is_blocked());
    size_t got = 0;
    std::vector<uint8_t> room(64 * 1024);
    while (got < text.size()) {
      const ssize_t count = read(reader, room.data(), room.size());
      if (count > 0) got += static_cast<size_t>(count);
      REQUIRE(output.flush());
    }
    CHECK_FALSE(output.is_blocked());
    CHECK_EQ(got, text.size());
    close(reader);
    CHECK(output.finish());
  }

  TEST_CASE("a URL's path gives a harmless name") {
    CHECK_EQ(remote_file_name("/a/b.txt"), "b.txt");
    CHECK_EQ(remote_file_name("/a%20b%2f..%2fc"), "a%20b%2f..%2fc");
    CHECK_EQ(remote_file_name("/"), "");
    CHECK_EQ(remote_file_name("/x/"), "");
    CHECK_EQ(remote_file_name("/.."), "");
    CHECK_EQ(remote_file_name("/" + std::string(400, 'a')).size(), 255);
  }

  TEST_CASE("folders are made as far as they are missing") {
    const tests::TemporaryFolder folder;
    REQUIRE(make_folders(folder / "a/b/c/file"));
    CHECK(std::filesystem::is_directory(folder / "a/b/c"));
    REQUIRE(make_folders(folder / "a/b/c/file"));
    CHECK_FALSE(std::filesystem::exists(folder / "a/b/c/file"));
  }
}

}  // namespace quoll::app
