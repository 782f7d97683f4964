// From a field of edwards25519.h to the tables that a catalogue lists.
#pragma once

#include "crypto/ed25519.h"
#include "crypto/group.h"
#include "crypto/portable/ed25519.h"
#include "crypto/portable/x25519.h"

namespace quoll::crypto {

template <class F>
constexpr Group make_x25519(const Implementation& implementation) {
  return {implementation, GroupId::x25519, "X25519", 32, 32, 32, X25519<F>::public_key, X25519<F>::agree};
}

template <class F>
constexpr Ed25519 make_ed25519(const Implementation& implementation) {
  return {implementation, Ed25519Code<F>::public_key, Ed25519Code<F>::sign, Ed25519Code<F>::verify};
}

}  // namespace quoll::crypto
