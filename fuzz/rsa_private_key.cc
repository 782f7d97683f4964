// A key file's RSAPrivateKey (RFC 8017 appendix A.1.2) over any bytes: all implementations take or refuse it alike, and
// a key that is taken signs what its public half verifies.
#include <optional>
#include <vector>

#include "base/check.h"
#include "crypto/provider.h"
#include "crypto/rsa.h"

using namespace quoll;
using namespace quoll::crypto;

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::optional<bool> first;
  for (const Provider* provider : {&portable(), &best()}) {
    const auto key = RsaPrivateKey::parse(*provider->rsa, {data, size});
    QUOLL_CHECK(!first || *first == key.has_value());
    first = key.has_value();
    if (!key) continue;
    CountingRng rng;
    std::vector<uint8_t> signature(key->public_key().modulus_size());
    const uint8_t digest[32] = {1, 2, 3};
    QUOLL_CHECK(key->sign_pss(*provider->sha256, rng, digest, signature));
    QUOLL_CHECK(key->public_key().verify_pss(*provider->sha256, digest, signature));
  }
  return 0;
}
