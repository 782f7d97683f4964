#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler curves25519_handler(const json&) { return nullptr; }

}  // namespace quoll::vectors
