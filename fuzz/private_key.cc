// Private keys in their three forms over any bytes: the portable and the best implementation take or refuse them alike,
// and a key that is taken signs what its public half verifies, and is the same key when it is written and read again.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "tls/x509/private_key.h"

using namespace quoll;
using x509::PrivateKey;
using x509::PublicKey;
using x509::SignatureAlgorithm;

namespace {

/// Not random: the same input gives the same run.
class CountingRng final : public Rng {
 public:
  void fill(MutBytes out) override {
    for (uint8_t& byte : out) byte = next_ = static_cast<uint8_t>(next_ * 5 + 1);
  }

 private:
  uint8_t next_ = 7;
};

void check_key(const crypto::Provider& provider, const PrivateKey& key, Bytes message) {
  const auto public_key = PublicKey::parse(provider, key.public_key_info());
  QUOLL_CHECK(public_key && public_key->type() == key.type());
  CountingRng rng;
  std::vector<uint8_t> signature(x509::kSignatureSizeMax);
  const SignatureAlgorithm algorithm = key.preferred_algorithm();
  const auto size = key.sign(algorithm, rng, message, signature);
  QUOLL_CHECK(size && *size <= key.signature_size_max());
  QUOLL_CHECK(public_key->verify(algorithm, message, Bytes(signature).first(*size)));

  const auto again = PrivateKey::parse_der(provider, key.to_pkcs8());
  QUOLL_CHECK(again && again->type() == key.type() && again->to_pkcs8() == key.to_pkcs8());
  QUOLL_CHECK(std::ranges::equal(again->public_key_info(), key.public_key_info()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  const auto portable = PrivateKey::parse_der(crypto::portable(), input);
  const auto best = PrivateKey::parse_der(crypto::best(), input);
  QUOLL_CHECK(portable.has_value() == best.has_value());
  if (best) {
    QUOLL_CHECK(std::ranges::equal(portable->public_key_info(), best->public_key_info()));
    check_key(crypto::best(), *best, input);
  } else {
    QUOLL_CHECK(portable.error().code == best.error().code && portable.error().domain == best.error().domain);
  }
  return 0;
}
