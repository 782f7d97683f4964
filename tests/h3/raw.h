// Bytes of a peer that is written by hand: frames, field sections without a dynamic table, stream beginnings.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "h3/frame.h"
#include "h3/stream_type.h"
#include "qpack/encoder.h"
#include "tests/support/h3_pair.h"

namespace quoll::tests {

using ByteVector = std::vector<uint8_t>;

inline ByteVector operator+(ByteVector a, const ByteVector& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline ByteVector varint(uint64_t value) {
  ByteVector out;
  h3::write_varint(out, value);
  return out;
}

inline ByteVector text(std::string_view bytes) { return ByteVector(bytes.begin(), bytes.end()); }

inline ByteVector frame(uint64_t type, const ByteVector& payload) {
  return varint(type) + varint(payload.size()) + payload;
}
inline ByteVector frame(h3::FrameType type, const ByteVector& payload) {
  return frame(static_cast<uint64_t>(type), payload);
}

/// With the static table and literals alone.
inline ByteVector section(const http::FieldSection& fields) {
  qpack::Encoder encoder(qpack::Encoder::Options{});
  ByteVector out;
  encoder.encode(0, fields, out);
  return out;
}

inline ByteVector headers(const http::FieldSection& fields) { return frame(h3::FrameType::headers, section(fields)); }
inline ByteVector data(std::string_view bytes) { return frame(h3::FrameType::data, text(bytes)); }
inline ByteVector promise(uint64_t push_id, const http::FieldSection& fields) {
  return frame(h3::FrameType::push_promise, varint(push_id) + section(fields));
}

inline ByteVector stream_type(h3::StreamType type) { return varint(static_cast<uint64_t>(type)); }
inline ByteVector control(const h3::Settings& settings = {}) {
  ByteVector out = stream_type(h3::StreamType::control);
  h3::write_settings(out, settings);
  return out;
}

inline http::FieldSection get(std::string_view path = "/") {
  return {{":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", path}};
}
inline http::FieldSection with_method(std::string_view method, http::FieldSection more = {}) {
  http::FieldSection fields{{":method", method}, {":scheme", "https"}, {":authority", "example.com"}, {":path", "/"}};
  fields.append(more);
  return fields;
}
inline http::FieldSection connect() { return {{":method", "CONNECT"}, {":authority", "example.com:443"}}; }
inline http::FieldSection extended_connect() {
  return {{":method", "CONNECT"},
          {":protocol", "websocket"},
          {":scheme", "https"},
          {":authority", "example.com"},
          {":path", "/chat"}};
}
inline http::FieldSection status(std::string_view code, http::FieldSection more = {}) {
  http::FieldSection fields{{":status", code}};
  fields.append(more);
  return fields;
}

// Numbers of streams of the peer's, by whose it is.
inline constexpr uint64_t kClientControl = 2, kClientEncoder = 6, kClientDecoder = 10, kClientOther = 14;
inline constexpr uint64_t kServerControl = 3, kServerEncoder = 7, kServerDecoder = 11, kServerOther = 15;

/// A server whose client has begun as it should.
struct ServerEnd : H3End {
  explicit ServerEnd(const h3::SessionOptions& options = {}, const h3::Settings& settings = {})
      : H3End(h3::Role::server, options) {
    session.start();
    receive(kClientControl, control(settings));
    (void)events();
  }
};

/// A client whose server has begun as it should, with a request under way on stream 0.
struct ClientEnd : H3End {
  explicit ClientEnd(const h3::SessionOptions& options = {}, const h3::Settings& settings = {},
                     const http::FieldSection& request = get())
      : H3End(h3::Role::client, options) {
    session.start();
    receive(kServerControl, control(settings));
    stream = session.request(request, true).value().value();
    (void)events();
  }
  uint64_t stream = 0;
};

}  // namespace quoll::tests
