// What a vector file's handler gives back: a count, and one line on stderr for each failure.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace quoll::vectors {

using nlohmann::json;

class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  /// Counts one check. `what` names the case and the implementation.
  void check(bool passed, const std::string& what);

  /// Counts a case whose expectation we do not share, and says so on stdout: no failure, and not passed either.
  void differ(const std::string& what, const char* reason);

  size_t differing() const { return differing_; }
  size_t passed() const { return passed_; }
  size_t failed() const { return failed_; }

 private:
  std::string file_;
  size_t passed_ = 0;
  size_t failed_ = 0;
  size_t differing_ = 0;
};

/// The bytes of a hexadecimal string; throws std::invalid_argument when it is none.
std::vector<uint8_t> unhex(const std::string& hex);

/// The bytes of a member of an object that holds hexadecimal; throws when it is missing.
std::vector<uint8_t> bytes_of(const json& object, const char* member);

/// Whether `file` holds a list "cases" whose first case has all of `members`: how known-answer files are recognised.
bool first_case_has(const json& file, std::initializer_list<const char*> members);

/// Runs every case of a file over every implementation that the processor runs. Throws when the file is not of its
/// format.
using Handler = void (*)(const json& file, Report& report);

/// The handler of a file's format; null when the format is not known. One list, in formats.cc.
Handler handler_for(const json& file);

}  // namespace quoll::vectors
