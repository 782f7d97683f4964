// What `quoll perf serve` and `quoll perf get` agree on, beside HTTP/3.
//
// GET /N is answered with N bytes; the content of POST and PUT is swallowed, and answered with nothing. The answer to
// GET /statistics is empty, and has what the server knows of itself in its fields. So any HTTP/3 client can load this
// server, and this client any server.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace quoll::app {

int perf_serve(std::span<char* const> arguments);
int perf_get(std::span<char* const> arguments);

enum class PerfWork : uint8_t {
  transfers,   // requests on connections that stay
  handshakes,  // a new connection for each request
  idle,        // connections that have had a request each, and only exist
};

inline constexpr uint64_t kPerfBodyMax = uint64_t{1} << 42;  // bytes of an answer, or of a request

inline constexpr std::string_view kPerfStatisticsPath = "/statistics";
// Its fields; decimal numbers.
inline constexpr std::string_view kPerfCpuField = "quoll-cpu-us";               // of the whole process, since it began
inline constexpr std::string_view kPerfMemoryField = "quoll-memory";            // resident bytes
inline constexpr std::string_view kPerfConnectionsField = "quoll-connections";  // now

}  // namespace quoll::app
