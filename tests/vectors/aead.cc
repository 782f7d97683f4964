#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler aead_handler(const json&) { return nullptr; }

}  // namespace quoll::vectors
