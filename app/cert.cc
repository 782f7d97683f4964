// quoll cert: finds its subcommand; and what these share.
#include "app/cert.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "app/command_group.h"
#include "crypto/ct.h"
#include "os/file.h"
#include "os/wall_clock.h"
#include "tls/x509/der_values.h"
#include "tls/x509/failure.h"
#include "tls/x509/pem.h"
#include "tls/x509/verify.h"

namespace quoll::app {
namespace {

constexpr size_t kFileSizeMax = size_t{16} << 20;  // a bundle of all public authorities has 200 KiB
constexpr std::string_view kPemMark = "-----BEGIN ";

/// The contents of a file, wiped in the end: it may hold a private key.
class Contents {
 public:
  explicit Contents(std::string_view path)
      : bytes_(os::read_file(path == "-" ? "/dev/stdin" : std::string(path).c_str(), kFileSizeMax)) {}
  Contents(const Contents&) = delete;
  Contents& operator=(const Contents&) = delete;
  ~Contents() {
    if (bytes_) crypto::ct::wipe(bytes_->data(), bytes_->size());
  }

  const Result<std::vector<uint8_t>>& bytes() const { return bytes_; }
  bool is_pem() const { return as_text(*bytes_).find(kPemMark) != std::string_view::npos; }
  /// DER of a certificate or key is a SEQUENCE; anything else was meant to be PEM.
  bool looks_like_der() const { return !bytes_->empty() && bytes_->front() == 0x30 && !is_pem(); }

 private:
  Result<std::vector<uint8_t>> bytes_;
};

Result<std::vector<x509::Certificate>> parse_blocks(std::string_view text) {
  const auto blocks = x509::parse_pem(text);
  if (!blocks) return std::unexpected(blocks.error());
  std::vector<x509::Certificate> certificates;
  for (const x509::PemBlock& block : *blocks) {
    if (block.label != "CERTIFICATE") continue;
    auto certificate = x509::Certificate::parse(block.contents);
    if (!certificate) return std::unexpected(certificate.error());
    certificates.push_back(std::move(*certificate));
  }
  if (certificates.empty()) return x509::refuse(x509::Failure::no_certificate, "the file holds none");
  return certificates;
}

/// Takes digits off the front: exactly `count`.
std::optional<int64_t> take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  const auto number = parse_number(text.substr(0, count), INT32_MAX);
  if (!number) return std::nullopt;
  text.remove_prefix(count);
  return static_cast<int64_t>(*number);
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// RFC 3339 §5.6 time-secfrac, which may be absent, off the front: its milliseconds. Empty for a dot without digits.
std::optional<int64_t> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0;
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  if (digits.empty()) return std::nullopt;
  text.remove_prefix(digits.size());
  int64_t milliseconds = 0;
  for (size_t i = 0; i < 3; i++) milliseconds = 10 * milliseconds + (i < digits.size() ? digits[i] - '0' : 0);
  return milliseconds;
}

/// RFC 3339 §5.6 time-offset, in seconds east of UTC.
std::optional<int64_t> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const int64_t sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  const bool colon = take(text, ":");
  const auto minutes = take_digits(text, 2);
  if (!hours || !colon || !minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3'600 + *minutes * 60);
}

}  // namespace

int cert(std::span<char* const> arguments) {
  constexpr Command kCommands[] = {
      {"make", "make a key and a certificate: self-signed, an authority's, or issued", cert_make},
      {"show", "say what certificates contain", cert_show},
      {"verify", "tell whether a chain leads to an authority that is trusted", cert_verify},
  };
  return run_subcommand("cert", kCommands, arguments);
}

Result<std::vector<x509::Certificate>> read_certificates(std::string_view path) {
  const Contents contents(path);
  if (!contents.bytes()) return std::unexpected(contents.bytes().error());
  if (!contents.looks_like_der()) return parse_blocks(as_text(*contents.bytes()));
  auto certificate = x509::Certificate::parse(*contents.bytes());
  if (!certificate) return std::unexpected(certificate.error());
  std::vector<x509::Certificate> one;
  one.push_back(std::move(*certificate));
  return one;
}

