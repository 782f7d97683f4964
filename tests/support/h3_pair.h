// A Transport in memory, for tests and fuzz targets of h3::Session: H3End is a session over one, whose peer is the test,
// byte by byte; H3Pair joins two of them, with flow control, stream limits and splits that tests can squeeze.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "h3/session.h"
#include "tests/support/random.h"

namespace quoll::tests {

class MemoryTransport final : public h3::Transport {
 public:
  /// What the session sends on a stream.
  struct Out {
    std::vector<uint8_t> bytes;  // all of it
    size_t forwarded = 0;
    bool fin = false, fin_forwarded = false, stopped = false, wants_room = false;
    std::optional<uint64_t> reset;
    bool reset_forwarded = false, delivered = false;
    http::Priority priority;
  };
  /// What comes for the session.
  struct In {
    std::vector<uint8_t> bytes;  // all of it
    size_t read = 0;
    bool fin = false, fin_read = false, told = false, opened_told = false;
    std::optional<uint64_t> reset, stop;
    bool stop_forwarded = false, over = false;
    size_t unread() const { return bytes.size() - read; }
  };

  explicit MemoryTransport(h3::Role role) : role_(role) {}

  std::optional<uint64_t> open(bool unidirectional) override {
    if (opened[unidirectional] >= streams_max[unidirectional]) {
      refused[unidirectional] = true;
      return {};
    }
    const uint64_t id = opened[unidirectional]++ * 4 + (unidirectional ? 2 : 0) + (role_ == h3::Role::server ? 1 : 0);
    out[id];
    if (!unidirectional) in[id].opened_told = true;
    return id;
  }
  uint64_t request_limit() const override {
    return 4 * (role_ == h3::Role::client ? streams_max[0] : peer_requests_max);
  }
  uint64_t credit(uint64_t stream) const override {
    const auto at = out.find(stream);
    const size_t held = at == out.end() ? 0 : at->second.bytes.size() - at->second.forwarded;
    return credit_max > held ? credit_max - held : 0;
  }
  void write(uint64_t stream, Slice& data) override { data.drop_front(write_copy(stream, data.bytes())); }
  size_t write_copy(uint64_t stream, Bytes data) override {
    Out& to = out[stream];
    if (to.fin || to.reset || to.stopped) return data.size();
    const size_t held = to.bytes.size() - to.forwarded;
    const size_t taken = std::min(data.size(), buffer_max > held ? buffer_max - held : 0);
    to.bytes.insert(to.bytes.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(taken));
    if (taken < data.size()) to.wants_room = true;
    return taken;
  }
  void finish(uint64_t stream) override { out[stream].fin = true; }
  void reset(uint64_t stream, uint64_t code) override {
    Out& to = out[stream];
    if (!to.stopped && !to.reset) to.reset = code;
  }
  void stop(uint64_t stream, uint64_t code) override {
    In& from = in[stream];
    if (!from.stop && !from.over) from.stop = code;
    from.over = true;
  }
  void set_priority(uint64_t stream, http::Priority priority) override { out[stream].priority = priority; }
  Result<std::optional<h3::Chunk>> read(uint64_t stream, size_t max) override {
    In& from = in[stream];
    if (from.over) return std::nullopt;
    if (from.reset) {
      from.over = true;
      return std::unexpected(Error{.domain = ErrorDomain::application, .code = *from.reset});
    }
    const size_t size = std::min({max, split, from.unread()});
    const bool fin = from.fin && size == from.unread() && (!late_fin || size == 0);
    if (size == 0 && !fin) {
      from.told = false;
      return std::nullopt;
    }
    h3::Chunk chunk{.data = Slice::copy_of(Bytes(from.bytes).subspan(from.read, size)), .fin = fin};
    from.read += size;
    if (fin) from.fin_read = from.over = true;
    return chunk;
  }
  std::optional<size_t> max_datagram_size() const override { return datagram_size; }
  bool send_datagram(Slice data) override {
    datagrams.push_back(std::move(data));
    return true;
  }
  void close(uint64_t code, std::string_view reason) override {
    if (!closed) closed = std::pair(code, std::string(reason));
  }

