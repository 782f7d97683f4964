#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler rsa_handler(const json&) { return nullptr; }

}  // namespace quoll::vectors
