#include "crypto/cpu.h"

#include <cstdlib>

namespace quoll::crypto::cpu {
namespace {

constexpr std::string_view kNames[] = {"portable", "aesni", "avx2", "avx512"};

}  // namespace

std::string_view name(Tier tier) { return kNames[static_cast<size_t>(tier)]; }

std::optional<Tier> tier_named(std::string_view name) {
  for (const Tier tier : {Tier::portable, Tier::aesni, Tier::avx2, Tier::avx512}) {
    if (cpu::name(tier) == name) return tier;
  }
  return std::nullopt;
}

Tier cap() {
  static const Tier cap = [] {
    const char* text = std::getenv("QUOLL_CPU");
    return tier_named(text ? text : "").value_or(Tier::avx512);
  }();
  return cap;
}

#ifndef QUOLL_NATIVE_CRYPTO
Features features() { return kNone; }
#endif

}  // namespace quoll::crypto::cpu
