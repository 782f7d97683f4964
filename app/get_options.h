// The command line of `quoll get`, understood: what curl's options of the same name mean, checked before anything runs.
//
// Files that options name for their contents (-d @FILE, -w @FILE) are read here; a file that cannot be read ends the
// program with GetExit::read_error.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/form.h"
#include "app/options.h"
#include "app/sending_options.h"
#include "base/address.h"
#include "base/time.h"
#include "quic/wire/types.h"
#include "tls/codepoints.h"
#include "tls/x509/verify.h"

namespace quoll::app {

inline constexpr size_t kParallelDefault = 50, kParallelMax = 300;
inline constexpr size_t kRedirectsDefault = 50;
inline constexpr uint64_t kRetriesMax = 1'000'000;
inline constexpr size_t kDataSizeMax = size_t{1} << 30;  // of -d @FILE, which is held in memory; -T is not

/// Where the body of a response goes.
struct Target {
  enum class Kind : uint8_t { standard_output, file, remote_name };
  Kind kind = Kind::standard_output;
  std::string path{};  // of a file
};

/// --resolve HOST:PORT:ADDRESS[,ADDRESS...]; the host "*" is any.
struct ResolveRule {
  std::string host{};
  uint16_t port = 0;
  std::vector<IpAddress> addresses{};
};

/// --connect-to HOST1:PORT1:HOST2:PORT2; what is empty matches everything, or stays as it is.
struct ConnectRule {
  std::string from_host{}, to_host{};
  std::optional<uint16_t> from_port{}, to_port{};
};

/// --retry and its siblings.
struct RetryOptions {
  size_t count = 0;
  std::optional<Duration> delay{};       // the same before each try; empty: twice as long each time
  std::optional<Duration> time_limit{};  // since the first try; no further one begins later
  bool all_errors = false;
};

struct GetOptions {
  std::vector<std::string> urls;
  std::vector<Target> targets;  // of the first URLs, in order
  bool remote_names = false;    // for the URLs that have no target
  std::string output_dir;
  bool create_dirs = false;
  bool remote_header_name = false;  // -J
  bool remote_time = false;         // -R

  std::string method;                 // empty: what the rest asks for
  bool head = false;                  // -I
  std::optional<std::string> data;    // the -d together
  bool is_json = false;               // they came by --json
  bool data_in_query = false;         // -G
  std::vector<FormPart> form;         // -F
  std::optional<std::string> upload;  // -T
  std::vector<std::string> fields;    // -H, as given
  std::string agent, referer, user, cookie;
  std::string range;
  bool continues = false;               // -C
  std::optional<uint64_t> continue_at;  // empty: where the file ends

  bool compressed = false;
  std::optional<uint64_t> size_max;  // --max-filesize

  RetryOptions retry;

  bool follow = false;
  size_t redirects_max = kRedirectsDefault;
  bool fail = false, fail_with_body = false, fail_early = false;
  bool silent = false, show_error = false, verbose = false, progress = true;
  bool include = false;
  std::string dump_header;
  std::string write_out;
  bool parallel = false;
  size_t parallel_max = kParallelDefault;
  std::optional<Duration> time_limit, connect_limit;

  bool insecure = false;
  std::vector<std::string> authorities;
  std::vector<x509::SpkiPin> pins;
  std::optional<tls::CipherSuite> cipher;
  std::string session_file;
  bool early_data = false;
  std::string key_log;
  std::string qlog_directory;

  std::vector<ResolveRule> resolve;
  std::vector<ConnectRule> connect_to;
  bool ipv4 = true, ipv6 = true;
  std::optional<quic::Version> version;
  SendingOptions sending;

  /// The exit code to end with where there is nothing to run: after --help, and after what is wrong was printed.
  [[nodiscard]] static std::expected<GetOptions, int> parse(std::span<char* const> arguments);
};

/// For --help and the completion of shells.
const Usage& get_usage();

// The values of options. Empty: not understood.
std::optional<ResolveRule> parse_resolve_rule(std::string_view text);
std::optional<ConnectRule> parse_connect_rule(std::string_view text);
/// Seconds, with a fraction or without; more than zero.
std::optional<Duration> parse_seconds(std::string_view text);
/// Bytes: digits, and k, M, G or T (times 1024, twice, ...) behind them.
std::optional<uint64_t> parse_size(std::string_view text);
/// aes128, aes256 or chacha20, or TLS's names of them.
std::optional<tls::CipherSuite> parse_cipher(std::string_view text);
/// Base64 of 32 bytes, with "sha256/" or curl's "sha256//" before it or without.
std::optional<x509::SpkiPin> parse_spki_pin(std::string_view text);

}  // namespace quoll::app
