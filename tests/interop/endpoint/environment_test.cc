#include "interop/endpoint/environment.h"

#include <map>

#include <doctest/doctest.h>

namespace quoll::interop {
namespace {

using Values = std::map<std::string, std::string>;

std::expected<Environment, std::string> read(const Values& values) {
  return Environment::read([&values](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return {};
    return found->second;
  });
}

}  // namespace

TEST_SUITE("interop endpoint: environment") {
  TEST_CASE("a client's variables, with the runner's folders where none are named") {
    const auto client = read({{"ROLE", "client"},
                              {"TESTCASE", "transfer"},
                              {"REQUESTS", " https://server4:443/one  https://server4:443/two\n"},
                              {"SSLKEYLOGFILE", "/logs/keys.log"},
                              {"QLOGDIR", "/logs/qlog/"},
                              {"CLIENT_PARAMS", "cc=newreno"},
                              {"SERVER_PARAMS", "what a server knows"}});
    REQUIRE(client);
    CHECK(client->role == quic::Role::client);
    CHECK(client->test_case == "transfer");
    REQUIRE_EQ(client->requests.size(), 2);
    CHECK(client->requests[1].path == "/two");
    CHECK(client->requests[1].host == "server4");
    CHECK(client->key_log == "/logs/keys.log");
    CHECK(client->qlog_directory == "/logs/qlog/");
    CHECK(client->downloads == "/downloads");
    CHECK(client->congestion == quic::CongestionAlgorithm::new_reno);
  }

  TEST_CASE("a server's variables, and folders and a port of one's own") {
    const auto server = read({{"ROLE", "server"}, {"WWW", "/tmp/w"}, {"CERTS", "/tmp/c"}, {"PORT", "4433"}});
    REQUIRE(server);
    CHECK(server->role == quic::Role::server);
    CHECK(server->www == "/tmp/w");
    CHECK(server->certificates == "/tmp/c");
    CHECK_EQ(server->port, 4433);
    CHECK(server->congestion == quic::CongestionAlgorithm::bbr3);
    CHECK_EQ(read({{"ROLE", "server"}})->port, 443);
  }

  TEST_CASE("what cannot be is a line that names the variable") {
    const auto complaint = [](const Values& values) { return read(values).error(); };
    CHECK(complaint({}).starts_with("ROLE"));
    CHECK(complaint({{"ROLE", "proxy"}}).starts_with("ROLE"));
    CHECK(complaint({{"ROLE", "client"}}).starts_with("REQUESTS"));
    CHECK(complaint({{"ROLE", "client"}, {"REQUESTS", "http://server/"}}).starts_with("REQUESTS"));
    CHECK(complaint({{"ROLE", "client"}, {"REQUESTS", "https://a/ nonsense"}}).starts_with("REQUESTS: nonsense"));
    CHECK(complaint({{"ROLE", "server"}, {"PORT", "70000"}}).starts_with("PORT"));
    CHECK(complaint({{"ROLE", "server"}, {"SERVER_PARAMS", "cc=fast"}}).starts_with("SERVER_PARAMS: cc=fast"));
  }

  TEST_CASE("a file is named by the last segment, and never leads elsewhere") {
    const auto name = [](const char* url) { return file_name_of(*http::Url::parse(url)); };
    CHECK(name("https://server/one") == "one");
    CHECK(name("https://server/a/b/two?x=1") == "two");
    CHECK(name("https://server/") == "");
    CHECK(name("https://server/a/..") == "");
    CHECK(name("https://server/%2e%2e%2fetc").find('/') == std::string::npos);
  }
}

}  // namespace quoll::interop
