// Media types by extension, status codes by name, methods by promise.
#include "http/media_type.h"
#include "http/method.h"
#include "http/status.h"

#include <doctest/doctest.h>

namespace quoll::http {

TEST_CASE("the last extension tells the media type, whatever its case") {
  CHECK(media_type_of("index.html") == "text/html; charset=utf-8");
  CHECK(media_type_of("a/b.c/INDEX.HTML") == "text/html; charset=utf-8");
  CHECK(media_type_of("app.min.js") == "text/javascript; charset=utf-8");
  CHECK(media_type_of("x.wasm") == "application/wasm");
  CHECK(media_type_of("x.tar.gz") == "application/gzip");
  CHECK(media_type_of("site.webmanifest") == "application/manifest+json");
}

TEST_CASE("files without a known extension are bytes") {
  for (const char* const name : {"", "README", ".", "a.", "a.b/README", "x.unheard", "html", "x.htmlx",
                                 "x.aaaaaaaaaaaaaaaaaaaa", "a.html/", "x.ht\xffml"}) {
    CHECK_MESSAGE(media_type_of(name) == kUnknownMediaType, name);
  }
}

TEST_CASE("statuses have the registry's names") {
  CHECK(reason_phrase(200) == "OK");
  CHECK(reason_phrase(404) == "Not Found");
  CHECK(reason_phrase(425) == "Too Early");
  CHECK(reason_phrase(511) == "Network Authentication Required");
  for (const unsigned none : {0U, 99U, 299U, 418U, 512U, 999U}) CHECK(reason_phrase(none).empty());
}

// RFC 9110 §15: the first digit is the class; §6.4.1: which have no content.
TEST_CASE("statuses have classes") {
  CHECK(is_informational(103));
  CHECK(is_successful(206));
  CHECK(is_redirection(304));
  CHECK(is_error(404));
  CHECK(is_error(503));
  CHECK_FALSE(is_error(399));
  CHECK(has_no_content(304));
  CHECK(has_no_content(204));
  CHECK(has_no_content(100));
  CHECK_FALSE(has_no_content(200));
}

// RFC 9110 §9.1: method names have case; §9.2.1, §9.2.2.
TEST_CASE("methods are safe, idempotent or neither") {
  CHECK(is_safe_method("GET"));
  CHECK_FALSE(is_safe_method("get"));
  CHECK_FALSE(is_safe_method("PUT"));
  CHECK(is_idempotent_method("PUT"));
  CHECK(is_idempotent_method("HEAD"));
  CHECK_FALSE(is_idempotent_method("POST"));
}

}  // namespace quoll::http
