// The test cases of the quic-interop-runner that an endpoint is told by name, and what each asks of it.
//
// Many tests of the runner (multiplexing, blackhole, rebinding, loss and so on) differ only in files and network: their
// endpoints are told "transfer" or "handshake".
#pragma once

#include <optional>
#include <string_view>

namespace quoll::interop {

enum class TestCase {
  handshake,
  transfer,
  multiconnect,  // a connection for each request
  retry,         // the server sends a Retry
  resumption,    // the first request, then the others over a connection that resumes the first
  zerortt,       // the same, and the others go in 0-RTT
  chacha20,      // ChaCha20-Poly1305 is the only cipher suite
  keyupdate,     // the client updates keys early
  ecn,
  v2,                   // begins in version 1, the server goes over to 2 (RFC 9368, RFC 9369)
  versionnegotiation,   // the client begins in a version that nobody has
  connectionmigration,  // the server has a preferred address (RFC 9000 §9.6)
  http3,
};

/// Empty for a name that is not known: the endpoint exits with kUnsupported.
std::optional<TestCase> test_case_named(std::string_view name);

inline constexpr int kSucceeded = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUnsupported = 127;

}  // namespace quoll::interop
