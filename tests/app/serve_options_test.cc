// What `quoll serve` understands of its command line.
#include <cstdlib>

#include "app/serve_options.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

const std::vector<IpAddress> kAny = {*IpAddress::parse("::")};

std::vector<std::string> listen(std::string_view text) {
  std::vector<std::string> texts;
  for (const SocketAddress& address : parse_listen(text, kAny)) texts.push_back(address.to_string());
  return texts;
}

using Texts = std::vector<std::string>;

/// What is wrong, or an empty text.
std::string read(std::vector<std::string> words, ServeOptions& options) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  // The words outlive what is read of them: options own their texts.
  const auto parsed = Arguments::parse(kServeUsage, arguments);
  REQUIRE(parsed);
  return read_serve_options(*parsed, options);
}

}  // namespace

TEST_CASE("addresses to listen on have a port, and may have a host") {
  CHECK(listen("127.0.0.1:4433") == Texts{"127.0.0.1:4433"});
  CHECK(listen("[2001:db8::1]:443") == Texts{"[2001:db8::1]:443"});
  CHECK(listen("localhost:0") == Texts{"127.0.0.1:0", "[::1]:0"});
  CHECK(listen(":443") == Texts{"[::]:443"});
  CHECK(listen("443") == Texts{"[::]:443"});
  CHECK(listen("*:443") == Texts{"[::]:443"});
  for (const char* const text : {"", ":", "x", "127.0.0.1", "::1", "[::1]", "example.com:443", "127.0.0.1:x",
                                 "127.0.0.1:65536", "65536", "-1", "127.0.0.1:", " 443", "1.2.3:4"}) {
    CHECK_MESSAGE(listen(text).empty(), text);
  }
}

TEST_CASE("without options the demo site is served to this machine alone") {
  ServeOptions options;
  CHECK(read({}, options).empty());
  CHECK(options.listen_by_default);
  CHECK(options.listen.size() == 2);
  CHECK(options.listen[0].to_string() == "127.0.0.1:4433");
  CHECK(options.listen[1].to_string() == "[::1]:4433");
  CHECK_FALSE(options.root);
  CHECK(options.workers == 1);
  CHECK(options.early_data);
  CHECK_FALSE(options.metrics);
}

TEST_CASE("options are understood, several certificates and addresses included") {
  ServeOptions options;
  CHECK(read({"--listen", "1.2.3.4:5", "-l",     "[::1]:6", "--root",  "x", "--cert",    "a",
              "--key",    "b",         "--cert", "c",       "--key",   "d", "--workers", "3",
              "--retry",  "--no-0rtt", "--cc",   "newreno", "--drain", "7", "--metrics", "9100"},
             options)
            .empty());
  CHECK_FALSE(options.listen_by_default);
  CHECK(options.listen.size() == 2);
  CHECK(options.certificates.size() == 2);
  CHECK(options.certificates[1].chain == "c");
  CHECK(options.certificates[1].key == "d");
  CHECK(options.workers == 3);
  CHECK(options.retry);
  CHECK_FALSE(options.early_data);
  CHECK(options.sending.congestion == quic::CongestionAlgorithm::new_reno);
  CHECK(options.sending.initial_window == quic::kEagerInitialWindow);
  CHECK(options.drain == Duration::seconds(7));
  CHECK(options.metrics->to_string() == "127.0.0.1:9100");
  ServeOptions all;
  CHECK(read({"--workers", "0"}, all).empty());
  CHECK(all.workers >= 1);
  CHECK(read({"--initial-window", "10"}, all).empty());
  CHECK(all.sending.initial_window == quic::InitialWindow{});
}

TEST_CASE("what does not go together is told") {
  ServeOptions options;
  CHECK(read({"--key", "a"}, options) == "--cert and --key belong together");
  CHECK(read({"--cert", "a", "--key", "b", "--cert", "c"}, options) == "--cert and --key belong together");
  CHECK(read({"--listing"}, options) == "--listing wants --root");
  CHECK(read({"--log-format", "json"}, options) == "--log-format wants --access-log");
  CHECK(read({"--cc", "vegas"}, options) == "--cc is cubic, newreno, bbr2 or bbr3, not vegas");
  for (const char* wrong : {"1", "101", "x"}) {
    CHECK(read({"--initial-window", wrong}, options) ==
          "--initial-window wants 2 to 100 datagrams, not " + std::string(wrong));
  }
  CHECK(read({"--workers", "257"}, options) == "--workers wants a number up to 256, not 257");
}

}  // namespace quoll::app
