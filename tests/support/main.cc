// The unit tests' program: doctest's main, after a check of QUOLL_CPU that would otherwise be silently ignored.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "crypto/cpu.h"

int main(int argc, char** argv) {
  if (const char* cap = std::getenv("QUOLL_CPU"); cap && !quoll::crypto::cpu::tier_named(cap)) {
    std::fprintf(stderr, "QUOLL_CPU=%s is none of portable, aesni, avx2, avx512\n", cap);
    return 2;
  }
  return doctest::Context(argc, argv).run();
}
