// Two sessions whose applications do what a program says, over a transport that it squeezes: whatever is sent and not given
// up arrives, and neither session finds a fault with the other.
#pragma once

#include <string>

#include "base/check.h"
#include "tests/support/h3_pair.h"

namespace quoll::fuzz {

/// The input as numbers; zeros after its end.
class Program {
 public:
  explicit Program(Bytes input) : rest_(input) {}
  bool done() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  uint64_t below(uint64_t bound) { return (uint64_t{byte()} << 8 | byte()) % bound; }
  bool flag() { return (byte() & 1) != 0; }
  Bytes bytes(size_t size) {
    const Bytes part = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(part.size());
    return part;
  }

 private:
  Bytes rest_;
};

class H3Conversation {
 public:
  explicit H3Conversation(Bytes input) : in_(input), pair_(client_options(in_), server_options(in_), 3) {}

  void run() {
    squeeze();
    pair_.start();
    for (int steps = 0; steps < 200 && !in_.done(); steps++) {
      step();
      work();
    }
    relax();
    finish();
  }

 private:
  struct Message {
    std::vector<uint8_t> sent, got;
    http::FieldSection trailers, trailers_got;
    Slice rest;
    bool head_sent = false, writing = false, finished = false;
    bool told = false, ended = false, given_up = false;
  };
  struct Talk {
    Message request, response;        // by who sends them
    bool closed[2] = {};              // at the client, at the server
    std::optional<uint64_t> carrier;  // of a push: the request with its promise
  };

  static h3::SessionOptions options(Program& in) {
    h3::SessionOptions made;
    made.decoder.max_table_capacity = in.flag() ? 4096 : in.below(400);
    made.decoder.blocked_streams = in.below(5);
    made.encoder.table_capacity_max = in.flag() ? 4096 : in.below(400);
    made.encoder.blocked_streams_max = in.below(5);
    made.grease = in.flag();
    return made;
  }
  static h3::SessionOptions client_options(Program& in) {
    h3::SessionOptions made = options(in);
    made.pushes_max = in.below(4);
    return made;
  }
  static h3::SessionOptions server_options(Program& in) { return options(in); }

  tests::H3End& end(bool server) { return server ? pair_.server : pair_.client; }
  /// What `server` sends on a stream, and what it gets.
  Message& outgoing(bool server, uint64_t stream) { return server ? talks_[stream].response : talks_[stream].request; }
  Message& incoming(bool server, uint64_t stream) { return outgoing(!server, stream); }

  void squeeze() {
    static constexpr size_t kSizes[] = {1, 2, 5, 30, 500, SIZE_MAX};
    pair_.window = kSizes[in_.below(6)];
    for (const bool server : {false, true}) {
      end(server).transport.buffer_max = kSizes[in_.below(6)];
      end(server).transport.credit_max = end(server).transport.buffer_max;
      end(server).transport.split = kSizes[in_.below(6)];
      end(server).transport.late_fin = in_.flag();
    }
  }
  void relax() {
    pair_.window = SIZE_MAX;
    for (const bool server : {false, true}) {
      end(server).transport.buffer_max = end(server).transport.credit_max = SIZE_MAX;
    }
  }

  void step() {
    switch (in_.below(8)) {
      case 0:
      case 1:
        return ask();
      case 2:
        return squeeze();
      case 3:
        return change_priority();
      case 4:
        return give_up();
      case 5:
        return push();
      case 6:
        pair_.run();
        return;
      case 7:
        if (in_.below(16) == 0) end(in_.flag()).session.shutdown(in_.flag());
        return;
    }
  }

  http::FieldSection fields() {
    http::FieldSection made;
    for (uint64_t count = in_.below(5); count > 0; count--) {
      made.add("x-" + std::to_string(in_.below(6)), std::string(in_.below(40), static_cast<char>('a' + in_.below(3))));
    }
    return made;
  }

  void plan(Message& message) {
    message.sent.assign(in_.below(2000), in_.byte());
    for (size_t i = 0; i < message.sent.size(); i++) message.sent[i] ^= static_cast<uint8_t>(i);
    message.rest = Slice::copy_of(Bytes(message.sent));
    if (in_.flag()) message.trailers = fields();
    message.writing = message.head_sent = true;
  }

  void ask() {
    http::FieldSection head{{":method", "POST"},
                            {":scheme", "https"},
                            {":authority", "example.com"},
                            {":path", "/" + std::to_string(in_.below(9))}};
    head.append(fields());
    const auto stream = pair_.client.session.request(head, false, {.urgency = in_.flag() ? uint8_t{1} : uint8_t{3}});
    QUOLL_CHECK(stream.has_value());
    if (*stream) plan(talks_[**stream].request);
  }

  void push() {
    for (auto& [stream, talk] : talks_) {
      if (!talk.request.told || talk.response.finished || talk.closed[1] || in_.flag()) continue;
      const auto pushed = pair_.server.session.push(
          stream, {{":method", "GET"}, {":scheme", "https"}, {":authority", "example.com"}, {":path", "/pushed"}});
      if (!pushed || !*pushed) return;
      Talk& other = talks_[**pushed];
      other.request.ended = other.request.finished = true;
      other.carrier = stream;
      respond(**pushed, other.response);
      return;
    }
  }

  void respond(uint64_t stream, Message& message) {
    if (in_.flag()) QUOLL_CHECK(pair_.server.session.inform(stream, 103, {}).has_value());
    QUOLL_CHECK(pair_.server.session.respond(stream, 200, fields(), false).has_value());
    plan(message);
  }

