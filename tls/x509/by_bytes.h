// An order of byte strings, for sets and maps whose keys are views or vectors of bytes. The order means nothing.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace quoll::x509 {

struct ByBytes {
  bool operator()(Bytes a, Bytes b) const {
    const size_t common = std::min(a.size(), b.size());
    const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    return order != 0 ? order < 0 : a.size() < b.size();
  }
};

}  // namespace quoll::x509
