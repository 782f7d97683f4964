// The handler for static files, over a folder of its own.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include "http/date.h"
#include "tests/os/temporary_folder.h"
#include "tests/web/fake_exchange.h"
#include "web/static_files.h"

#include <doctest/doctest.h>

namespace quoll::web {
namespace {

namespace fs = std::filesystem;
using http::FieldSection;
using tests::FakeExchange;

/// outside/ and site/ beside each other; site/ is served.
class Site {
 public:
  explicit Site(StaticFilesOptions options = {}) : options_(std::move(options)) {
    fs::create_directories(root() + "/empty");
    fs::create_directories(folder_ / "outside");
    write("index.html", "<p>hello");
    write("data.txt", "0123456789");
    write("folder/index.html", "<p>inside");
    write("folder/a b.txt", "spaced");
    write("../outside/secret.txt", "secret");
  }

  std::string root() const { return folder_ / "site"; }
  std::string path_of(const std::string& name) const { return root() + "/" + name; }
  void write(const std::string& name, std::string_view contents) const {
    fs::create_directories(fs::path(path_of(name)).parent_path());
    std::ofstream(path_of(name), std::ios::binary) << contents;
  }

  FakeExchange get(std::string path, FieldSection fields = {}, std::string method = "GET", bool pull = true) const {
    StaticFilesOptions options = options_;
    options.root = root();
    auto files = StaticFiles::create(options);
    REQUIRE(files);
    FakeExchange exchange(std::move(method), std::move(path), std::move(fields));
    exchange.pull = pull;
    files->serve(exchange);
    return exchange;
  }
  unsigned status(std::string path) const { return get(std::move(path)).status; }

 private:
  tests::TemporaryFolder folder_;
  StaticFilesOptions options_;
};

std::string sample(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; i++) text[i] = static_cast<char>(i * 31 + i / 256);
  return text;
}

}  // namespace

TEST_CASE("a file is sent with its type, size and validators") {
  const Site site;
  const FakeExchange exchange = site.get("/data.txt");
  CHECK(exchange.status == 200);
  CHECK(exchange.body == "0123456789");
  CHECK(exchange.finished);
  CHECK(exchange.field("content-type") == "text/plain; charset=utf-8");
  CHECK(exchange.field("content-length") == "10");
  CHECK(exchange.field("accept-ranges") == "bytes");
  CHECK(exchange.field("vary") == "accept-encoding");
  CHECK(exchange.field("etag").size() == 18);
  CHECK(http::parse_date(exchange.field("last-modified"), {}));
  CHECK(site.get("/index.html?query").body == "<p>hello");
}

TEST_CASE("HEAD is answered as GET, without the content") {
  const Site site;
  const FakeExchange head = site.get("/data.txt", {}, "HEAD"), get = site.get("/data.txt");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(head.finished);
  CHECK(head.head == get.head);
  CHECK(site.get("/absent", {}, "HEAD").body.empty());
  CHECK(site.get("/absent", {}, "HEAD").status == 404);
}

// RFC 9110 §9.3.7, §15.5.6: what is allowed is said.
TEST_CASE("other methods are told which there are") {
  const Site site;
  for (const char* const method : {"POST", "PUT", "DELETE", "TRACE", "CONNECT", "get", "BREW"}) {
    CAPTURE(method);
    const FakeExchange exchange = site.get("/data.txt", {}, method);
    CHECK(exchange.status == 405);
    CHECK(exchange.field("allow") == "GET, HEAD, OPTIONS");
  }
  CHECK(site.get("*", {}, "OPTIONS").status == 204);
  CHECK(site.get("*", {}, "OPTIONS").field("allow") == "GET, HEAD, OPTIONS");
}

// RFC 9220 §3
TEST_CASE("an extended CONNECT for a protocol that nobody speaks is told so") {
  const Site site;
  CHECK(site.get("/data.txt", {{":protocol", "websocket"}}, "CONNECT").status == 501);
}

TEST_CASE("a large file goes out piece by piece, byte for byte") {
  const Site site;
  const std::string contents = sample(1'000'003);
  site.write("large.bin", contents);
  for (const size_t max : {size_t{1000}, size_t{65536}, size_t{1} << 20}) {
    FakeExchange exchange = site.get("/large.bin", {}, "GET", false);
    exchange.piece_max = max;
    exchange.pull_all();
    CHECK(exchange.body == contents);
    CHECK(exchange.field("content-length") == "1000003");
    CHECK(exchange.source->size() == 1'000'003);
  }
}

