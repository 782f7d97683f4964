#include "app/content_disposition.h"

#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::app {

TEST_SUITE("app/content_disposition") {
  // RFC 6266 §5: the RFC's own examples among them.
  TEST_CASE("the name of a file is found in all its forms") {
    CHECK_EQ(file_name_of("Attachment; filename=example.html"), "example.html");
    CHECK_EQ(file_name_of("INLINE; FILENAME= \"an example.html\""), "an example.html");
    CHECK_EQ(file_name_of("attachment; filename*= UTF-8''%e2%82%ac%20rates"), "\xe2\x82\xac rates");
    CHECK_EQ(file_name_of("attachment; filename=\"EURO rates\"; filename*=utf-8'en'%e2%82%ac%20rates"),
             "\xe2\x82\xac rates");
    CHECK_EQ(file_name_of("attachment; filename=\"a\\\"b;c.txt\";size=3"), "a\"b;c.txt");
    CHECK_EQ(file_name_of("attachment;foo=\"x;filename=y\";filename=z"), "z");
    CHECK_EQ(file_name_of("attachment; filename*=iso-8859-1''x; filename=plain"), "plain");
    CHECK_EQ(file_name_of("attachment; filename*=UTF-8''%ff; filename=plain"), "plain");
  }

  // RFC 6266 §4.3
  TEST_CASE("a name does no harm") {
    CHECK_EQ(file_name_of("attachment; filename=\"../../etc/passwd\""), "passwd");
    CHECK_EQ(file_name_of("attachment; filename=/etc/passwd"), "passwd");
    CHECK_EQ(file_name_of("attachment; filename=\"c:\\\\windows\\\\x.dll\""), "x.dll");
    CHECK_EQ(file_name_of("attachment; filename*=UTF-8''..%2f.bashrc"), "bashrc");
    CHECK_EQ(file_name_of("attachment; filename*=UTF-8''a%0a%1bb"), "a__b");
    CHECK_EQ(file_name_of("attachment; filename=" + std::string(300, 'x'))->size(), 255);
  }

  TEST_CASE("where there is no name, none is made up") {
    for (const char* none : {"", "attachment", "inline;", "attachment; filename", "attachment; filename=",
                             "attachment; filename=..", "attachment; filename=\"x", "attachment; filename*=x",
                             "attachment; filename*=UTF-8''%00", "filename=x", "attachment; filename=a/"})
      CHECK_FALSE(file_name_of(none));
  }

  TEST_CASE("whatever a server says, the name stays in its folder") {
    const uint64_t seed = tests::test_seed(11);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    constexpr std::string_view kPieces[] = {"filename", "filename*", "=",   ";", "\"", "\\", "/",    ".", "..",
                                            "UTF-8''",  "%2f",       "%5c", "%", "x",  " ",  "\x01", "'"};
    for (int i = 0; i < 20'000; i++) {
      std::string text = "a;";
      for (uint64_t count = rng.below(12); count != 0; count--) text += kPieces[rng.below(std::size(kPieces))];
      const auto name = file_name_of(text);
      if (!name) continue;
      CAPTURE(text);
      REQUIRE_FALSE(name->empty());
      REQUIRE_EQ(name->find_first_of("/\\\x01"), std::string::npos);
      REQUIRE_NE(name->front(), '.');
    }
  }
}

}  // namespace quoll::app
