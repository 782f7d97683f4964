// crypto-kat's block_ciphers_mac: one AES block (through header protection, whose mask is that block), the ChaCha20
// block function, and Poly1305.
#include <stdexcept>

#include "crypto/chacha20.h"
#include "crypto/poly1305.h"
#include "crypto/provider.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace quoll::crypto;
using Buffer = std::vector<uint8_t>;

/// Calls body with every entry of both lists that runs here.
template <class T, class F>
void for_each_runnable(std::span<const T* const> portable_list, std::span<const T* const> native_list, F body) {
  for (const auto list : {portable_list, native_list}) {
    for (const T* entry : list) {
      if (entry->runs_on(cpu::features(), cpu::cap())) body(*entry);
    }
  }
}

Buffer bytes_of_size(const json& test, const char* member, size_t size) {
  Buffer bytes = bytes_of(test, member);
  if (bytes.size() != size) throw std::invalid_argument(std::string(member) + " of the wrong size");
  return bytes;
}

/// The AES-ECB block as a header protection mask; empty when the table is missing or refuses the key.
Buffer aes_block(const HeaderProtection* table, const Buffer& key, const Buffer& in) {
  if (!table) return {};
  const auto expanded = HeaderProtectionKey::create(*table, key);
  if (!expanded) return {};
  const HeaderMask mask = expanded->mask(std::span<const uint8_t, kSampleSize>(in));
  return Buffer(mask.begin(), mask.end());
}

void run_aes(const json& test, const HeaderProtection* Provider::* slot, const std::string& what, Report& report) {
  const Buffer key = bytes_of(test, "key"), in = bytes_of_size(test, "in", kSampleSize);
  for (const Provider& provider : all()) {
    report.check(aes_block(provider.*slot, key, in) == bytes_of(test, "out"), what + " " + std::string(provider.name));
  }
}

void run_chacha20(const json& test, const std::string& what, Report& report) {
  const Buffer key = bytes_of_size(test, "key", kChaCha20KeySize);
  const Buffer nonce = bytes_of_size(test, "nonce", kChaCha20NonceSize);
  const Buffer expected = bytes_of_size(test, "out", kChaCha20BlockSize);
  const auto counter = test.at("counter").get<uint32_t>();
  Buffer out(kChaCha20BlockSize);
  chacha20_block(key.data(), counter, nonce.data(), out.data());
  report.check(out == expected, what + " chacha20_block");
  for_each_runnable(portable_chacha20s(), native_chacha20s(), [&](const ChaCha20& cipher) {
    const Buffer zeros(kChaCha20BlockSize);
    cipher.apply(key.data(), counter, nonce.data(), zeros, out.data());
    report.check(out == expected, what + " " + std::string(cipher.implementation));
  });
}

void run_poly1305(const json& test, const std::string& what, Report& report) {
  const Buffer key = bytes_of_size(test, "key", kPoly1305KeySize), message = bytes_of(test, "msg");
  for_each_runnable(portable_poly1305s(), native_poly1305s(), [&](const Poly1305& poly1305) {
    Buffer tag(kPoly1305TagSize);
    poly1305.mac(key.data(), message, tag.data());
    report.check(tag == bytes_of(test, "tag"), what + " " + std::string(poly1305.implementation));
  });
}

void run(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const auto algorithm = test.at("alg").get<std::string>();
    const std::string what = algorithm + " id " + test.value("id", json()).dump();
    if (algorithm == "AES-128-ECB") {
      run_aes(test, &Provider::header_aes_128, what, report);
    } else if (algorithm == "AES-256-ECB") {
      run_aes(test, &Provider::header_aes_256, what, report);
    } else if (algorithm == "ChaCha20-block") {
      run_chacha20(test, what, report);
    } else if (algorithm == "Poly1305") {
      run_poly1305(test, what, report);
    } else {
      throw std::invalid_argument("no block cipher or authenticator " + algorithm);
    }
  }
}

bool is_ours(const json& test) {
  if (!test.is_object() || !test.contains("alg") || !test.contains("key")) return false;
  return (test.contains("in") && test.contains("out")) ||
         (test.contains("counter") && test.contains("nonce") && test.contains("out")) ||
         (test.contains("msg") && test.contains("tag"));
}

}  // namespace

Handler block_ciphers_handler(const json& file) {
  const auto cases = file.find("cases");
  if (cases == file.end() || !cases->is_array() || cases->empty() || !is_ours(cases->front())) return nullptr;
  return run;
}

}  // namespace quoll::vectors
