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

constinit const Group kX25519Portable = make_x25519<Field>(kPortable);
constinit const Ed25519 kEd25519Portable = make_ed25519<Field>(kPortable);

}  // namespace quoll::crypto
