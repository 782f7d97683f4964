#include "interop/endpoint/environment.h"

namespace quoll::interop {
namespace {

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<std::string_view> words;
  for (;;) {
    const size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const size_t size = std::min(text.find_first_of(kBlanks), text.size());
    words.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
}

std::expected<void, std::string> read_requests(std::string_view text, std::vector<http::Url>& requests) {
  for (const std::string_view word : words_of(text)) {
    Result<http::Url> url = http::Url::parse(word);
    if (!url) return std::unexpected("REQUESTS: " + std::string(word) + ": " + url.error().reason);
    if (url->scheme != "https") return std::unexpected("REQUESTS: " + std::string(word) + ": not of https");
    requests.push_back(std::move(*url));
  }
  if (requests.empty()) return std::unexpected("REQUESTS: no URL");
  return {};
}

std::expected<void, std::string> read_parameters(const char* variable, std::string_view text, Environment& into) {
  for (const std::string_view word : words_of(text)) {
    constexpr std::string_view kCongestion = "cc=";
    const auto algorithm =
        word.starts_with(kCongestion) ? quic::congestion_algorithm(word.substr(kCongestion.size())) : std::nullopt;
    if (!algorithm) {
      return std::unexpected(std::string(variable) + ": " + std::string(word) + " is no parameter; there is cc= with " +
                             std::string(quic::kCongestionAlgorithmNames));
    }
    into.congestion = *algorithm;
  }
  return {};
}

}  // namespace

std::expected<Environment, std::string> Environment::read(const Variables& variables) {
  Environment environment;
  const std::string role = variables("ROLE").value_or("");
  if (role != "client" && role != "server") return std::unexpected("ROLE is neither client nor server");
  const bool is_client = role == "client";
  environment.role = is_client ? quic::Role::client : quic::Role::server;
  environment.test_case = variables("TESTCASE").value_or("");
  environment.key_log = variables("SSLKEYLOGFILE").value_or("");
  environment.qlog_directory = variables("QLOGDIR").value_or("");
  environment.www = variables("WWW").value_or("/www");
  environment.downloads = variables("DOWNLOADS").value_or("/downloads");
  environment.certificates = variables("CERTS").value_or("/certs");
  if (const auto port = variables("PORT")) {
    const std::optional<uint16_t> number = http::parse_port(*port);
    if (!number) return std::unexpected("PORT: " + *port + " is no port");
    environment.port = *number;
  }
  if (is_client) {
    if (auto read = read_requests(variables("REQUESTS").value_or(""), environment.requests); !read) {
      return std::unexpected(read.error());
    }
  }
  const char* const parameters = is_client ? "CLIENT_PARAMS" : "SERVER_PARAMS";
  if (auto read = read_parameters(parameters, variables(parameters).value_or(""), environment); !read) {
    return std::unexpected(read.error());
  }
  return environment;
}

std::string file_name_of(const http::Url& url) {
  std::string name = url.path.substr(url.path.rfind('/') + 1);
  if (name == "." || name == "..") return {};
  return name;
}

}  // namespace quoll::interop