TEST_CASE("a file beyond 4 GiB is told, and sent from, in full size") {
  if constexpr (sizeof(off_t) < 8) return;  // this test's own; the library has 64 bits everywhere
  const Site site;
  site.write("huge", "");
  constexpr uint64_t kSize = (uint64_t{5} << 30) + 3;
  REQUIRE(truncate(site.path_of("huge").c_str(), static_cast<off_t>(kSize)) == 0);  // a hole
  CHECK(site.get("/huge", {}, "HEAD").field("content-length") == std::to_string(kSize));
  const FakeExchange whole = site.get("/huge", {}, "GET", false);
  REQUIRE(whole.source);
  CHECK(whole.source->size() == kSize);
  const FakeExchange end = site.get("/huge", {{"range", "bytes=5368709119-"}});
  CHECK(end.status == 206);
  CHECK(end.field("content-range") == "bytes 5368709119-5368709122/5368709123");
  CHECK(end.body == std::string(4, '\0'));
  CHECK(site.get("/huge", {{"range", "bytes=5368709123-"}}).status == 416);
}

TEST_CASE("an empty file has an empty body") {
  const Site site;
  site.write("nothing", "");
  const FakeExchange exchange = site.get("/nothing", {{"range", "bytes=0-"}});
  CHECK(exchange.status == 200);
  CHECK(exchange.finished);
  CHECK(exchange.field("content-length") == "0");
}

TEST_CASE("a folder stands for its index, and is called with a slash") {
  const Site site;
  CHECK(site.get("/").body == "<p>hello");
  CHECK(site.get("/folder/").body == "<p>inside");
  CHECK(site.get("/folder/").field("content-type") == "text/html; charset=utf-8");
  const FakeExchange redirect = site.get("/folder?a=b");
  CHECK(redirect.status == 301);
  CHECK(redirect.field("location") == "/folder/?a=b");
  CHECK(site.status("/empty/") == 404);
  CHECK(site.status("/data.txt/") == 404);
  fs::create_directories(site.path_of("odd/index.html"));
  CHECK(site.status("/odd/") == 404);
}

// RFC 3986 §4.2: a reference that begins with two slashes names another host.
TEST_CASE("a redirect never leads to another host") {
  const Site site;
  fs::create_directories(site.path_of("example.com/x"));
  CHECK(site.get("//example.com/x").field("location") == "/example.com/x/");
  CHECK(site.get("///example.com").field("location") == "/example.com/");
  CHECK(site.get("//example.com/x/%2e%2e").field("location") == "/example.com/x/%2e%2e/");
}

TEST_CASE("paths do not leave the root, however they are written") {
  const Site site;
  for (const char* const path :
       {"/../outside/secret.txt", "/folder/../../outside/secret.txt", "/%2e%2e/outside/secret.txt",
        "/..%2foutside/secret.txt", "/..%2Foutside%2Fsecret.txt", "/folder/%2e%2e/%2e%2e/outside/secret.txt",
        "//../outside/secret.txt", "/./../outside/secret.txt", "/..", "/../..", "/..\\outside\\secret.txt",
        "/%252e%252e/outside/secret.txt", "/....//outside/secret.txt", "//etc/passwd", "/etc/passwd"}) {
    CAPTURE(path);
    const FakeExchange exchange = site.get(path);
    CHECK(exchange.body.find("secret") == std::string::npos);
    CHECK(exchange.body.find("root:") == std::string::npos);
  }
  CHECK(site.status("/folder/../data.txt") == 200);
  CHECK(site.status("/folder/%2e%2e/data.txt") == 200);
  CHECK(site.status("//data.txt") == 200);
}

TEST_CASE("paths that are none are refused") {
  const Site site;
  for (const char* const path : {"", "data.txt", "*", "/%", "/%4", "/%zz", "/a%00b"}) {
    CAPTURE(path);
    CHECK(site.status(path) == 400);
  }
  CHECK(site.status("/folder/a%20b.txt") == 200);
  CHECK(site.status("/" + std::string(5000, 'a')) == 404);
  CHECK(site.status("/folder%2findex.html") == 404);
}

