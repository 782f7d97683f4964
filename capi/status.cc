#include "capi/status.h"

#include <cstdio>
#include <string_view>

#include "base/version.h"
#include "udp/loop.h"

namespace quoll::capi {
namespace {

thread_local const char* last_reason = "";

constexpr bool header_agrees() {
  const std::string_view version = kVersion;
  const auto number = [&](size_t part) {
    int value = 0;
    for (const char c : version) {
      if (c == '.') {
        part--;
      } else if (part == 0) {
        value = value * 10 + (c - '0');
      }
    }
    return value;
  };
  return number(0) == QUOLL_VERSION_MAJOR && number(1) == QUOLL_VERSION_MINOR && number(2) == QUOLL_VERSION_PATCH;
}
static_assert(header_agrees(), "quoll.h and base/version.h name different versions");

quoll_status status_of(ErrorDomain domain) {
  switch (domain) {
    case ErrorDomain::usage:
      return QUOLL_E_STATE;
    case ErrorDomain::crypto:
    case ErrorDomain::certificate:
      return QUOLL_E_CRYPTO;
    case ErrorDomain::tls:
    case ErrorDomain::transport:
      return QUOLL_E_PROTOCOL;
    case ErrorDomain::application:
      return QUOLL_E_PEER;
    case ErrorDomain::system:
      return QUOLL_E_SYSTEM;
  }
  return QUOLL_E_STATE;
}

}  // namespace

int fail(quoll_status status, const char* reason) {
  last_reason = reason;
  return status;
}

int fail(const Error& error) { return fail(status_of(error.domain), error.reason); }

}  // namespace quoll::capi

const char* quoll_version(void) { return quoll::kVersion; }

const char* quoll_status_text(int status) {
  switch (status) {
    case QUOLL_OK:
      return "ok";
    case QUOLL_E_INVALID:
      return "invalid argument";
    case QUOLL_E_STATE:
      return "not possible in this state";
    case QUOLL_E_AGAIN:
      return "nothing now, try again";
    case QUOLL_E_GONE:
      return "the connection is gone";
    case QUOLL_E_PEER:
      return "the peer gave the stream up";
    case QUOLL_E_SIZE:
      return "a size that does not fit";
    case QUOLL_E_SYSTEM:
      return "the operating system refused";
    case QUOLL_E_CRYPTO:
      return "a certificate, key or ticket that cannot be used";
    case QUOLL_E_PROTOCOL:
      return "a breach of protocol";
    case QUOLL_E_RESOLVE:
      return "no address for the name";
    default:
      return status > 0 ? "something to poll" : "an unknown status";
  }
}

const char* quoll_last_reason(void) { return quoll::capi::last_reason; }

uint64_t quoll_now(void) { return static_cast<uint64_t>(quoll::udp::now().as_nanoseconds()); }
