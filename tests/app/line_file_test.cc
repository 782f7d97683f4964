// LineFile and KeyLogFile: whole lines in a file, from many threads.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "app/line_file.h"
#include "app/options.h"
#include "tests/os/temporary_folder.h"
#include "web/key_log_file.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("lines of many threads arrive whole, and in each thread's order") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "log";
  {
    auto log = LineFile::open(path, 0640);
    REQUIRE(log);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; thread++) {
      threads.emplace_back([&log, thread] {
        for (int i = 0; i < 1000; i++) (*log)->append(std::to_string(thread) + " " + std::to_string(10'000 + i) + "\n");
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK((*log)->lost() == 0);
  }
  const std::vector<std::string> lines = lines_of(path);
  CHECK(lines.size() == 4000);
  std::array<std::vector<std::string>, 4> by_thread;
  for (const std::string& line : lines) by_thread.at(static_cast<size_t>(line[0] - '0')).push_back(line);
  for (const auto& own : by_thread) {
    CHECK(own.size() == 1000);
    CHECK(std::ranges::is_sorted(own));
  }
  struct stat status;
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("a file that was moved away is left, and another begun") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "log", moved = folder / "log.1";
  {
    auto log = LineFile::open(path, 0640);
    REQUIRE(log);
    (*log)->append("one\n");
    while (lines_of(path).empty()) usleep(1000);
    std::filesystem::rename(path, moved);
    CHECK((*log)->reopen());
    (*log)->append("two\n");
  }
  CHECK(lines_of(moved) == std::vector<std::string>{"one"});
  CHECK(lines_of(path) == std::vector<std::string>{"two"});
}

TEST_CASE("lines that the system refuses are counted, and nothing else happens") {
  if (access("/dev/full", W_OK) != 0) return;
  auto log = LineFile::open("/dev/full", 0640);
  REQUIRE(log);
  (*log)->append("one\ntwo\n");
  for (int i = 0; i < 1000 && (*log)->lost() == 0; i++) usleep(1000);
  CHECK((*log)->lost() == 2);
  CHECK(LineFile::open("/absent/log", 0640).error() == "No such file or directory");
}

TEST_CASE("the key log is appended to, for its owner alone") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "keys";
  for (const char* const line : {"first", "second"}) {
    auto log = web::KeyLogFile::open(path);
    REQUIRE(log);
    (*log)->line(line);
    CHECK(lines_of(path).back() == line);
  }
  CHECK(lines_of(path).size() == 2);
  struct stat status;
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK_FALSE(web::KeyLogFile::open(folder / "absent/keys"));
}

TEST_CASE("the command line comes before the environment") {
  setenv("QUOLL_TEST_VARIABLE", "from there", 1);
  CHECK(option_or_environment("given", "QUOLL_TEST_VARIABLE") == "given");
  CHECK(option_or_environment({}, "QUOLL_TEST_VARIABLE") == "from there");
  setenv("QUOLL_TEST_VARIABLE", "", 1);
  CHECK_FALSE(option_or_environment({}, "QUOLL_TEST_VARIABLE"));
  unsetenv("QUOLL_TEST_VARIABLE");
  CHECK_FALSE(option_or_environment({}, "QUOLL_TEST_VARIABLE"));
}

}  // namespace quoll::app
