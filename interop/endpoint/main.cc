// The endpoint for the quic-interop-runner: no arguments, everything comes from the environment (environment.h).
#include <cstdlib>

#include "interop/endpoint/roles.h"

namespace {

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  if (!value || *value == '\0') return {};
  return std::string(value);
}

}  // namespace

int main() {
  using namespace quoll::interop;
  const char* const name = std::getenv("TESTCASE");
  const std::optional<TestCase> test_case = test_case_named(name ? name : "");
  if (!test_case) {
    say(std::string("TESTCASE: ") + (name ? name : "(none)") + " is not supported");
    return kUnsupported;
  }
  const auto environment = Environment::read(variable);
  if (!environment) {
    say(environment.error());
    return kFailed;
  }
  auto logs = Logs::open(*environment);
  if (!logs) {
    say(logs.error());
    return kFailed;
  }
  if (environment->role == quoll::quic::Role::client) return run_client(*test_case, *environment, **logs);
  return run_server(*test_case, *environment, **logs);
}
