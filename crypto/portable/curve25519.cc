#include "crypto/portable/curve25519.h"

#include "crypto/portable/curve25519_tables.h"
#include "crypto/portable/field25519_25.h"
#include "crypto/portable/field25519_51.h"

namespace quoll::crypto {
namespace {

#ifdef __SIZEOF_INT128__
struct Field : Field51, PortableLookup {};
#else
struct Field : Field25, PortableLookup {};
#endif

constexpr Implementation kPortable{.implementation = "portable"};

}  // namespace

constinit const Group portable_x25519 = make_x25519<Field>(kPortable);
constinit const Ed25519 portable_ed25519 = make_ed25519<Field>(kPortable);

}  // namespace quoll::crypto
