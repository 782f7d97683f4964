// The features of an x86-64 processor, from CPUID and XGETBV.
#include <cpuid.h>

#include "crypto/cpu.h"

namespace quoll::crypto::cpu {
namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// All zero when the processor does not have the leaf.
Registers leaf(unsigned number) {
  Registers r;
  if (!__get_cpuid_count(number, 0, &r.eax, &r.ebx, &r.ecx, &r.edx)) return {};
  return r;
}

/// The register state that the operating system saves on a context switch (XCR0).
unsigned enabled_state() {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

constexpr unsigned kYmmState = 0x06;     // XMM and YMM
constexpr unsigned kAvx512State = 0xe6;  // and the mask registers, the upper halves, the upper sixteen

Features detect() {
  const Registers one = leaf(1), seven = leaf(7);
  const auto bit = [](unsigned word, int number, Features feature) { return (word >> number & 1) ? feature : kNone; };
  Features found = bit(one.ecx, 9, kSsse3) | bit(one.ecx, 19, kSse41) | bit(one.ecx, 25, kAesNi) |
                   bit(one.ecx, 1, kPclmulqdq) | bit(seven.ebx, 29, kShaNi) | bit(seven.ebx, 19, kAdx);
  if ((seven.ebx >> 3 & 1) && (seven.ebx >> 8 & 1)) found |= kBmi2;
  const bool saves_state = one.ecx >> 27 & 1;  // OSXSAVE
  const unsigned state = saves_state ? enabled_state() : 0;
  if ((state & kYmmState) == kYmmState && (one.ecx >> 28 & 1)) {
    found |= kAvx | bit(seven.ebx, 5, kAvx2) | bit(seven.ecx, 9, kVaes) | bit(seven.ecx, 10, kVpclmulqdq);
    constexpr unsigned kFBwDqVl = 1u << 16 | 1u << 30 | 1u << 17 | 1u << 31;
    if ((state & kAvx512State) == kAvx512State && (seven.ebx & kFBwDqVl) == kFBwDqVl) {
      found |= kAvx512 | bit(seven.ebx, 21, kAvx512Ifma);
    }
  }
  return found;
}

}  // namespace

Features features() {
  static const Features found = detect();
  return found;
}

}  // namespace quoll::crypto::cpu
