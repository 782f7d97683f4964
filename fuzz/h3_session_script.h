// A session whose peer does what a program says, rightly or wrongly, at the level of streams: bytes of a stranger, frames
// that are well-formed but out of place, ends and resets; and whose application uses it meanwhile. Invariants hold after
// each step, what it sends would be taken by the strictest reader, and after its end it is silent.
#pragma once

#include "fuzz/h3_session_pair.h"
#include "h3/frame.h"
#include "h3/stream_type.h"
#include "qpack/encoder.h"

namespace quoll::fuzz {

class H3Script {
 public:
  H3Script(h3::Role role, Bytes input) : in_(input), end_(role, options(in_, role)) {}

  void run() {
    end_.session.start();
    if (in_.flag()) send(peers_uni(0), control());
    for (int steps = 0; steps < 150 && !in_.done(); steps++) {
      step();
      settle();
    }
    check_output();
    end_.session.on_closed();
    settle();
    QUOLL_CHECK(end_.session.open_exchanges() == 0);
  }

 private:
  using Data = std::vector<uint8_t>;

  static h3::SessionOptions options(Program& in, h3::Role role) {
    h3::SessionOptions made;
    made.decoder.max_table_capacity = in.flag() ? 4096 : 0;
    made.decoder.max_field_section_size = in.flag() ? 64 * 1024 : 400;
    made.decoder.blocked_streams = in.below(3);
    made.pushes_max = role == h3::Role::client ? in.below(4) : 0;
    made.datagrams_waiting_max = 4;
    if (role == h3::Role::client && in.flag()) made.remembered.emplace().h3_datagram = true;
    return made;
  }

  uint64_t peers_uni(uint64_t index) const { return 4 * index + 2 + (end_.role == h3::Role::client ? 1 : 0); }
  uint64_t some_request() { return 4 * in_.below(6); }
  uint64_t some_stream() {
    switch (in_.below(4)) {
      case 0:
        return peers_uni(in_.below(6));
      case 1:
        return in_.below(24);
      default:
        return some_request();
    }
  }

  Data control() {
    Data out;
    h3::write_varint(out, static_cast<uint64_t>(h3::StreamType::control));
    h3::write_settings(out, {.qpack_max_table_capacity = in_.below(5000),
                             .qpack_blocked_streams = in_.below(4),
                             .max_field_section_size = in_.flag() ? std::nullopt : std::optional(in_.below(1000)),
                             .enable_connect_protocol = in_.flag(),
                             .h3_datagram = in_.flag()});
    return out;
  }

  http::FieldSection some_fields() {
    static constexpr const char* kNames[] = {":method", ":scheme",  ":authority", ":path",
                                             ":status", "priority", "cookie",     "content-length",
                                             "te",      "Upper",    "x",          ":protocol"};
    static constexpr const char* kValues[] = {"GET", "https", "example.com", "/", "200", "103",
                                              "u=1", "5",     "CONNECT",     "",  "HEAD"};
    http::FieldSection fields;
    const uint64_t kind = in_.below(4);
    if (kind < 2 && end_.role == h3::Role::server) {
      fields = {{":method", kind == 0 ? "GET" : "CONNECT"}, {":authority", "a:1"}};
      if (kind == 0 || in_.flag()) fields.append({{":scheme", "https"}, {":path", "/"}});
    } else if (kind < 2) {
      fields = {{":status", kValues[4 + in_.below(2)]}};
    }
    for (uint64_t more = in_.below(4); more > 0; more--) fields.add(kNames[in_.below(12)], kValues[in_.below(11)]);
    return fields;
  }

  Data section() {
    Data out;
    if (in_.below(8) == 0) {  // one that needs an entry that may never come
      return {2, 0, 0x80};
    }
    qpack::Encoder(qpack::Encoder::Options{}).encode(0, some_fields(), out);
    return out;
  }

