#include "tls/x509/failure.h"

namespace quoll::x509 {

std::string_view describe(Failure failure) {
  switch (failure) {
    case Failure::malformed:
      return "malformed";
    case Failure::limit:
      return "over a limit";
    case Failure::unsupported:
      return "unsupported";
    case Failure::weak:
      return "too weak";
    case Failure::bad_signature:
      return "bad signature";
    case Failure::unknown_issuer:
      return "unknown issuer";
    case Failure::not_yet_valid:
      return "not yet valid";
    case Failure::expired:
      return "expired";
    case Failure::not_a_ca:
      return "issuer is no CA";
    case Failure::path_too_long:
      return "path too long";
    case Failure::wrong_usage:
      return "wrong usage";
    case Failure::name_constraint:
      return "outside of name constraints";
    case Failure::name_mismatch:
      return "name mismatch";
    case Failure::critical_extension:
      return "unknown critical extension";
    case Failure::policy:
      return "certificate policy";
    case Failure::pin_mismatch:
      return "no pinned key";
    case Failure::no_certificate:
      return "no certificate";
  }
  return "unknown";
}

}  // namespace quoll::x509
