// PEM and base64: RFC 4648's examples, what may stand around a block, and what may not be wrong within one.
#include <algorithm>
#include <string>

#include "tests/support/random.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"

#include <doctest/doctest.h>

namespace quoll::x509 {
namespace {

using Buffer = std::vector<uint8_t>;

Buffer buffer(std::string_view text) { return {text.begin(), text.end()}; }

bool refused(std::string_view text, Failure failure = Failure::malformed) {
  const auto blocks = parse_pem(text);
  return !blocks && blocks.error().domain == ErrorDomain::certificate &&
         blocks.error().code == static_cast<uint64_t>(failure);
}

TEST_SUITE("pem") {
  TEST_CASE("base64 of RFC 4648 §10") {
    const std::pair<std::string_view, std::string_view> examples[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [plain, text] : examples) {
      CHECK(base64_encode(as_bytes(plain)) == text);
      CHECK(base64_decode(text) == buffer(plain));
    }
  }

  TEST_CASE("the alphabet of base64 has its 64 letters in order, and no other") {
    const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t value = 0; value < alphabet.size(); value++) {
      const auto top = static_cast<uint8_t>(value << 2);
      CHECK(base64_encode(Bytes(&top, 1)).substr(0, 1) == alphabet.substr(value, 1));
    }
    for (int c = 0; c < 256; c++) {
      const std::string text = {'A', 'A', 'A', static_cast<char>(c)};
      const size_t value = alphabet.find(static_cast<char>(c));
      INFO("letter " << c);
      if (value != std::string_view::npos) {
        CHECK(base64_decode(text) == Buffer{0, 0, static_cast<uint8_t>(value)});
      } else {
        CHECK(base64_decode(text) == (c == '=' ? std::optional(Buffer{0, 0}) : std::nullopt));
      }
    }
  }

  TEST_CASE("base64 has one form for each value") {
    for (const std::string_view text :
         {"A",        "AA",       "AAA",   "AA=",    "AAAAA",    "=",    "==",   "===",   "====",   "A===",  "AA=A",
          "AA==AA==", "AAA=AAAA", "AAAA=", "AAAA==", "AAAA====", "AB==", "AAB=", "AA ==", "AAAA\n", " AAAA", "AA-_"}) {
      INFO(text);
      CHECK_FALSE(base64_decode(text));
    }
  }

  TEST_CASE("what is written is read again, at every length") {
    tests::SeededRng rng(tests::test_seed(1));
    for (size_t size = 0; size <= 200; size++) {
      const Buffer contents = rng.bytes(size);
      CHECK(base64_decode(base64_encode(contents)) == contents);
      const std::string text = write_pem("A LABEL", contents);
      const auto blocks = parse_pem(text);
      REQUIRE(blocks);
      REQUIRE(blocks->size() == 1);
      CHECK((*blocks)[0].label == "A LABEL");
      CHECK((*blocks)[0].contents == contents);
    }
  }

  TEST_CASE("a written block has lines of 64 characters (RFC 7468 §2)") {
    CHECK(write_pem("X", Buffer(49, 0)) == "-----BEGIN X-----\n" + std::string(64, 'A') + "\nAA==\n-----END X-----\n");
    CHECK(write_pem("X", Buffer(48, 0)) == "-----BEGIN X-----\n" + std::string(64, 'A') + "\n-----END X-----\n");
  }

  TEST_CASE("text around blocks, line ends and white space do not matter") {
    const std::string_view texts[] = {
        "-----BEGIN X-----\nAAEC\n-----END X-----\n",
        "-----BEGIN X-----\nAAEC\n-----END X-----",
        "-----BEGIN X-----\r\nAAEC\r\n-----END X-----\r\n",
        "-----BEGIN X-----\rAAEC\r-----END X-----\r",
        "\xef\xbb\xbf-----BEGIN X-----\nAAEC\n-----END X-----\n",
        "Subject: CN=x\n  issuer -----BEGIN no\n----\n\n-----BEGIN X-----\nAAEC\n-----END X-----\ntrailing -----END\n",
        "  -----BEGIN X-----  \n\n A A\tE\v\f\n\n C\n \t-----END X----- \n",
        "-----BEGIN X-----\nA\nA\nE\nC\n-----END X-----\n",
    };
    for (const std::string_view text : texts) {
      INFO(text);
      const auto blocks = parse_pem(text);
      REQUIRE(blocks);
      REQUIRE(blocks->size() == 1);
      CHECK((*blocks)[0].label == "X");
      CHECK((*blocks)[0].contents == Buffer{0, 1, 2});
    }
  }

