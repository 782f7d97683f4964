// The tools of the alert tables: how a script changes, drops and adds messages, and a PSK that both sides know.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "tests/tls/puppet.h"
#include "tests/tls/support.h"

namespace quoll::tls::tests {

inline constexpr uint8_t kOneByte[] = {0x01};
inline constexpr uint8_t kNothing[] = {0x00};

/// An extension with a body that stays alive.
inline RawExtension extension(uint16_t type, Bytes data = {}) { return {static_cast<ExtensionType>(type), data}; }

/// Changes the bytes of every message of a type that is sent.
inline Rewrite bytes_of(HandshakeType type, std::function<void(std::vector<uint8_t>&)> change) {
  return [=](std::vector<PuppetMessage>& messages) {
    if (messages.back().type() == type) change(messages.back().bytes);
  };
}

inline void set_length(std::vector<uint8_t>& message) {
  const size_t body = message.size() - kHandshakeHeaderSize;
  message[1] = static_cast<uint8_t>(body >> 16);
  message[2] = static_cast<uint8_t>(body >> 8);
  message[3] = static_cast<uint8_t>(body);
}

inline void add_trailing_byte(std::vector<uint8_t>& message) {
  message.push_back(0);
  set_length(message);
}

inline void cut_last_byte(std::vector<uint8_t>& message) {
  message.pop_back();
  set_length(message);
}

inline Rewrite without(HandshakeType type) {
  return [=](std::vector<PuppetMessage>& messages) {
    if (messages.back().type() == type) messages.clear();
  };
}

inline Rewrite before(HandshakeType type, PuppetMessage inserted) {
  return [=](std::vector<PuppetMessage>& messages) {
    if (messages.back().type() == type) messages.insert(messages.begin(), inserted);
  };
}

/// Puts bytes behind a message in the same delivery.
inline Rewrite glued_to(HandshakeType type) {
  return bytes_of(type, [](std::vector<uint8_t>& message) { message.push_back(0x08); });
}

/// Configurations that agree; made once for each mode.
inline Scene& scene_of(Mode mode) {
  static Scene quic(Mode::quic), stream(Mode::stream);
  return mode == Mode::quic ? quic : stream;
}

/// A PSK that both sides know.
inline const ExternalPsk& psk() {
  static const ExternalPsk made = [] {
    ExternalPsk value;
    value.identity.assign({'p', 's', 'k'});
    value.key = crypto::Digest(32);
    std::fill_n(value.key.data(), 32, uint8_t{0x42});
    return value;
  }();
  return made;
}

}  // namespace quoll::tls::tests
