#include "app/form.h"

#include "os/write_file.h"
#include "tests/os/temporary_folder.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

std::string read_all(web::BodySource& source, size_t max) {
  std::string text;
  for (bool end = false; !end;) {
    const Result<web::BodySource::Piece> piece = source.next(max);
    REQUIRE(piece);
    REQUIRE((piece->end || !piece->data.empty()));
    REQUIRE(piece->data.size() <= max);
    text.append(as_text(piece->data.bytes()));
    end = piece->end;
  }
  return text;
}

}  // namespace

TEST_SUITE("app/form") {
  TEST_CASE("a part is a text, a file, or a file's text") {
    const auto text = parse_form_part("a=b=c;d");
    REQUIRE(text);
    CHECK_EQ(text->name, "a");
    CHECK_EQ(text->content, "b=c;d");
    CHECK(text->type.empty());
    CHECK_FALSE(text->file_name);
    CHECK_EQ(parse_form_part("a=x;y;type=text/foo; charset=utf-8")->type, "text/foo; charset=utf-8");
    CHECK_EQ(parse_form_part("a=x;y; type=text/foo")->type, "text/foo");
    CHECK_EQ(parse_form_part("a=x;y;type=text/foo")->content, "x;y");
    CHECK_EQ(parse_form_part("a=;filename=x")->content, ";filename=x");
    const auto file = parse_form_part("f=@some/folder/photo.png");
    REQUIRE(file);
    CHECK_EQ(file->path, "some/folder/photo.png");
    CHECK_EQ(file->file_name, "photo.png");
    CHECK_EQ(file->type, "image/png");
    for (const char* both : {"f=@x;type=a/b;filename=n", "f=@x;filename=n;type=a/b"}) {
      CHECK_EQ(parse_form_part(both)->path, "x");
      CHECK_EQ(parse_form_part(both)->type, "a/b");
      CHECK_EQ(parse_form_part(both)->file_name, "n");
    }
    CHECK_EQ(parse_form_part("f=@page.html")->type, "text/html");
    const auto contents = parse_form_part("f=<x");
    REQUIRE(contents);
    CHECK(contents->reads_content);
    CHECK_EQ(contents->path, "x");
    CHECK_FALSE(contents->file_name);
    for (const char* wrong : {"", "a", "=b", "f=@", "f=<", "f=@;type=a/b", "f=x;type=a\r\nb"})
      CHECK_FALSE(parse_form_part(wrong));
  }

  // RFC 7578 §4.2, RFC 2046 §5.1.1
  TEST_CASE("parts stand between boundaries, whatever size they are asked for in, and again") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "a\"b.txt";
    REQUIRE(os::write_file(path.c_str(), as_bytes("contents\n"), 0600, os::Existing::replace));
    const std::string empty = folder / "empty";
    REQUIRE(os::write_file(empty.c_str(), {}, 0600, os::Existing::replace));
    const uint64_t seed = tests::test_seed(7);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    const auto form = make_form(
        {{.name = "one", .content = ""}, *parse_form_part("f\r\n=@" + path), *parse_form_part("e=@" + empty)}, rng);
    REQUIRE(form);
    const std::string prefix = "multipart/form-data; boundary=";
    REQUIRE(form->content_type.starts_with(prefix));
    const std::string boundary = form->content_type.substr(prefix.size());
    const std::string expected = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\n\r\n--" +
                                 boundary +
                                 "\r\nContent-Disposition: form-data; name=\"f%0D%0A\"; filename=\"a%22b.txt\"\r\n"
                                 "Content-Type: text/plain\r\n\r\ncontents\n\r\n--" +
                                 boundary +
                                 "\r\nContent-Disposition: form-data; name=\"e\"; filename=\"empty\"\r\n"
                                 "Content-Type: application/octet-stream\r\n\r\n\r\n--" +
                                 boundary + "--\r\n";
    for (const size_t max : {size_t{1}, size_t{7}, size_t{1000}}) {
      CHECK_EQ(read_all(*form->source, max), expected);
      CHECK(form->source->rewind());
    }
    CHECK(form->source->size() == expected.size());
  }

  TEST_CASE("a file that is gone is told") {
    tests::SeededRng rng(1);
    const auto form = make_form({{.name = "f", .path = "/nowhere/file"}}, rng);
    REQUIRE_FALSE(form);
    CHECK_EQ(form.error(), "/nowhere/file: No such file or directory");
  }
}

}  // namespace quoll::app