  std::map<uint64_t, Out> out;
  std::map<uint64_t, In> in;
  std::vector<Slice> datagrams;
  std::optional<std::pair<uint64_t, std::string>> closed;
  // What tests squeeze.
  uint64_t streams_max[2] = {100, 100};  // that the session may open: bidirectional, unidirectional
  uint64_t peer_requests_max = 1 << 20;  // streams that the client may open, where that is the peer
  size_t buffer_max = SIZE_MAX;          // bytes written and not forwarded, for each stream
  size_t credit_max = SIZE_MAX;          // those of them that flow control would let go
  size_t split = SIZE_MAX;               // bytes of a read
  bool late_fin = false;                 // the end comes after the last bytes, not with them
  std::optional<size_t> datagram_size = 1200;
  uint64_t opened[2] = {};
  bool refused[2] = {};

 private:
  h3::Role role_;
};

/// A session whose peer is the test.
class H3End {
 public:
  explicit H3End(h3::Role of, const h3::SessionOptions& options = {}, uint64_t seed = 1)
      : role(of), transport(of), rng(seed), session(of, options, transport, rng) {}

  /// Bytes of the peer's, on a stream that it or we have opened.
  void receive(uint64_t stream, Bytes bytes, bool fin = false) {
    MemoryTransport::In& from = transport.in[stream];
    from.bytes.insert(from.bytes.end(), bytes.begin(), bytes.end());
    from.fin = from.fin || fin;
    tell_readable(stream);
  }
  void receive(uint64_t stream, const std::vector<uint8_t>& bytes, bool fin = false) {
    receive(stream, Bytes(bytes), fin);
  }
  void tell_readable(uint64_t stream) {
    tell_opened(stream);
    MemoryTransport::In& from = transport.in[stream];
    if (from.over || from.told) return;
    from.told = true;
    session.on_readable(stream);
  }
  void receive_reset(uint64_t stream, uint64_t code) {
    tell_opened(stream);
    MemoryTransport::In& from = transport.in[stream];
    if (from.over) return;
    from.reset = code;
    from.over = true;
    session.on_reset(stream, code);
  }
  void receive_stop(uint64_t stream, uint64_t code) {
    MemoryTransport::Out& to = transport.out[stream];
    if (to.stopped || to.reset) return;
    to.stopped = true;
    session.on_stopped(stream, code);
  }
  /// The same where the stream is one on which the peer may do so.
  void receive_reset_if(uint64_t stream, uint64_t code) {
    const bool ours = ((stream & 1) != 0) == (role == h3::Role::server);
    if (ours ? transport.in.contains(stream) : true) {
      if (!transport.in[stream].fin_read) receive_reset(stream, code);
    }
  }
  void receive_stop_if(uint64_t stream, uint64_t code) {
    const auto out = transport.out.find(stream);
    if (out != transport.out.end() && !out->second.delivered) receive_stop(stream, code);
  }
  /// RFC 9000 §2.1: with a stream, those of its kind below it are opened.
  void tell_opened(uint64_t stream) {
    const h3::Role opener = (stream & 1) != 0 ? h3::Role::server : h3::Role::client;
    if (opener == role) return;
    uint64_t& next = next_peer_[stream & 3];
    for (; next <= stream / 4; next++) {
      const uint64_t id = next * 4 + (stream & 3);
      transport.in[id].opened_told = true;
      if ((id & 2) == 0) transport.out[id];
      session.on_opened(id);
    }
  }
  /// The next event that is a Kind; those before it are dropped.
  template <class Kind>
  std::optional<Kind> next() {
    while (std::optional<h3::Event> event = session.poll_event()) {
      if (auto* kind = std::get_if<Kind>(&*event)) return std::move(*kind);
    }
    return {};
  }
  std::vector<h3::Event> events() {
    std::vector<h3::Event> all;
    while (std::optional<h3::Event> event = session.poll_event()) all.push_back(std::move(*event));
    return all;
  }
  /// The whole body that is there now, and whether it has ended.
  std::pair<std::vector<uint8_t>, bool> read_all(uint64_t stream, size_t max = SIZE_MAX) {
    std::vector<uint8_t> body;
    while (true) {
      const auto chunk = session.read_body(stream, max);
      if (!chunk || !*chunk) return {body, false};
      const Bytes bytes = (*chunk)->data.bytes();
      body.insert(body.end(), bytes.begin(), bytes.end());
      if ((*chunk)->fin) return {body, true};
    }
  }
  std::optional<uint64_t> close_code() const {
    return transport.closed ? std::optional(transport.closed->first) : std::nullopt;
  }