  TEST_CASE("blocks come in order, whatever their labels") {
    const auto blocks = parse_pem(write_pem("B", Buffer{1}) + "text\n" + write_pem("", Buffer{2}) +
                                  write_pem("A-B C", {}) + write_pem("B", Buffer{3}));
    REQUIRE(blocks);
    REQUIRE(blocks->size() == 4);
    CHECK((*blocks)[0].contents == Buffer{1});
    CHECK((*blocks)[1].label.empty());
    CHECK((*blocks)[2].label == "A-B C");
    CHECK((*blocks)[2].contents.empty());
    CHECK((*blocks)[3].contents == Buffer{3});
  }

  TEST_CASE("text without a block has none") {
    for (const std::string_view text :
         {"", "\n", "hello", "----BEGIN X----\nAAEC\n----END X----", "x-----BEGIN X-----"}) {
      const auto blocks = parse_pem(text);
      REQUIRE(blocks);
      CHECK(blocks->empty());
    }
  }

  TEST_CASE("a broken block is refused") {
    CHECK(refused("-----BEGIN X-----\nAAEC\n"));
    CHECK(refused("-----BEGIN X-----"));
    CHECK(refused("-----BEGIN X-----\nAAEC\n-----END Y-----\n"));
    CHECK(refused("-----BEGIN X-----\nAAEC\n-----END X----\n"));
    CHECK(refused("-----BEGIN X-----\nAAEC\n-----BEGIN X-----\nAAEC\n-----END X-----\n"));
    CHECK(refused("-----BEGIN X----\nAAEC\n-----END X----\n"));
    CHECK(refused("-----BEGIN X\nAAEC\n-----END X-----\n"));
    CHECK(refused("-----BEGIN X-----AAEC-----END X-----\n"));
    CHECK(refused("-----BEGIN X--Y-----\n-----END X--Y-----\n"));
    CHECK(refused("-----BEGIN  X-----\n-----END  X-----\n"));
    CHECK(refused("-----BEGIN X -----\n-----END X -----\n"));
    CHECK(refused("-----BEGIN X\x01-----\n-----END X\x01-----\n"));
    CHECK(refused("AAEC\n-----END X-----\n"));
    CHECK(refused("-----BEGIN X-----\nAAE\n-----END X-----\n"));
    CHECK(refused("-----BEGIN X-----\nAAE*\n-----END X-----\n"));
    CHECK(refused("-----BEGIN X-----\nAB==\n-----END X-----\n"));
    CHECK(refused("-----BEGIN X-----\nAA==AAEC\n-----END X-----\n"));
    CHECK(refused(write_pem("X", Buffer{1}) + "-----BEGIN X-----\n"));
  }

  TEST_CASE("headers as of RFC 1421 are refused with a reason of their own") {
    CHECK(
        refused("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAEC\n"
                "-----END RSA PRIVATE KEY-----\n",
                Failure::unsupported));
  }

  TEST_CASE("assigning to a block takes the other's contents") {
    auto blocks = parse_pem(write_pem("A", Buffer{1, 2}) + write_pem("B", Buffer{3}));
    REQUIRE(blocks);
    (*blocks)[0] = std::move((*blocks)[1]);
    CHECK((*blocks)[0].label == "B");
    CHECK((*blocks)[0].contents == Buffer{3});
  }
}

}  // namespace
}  // namespace quoll::x509