TEST_CASE("links are followed within the root and refused out of it") {
  for (const auto backend : {RootFolder::Backend::best, RootFolder::Backend::portable}) {
    const Site site({.backend = backend});
    fs::create_symlink("data.txt", site.path_of("within"));
    fs::create_symlink("../outside/secret.txt", site.path_of("out"));
    fs::create_symlink(site.path_of("../outside"), site.path_of("away"));
    fs::create_symlink("folder/../../outside", site.path_of("roundabout"));
    fs::create_symlink("loop", site.path_of("loop"));
    fs::create_symlink("/etc/passwd", site.path_of("absolute"));
    for (const char* const path :
         {"/out", "/away", "/away/", "/away/secret.txt", "/roundabout/secret.txt", "/loop", "/absolute"}) {
      CAPTURE(path);
      const FakeExchange exchange = site.get(path);
      CHECK((exchange.status == 403 || exchange.status == 404));
      CHECK(exchange.body.find("secret") == std::string::npos);
    }
    CHECK((site.get("/within").body == "0123456789") == (backend == RootFolder::Backend::best));
    CHECK(site.get("/folder/a%20b.txt").body == "spaced");
    CHECK(site.get("/folder/").body == "<p>inside");
    CHECK(site.status("/folder") == 301);
  }
}

TEST_CASE("names that begin with a dot are not there, but for .well-known") {
  const Site site;
  site.write(".secret", "secret");
  site.write("folder/.git/config", "secret");
  site.write(".well-known/security.txt", "contact");
  site.write(".well-known/.hidden", "secret");
  site.write(".well-known-not/x", "secret");
  for (const char* const path :
       {"/.secret", "/%2esecret", "/folder/.git/config", "/.well-known/.hidden", "/.well-known-not/x"}) {
    CHECK_MESSAGE(site.status(path) == 404, path);
  }
  CHECK(site.get("/.well-known/security.txt").body == "contact");
  const Site open({.hidden_files = true});
  open.write(".secret", "shown");
  CHECK(open.get("/.secret").body == "shown");
}

TEST_CASE("what cannot be opened ends in the right status") {
  const Site site;
  CHECK(site.status("/absent") == 404);
  CHECK(site.status("/data.txt/below") == 404);
  mkfifo(site.path_of("pipe").c_str(), 0600);
  CHECK(site.status("/pipe") == 403);
  fs::permissions(site.path_of("data.txt"), fs::perms::none);
  if (geteuid() != 0) CHECK(site.status("/data.txt") == 403);
}

TEST_CASE("without a descriptor left the answer is to come again") {
  const Site site;
  StaticFilesOptions options{.root = site.root()};
  auto files = StaticFiles::create(options);
  REQUIRE(files);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  FakeExchange exchange("GET", "/data.txt");
  files->serve(exchange);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(exchange.status == 503);
  CHECK(exchange.field("retry-after") == "1");
}

