// The benchmark program for crypto/: every family's rows, beside OpenSSL's libcrypto (linked only here and in tests).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/crypto_families.h"
#include "crypto/provider.h"

namespace {

[[noreturn]] void usage(const char* wrong) {
  std::fprintf(stderr,
               "crypto_bench: %s\nusage: crypto_bench [--filter TEXT] [--rounds N] [--seconds S] [--json FILE]\n",
               wrong);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace quoll;
  bench::Options options;
  std::string json;
  for (int i = 1; i < argc; i++) {
    const std::string option = argv[i];
    if (i + 1 >= argc) usage((option + " wants a value, or is not an option").c_str());
    const char* value = argv[++i];
    if (option == "--filter") {
      options.filter = value;
    } else if (option == "--rounds") {
      options.rounds = std::atoi(value);
      if (options.rounds < 1) usage("--rounds wants a whole number above 0");
    } else if (option == "--seconds") {
      options.round_seconds = std::atof(value);
      if (options.round_seconds <= 0) usage("--seconds wants a number above 0");
    } else if (option == "--json") {
      json = value;
    } else {
      usage((option + " is not an option").c_str());
    }
  }
  bench::Table table(options, "openssl");
  const crypto::Provider& provider = crypto::best();
  bench::bench_aead(table, provider);
  bench::bench_hash(table, provider);
  bench::bench_curves25519(table, provider);
  bench::bench_nist_curves(table, provider);
  bench::bench_rsa(table, provider);
  bench::bench_mlkem(table, provider);
  table.print();
  if (!json.empty()) table.print_json(json);
  return 0;
}
