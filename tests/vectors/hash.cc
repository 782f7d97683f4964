#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler hash_handler(const json&) { return nullptr; }

}  // namespace quoll::vectors
