// The two roles of the endpoint. Each runs until its work is done and gives the exit code.
#pragma once

#include "interop/endpoint/environment.h"
#include "interop/endpoint/settings.h"
#include "interop/endpoint/test_case.h"

namespace quoll::interop {

/// Fetches the requests and ends.
int run_client(TestCase test_case, const Environment& environment, Logs& logs);
/// Serves until SIGTERM or SIGINT.
int run_server(TestCase test_case, const Environment& environment, Logs& logs);

}  // namespace quoll::interop
