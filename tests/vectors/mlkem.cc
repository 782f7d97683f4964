#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler mlkem_handler(const json&) { return nullptr; }

}  // namespace quoll::vectors
