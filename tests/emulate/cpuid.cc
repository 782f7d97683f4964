// Takes the place of crypto/x86/cpuid.cc in a build with QUOLL_EMULATE: every feature is there, the missing ones
// emulated.
#include "crypto/cpu.h"

namespace quoll::crypto::cpu {

Features features() {
  return kSsse3 | kSse41 | kAesNi | kPclmulqdq | kShaNi | kAvx | kAvx2 | kBmi2 | kAdx | kVaes | kVpclmulqdq | kAvx512 |
         kAvx512Ifma;
}

}  // namespace quoll::crypto::cpu
