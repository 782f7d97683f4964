// Accept-Encoding, and which coding is chosen.
#include <array>
#include <optional>
#include <string>

#include "http/content_coding.h"

#include <doctest/doctest.h>

namespace quoll::http {
namespace {

using enum ContentCoding;

/// What is chosen of brotli, zstd and gzip, in this order of preference.
ContentCoding chosen(std::string_view field) {
  constexpr std::array kAll = {brotli, zstd, gzip};
  return AcceptedCodings::parse(field).choose(kAll);
}

}  // namespace

// RFC 9110 §12.5.3: the acceptable coding with the highest weight is preferred.
TEST_CASE("the highest weight wins, and among equals the server's order") {
  CHECK(chosen("gzip, deflate, br, zstd") == brotli);
  CHECK(chosen("gzip, deflate, zstd") == zstd);
  CHECK(chosen("gzip") == gzip);
  CHECK(chosen("x-gzip") == gzip);
  CHECK(chosen("GZip") == gzip);
  CHECK(chosen("br;q=0.5, gzip;q=1.0") == gzip);
  CHECK(chosen("br;q=0.5, gzip;q=0.501") == gzip);
  CHECK(chosen("br ; Q=0.001") == brotli);
  CHECK(chosen("*") == brotli);
  CHECK(chosen("*;q=0.5, zstd") == zstd);
  CHECK(chosen("br;q=0, *") == zstd);
}

// RFC 9110 §12.5.3: weight 0 is not acceptable, and an empty field wants no coding.
TEST_CASE("what is not acceptable is not chosen") {
  CHECK(chosen("") == identity);
  CHECK(chosen("deflate") == identity);
  CHECK(chosen("br;q=0, zstd;q=0.0, gzip;q=0.000") == identity);
  CHECK(chosen("*;q=0") == identity);
  CHECK(chosen("compress, identity") == identity);
}

// RFC 9110 §12.5.3: identity is acceptable unless it is excluded, and may be preferred.
TEST_CASE("identity has a weight of its own") {
  CHECK(chosen("gzip;q=0.5, identity") == identity);
  CHECK(chosen("gzip;q=1.0, identity; q=0.5, *;q=0") == gzip);
  CHECK(chosen("gzip, identity") == gzip);
  CHECK(AcceptedCodings::parse("gzip").weight(identity) > 0);
  CHECK(AcceptedCodings::parse("identity;q=0").weight(identity) == 0);
  CHECK(AcceptedCodings::parse("*;q=0").weight(identity) == 0);
  CHECK(AcceptedCodings::parse("*;q=0, identity;q=0.1").weight(identity) == 100);
}

// RFC 9110 §12.5.3: without the field everything is acceptable.
TEST_CASE("a client that says nothing gets what all understand") {
  constexpr std::array kAll = {brotli, zstd, gzip};
  const AcceptedCodings accepted = AcceptedCodings::of({});
  CHECK(accepted.choose(kAll) == identity);
  for (const ContentCoding coding : {identity, brotli, zstd, gzip}) CHECK(accepted.weight(coding) > 0);
  const FieldSection lines{{"accept-encoding", "gzip"}, {"accept-encoding", "br;q=0.9"}};
  CHECK(AcceptedCodings::of(lines).choose(kAll) == gzip);
}

// RFC 9110 §12.4.2: qvalue has three digits at most and is not above 1.
TEST_CASE("members that do not parse are skipped") {
  for (const char* const weight : {"1.001", "2", "0.1234", "1.0000", "-1", ".5", "", "0,5", "0.5x", "01", "1x"}) {
    CHECK_MESSAGE(chosen("br;q=" + std::string(weight) + ", gzip;q=0.1") == gzip, weight);
  }
  CHECK(chosen("br;level=5, gzip;q=0.1") == gzip);
  CHECK(chosen(";q=1,,;, gzip") == gzip);
  CHECK(chosen("br;q=0., gzip;q=1.") == gzip);
}

TEST_CASE("nothing is chosen but what there is") {
  CHECK(AcceptedCodings::parse("br, gzip").choose({}) == identity);
  constexpr std::array kOne = {gzip};
  CHECK(AcceptedCodings::parse("br, gzip;q=0.1").choose(kOne) == gzip);
}

TEST_CASE("codings have names and extensions") {
  for (const ContentCoding coding : {identity, gzip, brotli, zstd}) CHECK(parse_coding(coding_name(coding)) == coding);
  CHECK_FALSE(parse_coding("deflate"));
  CHECK(coding_extension(zstd) == ".zst");
}

}  // namespace quoll::http
