// Builds an encoding of any size: runs code that writes it over a buffer that grows until everything fits. Buffers that
// were too small are wiped, for what is built may be a private key.
#pragma once

#include <vector>

#include "base/check.h"
#include "crypto/ct.h"
#include "crypto/der.h"

namespace quoll::x509 {

/// What `write(DerWriter&)` writes; it is called once for each size that is tried, and writes the same each time.
template <class Write>
std::vector<uint8_t> build_der(const Write& write) {
  constexpr size_t kFirstSize = 1024, kSizeMax = size_t{1} << 30;
  for (size_t size = kFirstSize; size <= kSizeMax; size *= 2) {
    std::vector<uint8_t> buffer(size);
    crypto::DerWriter writer(buffer);
    write(writer);
    if (const auto written = writer.finish()) {
      buffer.resize(written->size());
      return buffer;
    }
    crypto::ct::wipe(buffer.data(), buffer.size());
  }
  QUOLL_CHECK(false);  // no input of ours comes near
  return {};
}

}  // namespace quoll::x509
