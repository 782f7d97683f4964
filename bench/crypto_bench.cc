// The benchmark program for crypto/: every family's rows, beside OpenSSL's libcrypto (linked only here and in tests).
#include "bench/crypto_families.h"
#include "crypto/provider.h"

int main(int argc, char** argv) {
  using namespace quoll;
  const bench::CommandLine line = bench::parse_command_line("crypto_bench", argc, argv);
  bench::Table table(line.options, "openssl");
  const crypto::Provider& provider = crypto::best();
  bench::bench_aead(table, provider);
  bench::bench_hash(table, provider);
  bench::bench_curves25519(table, provider);
  bench::bench_nist_curves(table, provider);
  bench::bench_rsa(table, provider);
  bench::bench_mlkem(table, provider);
  table.print();
  if (!line.json.empty()) table.print_json(line.json);
  return 0;
}