Result<x509::PrivateKey> read_private_key(std::string_view path) {
  const Contents contents(path);
  if (!contents.bytes()) return std::unexpected(contents.bytes().error());
  if (contents.looks_like_der()) return x509::PrivateKey::parse_der(crypto::best(), *contents.bytes());
  return x509::PrivateKey::parse_pem(crypto::best(), as_text(*contents.bytes()));
}

int failed(const Usage& usage, std::string_view subject, std::string_view why) {
  std::string line(usage.command);
  line.append(": ").append(subject).append(": ").append(why).append("\n");
  std::fputs(line.c_str(), stderr);
  return kFailed;
}

std::string error_text(const Error& error) {
  if (error.domain == ErrorDomain::system) return std::strerror(static_cast<int>(error.code));
  if (error.domain != ErrorDomain::certificate) return error.reason;
  std::string text(x509::describe(static_cast<x509::Failure>(error.code)));
  text.append(": ").append(error.reason);
  return text;
}

int failed(const Usage& usage, std::string_view subject, const Error& error) {
  return failed(usage, subject, error_text(error));
}

UnixTime now() { return os::wall_clock(); }

std::optional<UnixTime> parse_time(std::string_view text) {
  constexpr uint64_t kSecondsMax = uint64_t{1} << 40;  // beyond the year 9999
  if (const auto seconds = parse_number(text, kSecondsMax))
    return UnixTime::from_seconds(static_cast<int64_t>(*seconds));
  constexpr size_t kDateSize = 10, kTimeSize = 8;  // "2026-11-21", "12:00:00"
  std::string_view date = text.substr(0, kDateSize), time = "00:00:00", offset = "Z";
  if (text.size() > kDateSize) {
    text.remove_prefix(kDateSize);
    if (!take(text, "Tt ")) return std::nullopt;
    time = text.substr(0, kTimeSize);
    if (time.size() < kTimeSize) return std::nullopt;
    offset = text.substr(kTimeSize);
  }
  const auto milliseconds = take_fraction(offset);
  const auto east = parse_offset(offset);
  const auto has = [](std::string_view part, size_t at, char c) { return part.size() > at && part[at] == c; };
  if (!milliseconds || !east || !has(date, 4, '-') || !has(date, 7, '-') || !has(time, 2, ':') || !has(time, 5, ':'))
    return std::nullopt;

  // The calendar is X.509's: a GeneralizedTime is the same digits.
  std::string digits;
  std::ranges::copy_if(std::string(date).append(time), std::back_inserter(digits),
                       [](char c) { return c != '-' && c != ':'; });
  digits += 'Z';
  uint8_t room[32];
  crypto::DerWriter writer(room);
  writer.write(crypto::DerTag::generalized_time, as_bytes(digits));
  const auto element = writer.finish();
  if (!element) return std::nullopt;
  crypto::DerReader reader(*element);
  const auto utc = x509::read_time(reader);
  if (!utc) return std::nullopt;
  return UnixTime::from_milliseconds((utc->as_seconds() - *east) * 1'000 + *milliseconds);
}

std::string rfc3339_text(UnixTime time) {
  const std::string text = x509::time_text(time);  // "2026-11-21 12:00:00 UTC"
  const size_t first = text.find(' '), last = text.rfind(' ');
  if (first == last) return text;
  return text.substr(0, first).append("T").append(text, first + 1, last - first - 1).append("Z");
}

std::string printable(Bytes text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint8_t c : text) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      out += static_cast<char>(c);
    } else {
      out.append("\\x");
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    }
  }
  return out;
}

std::string colon_hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const uint8_t byte : bytes) {
    if (!out.empty()) out += ':';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string pin_text(const x509::Certificate& certificate) {
  return x509::base64_encode(crypto::hash(*crypto::best().sha256, certificate.subject_public_key_info));
}

}  // namespace quoll::app
