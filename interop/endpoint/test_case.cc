#include "interop/endpoint/test_case.h"

#include <utility>

namespace quoll::interop {

std::optional<TestCase> test_case_named(std::string_view name) {
  constexpr std::pair<std::string_view, TestCase> kNames[] = {
      {"handshake", TestCase::handshake},
      {"transfer", TestCase::transfer},
      {"multiconnect", TestCase::multiconnect},
      {"retry", TestCase::retry},
      {"resumption", TestCase::resumption},
      {"zerortt", TestCase::zerortt},
      {"chacha20", TestCase::chacha20},
      {"keyupdate", TestCase::keyupdate},
      {"ecn", TestCase::ecn},
      {"v2", TestCase::v2},
      {"versionnegotiation", TestCase::versionnegotiation},
      {"connectionmigration", TestCase::connectionmigration},
      {"http3", TestCase::http3},
  };
  for (const auto& [known, test_case] : kNames) {
    if (known == name) return test_case;
  }
  return {};
}

}  // namespace quoll::interop
