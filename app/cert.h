// What the subcommands of `quoll cert` share: reading certificates and keys from files, times, and texts for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/options.h"
#include "base/unix_time.h"
#include "tls/x509/certificate.h"
#include "tls/x509/private_key.h"

namespace quoll::app {

inline constexpr int kFailed = 1;  // the command line is right, and what it asks for did not work

int cert_make(std::span<char* const> arguments);
int cert_show(std::span<char* const> arguments);
int cert_verify(std::span<char* const> arguments);

/// The certificates of a PEM file, or the one of a DER file; "-" is standard input. Failure::no_certificate when a PEM
/// file holds none.
[[nodiscard]] Result<std::vector<x509::Certificate>> read_certificates(std::string_view path);

/// The first private key of a PEM file, or the one of a DER file; "-" is standard input.
[[nodiscard]] Result<x509::PrivateKey> read_private_key(std::string_view path);

/// "expired: a certificate has expired".
std::string error_text(const Error& error);

/// Prints "COMMAND: SUBJECT: why" on stderr and returns kFailed.
int failed(const Usage& usage, std::string_view subject, const Error& error);
int failed(const Usage& usage, std::string_view subject, std::string_view why);

/// Of the system's clock.
UnixTime now();

/// "2026-11-21T12:00:00Z" or with an offset as in "+01:00" (RFC 3339; parts of a second count down to milliseconds), "2026-11-21", or seconds since
/// 1970.
std::optional<UnixTime> parse_time(std::string_view text);

/// "2026-11-21T12:00:00Z".
std::string rfc3339_text(UnixTime time);

/// Bytes that are meant to be ASCII, for a terminal: anything but printable characters is escaped.
std::string printable(Bytes text);

/// "4A:0F", as OpenSSL prints serial numbers and fingerprints.
std::string colon_hex(Bytes bytes);

/// Base64 of the SHA-256 of the SubjectPublicKeyInfo.
std::string pin_text(const x509::Certificate& certificate);

}  // namespace quoll::app