  void change_priority() {
    for (auto& [stream, talk] : talks_) {
      if (in_.flag()) continue;
      end(in_.flag()).session.set_priority(stream, {.urgency = static_cast<uint8_t>(in_.below(8))});
    }
  }

  void give_up() {
    for (auto& [stream, talk] : talks_) {
      if (in_.below(8) != 0) continue;
      const bool server = in_.flag();
      if (talk.closed[server]) continue;
      if (in_.flag()) {
        end(server).session.abort(stream, h3::ErrorCode::request_cancelled);
        talk.request.given_up = talk.response.given_up = true;
      } else {
        if (in_.flag()) {
          end(server).session.discard(stream);
        } else {
          end(server).session.stop_reading(stream, h3::ErrorCode::no_error);
        }
        incoming(server, stream).given_up = true;
      }
    }
  }

  /// The applications go on with what they have, and bytes move.
  void work() {
    for (const bool server : {false, true}) {
      poll(server);
      for (auto& [stream, talk] : talks_) write(server, stream);
      poll(server);
    }
    pair_.run();
    for (const bool server : {false, true}) poll(server);
  }

  void write(bool server, uint64_t stream) {
    Message& message = outgoing(server, stream);
    if (!message.writing || message.finished || talks_[stream].closed[server]) return;
    QUOLL_CHECK(end(server).session.write_body(stream, message.rest).has_value());
    if (!message.rest.empty()) return;
    QUOLL_CHECK(end(server).session.finish(stream, message.trailers).has_value());
    message.finished = true;
  }

  void poll(bool server) {
    while (std::optional<h3::Event> event = end(server).session.poll_event()) {
      if (const auto* request = std::get_if<h3::RequestReceived>(&*event)) {
        Talk& talk = talks_[request->stream];
        QUOLL_CHECK(!std::exchange(talk.request.told, true));
        talk.request.ended = !request->has_body;
        // It may have been given up meanwhile.
        if (end(true).session.respond(request->stream, 200, fields(), false)) plan(talk.response);
      } else if (const auto* response = std::get_if<h3::ResponseReceived>(&*event)) {
        Message& message = talks_[response->stream].response;
        QUOLL_CHECK(!std::exchange(message.told, true));
        message.ended = !response->has_body;
      } else if (const auto* readable = std::get_if<h3::BodyReadable>(&*event)) {
        read(server, readable->stream);
      } else if (const auto* trailers = std::get_if<h3::TrailersReceived>(&*event)) {
        incoming(server, trailers->stream).trailers_got = trailers->fields;
      } else if (const auto* aborted = std::get_if<h3::MessageAborted>(&*event)) {
        QUOLL_CHECK(aborted->by_peer);
        incoming(server, aborted->stream).given_up = true;
      } else if (const auto* stopped = std::get_if<h3::SendingStopped>(&*event)) {
        outgoing(server, stopped->stream).given_up = true;
      } else if (const auto* closed = std::get_if<h3::ExchangeClosed>(&*event)) {
        QUOLL_CHECK(!std::exchange(talks_[closed->stream].closed[server], true));
      } else {
        QUOLL_CHECK(!std::holds_alternative<h3::SessionFailed>(*event));
      }
    }
  }

  void read(bool server, uint64_t stream) {
    Message& message = incoming(server, stream);
    for (;;) {
      const auto chunk = end(server).session.read_body(stream, 1 + in_.below(3000));
      QUOLL_CHECK(chunk.has_value());
      if (!*chunk) return;
      QUOLL_CHECK(!message.ended);
      const Bytes bytes = (*chunk)->data.bytes();
      message.got.insert(message.got.end(), bytes.begin(), bytes.end());
      message.ended = (*chunk)->fin;
      if (message.ended) return;
    }
  }

  void finish() {
    for (int rounds = 0; rounds < 50; rounds++) work();
    QUOLL_CHECK(!pair_.client.transport.closed && !pair_.server.transport.closed);
    check_critical_streams();
    for (auto& [stream, talk] : talks_) {
      // Without its promise a push is not taken.
      if (talk.carrier && talks_[*talk.carrier].response.given_up) continue;
      for (Message* message : {&talk.request, &talk.response}) {
        QUOLL_CHECK(std::ranges::equal(
            message->got, Bytes(message->sent).first(std::min(message->got.size(), message->sent.size()))));
        QUOLL_CHECK(!message->ended || message->given_up || message->got == message->sent);
        if (message->given_up || !message->head_sent || talk.request.given_up || talk.response.given_up) continue;
        QUOLL_CHECK(message->finished && message->ended && message->got == message->sent);
        QUOLL_CHECK(message->trailers == message->trailers_got);
      }
      const bool undisturbed = !talk.request.given_up && !talk.response.given_up && talk.response.head_sent;
      if (undisturbed) QUOLL_CHECK(talk.closed[0] && talk.closed[1]);
    }
  }

  /// Control, encoder and decoder streams: nobody ends them, nobody asks for their end.
  void check_critical_streams() {
    for (const bool server : {false, true}) {
      for (const uint64_t first : {2, 6, 10}) {
        const uint64_t stream = first + (server ? 1 : 0);
        const auto& out = end(server).transport.out[stream];
        QUOLL_CHECK(!out.fin && !out.reset && !end(!server).transport.in[stream].stop);
      }
    }
  }

  Program in_;
  tests::H3Pair pair_;
  std::map<uint64_t, Talk> talks_;
};

}  // namespace quoll::fuzz