  Data frame(uint64_t type, const Data& payload) {
    Data out;
    h3::write_varint(out, type);
    h3::write_varint(out, payload.size());
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }

  Data some_frame() {
    static constexpr uint64_t kTypes[] = {0, 1, 3, 4, 5, 7, 0xd, 0xf0700, 0xf0701, 0x21, 2, 0x41};
    const uint64_t type = kTypes[in_.below(12)];
    Data payload;
    switch (type) {
      case 1:
        return frame(1, section());
      case 5: {
        h3::write_varint(payload, in_.below(6));
        const Data rest = section();
        payload.insert(payload.end(), rest.begin(), rest.end());
        return frame(5, payload);
      }
      case 3:
      case 7:
      case 0xd:
        h3::write_varint(payload, in_.below(12));
        break;
      case 0xf0700:
      case 0xf0701:
        h3::write_varint(payload, in_.below(24));
        payload.insert(payload.end(), {'u', '=', '2'});
        break;
      default: {
        const Bytes bytes = in_.bytes(in_.below(12));
        payload.assign(bytes.begin(), bytes.end());
      }
    }
    return frame(type, payload);
  }

  void send(uint64_t stream, const Data& bytes, bool fin = false) {
    const bool ours = ((stream & 1) != 0) == (end_.role == h3::Role::server);
    if (ours && ((stream & 2) != 0 || stream / 4 >= end_.transport.opened[0])) return;
    if (end_.transport.in[stream].fin) return;
    end_.receive(stream, bytes, fin);
  }

  void step() {
    switch (in_.below(16)) {
      case 0: {
        const Bytes bytes = in_.bytes(in_.below(20));
        return send(some_stream(), Data(bytes.begin(), bytes.end()), in_.below(8) == 0);
      }
      case 1:
      case 2:
      case 3:
      case 4:
        return send(some_request(), some_frame(), in_.below(6) == 0);
      case 5:
      case 6:
        return send(peers_uni(0), some_frame());
      case 7: {  // a stream's beginning
        Data out;
        h3::write_varint(out, in_.below(5));
        if (in_.flag()) h3::write_varint(out, in_.below(6));
        return send(peers_uni(1 + in_.below(5)), out, in_.below(8) == 0);
      }
      case 8:
        return end_.receive_reset_if(some_stream(), in_.below(0x300));
      case 9:
        return end_.receive_stop_if(some_stream(), in_.below(0x300));
      case 10:
        return end_.session.on_datagram(Slice::copy_of(in_.bytes(in_.below(6))));
      case 11:
        end_.transport.split = in_.flag() ? SIZE_MAX : 1 + in_.below(4);
        end_.transport.buffer_max = in_.flag() ? SIZE_MAX : in_.below(100);
        end_.transport.credit_max = end_.transport.buffer_max;
        for (auto& [stream, out] : end_.transport.out) {
          out.forwarded = out.bytes.size();
          if (std::exchange(out.wants_room, false)) return end_.session.on_writable(stream);
        }
        return;
      case 12:
        return deliver();
      default:
        return use();
    }
  }

  void deliver() {
    for (auto& [stream, out] : end_.transport.out) {
      if (!out.fin || out.reset || out.stopped || std::exchange(out.delivered, true)) continue;
      return end_.session.on_delivered(stream);
    }
  }