  const h3::Role role;
  MemoryTransport transport;
  SeededRng rng;
  h3::Session session;

 private:
  uint64_t next_peer_[4] = {};
};

/// Two sessions that talk to each other.
class H3Pair {
 public:
  explicit H3Pair(const h3::SessionOptions& client_options = {}, const h3::SessionOptions& server_options = {},
                  uint64_t seed = 1)
      : client(h3::Role::client, client_options, seed), server(h3::Role::server, server_options, seed + 1) {}

  /// Starts both and exchanges their settings.
  void start() {
    client.session.start();
    server.session.start();
    run();
  }
  /// Carries over what there is until nothing moves any more.
  void run() {
    for (bool moved = true; moved;) {
      moved = carry(client, server);
      moved = carry(server, client) || moved;
      client.session.check_invariants();
      server.session.check_invariants();
    }
  }

  H3End client, server;
  size_t window = SIZE_MAX;  // bytes of a stream that wait to be read

 private:
  bool carry(H3End& from, H3End& to) {
    bool moved = false;
    std::vector<uint64_t> streams;
    for (const auto& [stream, out] : from.transport.out) streams.push_back(stream);
    for (const uint64_t stream : streams) moved = carry_stream(from, to, stream) || moved;
    streams.clear();
    for (const auto& [stream, in] : from.transport.in) streams.push_back(stream);
    for (const uint64_t stream : streams) {
      MemoryTransport::In& in = from.transport.in[stream];
      if (!in.stop || std::exchange(in.stop_forwarded, true)) continue;
      if (!to.transport.out[stream].delivered) to.receive_stop(stream, *in.stop);
      moved = true;
    }
    for (Slice& datagram : std::exchange(from.transport.datagrams, {})) {
      to.session.on_datagram(std::move(datagram));
      moved = true;
    }
    for (const bool unidirectional : {false, true}) {
      MemoryTransport& transport = from.transport;
      if (!transport.refused[unidirectional]) continue;
      if (transport.opened[unidirectional] >= transport.streams_max[unidirectional]) continue;
      transport.refused[unidirectional] = false;
      from.session.on_streams_available(unidirectional);
      moved = true;
    }
    return moved;
  }

  bool carry_stream(H3End& from, H3End& to, uint64_t stream) {
    MemoryTransport::Out& out = from.transport.out[stream];
    bool moved = false;
    to.tell_opened(stream);
    MemoryTransport::In& in = to.transport.in[stream];
    if (out.reset && !std::exchange(out.reset_forwarded, true)) {
      to.receive_reset(stream, *out.reset);
      return true;
    }
    if (out.reset || out.stopped) return false;
    const size_t room = in.over ? SIZE_MAX : window > in.unread() ? window - in.unread() : 0;
    const size_t size = std::min(out.bytes.size() - out.forwarded, room);
    const bool fin = out.fin && out.forwarded + size == out.bytes.size() && !out.fin_forwarded;
    if (size != 0 || fin) {
      const std::vector<uint8_t> bytes(out.bytes.begin() + static_cast<ptrdiff_t>(out.forwarded),
                                       out.bytes.begin() + static_cast<ptrdiff_t>(out.forwarded + size));
      out.forwarded += size;
      out.fin_forwarded = out.fin_forwarded || fin;
      to.receive(stream, bytes, fin);
      moved = true;
    }
    if (std::exchange(out.wants_room, false)) {
      if (out.bytes.size() - out.forwarded < from.transport.buffer_max) {
        from.session.on_writable(stream);
        moved = true;
      } else {
        out.wants_room = true;
      }
    }
    if (out.fin_forwarded && !std::exchange(out.delivered, true)) {
      from.session.on_delivered(stream);
      moved = true;
    }
    return moved;
  }
};

}  // namespace quoll::tests
