// Odd multiples of the generators of P-256 and P-384, made by nist_base_table.py.
//
// Row i holds (2 j + 1) 2^(W i) G for j in [0, 2^(W - 1)): the rows that crypto/portable/point_multiply.h adds one
// entry of. W is a balance: a wider window saves additions but reads more memory (every entry of a row, each time) and
// displaces more of the caches. P-256: W = 6, 43 rows, 86 KiB. P-384: W = 5, 77 rows, 115 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace quoll::crypto::x86 {

/// The limbs of x and of y, in Montgomery's form.
template <size_t kLimbs, size_t kWindow>
using BaseTable = std::array<std::array<std::array<uint64_t, 2 * kLimbs>, size_t{1} << (kWindow - 1)>,
                             (64 * kLimbs + kWindow - 1) / kWindow>;

inline constexpr size_t kP256BaseWindow = 6;
inline constexpr size_t kP384BaseWindow = 5;

using P256BaseTable = BaseTable<4, kP256BaseWindow>;
using P384BaseTable = BaseTable<6, kP384BaseWindow>;

alignas(64) extern const P256BaseTable kP256BaseTable;
alignas(64) extern const P384BaseTable kP384BaseTable;

}  // namespace quoll::crypto::x86
