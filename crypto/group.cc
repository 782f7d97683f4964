#include "crypto/group.h"

#include "crypto/ct.h"
#include "crypto/failure.h"

namespace quoll::crypto {
namespace {

// A draw is out of a NIST curve's range with a probability below 2^-32 (P-256); a hundred in a row mean a broken
// generator.
constexpr int kDrawsMax = 100;

}  // namespace

Result<void> generate(const Group& group, Rng& rng, MutBytes private_key, MutBytes public_key) {
  if (private_key.size() != group.private_key_size || public_key.size() != group.public_key_size) {
    return refuse(Failure::length, "a key of another size than the group's");
  }
  for (int draw = 0; draw < kDrawsMax; draw++) {
    rng.fill(private_key);
    if (group.public_key(private_key.data(), public_key.data())) return {};
  }
  ct::wipe(private_key.data(), private_key.size());
  return refuse(Failure::weak_key, "the random generator gives no private key in range");
}

Result<void> derive_public(const Group& group, Bytes private_key, MutBytes public_key) {
  if (private_key.size() != group.private_key_size || public_key.size() != group.public_key_size) {
    return refuse(Failure::length, "a key of another size than the group's");
  }
  if (!group.public_key(private_key.data(), public_key.data())) {
    return refuse(Failure::weak_key, "a private key out of the group's range");
  }
  return {};
}

Result<void> agree(const Group& group, Bytes private_key, Bytes peer_public_key, MutBytes shared_secret) {
  if (private_key.size() != group.private_key_size || peer_public_key.size() != group.public_key_size ||
      shared_secret.size() != group.shared_secret_size) {
    return refuse(Failure::length, "a key or shared secret of another size than the group's");
  }
  if (!group.agree(private_key.data(), peer_public_key.data(), shared_secret.data())) {
    ct::wipe(shared_secret.data(), shared_secret.size());
    return refuse(Failure::point, "a public key that is no valid point of the group");
  }
  return {};
}

}  // namespace quoll::crypto