TEST_CASE("a file that becomes shorter while it is sent ends the message with an error") {
  const Site site;
  site.write("shrinking", sample(300'000));
  for (const char* const range : {"bytes=0-", "bytes=0-99999,200000-299999"}) {
    site.write("shrinking", sample(300'000));
    FakeExchange exchange = site.get("/shrinking", {{"range", range}}, "GET", false);
    CHECK(exchange.status == 206);
    exchange.pull_piece();
    fs::resize_file(site.path_of("shrinking"), 100'000);
    exchange.pull_all();
    REQUIRE(exchange.failure);
    CHECK(exchange.failure->code == EIO);
    CHECK_FALSE(exchange.finished);
  }
}

TEST_CASE("what a file grows by is not sent, and a file that is removed is") {
  const Site site;
  site.write("log", sample(300'000));
  FakeExchange exchange = site.get("/log", {}, "GET", false);
  exchange.pull_piece();
  std::ofstream(site.path_of("log"), std::ios::app) << "more";
  fs::remove(site.path_of("log"));
  exchange.pull_all();
  CHECK(exchange.body == sample(300'000));
}

// RFC 9110 §13.1.2, §15.4.5.
TEST_CASE("who has the file already gets 304, with what identifies it") {
  const Site site({.cache_control = "max-age=60"});
  const FakeExchange first = site.get("/data.txt");
  CHECK(first.field("cache-control") == "max-age=60");
  for (const auto& fields : {FieldSection{{"if-none-match", first.field("etag")}},
                             FieldSection{{"if-modified-since", first.field("last-modified")}}}) {
    const FakeExchange again = site.get("/data.txt", fields);
    CHECK(again.status == 304);
    CHECK(again.body.empty());
    CHECK(again.finished);
    CHECK(again.field("etag") == first.field("etag"));
    CHECK(again.field("cache-control") == "max-age=60");
    CHECK(again.field("vary") == "accept-encoding");
    CHECK(again.field("content-length") == "(none)");
    CHECK(again.field("content-type") == "(none)");
  }
  CHECK(site.get("/data.txt", {{"if-none-match", "\"other\""}}).status == 200);
  CHECK(site.get("/data.txt", {{"if-match", "\"other\""}}).status == 412);
  CHECK(site.get("/data.txt", {{"if-match", first.field("etag")}}).status == 200);
  CHECK(site.get("/data.txt", {{"if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}).status == 412);
  // RFC 9110 §13.2.1: what fails anyway is not judged by its conditions.
  CHECK(site.get("/absent", {{"if-none-match", "*"}}).status == 404);
}

TEST_CASE("a file that changes has another entity tag") {
  const Site site;
  const std::string before = site.get("/data.txt").field("etag");
  CHECK(site.get("/data.txt").field("etag") == before);
  site.write("data.txt", "0123456789!");
  const std::string longer = site.get("/data.txt").field("etag");
  CHECK(longer != before);
  fs::last_write_time(site.path_of("data.txt"), fs::file_time_type::clock::now() - std::chrono::hours(1));
  CHECK(site.get("/data.txt").field("etag") != longer);
}

// RFC 9110 §14.2, §15.3.7.1.
TEST_CASE("a range is sent as a part") {
  const Site site;
  const FakeExchange part = site.get("/data.txt", {{"range", "bytes=2-4"}});
  CHECK(part.status == 206);
  CHECK(part.body == "234");
  CHECK(part.field("content-range") == "bytes 2-4/10");
  CHECK(part.field("content-length") == "3");
  CHECK(part.field("etag") == site.get("/data.txt").field("etag"));
  CHECK(site.get("/data.txt", {{"range", "bytes=-3"}}).body == "789");
  CHECK(site.get("/data.txt", {{"range", "lines=1-2"}}).status == 200);
  CHECK(site.get("/data.txt", {{"range", "bytes=2-4"}}, "HEAD").status == 200);
  CHECK(site.get("/data.txt", {{"range", "bytes=2-4"}, {"range", "bytes=5-6"}}).status == 200);
}

// RFC 9110 §15.5.17.
TEST_CASE("a range outside of the file is not satisfiable") {
  const Site site;
  const FakeExchange exchange = site.get("/data.txt", {{"range", "bytes=10-"}});
  CHECK(exchange.status == 416);
  CHECK(exchange.field("content-range") == "bytes */10");
}

// RFC 9110 §13.1.5.
TEST_CASE("If-Range asks for a part only of what the client knows") {
  const Site site;
  fs::last_write_time(site.path_of("data.txt"), fs::file_time_type::clock::now() - std::chrono::hours(1));
  const FakeExchange whole = site.get("/data.txt");
  const auto status = [&](const std::string& condition) {
    return site.get("/data.txt", {{"range", "bytes=2-4"}, {"if-range", condition}}).status;
  };
  CHECK(status(whole.field("etag")) == 206);
  CHECK(status(whole.field("last-modified")) == 206);
  CHECK(status("\"other\"") == 200);
  CHECK(status("Sun, 06 Nov 1994 08:49:37 GMT") == 200);
}

// RFC 9110 §15.3.7.2, §14.6.
TEST_CASE("several ranges are sent as parts of a multipart body") {
  const Site site;
  FakeExchange exchange = site.get("/data.txt", {{"range", "bytes=7-8,0-1"}}, "GET", false);
  exchange.piece_max = 7;
  exchange.pull_all();
  CHECK(exchange.status == 206);
  const std::string type = exchange.field("content-type"), mark = "multipart/byteranges; boundary=";
  REQUIRE(type.starts_with(mark));
  const std::string boundary = type.substr(mark.size());
  CHECK(boundary.size() == 32);
  CHECK(exchange.body ==
        "--" + boundary + "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 7-8/10\r\n\r\n78\r\n--" +
            boundary + "\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes 0-1/10\r\n\r\n01\r\n--" +
            boundary + "--\r\n");
  CHECK(exchange.field("content-length") == std::to_string(exchange.body.size()));
  CHECK(exchange.field("content-range") == "(none)");
  CHECK(site.get("/data.txt", {{"range", "bytes=0-4,3-6"}}).field("content-range") == "bytes 0-6/10");
}

TEST_CASE("parts of a large file are right, byte for byte") {
  const Site site;
  const std::string contents = sample(500'000);
  site.write("large.bin", contents);
  const FakeExchange exchange = site.get("/large.bin", {{"range", "bytes=100000-299999,400000-"}});
  CHECK(exchange.finished);
  CHECK(exchange.body.find(contents.substr(100'000, 200'000)) != std::string::npos);
  CHECK(exchange.body.find(contents.substr(400'000)) != std::string::npos);
  CHECK(exchange.field("content-length") == std::to_string(exchange.body.size()));
}

// RFC 9110 §12.5.3, §12.5.5.
TEST_CASE("files that were compressed beforehand go to those who take them") {
  const Site site;
  site.write("app.js", "plain");
  site.write("app.js.br", "brotli");
  site.write("app.js.gz", "gzip!");
  const FakeExchange best = site.get("/app.js", {{"accept-encoding", "gzip, deflate, br, zstd"}});
  CHECK(best.body == "brotli");
  CHECK(best.field("content-encoding") == "br");
  CHECK(best.field("content-type") == "text/javascript; charset=utf-8");
  CHECK(best.field("vary") == "accept-encoding");
  const FakeExchange second = site.get("/app.js", {{"accept-encoding", "zstd, gzip"}});
  CHECK(second.body == "gzip!");
  const FakeExchange plain = site.get("/app.js");
  CHECK(plain.body == "plain");
  CHECK(plain.field("content-encoding") == "(none)");
  CHECK(plain.field("vary") == "accept-encoding");
  CHECK(best.field("etag") != plain.field("etag"));
  CHECK(best.field("etag") != second.field("etag"));
  CHECK(site.get("/app.js", {{"accept-encoding", "br;q=0, identity"}}).body == "plain");
  // RFC 9110 §12.5.3: weights decide before our taste does; identity can be ruled out, and is better than nothing.
  CHECK(site.get("/app.js", {{"accept-encoding", "br;q=0.2, gzip;q=0.9"}}).body == "gzip!");
  CHECK(site.get("/app.js", {{"accept-encoding", "br;q=0.2, identity;q=0.9"}}).body == "plain");
  CHECK(site.get("/app.js", {{"accept-encoding", "identity;q=0, gzip;q=0.001"}}).body == "gzip!");
  CHECK(site.get("/app.js", {{"accept-encoding", "*;q=0"}}).body == "plain");
  CHECK(site.get("/data.txt", {{"accept-encoding", "identity;q=0, br"}}).body == "0123456789");
  CHECK(site.get("/app.js", {{"accept-encoding", "gzip"}}, "HEAD").head ==
        site.get("/app.js", {{"accept-encoding", "gzip"}}).head);
  // RFC 9110 §14.1.2: ranges count the bytes that are sent.
  CHECK(site.get("/app.js", {{"accept-encoding", "br"}, {"range", "bytes=0-2"}}).body == "bro");
  CHECK(site.get("/app.js", {{"accept-encoding", "br"}, {"if-none-match", best.field("etag")}}).status == 304);
  CHECK(site.get("/app.js", {{"accept-encoding", "br"}, {"if-none-match", plain.field("etag")}}).status == 200);
  site.write("index.html.zst", "zstd");
  CHECK(site.get("/", {{"accept-encoding", "zstd"}}).body == "zstd");
  CHECK(site.get("/", {{"accept-encoding", "zstd"}}).field("content-type") == "text/html; charset=utf-8");
}

TEST_CASE("a folder is listed only by a server that was asked to") {
  const Site site({.listing = true});
  site.write("list/<b>&\"'.txt", "x");
  site.write("list/sub/x", "x");
  site.write("list/.hidden", "x");
  site.write("list/javascript:alert(1)", "x");
  site.write("list/two\nlines", "x");
  fs::create_symlink("../../outside/secret.txt", site.path_of("list/link"));
  const FakeExchange page = site.get("/list/");
  CHECK(page.status == 200);
  CHECK(page.field("content-type") == "text/html; charset=utf-8");
  CHECK(page.body.find("href=\"./%3Cb%3E%26%22%27.txt\">&lt;b&gt;&amp;&quot;&#39;.txt<") != std::string::npos);
  CHECK(page.body.find("href=\"./sub/\">sub/<") != std::string::npos);
  CHECK(page.body.find("href=\"./javascript%3Aalert%281%29\"") != std::string::npos);
  CHECK(page.body.find("sub/") < page.body.find("&lt;b"));
  CHECK(page.body.find("hidden") == std::string::npos);
  CHECK(page.body.find("<b>") == std::string::npos);
  CHECK(site.get("/").body == "<p>hello");
  CHECK(Site().status("/empty/") == 404);
  CHECK(site.get("/empty/").status == 200);
}

TEST_CASE("a root that is no folder is an error") {
  const Site site;
  CHECK(StaticFiles::create({.root = site.path_of("data.txt")}).error().code == ENOTDIR);
  CHECK(StaticFiles::create({.root = site.path_of("absent")}).error().code == ENOENT);
}

}  // namespace quoll::web
