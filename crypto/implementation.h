// The part that every implementation of every primitive shares: its name and what it needs of the processor.
#pragma once

#include <string_view>

#include "crypto/cpu.h"

namespace quoll::crypto {

struct Implementation {
  std::string_view implementation;       // for people: "portable", "aesni", "vaes-avx2", ...
  cpu::Tier tier = cpu::Tier::portable;  // the lowest cap under which it may run
  cpu::Features needs = cpu::kNone;      // what the processor must have

  bool runs_on(cpu::Features features, cpu::Tier cap) const { return tier <= cap && (needs & ~features) == 0; }
};

}  // namespace quoll::crypto
