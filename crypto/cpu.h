// What the processor can do, read once, and the cap that a user or a test puts on it.
//
// A Tier is a rung of the ladder that QUOLL_CPU names: portable, aesni, avx2, avx512. It is a cap, not a wish: the tier
// in force is never above what the processor has. An implementation states its tier and the features it needs; it is
// eligible when the cap reaches its tier and the processor has the features.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quoll::crypto::cpu {

enum class Tier : uint8_t { portable, aesni, avx2, avx512 };

/// Bits of Features. x86 only so far; an architecture adds its own.
enum Feature : uint32_t {
  kNone = 0,
  kSsse3 = 1u << 0,
  kSse41 = 1u << 1,
  kAesNi = 1u << 2,
  kPclmulqdq = 1u << 3,
  kShaNi = 1u << 4,
  kAvx = 1u << 5,
  kAvx2 = 1u << 6,
  kBmi2 = 1u << 7,  // with BMI1: mulx, rorx, andn
  kAdx = 1u << 8,
  kVaes = 1u << 9,
  kVpclmulqdq = 1u << 10,
  kAvx512 = 1u << 11,  // F, BW, DQ and VL, with the operating system's support
  kAvx512Ifma = 1u << 12,
};
using Features = uint32_t;

/// What this processor and its operating system support.
Features features();

/// The name of a tier, as QUOLL_CPU spells it.
std::string_view name(Tier tier);

/// The tier of a name; empty when there is no such tier.
std::optional<Tier> tier_named(std::string_view name);

/// The cap that the environment variable QUOLL_CPU sets; avx512 when it is unset or not a tier's name. Programs refuse
/// such a name with a clear line (tier_named tells); a library cannot.
Tier cap();

}  // namespace quoll::crypto::cpu
