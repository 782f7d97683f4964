// Builds handshake messages for tests, right and wrong ones.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/hex.h"
#include "tests/support/message_round_trip.h"
#include "tls/alert.h"

namespace quoll::tls {

using tests::Buffer;
using tests::message_of;
using tests::to_buffer;

/// Hexadecimal, with spaces wherever they help.
inline Buffer unhex(std::string_view text) {
  std::string digits(text);
  std::erase(digits, ' ');
  return from_hex(digits).value();
}

/// An extension by its hexadecimal contents.
struct HexExtension {
  ExtensionType type;
  std::string_view contents;
};

/// Extensions whose contents live as long as this does.
class HexExtensions {
 public:
  HexExtensions(std::initializer_list<HexExtension> list) {
    for (const HexExtension& each : list) contents_.push_back(unhex(each.contents));
    size_t i = 0;
    for (const HexExtension& each : list) raw_.push_back({each.type, contents_[i++]});
  }
  operator std::span<const RawExtension>() const { return raw_; }

 private:
  std::vector<Buffer> contents_;
  std::vector<RawExtension> raw_;
};

inline Bytes body_of(const Buffer& message) { return Bytes(message).subspan(kHandshakeHeaderSize); }

/// The fixed part of a ClientHello that every parser takes.
inline ClientHello plain_client_hello() {
  static const Buffer suites = {0x13, 0x01, 0x13, 0x02}, compression = {0};
  ClientHello hello;
  hello.random.fill(0x5a);
  hello.cipher_suites = CodeList<CipherSuite>(suites);
  hello.legacy_compression_methods = compression;
  return hello;
}

inline ServerHello plain_server_hello() {
  ServerHello hello;
  hello.random.fill(0xa5);
  hello.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  return hello;
}

inline Buffer client_hello_with(const HexExtensions& extensions) {
  return message_of([&](auto& sink) { write_client_hello(sink, plain_client_hello(), extensions); });
}
inline Buffer server_hello_with(const HexExtensions& extensions) {
  return message_of([&](auto& sink) { write_server_hello(sink, plain_server_hello(), extensions); });
}
inline Buffer retry_with(const HexExtensions& extensions) {
  ServerHello hello = plain_server_hello();
  hello.random = kHelloRetryRequestRandom;
  return message_of([&](auto& sink) { write_server_hello(sink, hello, extensions); });
}
inline Buffer encrypted_extensions_with(const HexExtensions& extensions) {
  return message_of([&](auto& sink) { write_encrypted_extensions(sink, {}, extensions); });
}
inline Buffer certificate_request_with(const HexExtensions& extensions) {
  return message_of([&](auto& sink) { write_certificate_request(sink, {}, extensions); });
}
inline Buffer new_session_ticket_with(const HexExtensions& extensions) {
  const Buffer ticket = {1};
  return message_of([&](auto& sink) { write_new_session_ticket(sink, {.ticket = ticket}, extensions); });
}
/// One certificate of one byte.
inline Buffer certificate_with(const HexExtensions& extensions) {
  return message_of([&](auto& sink) {
    sink.u8(static_cast<uint8_t>(HandshakeType::certificate));
    LengthPrefix message(sink, Prefix::u24);
    sink.u8(0);
    LengthPrefix list(sink, Prefix::u24);
    sink.u24(1);
    sink.u8(0x30);
    LengthPrefix block(sink, Prefix::u16);
    for (const RawExtension& each : std::span<const RawExtension>(extensions)) {
      sink.u16(static_cast<uint16_t>(each.type));
      LengthPrefix contents(sink, Prefix::u16);
      sink.bytes(each.data);
    }
  });
}

/// The alert that a parser answers a message with; empty when it takes it.
inline std::optional<Alert> alert_of(const Buffer& message) {
  const tests::RoundTrip result = tests::round_trip(message);
  if (result.parsed) return std::nullopt;
  return static_cast<Alert>(result.error.code);
}

}  // namespace quoll::tls
