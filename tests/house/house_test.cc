// The house's rules over the whole tree, and over examples that break them.
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>
#include "tests/house/rules.h"

namespace quoll::house {
namespace {

namespace fs = std::filesystem;

std::vector<SourceFile> tree() {
  std::vector<SourceFile> files;
  const fs::path root = QUOLL_SOURCE_DIR;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const fs::path relative = fs::relative(entry->path(), root);
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name.starts_with(".") || (entry.depth() == 0 && name.starts_with("build")))) {
      entry.disable_recursion_pending();
      continue;
    }
    const auto extension = relative.extension();
    if (extension != ".h" && extension != ".cc") continue;
    std::ostringstream text;
    text << std::ifstream(entry->path()).rdbuf();
    files.push_back({relative.generic_string(), text.str()});
  }
  return files;
}

std::string text_of(const char* path) {
  std::ostringstream text;
  text << std::ifstream(fs::path(QUOLL_SOURCE_DIR) / path).rdbuf();
  return text.str();
}

void expect_none(Breaches (*rule)(const SourceFile&)) {
  size_t files = 0;
  for (const SourceFile& file : tree()) {
    files++;
    for (const std::string& breach : rule(file)) FAIL_CHECK(breach);
  }
  CHECK(files > 30);  // the tree was found
}

TEST_CASE("every include follows the one direction of dependency") { expect_none(wrong_includes); }
TEST_CASE("the folders of quic/ have one direction") { expect_none(wrong_layers); }
TEST_CASE("the core reads no clock, draws no randomness and opens no socket") { expect_none(impure_core); }
TEST_CASE("intrinsics and assembly live under crypto/x86 and crypto/arm alone") { expect_none(misplaced_intrinsics); }
TEST_CASE("below app/ nothing throws") { expect_none(exceptions); }
TEST_CASE("every header says what it is") { expect_none(bare_headers); }
TEST_CASE("macros in the library's headers have its prefix") { expect_none(bare_macros); }
TEST_CASE("files over 600 lines have a reason") { expect_none(long_files); }

TEST_CASE("docs/quic.md tells of every limit in the headers of quic/") {
  static const std::regex limits(R"(constexpr [\w:]+ (k\w*Max)\b)");
  const std::string page = text_of("docs/quic.md");
  size_t found = 0;
  for (const SourceFile& file : tree()) {
    if (!file.path.starts_with("quic/") || !file.path.ends_with(".h")) continue;
    for (std::sregex_iterator at(file.text.begin(), file.text.end(), limits), end; at != end; ++at) {
      found++;
      const std::string name = (*at)[1];
      const bool told =
          page.find("`" + name + "`") != std::string::npos || page.find("::" + name + "`") != std::string::npos;
      CHECK_MESSAGE(told, file.path, ": ", name);
    }
  }
  CHECK(found > 40);
}

TEST_CASE("the rules catch what they are for") {
  CHECK(wrong_includes({"base/a.h", "#include \"crypto/hash.h\"\n"}).size() == 1);
  CHECK(wrong_includes({"crypto/a.cc", "#include \"tls/client.h\"\n"}).size() == 1);
  CHECK(wrong_includes({"h3/session.cc", "#include \"quic/endpoint.h\"\n"}).size() == 1);
  CHECK(wrong_includes({"h3/over_quic.cc", "#include \"quic/endpoint.h\"\n"}).empty());
  CHECK(wrong_includes({"crypto/a.cc", "#include \"tests/support/random.h\"\n"}).size() == 2);
  CHECK(wrong_includes({"crypto/a.cc", "#include <openssl/evp.h>\n"}).size() == 1);
  CHECK(wrong_includes({"crypto/a.cc", "#include <vector>\n#include \"base/bytes.h\"\n"}).empty());
  CHECK(wrong_includes({"misc/a.cc", "int a;\n"}).size() == 1);

  CHECK(wrong_layers({"quic/wire/a.h", "#include \"quic/protect/seal_train.h\"\n"}).size() == 1);
  CHECK(wrong_layers({"quic/stream/a.cc", "#include \"quic/path/mtu_discovery.h\"\n"}).size() == 1);
  CHECK(wrong_layers({"quic/connection/a.cc", "#include \"quic/endpoint/endpoint.h\"\n"}).size() == 1);
  CHECK(wrong_layers({"quic/connection/a.cc", "#include \"quic/connection.h\"\n"}).size() == 1);
  CHECK(wrong_layers({"quic/misc/a.cc", "int a;\n"}).size() == 1);
  CHECK(wrong_layers({"quic/stream/a.cc", "#include \"quic/stream/b.h\"\n#include \"quic/wire/c.h\"\n"}).empty());
  CHECK(wrong_layers({"quic/trace/a.h", "#include \"quic/congestion/controller.h\"\n"}).empty());

  CHECK(impure_core({"quic/a.cc", "auto now = std::chrono::steady_clock::now();\n"}).size() == 1);
  CHECK(impure_core({"tls/a.cc", "int r = rand();\n"}).size() == 1);
  CHECK(impure_core({"crypto/a.cc", "getrandom(p, n, 0);\n"}).size() == 1);
  CHECK(impure_core({"quic/a.cc", "#include <sys/socket.h>\n"}).size() == 1);
  CHECK(impure_core({"quic/a.cc", "// the caller calls getrandom()\n"}).empty());
  CHECK(impure_core({"quic/a.cc", "Duration time_until(Instant a); run_time(3);\n"}).empty());
  CHECK(impure_core({"os/a.cc", "getrandom(p, n, 0);\n"}).empty());

  CHECK(misplaced_intrinsics({"crypto/portable/a.cc", "__m128i x = _mm_setzero_si128();\n"}).size() == 1);
  CHECK(misplaced_intrinsics({"base/a.cc", "#include <immintrin.h>\n"}).size() == 1);
  CHECK(misplaced_intrinsics({"quic/a.cc", "__asm__(\"nop\");\n"}).size() == 1);
  CHECK(misplaced_intrinsics({"crypto/x86/a.cc", "__m128i x;\n"}).empty());

  CHECK(exceptions({"tls/a.cc", "throw 1;\n"}).size() == 1);
  CHECK(exceptions({"app/a.cc", "throw 1;\n"}).empty());

  CHECK(bare_headers({"base/a.h", "#pragma once\n"}).size() == 1);
  CHECK(bare_headers({"base/a.h", "// A thing.\nint a;\n"}).size() == 1);
  CHECK(bare_macros({"base/a.h", "#define CHECK(x)\n"}).size() == 1);
  CHECK(bare_macros({"base/a.h", "#define QUOLL_CHECK(x)\n"}).empty());
  CHECK(long_files({"base/a.cc", std::string(700, '\n')}).size() == 1);
}

TEST_CASE("comments, strings and digit separators are told from code") {
  CHECK(code_only("a // b\nc") == "a     \nc");
  CHECK(code_only("x = \"rand()\"; y") == "x = \"      \"; y");
  CHECK(code_only("1'000'000 + 'x'") == "1'000'000 + ' '");
  CHECK(code_only("a /* b\n c */ d") == "a     \n      d");
}

}  // namespace
}  // namespace quoll::house
