// What pages of Markdown say of the tree: links, paths, and code that is shown. pages_test.cc runs these over all pages, and
// over bad examples that they must catch.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/house/rules.h"

namespace quoll::house {

/// What there is to point at, relative to the root.
struct Tree {
  std::set<std::string> files, folders;
  std::map<std::string, std::string> pages;  // Markdown, by path: its text
};

/// Relative links lead to a file or folder that is there, and to a heading of it when they name one.
Breaches broken_links(const SourceFile& page, const Tree& tree);

/// What stands in backticks and looks like a path of the tree, or like the name of a source file or page, is there. Stars and
/// words in capitals stand for anything, and a name without an ending for a .h or .cc.
Breaches unknown_paths(const SourceFile& page, const Tree& tree);

/// The blocks of a language that a page shows, without their fences.
std::vector<std::string> code_blocks(std::string_view page, std::string_view language);

/// Without the spaces at the beginning of lines.
std::string outdented(std::string_view text);

}  // namespace quoll::house