  void use() {
    h3::Session& session = end_.session;
    const uint64_t stream = in_.flag() ? some_request() : some_stream();
    switch (in_.below(14)) {
      case 0:
        (void)session.request(
            {{":method", in_.flag() ? "GET" : "HEAD"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}},
            in_.flag());
        return;
      case 1:
        (void)session.request({{":method", "CONNECT"}, {":authority", "a:1"}}, false);
        return;
      case 2:
        (void)session.inform(stream, 103, some_fields());
        return;
      case 3:
        (void)session.respond(stream, 200, in_.flag() ? http::FieldSection() : some_fields(), in_.flag());
        return;
      case 4:
      case 5: {
        Slice data = Slice::copy_of(Bytes(Data(in_.below(300), 'x')));
        (void)session.write_body(stream, data);
        return;
      }
      case 6:
        (void)session.finish(stream, in_.flag() ? http::FieldSection() : http::FieldSection{{"a", "b"}});
        return;
      case 7:
        return session.abort(stream, h3::ErrorCode::request_cancelled);
      case 8:
        return in_.flag() ? session.discard(stream) : session.stop_reading(stream, h3::ErrorCode::no_error);
      case 9:
        return session.set_priority(stream, {.urgency = static_cast<uint8_t>(in_.below(9)), .incremental = in_.flag()});
      case 10:
        (void)session.push(stream, {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}});
        return;
      case 11:
        return session.cancel_push(in_.below(6));
      case 12:
        (void)session.send_datagram(stream, as_bytes("datagram"));
        (void)session.receive_datagram(stream);
        return;
      case 13:
        if (in_.below(8) == 0) session.shutdown(in_.flag());
        return;
    }
  }

  void settle() {
    for (size_t count = 0; std::optional<h3::Event> event = end_.session.poll_event(); count++) {
      QUOLL_CHECK(count < 1000);
      QUOLL_CHECK(!failed_);
      if (const auto* readable = std::get_if<h3::BodyReadable>(&*event)) {
        if (in_.below(4) != 0) (void)end_.read_all(readable->stream, 1 + in_.below(100));
      } else if (const auto* failed = std::get_if<h3::SessionFailed>(&*event)) {
        failed_ = true;
        QUOLL_CHECK(end_.close_code() == failed->code && !h3::name_of(failed->code).empty());
        QUOLL_CHECK(failed->code != static_cast<uint64_t>(h3::ErrorCode::internal_error));
      } else if (const auto* closed = std::get_if<h3::ExchangeClosed>(&*event)) {
        for (const uint64_t stream : closed_) QUOLL_CHECK(stream != closed->stream);
        closed_.push_back(closed->stream);
      }
    }
    // Events of the end come once; a session that has failed adds none but those of on_closed().
    failed_ = false;
    end_.session.check_invariants();
    size_t written = 0;
    for (const auto& [stream, out] : end_.transport.out) written += out.bytes.size();
    if (end_.close_code()) {
      QUOLL_CHECK(!silent_since_ || *silent_since_ == written);
      silent_since_ = written;
    }
  }

  /// Frames, each where it may stand, and whole where a stream ended.
  void check_output() {
    for (const auto& [stream, out] : end_.transport.out) {
      Bytes bytes = out.bytes;
      h3::StreamKind kind = h3::StreamKind::request;
      if ((stream & 2) != 0) {
        const DecodedVarint type = varint_decode(bytes);
        bytes = bytes.subspan(type.size);
        if (type.value > 1 || type.size == 0) continue;
        kind = type.value == 0 ? h3::StreamKind::control : h3::StreamKind::push;
        if (type.value == 1) bytes = bytes.subspan(varint_decode(bytes).size);
      }
      h3::FrameReader reader;
      const h3::Role peer = end_.role == h3::Role::client ? h3::Role::server : h3::Role::client;
      while (const std::optional<h3::FrameHeader> header = reader.read_header(bytes)) {
        QUOLL_CHECK(h3::check_frame(header->type, kind, peer).has_value());
        (void)reader.take_payload(bytes);
        if (reader.payload_left() != 0) break;
      }
      QUOLL_CHECK(!out.fin || out.reset || out.stopped || reader.is_at_boundary());
    }
  }

  Program in_;
  tests::H3End end_;
  bool failed_ = false;
  std::optional<size_t> silent_since_;
  std::vector<uint64_t> closed_;
};

inline void run_h3_session(h3::Role role, Bytes input) { H3Script(role, input).run(); }

}  // namespace quoll::fuzz
