// GREASE (RFC 8701): code points that mean nothing, sent so that peers keep ignoring what they do not know.
#pragma once

#include <cstdint>

#include "base/rng.h"

namespace quoll::tls {

/// One of the sixteen values; codepoints.h's is_grease() knows them.
inline uint16_t draw_grease(Rng& rng) { return static_cast<uint16_t>(0x0a0a + 0x1010 * rng.below(16)); }

}  // namespace quoll::tls
