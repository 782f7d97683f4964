// P-256 and P-384 over the generic Montgomery arithmetic. Small rather than fast: the generator is a point like any
// other.
#include "crypto/portable/nist.h"

#include "crypto/portable/nist_curves.h"
#include "crypto/portable/nist_ec.h"

namespace quoll::crypto {
namespace {

template <class Constants>
struct PortableCurve : Constants {
  using Field = Residue<MontgomeryArithmetic<typename Constants::Prime>>;
  using Scalar = Residue<MontgomeryArithmetic<typename Constants::Order>>;

  static Field b() { return Field::from_limbs(Constants::kB); }

  template <class Point, size_t kSize>
  static void look_up(Point& out, const std::array<Point, kSize>& table, uint64_t index) {
    select_from_table(out, table, index);
  }

  static JacobianPoint<Field> multiply_base(const Limbs<Constants::kLimbs>& k) {
    return multiply<PortableCurve>(k, generator());
  }

  static std::array<JacobianPoint<Field>, 8> base_multiples() {
    std::array<JacobianPoint<Field>, 8> table;
    odd_multiples(table, to_jacobian(generator()));
    return table;
  }

 private:
  static AffinePoint<Field> generator() {
    return {Field::from_limbs(Constants::kGeneratorX), Field::from_limbs(Constants::kGeneratorY)};
  }
};

constexpr Implementation kPortable{.implementation = "portable"};

}  // namespace

constinit const Group kP256Portable = nist_group<PortableCurve<P256>>(kPortable, GroupId::p256);
constinit const Group kP384Portable = nist_group<PortableCurve<P384>>(kPortable, GroupId::p384);
constinit const Ecdsa kEcdsaP256Portable = nist_ecdsa<PortableCurve<P256>>(kPortable, EcdsaId::p256);
constinit const Ecdsa kEcdsaP384Portable = nist_ecdsa<PortableCurve<P384>>(kPortable, EcdsaId::p384);

}  // namespace quoll::crypto
