#include "app/get_options.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "app/commands.h"
#include "app/exit_codes.h"
#include "os/write_file.h"
#include "tests/os/temporary_folder.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

std::expected<GetOptions, int> parse(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return GetOptions::parse(pointers);
}

/// The exit code of a command line that is refused; 0 when it is not. Its message is not shown.
int refusal(std::vector<std::string> words) {
  const int shown = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
  std::fflush(stderr);
  dup2(nowhere, STDERR_FILENO);
  const auto parsed = parse(std::move(words));
  std::fflush(stderr);
  dup2(shown, STDERR_FILENO);
  close(shown);
  close(nowhere);
  return parsed ? 0 : parsed.error();
}

}  // namespace

TEST_SUITE("app/get_options") {
  TEST_CASE("the defaults are curl's") {
    const auto options = parse({"https://a.example/"});
    REQUIRE(options);
    CHECK(options->urls == std::vector<std::string>{"https://a.example/"});
    CHECK(options->targets.empty());
    CHECK_FALSE(options->follow);
    CHECK_EQ(options->redirects_max, 50);
    CHECK_EQ(options->agent.substr(0, 6), "quoll/");
    CHECK(options->progress);
    CHECK(options->ipv4);
    CHECK(options->ipv6);
    CHECK_FALSE(options->data);
    CHECK_FALSE(options->time_limit);
  }

  TEST_CASE("-o and -O are for the URLs in their order; -O is for the rest as well") {
    auto options = parse({"-o", "x", "-O", "-o", "-", "u1", "u2", "u3", "u4"});
    REQUIRE(options);
    REQUIRE(options->targets.size() == 3);
    CHECK(options->targets[0].kind == Target::Kind::file);
    CHECK_EQ(options->targets[0].path, "x");
    CHECK(options->targets[1].kind == Target::Kind::remote_name);
    CHECK(options->targets[2].kind == Target::Kind::standard_output);
    CHECK(options->remote_names);
    CHECK_FALSE(parse({"-o", "x", "u1", "u2"})->remote_names);
    CHECK(parse({"--output-dir", "d", "u1"})->remote_names);
    CHECK_FALSE(parse({"--output-dir", "d", "-o", "x", "u1"})->remote_names);
  }

  TEST_CASE("several -d are joined, and only -d reads files without their line ends") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "file";
    REQUIRE(os::write_file(path.c_str(), as_bytes("a\r\nb\n"), 0600, os::Existing::replace));
    CHECK_EQ(parse({"-d", "x=1", "--data-raw", "@y", "u"})->data, "x=1&@y");
    CHECK_EQ(parse({"-d", "@" + path, "--data-binary", "@" + path, "u"})->data, "ab&a\r\nb\n");
    CHECK_EQ(parse({"-d", "", "u"})->data, "");
    CHECK_EQ(refusal({"-d", "@" + (folder / "none"), "u"}), static_cast<int>(GetExit::read_error));
    REQUIRE(os::write_file(path.c_str(), as_bytes("%{http_code}"), 0600, os::Existing::replace));
    CHECK_EQ(parse({"-w", "@" + path, "u"})->write_out, "%{http_code}");
  }

  TEST_CASE("values that are none are refused with the code of a wrong command line") {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{},
                                               {"--nonsense", "u"},
                                               {"-C", "x", "u"},
                                               {"--max-redirs", "-1", "u"},
                                               {"--parallel-max", "0", "u"},
                                               {"--parallel-max", "301", "u"},
                                               {"-m", "soon", "u"},
                                               {"--resolve", "a:b:c", "u"},
                                               {"--connect-to", "a:1", "u"},
                                               {"--pin", "AAAA", "u"},
                                               {"--quic-version", "v3", "u"},
                                               {"--cc", "vegas", "u"},
                                               {"--cipher", "rc4", "u"},
                                               {"-u", "me", "u"},
                                               {"--0rtt", "u"},
                                               {"-I", "-d", "x", "u"},
                                               {"-T", "f", "-d", "x", "u"},
                                               {"-C", "-", "-r", "0-1", "u"},
                                               {"-r", "half", "u"},
                                               {"-X", "a b", "u"},
                                               {"-X", "", "u"},
                                               {"-o", "", "u"},
                                               {"-G", "u"},
                                               {"-J", "u"},
                                               {"-OJ", "-C", "-", "u"},
                                               {"-F", "a", "u"},
                                               {"-F", "a=b", "-d", "x", "u"},
                                               {"--form-string", "=b", "u"},
                                               {"-G", "-d", "x", "-T", "f", "u"},
                                               {"-I", "--json", "{}", "u"},
                                               {"-b", "jar", "u"},
                                               {"--retry", "often", "u"},
                                               {"--retry-delay", "1", "u"},
                                               {"--max-filesize", "k", "u"},
                                               {"-o", "a", "-o", "b", "u"}}) {
      CAPTURE(words);
      CHECK_EQ(refusal(words), kUsageError);
    }
  }

  TEST_CASE("names choose versions, suites, controllers and families") {
    const auto options =
        parse({"--quic-version", "v2", "--cc", "reno", "--initial-window", "20", "--cipher", "chacha20", "-6", "u"});
    REQUIRE(options);
    CHECK(options->version == quic::Version::v2);
    CHECK(options->sending.congestion == quic::CongestionAlgorithm::new_reno);
    CHECK(options->sending.initial_window == quic::InitialWindow{.datagrams = 20});
    CHECK(options->cipher == tls::CipherSuite::chacha20_poly1305_sha256);
    CHECK_FALSE(options->ipv4);
    CHECK(options->ipv6);
    CHECK(parse({"--cipher", "TLS_AES_256_GCM_SHA384", "u"})->cipher == tls::CipherSuite::aes_256_gcm_sha384);
    CHECK(parse({"-4", "-6", "u"})->ipv4);
  }

  TEST_CASE("--resolve takes several addresses, with brackets or without") {
    const auto rule = parse_resolve_rule("A.example:443:192.0.2.1,[2001:db8::1],2001:db8::2");
    REQUIRE(rule);
    CHECK_EQ(rule->host, "a.example");
    CHECK_EQ(rule->port, 443);
    REQUIRE(rule->addresses.size() == 3);
    CHECK_EQ(rule->addresses[1].to_string(), "2001:db8::1");
    CHECK(parse_resolve_rule("[::1]:443:127.0.0.1")->host == "::1");
    CHECK(parse_resolve_rule("*:443:127.0.0.1")->host == "*");
    for (const char* wrong : {"", "a", "a:443", "a:443:", "a::1.2.3.4", ":443:1.2.3.4", "a:0:1.2.3.4", "a:443:name"})
      CHECK_FALSE(parse_resolve_rule(wrong));
  }

  TEST_CASE("--connect-to takes parts that are empty") {
    const auto whole = parse_connect_rule("a.example:443:[2001:db8::1]:8443");
    REQUIRE(whole);
    CHECK_EQ(whole->from_host, "a.example");
    CHECK_EQ(whole->to_host, "2001:db8::1");
    CHECK_EQ(whole->to_port, 8443);
    const auto empty = parse_connect_rule("::b.example:");
    REQUIRE(empty);
    CHECK(empty->from_host.empty());
    CHECK_FALSE(empty->from_port);
    CHECK_EQ(empty->to_host, "b.example");
    CHECK_FALSE(empty->to_port);
    for (const char* wrong : {"", "a:b", "a:1:b", "a:x:b:1", "a:1:b:99999", "[a:1:b:1"})
      CHECK_FALSE(parse_connect_rule(wrong));
  }

  TEST_CASE("seconds have fractions") {
    CHECK_EQ(parse_seconds("1")->as_milliseconds(), 1000);
    CHECK_EQ(parse_seconds("0.25")->as_milliseconds(), 250);
    CHECK_EQ(parse_seconds(".5")->as_milliseconds(), 500);
    CHECK_EQ(parse_seconds("1.0000000019")->as_nanoseconds(), 1'000'000'001);
    for (const char* wrong : {"", ".", "0", "-1", "1s", "1.", "1.x", "99999999999"}) CHECK_FALSE(parse_seconds(wrong));
  }

  TEST_CASE("sizes have units of 1024") {
    CHECK_EQ(parse_size("0"), 0);
    CHECK_EQ(parse_size("17"), 17);
    CHECK_EQ(parse_size("2k"), 2048);
    CHECK_EQ(parse_size("3M"), 3 << 20);
    CHECK_EQ(parse_size("1G"), 1 << 30);
    CHECK_EQ(parse_size("16777215T"), uint64_t{16777215} << 40);
    for (const char* wrong : {"", "k", "1x", "-1", "1.5k", "16777216T", "1kk", " 1"}) CHECK_FALSE(parse_size(wrong));
  }

  TEST_CASE("--json is one text, --data-urlencode encodes all but the name, and -G makes a GET of them") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "file";
    REQUIRE(os::write_file(path.c_str(), as_bytes("a=b\n"), 0600, os::Existing::replace));
    const auto json = parse({"--json", "{\"a\":", "--json", "1}", "u"});
    REQUIRE(json);
    CHECK_EQ(json->data, "{\"a\":1}");
    CHECK(json->is_json);
    CHECK_EQ(parse({"--json", "@" + path, "u"})->data, "a=b\n");
    CHECK_EQ(parse({"--data-urlencode", "a b", "u"})->data, "a%20b");
    CHECK_EQ(parse({"--data-urlencode", "=a=b", "u"})->data, "a%3Db");
    CHECK_EQ(parse({"--data-urlencode", "n@m=a b", "u"})->data, "n@m=a%20b");
    CHECK_EQ(parse({"--data-urlencode", "n@" + path, "--data-urlencode", "@" + path, "u"})->data,
             "n=a%3Db%0A&a%3Db%0A");
    CHECK_EQ(refusal({"--data-urlencode", "@" + (folder / "none"), "u"}), static_cast<int>(GetExit::read_error));
    const auto query = parse({"-G", "-I", "-d", "a=1", "u"});
    REQUIRE(query);
    CHECK(query->data_in_query);
    CHECK_EQ(parse({"-b", "a=1", "-b", "b=2", "--url", "v", "u"})->cookie, "a=1; b=2");
    CHECK_EQ(parse({"--url", "v", "u"})->urls, std::vector<std::string>{"u", "v"});
  }

  TEST_CASE("a pin is base64 of 32 bytes with either prefix or none") {
    const std::string text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (const std::string prefix : {"", "sha256/", "sha256//"}) {
      const auto pin = parse_spki_pin(prefix + text);
      REQUIRE(pin);
      CHECK_EQ((*pin)[31], 31);
    }
    CHECK_FALSE(parse_spki_pin("sha1/" + text));
    CHECK_FALSE(parse_spki_pin(text.substr(4)));
  }

  TEST_CASE("no two options share a name or a letter, and help fits a screen") {
    const Usage& usage = get_usage();
    size_t lines = 6, width = 0;  // usage, summary, blank lines, --help and --help-all
    for (const Option& option : usage.options) {
      for (const Option& other : usage.options) {
        if (&option == &other) continue;
        CHECK(option.name != other.name);
        CHECK((option.letter == 0 || option.letter != other.letter));
      }
      if (option.rare) continue;
      lines++;
      CHECK_EQ(option.help.find('\n'), std::string_view::npos);
      width = std::max(width, option.help.size());
    }
    CHECK_LE(lines, 24);
    CHECK_LE(28 + width, 80);  // 28: what the options and their values take
  }
}

}  // namespace quoll::app
