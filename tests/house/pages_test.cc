// Pages of Markdown over the whole tree: what they point at is there, and the code that they show is that of programs and tests.
#include "tests/house/pages.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

// Last, so that its CHECK takes the place of ours in this file alone.
#include <doctest/doctest.h>

namespace quoll::house {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(fs::path(QUOLL_SOURCE_DIR) / path).rdbuf();
  return text.str();
}

const Tree& tree() {
  static const Tree made = [] {
    Tree tree;
    const fs::path root = QUOLL_SOURCE_DIR;
    for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
      const std::string path = fs::relative(entry->path(), root).generic_string();
      const std::string name = entry->path().filename().string();
      if (!entry->is_directory()) {
        tree.files.insert(path);
        if (name.ends_with(".md")) tree.pages[path] = text_of(path);
      } else if (name == ".git" || (entry.depth() == 0 && name.starts_with("build"))) {
        entry.disable_recursion_pending();
      } else {
        tree.folders.insert(path);
      }
    }
    return tree;
  }();
  return made;
}

/// What the files of a folder say, outdented.
std::string all_of(std::string_view folder) {
  std::string all;
  for (const std::string& path : tree().files) {
    if (path.starts_with(folder) && (path.ends_with(".cc") || path.ends_with(".h"))) all += outdented(text_of(path));
  }
  return all;
}

/// Each block is a passage of `sources`. What is left out in the midst of one is marked by a line with three dots.
void expect_passages(const char* page, const std::string& sources, size_t blocks_min) {
  const std::vector<std::string> blocks = code_blocks(text_of(page), "cpp");
  CHECK(blocks.size() >= blocks_min);
  for (const std::string& block : blocks) {
    std::string rest = outdented(block) + "\n";
    for (size_t cut = 0; !rest.empty(); rest.erase(0, cut)) {
      cut = std::min(rest.find("// …\n"), rest.size());
      const std::string passage = rest.substr(0, cut);
      CHECK_MESSAGE(sources.find(passage) != std::string::npos, page, " shows what is in no program:\n", passage);
      if (cut < rest.size()) cut += std::string_view("// …\n").size();
    }
  }
}

void expect_none(Breaches (*rule)(const SourceFile&, const Tree&)) {
  CHECK(tree().pages.size() > 20);
  for (const auto& [path, text] : tree().pages) {
    if (path.starts_with("interop/peers/")) continue;  // these speak of the files of others
    for (const std::string& breach : rule({path, text}, tree())) FAIL_CHECK(breach);
  }
}

TEST_CASE("relative links lead somewhere, in every page") { expect_none(broken_links); }
TEST_CASE("paths and files that pages name exist") { expect_none(unknown_paths); }

TEST_CASE("docs/quic.md shows code of its test, and nothing else") {
  expect_passages("docs/quic.md", outdented(text_of("tests/quic/connection/guide_test.cc")), 6);
}
TEST_CASE("docs/tutorial.md shows code of the examples, and nothing else") {
  expect_passages("docs/tutorial.md", all_of("examples/"), 8);
}
TEST_CASE("docs/guide.md shows code of the examples and tests, and nothing else") {
  expect_passages("docs/guide.md", all_of("examples/") + all_of("tests/web/"), 4);
}

TEST_CASE("constants that docs/security.md names are in the headers that it names") {
  const std::string page = text_of("docs/security.md");
  static const std::regex rows(R"(\| (`k[^|]*)\|[^|]*\| `([\w/]+\.h)` \|)"), names("`(k\\w+)`");
  size_t found = 0;
  for (std::sregex_iterator row(page.begin(), page.end(), rows), end; row != end; ++row) {
    const std::string limits = (*row)[1], header = text_of((*row)[2].str());
    for (std::sregex_iterator at(limits.begin(), limits.end(), names); at != end; ++at, found++) {
      CHECK_MESSAGE(header.find(" " + (*at)[1].str() + " = ") != std::string::npos, (*row)[2].str(), ": ",
                    (*at)[1].str());
    }
  }
  CHECK(found > 15);
}

TEST_CASE("the README's table has every example") {
  const std::string readme = text_of("README.md");
  for (const std::string& path : tree().files) {
    if (!path.starts_with("examples/") || !path.ends_with(".cc")) continue;
    CHECK_MESSAGE(readme.find("(" + path + ")") != std::string::npos, "README.md does not link ", path);
  }
}

TEST_CASE("the rules for pages catch what they are for") {
  Tree small;
  small.files = {"README.md", "docs/a.md", "quic/path/mtu.h"};
  small.folders = {"docs", "quic", "quic/path"};
  small.pages = {{"docs/a.md", "# One\n\n## The `second` one, with dots.\n\n```\n# no heading\n```\n"}};
  const auto links = [&](const char* text) { return broken_links({"docs/b.md", text}, small).size(); };
  CHECK(links("[a](a.md) [r](../README.md) [p](../quic/path/) [w](https://example.com/x) [t](#none)\n") == 1);
  CHECK(links("[a](b.md)\n") == 1);
  CHECK(links("![a](a.svg) <img src=\"a.png\">\n") == 2);
  CHECK(links("[a](../../README.md)\n") == 1);
  CHECK(links("[a](a.md#the-second-one-with-dots) [b](a.md#one)\n") == 0);
  CHECK(links("[a](a.md#no-heading)\n") == 1);
  CHECK(links("```\n[a](b.md)\n```\n") == 0);

  const auto paths = [&](const char* text) { return unknown_paths({"docs/b.md", text}, small).size(); };
  CHECK(paths("`quic/path/mtu.h` `quic/path/mtu` `path/mtu.h` `mtu.h` `quic/path/` `quic/NAME/mtu.h` `quic/*/mtu.*` "
              "`a.md`\n") == 0);
  CHECK(paths("`quic/path/gone.h`\n") == 1);
  CHECK(paths("`quic/gone/`\n") == 1);
  CHECK(paths("`gone.cc` `gone/gone.cc`\n") == 2);
  CHECK(paths("`application/json` `and/or` `std::string` `a.b`\n") == 0);
  CHECK(paths("```\n`gone.cc`\n```\n") == 0);

  CHECK(code_blocks("a\n```cpp\nint a;\n```\n\n```sh\nls\n```\n", "cpp") == std::vector<std::string>{"int a;"});
  CHECK(outdented("  a\n    b c\n") == "a\nb c\n");
}

}  // namespace
}  // namespace quoll::house
