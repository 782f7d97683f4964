// One function for each family of primitives: adds its rows to the table. One file each, bench/crypto_NAME.cc.
#pragma once

#include "bench/harness.h"
#include "crypto/provider.h"

namespace quoll::bench {

void bench_aead(Table& table, const crypto::Provider& provider);         // AES-GCM, ChaCha20-Poly1305, header masks
void bench_hash(Table& table, const crypto::Provider& provider);         // SHA-2, SHA-3, HMAC, HKDF
void bench_curves25519(Table& table, const crypto::Provider& provider);  // X25519, Ed25519
void bench_nist_curves(Table& table, const crypto::Provider& provider);  // P-256, P-384
void bench_rsa(Table& table, const crypto::Provider& provider);
void bench_mlkem(Table& table, const crypto::Provider& provider);

}  // namespace quoll::bench
