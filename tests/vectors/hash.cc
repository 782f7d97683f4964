// SHA-2, SHA-3, SHAKE, HMAC and HKDF: Wycheproof's mac_test_schema_v1 (HMAC) and hkdf_test_schema_v1, crypto-kat's
// hashes, hashes_million_a and hkdf_label.
#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "tests/crypto/hash_support.h"
#include "tests/support/random.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace quoll::crypto;

struct Name {
  const char* member;  // of a case in crypto-kat
  HashId id;
};

constexpr Name kNames[] = {
    {"sha256", HashId::sha256},     {"sha384", HashId::sha384},     {"sha512", HashId::sha512},
    {"sha3_256", HashId::sha3_256}, {"sha3_512", HashId::sha3_512},
};

/// The hash function in names such as "SHA256", "HMACSHA3-256" and "HKDF-SHA-384".
HashId hash_named(const std::string& name) {
  // What is left of a name without its separators and the construction.
  const auto core = [](const std::string& text) {
    std::string letters;
    for (const char c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '/') {
        letters += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    return letters.starts_with("hmac") || letters.starts_with("hkdf") ? letters.substr(4) : letters;
  };
  for (const Name& known : kNames) {
    if (core(known.member) == core(name)) return known.id;
  }
  throw std::invalid_argument("no hash function for " + name);
}

/// Checks `holds(algorithm)` for every implementation that runs here, of which there must be one.
template <class Holds>
void check_each(HashId id, const std::string& what, Report& report, const Holds& holds) {
  const auto implementations = tests::hashes::runnable(id);
  if (implementations.empty()) report.check(false, what + ": no implementation");
  for (const HashAlgorithm* algorithm : implementations) {
    report.check(holds(*algorithm),
                 what + " " + std::string(algorithm->name) + " " + std::string(algorithm->implementation));
  }
}

bool equal(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

/// Calls `feed` with the message in random pieces.
template <class Feed>
void in_pieces(Bytes message, Rng& rng, const Feed& feed) {
  while (!message.empty()) {
    const size_t size = std::min(message.size(), static_cast<size_t>(rng.below(300)));
    feed(message.first(size));
    message = message.subspan(size);
  }
}

void check_digest(HashId id, Bytes message, Bytes expected, const std::string& what, Report& report) {
  tests::SeededRng rng(message.size());
  check_each(id, what, report, [&](const HashAlgorithm& algorithm) {
    Hash pieces(algorithm);
    in_pieces(message, rng, [&](Bytes piece) { pieces.update(piece); });
    return equal(hash(algorithm, message), expected) && equal(pieces.digest(), expected);
  });
}

void run_hashes(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const auto message = bytes_of(test, "msg");
    const std::string id = "id " + test.value("id", json()).dump();
    for (const Name& name : kNames) {
      if (test.contains(name.member)) check_digest(name.id, message, bytes_of(test, name.member), id, report);
    }
  }
}

void run_million(const json& file, Report& report) {
  const std::vector<uint8_t> message(1'000'000, 'a');
  for (const Name& name : kNames) {
    if (file.contains(name.member)) check_digest(name.id, message, bytes_of(file, name.member), "million a", report);
  }
}

void run_labels(const json& file, Report& report) {
  for (const json& test : file.at("cases")) {
    const HashId id = hash_named(test.at("hash").get<std::string>());
    const auto expected = bytes_of(test, "out");
    const std::string what = "id " + test.value("id", json()).dump();
    const auto op = test.value("op", std::string("expand_label"));
    if (op == "extract") {
      const auto salt = bytes_of(test, "salt"), input = bytes_of(test, "ikm");
      check_each(id, what, report,
                 [&](const HashAlgorithm& algorithm) { return equal(hkdf_extract(algorithm, salt, input), expected); });
    } else if (op == "expand_label") {
      const auto secret = bytes_of(test, "secret"), context = bytes_of(test, "context");
      const auto label = test.at("label").get<std::string>();
      check_each(id, what, report, [&](const HashAlgorithm& algorithm) {
        std::vector<uint8_t> out(test.at("length").get<size_t>());
        return hkdf_expand_label(algorithm, secret, label, context, out).has_value() && out == expected;
      });
    } else {
      throw std::invalid_argument("HKDF operation " + op);
    }
  }
}

/// Wycheproof's result as a boolean; these schemas know no "acceptable".
bool is_valid(const json& test) {
  const auto result = test.at("result").get<std::string>();
  if (result != "valid" && result != "invalid") throw std::invalid_argument("a case with the result " + result);
  return result == "valid";
}

void run_hmac(const json& file, Report& report) {
  const HashId id = hash_named(file.at("algorithm").get<std::string>());
  for (const json& group : file.at("testGroups")) {
    const size_t tag_size = group.at("tagSize").get<size_t>() / 8;
    for (const json& test : group.at("tests")) {
      const auto key = bytes_of(test, "key"), message = bytes_of(test, "msg"), tag = bytes_of(test, "tag");
      const bool valid = is_valid(test);
      check_each(id, "tcId " + test.at("tcId").dump(), report, [&](const HashAlgorithm& algorithm) {
        const Digest code = hmac(algorithm, key, message);
        const bool verifies = tag_size <= code.size() && ct::equal(code.bytes().first(tag_size), tag);
        return verifies == valid;
      });
    }
  }
}

void run_hkdf(const json& file, Report& report) {
  const HashId id = hash_named(file.at("algorithm").get<std::string>());
  for (const json& group : file.at("testGroups")) {
    for (const json& test : group.at("tests")) {
      const auto input = bytes_of(test, "ikm"), salt = bytes_of(test, "salt"), info = bytes_of(test, "info");
      const auto expected = bytes_of(test, "okm");
      const bool valid = is_valid(test);  // the invalid ones want more bytes than HKDF has
      check_each(id, "tcId " + test.at("tcId").dump(), report, [&](const HashAlgorithm& algorithm) {
        std::vector<uint8_t> out(test.at("size").get<size_t>());
        const bool made = hkdf_expand(algorithm, hkdf_extract(algorithm, salt, input), info, out).has_value();
        return valid ? made && out == expected : !made;
      });
    }
  }
}

}  // namespace

Handler hash_handler(const json& file) {
  const auto schema = file.value("schema", std::string());
  if (schema == "mac_test_schema_v1.json" && file.value("algorithm", std::string()).starts_with("HMAC")) {
    return run_hmac;
  }
  if (schema == "hkdf_test_schema_v1.json") return run_hkdf;
  if (first_case_has(file, {"msg", "sha256"})) return run_hashes;
  if (first_case_has(file, {"hash", "secret", "label", "context", "length", "out"}) ||
      first_case_has(file, {"hash", "op", "salt", "ikm", "out"})) {
    return run_labels;
  }
  if (!file.contains("cases") && file.contains("sha256") && file.contains("sha512")) return run_million;
  return nullptr;
}

}  // namespace quoll::vectors
