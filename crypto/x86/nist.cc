// P-256 and P-384 over field arithmetic in assembly, with inversions by division steps and a table of the generator's
// multiples, which makes multiplying it a matter of additions alone.
#include "crypto/x86/nist.h"

#include "crypto/portable/nist_curves.h"
#include "crypto/portable/nist_ec.h"
#include "crypto/x86/nist_base_table.h"
#include "crypto/x86/p256_field.h"
#include "crypto/x86/p384_field.h"
#include "crypto/x86/safegcd.h"
#include "crypto/x86/table_lookup.h"

namespace quoll::crypto {
namespace {

template <class Constants, class FieldArithmetic, size_t kWindow, const auto& kBaseTable>
struct AdxCurve : Constants {
  using Field = Residue<x86::WithSafegcd<FieldArithmetic, typename Constants::Prime>>;
  using Scalar = Residue<x86::WithSafegcd<MontgomeryArithmetic<typename Constants::Order>, typename Constants::Order>>;
  using Entry = std::array<uint64_t, 2 * Constants::kLimbs>;

  static constexpr size_t kBaseWindow = kWindow;

  static Field b() { return Field::from_limbs(Constants::kB); }

  template <size_t kSize>
  static void look_up(JacobianPoint<Field>& out, const std::array<JacobianPoint<Field>, kSize>& table, uint64_t index) {
    x86::look_up_avx2(out, table, index);
  }

  template <size_t kSize>
  static void look_up(AffinePoint<Field>& out, const std::array<Entry, kSize>& row, uint64_t index) {
    Entry entry;
    x86::look_up_avx2(entry, row, index);
    out = to_point(entry);
    ct::wipe(entry);
  }

  static JacobianPoint<Field> multiply_base(const Limbs<Constants::kLimbs>& k) {
    return multiply_base_by_table<AdxCurve>(k, kBaseTable);
  }

  /// The table's first row, seen as points.
  struct BaseMultiples {
    static constexpr size_t size() { return size_t{1} << (kWindow - 1); }
    AffinePoint<Field> operator[](size_t i) const { return to_point(kBaseTable[0][i]); }
  };
  static BaseMultiples base_multiples() { return {}; }

 private:
  static AffinePoint<Field> to_point(const Entry& entry) {
    Limbs<Constants::kLimbs> x, y;
    std::memcpy(&x, entry.data(), sizeof x);
    std::memcpy(&y, entry.data() + Constants::kLimbs, sizeof y);
    return {Field::from_montgomery(x), Field::from_montgomery(y)};
  }
};

using AdxP256 = AdxCurve<P256, x86::P256Arithmetic, x86::kP256BaseWindow, x86::kP256BaseTable>;
using AdxP384 = AdxCurve<P384, x86::P384Arithmetic, x86::kP384BaseWindow, x86::kP384BaseTable>;

constexpr Implementation kAdx{
    .implementation = "adx",
    .tier = cpu::Tier::avx2,
    .needs = cpu::kAvx2 | cpu::kBmi2 | cpu::kAdx,
};

}  // namespace

constinit const Group kP256Adx = nist_group<AdxP256>(kAdx, GroupId::p256);
constinit const Group kP384Adx = nist_group<AdxP384>(kAdx, GroupId::p384);
constinit const Ecdsa kEcdsaP256Adx = nist_ecdsa<AdxP256>(kAdx, EcdsaId::p256);
constinit const Ecdsa kEcdsaP384Adx = nist_ecdsa<AdxP384>(kAdx, EcdsaId::p384);

}  // namespace quoll::crypto
