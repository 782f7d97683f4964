#include "tests/vectors/report.h"

#include <cstdio>
#include <stdexcept>

namespace quoll::vectors {

void Report::check(bool passed, const std::string& what) {
  if (passed) {
    passed_++;
  } else {
    failed_++;
    std::fprintf(stderr, "%s: %s: wrong\n", file_.c_str(), what.c_str());
  }
}

void Report::differ(const std::string& what, const char* reason) {
  differing_++;
  std::printf("%s: %s: differs by policy: %s\n", file_.c_str(), what.c_str(), reason);
}

std::vector<uint8_t> unhex(const std::string& hex) {
  const auto digit = [&](char c) -> unsigned {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    throw std::invalid_argument("not hexadecimal: " + hex.substr(0, 40));
  };
  if (hex.size() % 2 != 0) throw std::invalid_argument("an odd number of hexadecimal digits: " + hex.substr(0, 40));
  std::vector<uint8_t> bytes(hex.size() / 2);
  for (size_t i = 0; i < bytes.size(); i++) {
    bytes[i] = static_cast<uint8_t>(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
  }
  return bytes;
}

std::vector<uint8_t> bytes_of(const json& object, const char* member) {
  return unhex(object.at(member).get<std::string>());
}

bool first_case_has(const json& file, std::initializer_list<const char*> members) {
  if (!file.is_object() || !file.contains("cases")) return false;
  const json& cases = file.at("cases");
  if (!cases.is_array() || cases.empty() || !cases.front().is_object()) return false;
  for (const char* member : members) {
    if (!cases.front().contains(member)) return false;
  }
  return true;
}

}  // namespace quoll::vectors
