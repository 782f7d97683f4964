// A SubjectPublicKeyInfo and an AlgorithmIdentifier over any bytes: all implementations take or refuse a key alike, for
// the same reason; a key that is taken supports as many algorithms as its type has, and takes no signature that is out
// of range.
#include "tls/x509/public_key.h"

#include <array>

#include "base/check.h"
#include "tls/x509/der_values.h"

using namespace quoll;
using namespace quoll::x509;

namespace {

constexpr int kAlgorithmCount = 10;

void check_key(Bytes spki) {
  const auto portable = PublicKey::parse(crypto::portable(), spki);
  const auto best = PublicKey::parse(crypto::best(), spki);
  QUOLL_CHECK(portable.has_value() == best.has_value());
  if (!best) {
    QUOLL_CHECK(best.error().domain == ErrorDomain::certificate && best.error().code == portable.error().code);
    return;
  }
  QUOLL_CHECK(best->type() == portable->type() && best->bits() == portable->bits());
  QUOLL_CHECK(best->bits() >= 256 && best->bits() <= crypto::kRsaModulusBitsMax);
  int supported = 0;
  for (int i = 0; i < kAlgorithmCount; i++) {
    const auto algorithm = static_cast<SignatureAlgorithm>(i);
    QUOLL_CHECK(best->supports(algorithm) == portable->supports(algorithm));
    supported += best->supports(algorithm) ? 1 : 0;
    std::array<uint8_t, 64> signature;  // too short for RSA, no DER for ECDSA, above Ed25519's order
    signature.fill(0xff);
    QUOLL_CHECK(!best->verify(algorithm, spki, signature));
  }
  switch (best->type()) {
    case KeyType::rsa:
      QUOLL_CHECK(supported == 6);
      break;
    case KeyType::rsa_pss:
      QUOLL_CHECK(supported == 3 || supported == 1);
      break;
    case KeyType::ecdsa_p256:
    case KeyType::ecdsa_p384:
      QUOLL_CHECK(supported == 3);
      break;
    case KeyType::ed25519:
      QUOLL_CHECK(supported == 1);
      break;
  }
}

void check_algorithm(Bytes identifier) {
  const auto algorithm = parse_signature_algorithm(identifier);
  crypto::DerReader reader(identifier);
  const bool well_formed = read_algorithm_identifier(reader).has_value() && reader.finished();
  QUOLL_CHECK(!algorithm || well_formed);
  if (algorithm) QUOLL_CHECK(static_cast<int>(*algorithm) < kAlgorithmCount);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check_key({data, size});
  check_algorithm({data, size});
  return 0;
}
