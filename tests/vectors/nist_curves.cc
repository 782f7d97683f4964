#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler nist_curves_handler(const json&) { return nullptr; }

}  // namespace quoll::vectors
