// Poly1305's tables. The 26-bit limbs are listed on every host, so that the tests reach them on every host.
#include "crypto/portable/poly1305.h"

namespace quoll::crypto {
namespace {

template <class Limbs>
void mac(const uint8_t* key, Bytes message, uint8_t* tag) {
  Poly1305Mac<Limbs> state(key);
  state.absorb(message);
  state.finish(tag);
}

#ifdef __SIZEOF_INT128__
constexpr Poly1305 kLimbs64{{.implementation = Poly1305Limbs64::kName}, mac<Poly1305Limbs64>};
#endif
constexpr Poly1305 kLimbs26{{.implementation = Poly1305Limbs26::kName}, mac<Poly1305Limbs26>};

constexpr const Poly1305* kAll[] = {
#ifdef __SIZEOF_INT128__
    &kLimbs64,
#endif
    &kLimbs26,
};

}  // namespace

std::span<const Poly1305* const> portable_poly1305s() { return kAll; }

}  // namespace quoll::crypto
