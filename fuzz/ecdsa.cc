// What a peer sends to the curves: a DER signature, or a point. All implementations must give the same verdict, a
// signature must be refused whole or taken whole, and a point that is accepted must be on the curve for every one of
// them.
#include "crypto/ecdsa.h"

#include <optional>

#include "base/check.h"
#include "crypto/group.h"
#include "crypto/provider.h"

using namespace quoll;
using namespace quoll::crypto;

namespace {

/// The verdict as a number: 0 for success, else the failure and 1.
template <class T>
uint64_t verdict(const Result<T>& result) {
  return result ? 0 : result.error().code + 1;
}

void same_for_all(const Ecdsa* Provider::* ecdsa, const Group* Provider::* group, bool signature, Bytes input) {
  std::optional<uint64_t> first;
  for (const Provider& provider : all()) {
    const Ecdsa& curve = *(provider.*ecdsa);
    uint8_t private_key[kPrivateKeySizeMax] = {};
    private_key[curve.scalar_size - 1] = 3;
    uint8_t point[kPublicKeySizeMax], shared[kSharedSecretSizeMax];
    QUOLL_CHECK(curve.public_key(private_key, point));
    const Bytes public_key = Bytes(point).first(curve.public_key_size);
    const uint8_t digest[32] = {1, 2, 3};
    const uint64_t found = signature
                               ? verdict(ecdsa_verify(curve, public_key, digest, input))
                               : verdict(agree(*(provider.*group), Bytes(private_key).first(curve.scalar_size), input,
                                               MutBytes(shared).first((provider.*group)->shared_secret_size)));
    QUOLL_CHECK(!first || *first == found);
    first = found;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  const bool signature = data[0] & 2;
  if (data[0] & 1) {
    same_for_all(&Provider::ecdsa_p384, &Provider::p384, signature, input);
  } else {
    same_for_all(&Provider::ecdsa_p256, &Provider::p256, signature, input);
  }
  return 0;
}
