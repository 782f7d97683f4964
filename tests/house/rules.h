// The rules that keep the house, as functions from a file's text to the lines that break them. house_test.cc runs them
// over the tree, and over bad examples that they must catch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quoll::house {

struct SourceFile {
  std::string path;  // relative to the root, "crypto/aead.cc"
  std::string text;
};

/// One line for each breach, "PATH:LINE: what is wrong".
using Breaches = std::vector<std::string>;

/// Includes of our own files follow docs/architecture.md's one direction, and product code includes no foreign library.
Breaches wrong_includes(const SourceFile& file);

/// Within quic/ folders have one direction as well (docs/architecture.md).
Breaches wrong_layers(const SourceFile& file);

/// The sans-IO core reads no clock, draws no randomness and opens no socket.
Breaches impure_core(const SourceFile& file);

/// Intrinsics and inline assembly live under crypto/x86 and crypto/arm alone (ct.h's value barrier and bench's keep()
/// apart).
Breaches misplaced_intrinsics(const SourceFile& file);

/// Below app/ nothing throws or catches, and there are no run-time types: errors are values.
Breaches exceptions(const SourceFile& file);

/// Every header starts its code with #pragma once and opens with a comment that says what it is.
Breaches bare_headers(const SourceFile& file);

/// Headers that others include define no macro without the prefix QUOLL_.
Breaches bare_macros(const SourceFile& file);

/// Files of over 600 lines want a reason, listed in rules.cc.
Breaches long_files(const SourceFile& file);

/// The text with comments and the contents of string literals blanked out, line for line.
std::string code_only(std::string_view text);

}  // namespace quoll::house
