// TLS over a byte stream: two streams in memory, every cut, both closings, early data and its ways to fail.
#include "tls/stream.h"

#include <algorithm>
#include <string>

#include "base/hex.h"
#include "tests/tls/support.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::kNow;
using tests::must;
using tests::Scene;
using Buffer = std::vector<uint8_t>;

struct Ends {
  Stream client, server;
  std::vector<Buffer> from_client, from_server;  // what was carried, piece by piece
};

/// Two streams of a scene, the client's ClientHello still to be sent.
Ends ends_of(Scene& scene, const StreamOptions& options = {}) {
  return {must(Stream::client(std::make_shared<const ClientConfig>(scene.client), scene.client_options, scene.rng, kNow,
                              options)),
          must(Stream::server(std::make_shared<const ServerConfig>(scene.server), scene.server_options, scene.rng,
                              options)),
          {},
          {}};
}

/// Hands what one has to send to the other, at most `cut` bytes; false when there is nothing.
bool carry(Stream& from, Stream& to, std::vector<Buffer>& log, size_t cut = SIZE_MAX) {
  const Bytes bytes = from.to_send().first(std::min(cut, from.to_send().size()));
  if (bytes.empty()) return false;
  log.emplace_back(bytes.begin(), bytes.end());
  from.sent(bytes.size());
  (void)to.receive(log.back(), kNow);  // a failure stays in the stream
  return true;
}

void settle(Ends& ends, size_t cut = SIZE_MAX) {
  for (bool moved = true; moved;) {
    moved = carry(ends.client, ends.server, ends.from_client, cut);
    moved |= carry(ends.server, ends.client, ends.from_server, cut);
  }
}

std::string take(Stream& stream) {
  std::string text;
  while (!stream.readable().data.empty()) {
    text += as_text(stream.readable().data);
    stream.consume(stream.readable().data.size());
  }
  return text;
}

int alert_code(const Stream& stream) {
  const auto& failure = stream.failure();
  return failure && failure->domain == ErrorDomain::tls ? static_cast<int>(failure->code) : -1;
}

bool say(Stream& stream, std::string_view text) { return stream.write(as_bytes(text)).has_value(); }

/// A client whose ticket allows early data, and a scene that gave it.
void resume(Scene& scene) {
  scene.give_tickets();
  Ends first = ends_of(scene);
  settle(first);
  REQUIRE(first.client.is_complete());
  scene.client_options.ticket = first.client.take_ticket();
  REQUIRE(scene.client_options.ticket);
  scene.client_options.early_data = true;
}

TEST_SUITE("stream") {
  TEST_CASE("a handshake and data both ways, however the bytes are cut") {
    for (const size_t cut : {size_t{1}, size_t{5}, size_t{100}, SIZE_MAX}) {
      INFO("cut ", cut);
      Scene scene(Mode::stream);
      Ends ends = ends_of(scene);
      CHECK_FALSE(ends.client.is_writable());
      CHECK_FALSE(say(ends.client, "too early"));
      settle(ends, cut);
      REQUIRE(ends.client.is_complete());
      REQUIRE(ends.server.is_complete());
      CHECK(ends.client.negotiated().application_protocol == "h3");
      const std::string big(40'000, 'x');
      CHECK(say(ends.client, "question " + big));
      CHECK(say(ends.server, "answer " + big));
      settle(ends, cut);
      CHECK(take(ends.server) == "question " + big);
      CHECK(take(ends.client) == "answer " + big);
      uint8_t one[20], other[20];
      REQUIRE(ends.client.export_keying_material("label", {}, one));
      REQUIRE(ends.server.export_keying_material("label", {}, other));
      CHECK(std::ranges::equal(one, other));
    }
  }

  TEST_CASE("a configuration for QUIC makes no stream") {
    Scene scene(Mode::quic);
    CHECK_FALSE(
        Stream::client(std::make_shared<const ClientConfig>(scene.client), scene.client_options, scene.rng, kNow));
    CHECK_FALSE(Stream::server(std::make_shared<const ServerConfig>(scene.server), scene.server_options, scene.rng));
  }

  // RFC 8446 §5.1, appendix D.4
  TEST_CASE("records look like TLS 1.2 resuming: versions, and one change_cipher_spec of each side") {
    for (const bool retry : {false, true}) {
      Scene scene(Mode::stream);
      if (retry) scene.client.key_shares = 0;
      Ends ends = ends_of(scene);
      settle(ends);
      REQUIRE(ends.client.is_complete());
      CHECK(to_hex(Bytes(ends.from_client.at(0)).first(3)) == "160301");
      CHECK(to_hex(Bytes(ends.from_server.at(0)).first(3)) == "160303");
      const Buffer mark{20, 3, 3, 0, 1, 1};
      // The client's stands before its second flight, the server's after its first message.
      CHECK(to_hex(Bytes(ends.from_client.at(1)).first(6)) == to_hex(mark));
      const size_t first_size = kRecordHeaderSize + load_be<uint16_t>(ends.from_server[0].data() + 3);
      CHECK(to_hex(Bytes(ends.from_server[0]).subspan(first_size, 6)) == to_hex(mark));
      if (retry) CHECK(to_hex(Bytes(ends.from_client[1]).subspan(6, 3)) == "160303");
    }
  }

  TEST_CASE("change_cipher_spec before the first ClientHello or after the handshake is unexpected_message") {
    const Buffer mark{20, 3, 3, 0, 1, 1};
    Scene scene(Mode::stream);
    Ends before = ends_of(scene);
    CHECK_FALSE(before.server.receive(mark, kNow));
    CHECK(alert_code(before.server) == static_cast<int>(Alert::unexpected_message));
    Ends after = ends_of(scene);
    CHECK(after.client.receive(mark, kNow));  // a server may send it at any time
    settle(after);
    REQUIRE(after.client.is_complete());
    CHECK_FALSE(after.client.receive(mark, kNow));
    CHECK(alert_code(after.client) == static_cast<int>(Alert::unexpected_message));
  }

  TEST_CASE("accepted early data is told apart, and answered before the handshake is complete") {
    for (const size_t cut : {size_t{7}, SIZE_MAX}) {
      Scene scene(Mode::stream);
      resume(scene);
      Ends ends = ends_of(scene);
      CHECK(ends.client.early_data_room() == 16'384);
      CHECK(ends.client.write_early_data(as_bytes("early ")));
      CHECK(ends.client.write_early_data(as_bytes("words")));
      CHECK(ends.client.early_data_room() == 16'384 - 11);
      while (carry(ends.client, ends.server, ends.from_client, cut)) {
      }
      CHECK_FALSE(ends.server.is_complete());
      CHECK(ends.server.readable().early);
      CHECK(take(ends.server) == "early words");
      CHECK(say(ends.server, "early answer"));
      settle(ends, cut);
      REQUIRE(ends.client.is_complete());
      CHECK(ends.client.early_data_accepted() == true);
      CHECK(ends.client.early_data_room() == 0);
      CHECK(ends.client.take_rejected_early_data().empty());
      CHECK(take(ends.client) == "early answer");
      CHECK(say(ends.client, "late"));
      settle(ends, cut);
      CHECK_FALSE(ends.server.readable().early);
      CHECK(take(ends.server) == "late");
    }
  }

  TEST_CASE("early data that was not read in time is still not mixed with other data") {
    Scene scene(Mode::stream);
    resume(scene);
    Ends ends = ends_of(scene);
    CHECK(ends.client.write_early_data(as_bytes("early")));
    settle(ends);
    CHECK(say(ends.client, "late"));
    settle(ends);
    ends.server.consume(2);
    CHECK(ends.server.readable().early);
    CHECK(as_text(ends.server.readable().data) == "rly");
    ends.server.consume(3);
    CHECK_FALSE(ends.server.readable().early);
    CHECK(take(ends.server) == "late");
  }

  // RFC 8446 §4.2.10
  TEST_CASE("rejected early data is skipped by the server, and given back by the client") {
    for (const bool by_retry : {false, true}) {
      INFO("by a HelloRetryRequest: ", by_retry);
      Scene scene(Mode::stream);
      resume(scene);
      if (by_retry) scene.server.preferences.groups = {NamedGroup::secp384r1};
      if (!by_retry) scene.server.anti_replay = nullptr;
      Ends ends = ends_of(scene);
      CHECK(ends.client.write_early_data(as_bytes(std::string(10'000, 'e'))));
      settle(ends, 999);
      REQUIRE(ends.client.is_complete());
      REQUIRE(ends.server.is_complete());
      CHECK(ends.client.early_data_accepted() == false);
      CHECK(take(ends.server).empty());
      CHECK(ends.client.take_rejected_early_data() == Buffer(10'000, 'e'));
      CHECK(ends.client.take_rejected_early_data().empty());
      CHECK(say(ends.client, "again"));
      settle(ends);
      CHECK(take(ends.server) == "again");
    }
  }

  TEST_CASE("a server that takes no early data any more skips what an older ticket permits") {
    Scene scene(Mode::stream);
    resume(scene);
    scene.server.max_early_data_size = 0;
    Ends ends = ends_of(scene);
    CHECK(ends.client.write_early_data(Buffer(16'384, 'e')));
    settle(ends);
    REQUIRE(ends.server.is_complete());
    CHECK(ends.client.early_data_accepted() == false);
    CHECK(say(ends.client, "again"));
    settle(ends);
    CHECK(take(ends.server) == "again");
  }

  // RFC 8446 §4.6.1
  TEST_CASE("more early data than the server announced is unexpected_message, accepted or not") {
    for (const bool accepted : {true, false}) {
      Scene scene(Mode::stream);
      resume(scene);
      scene.client_options.ticket->max_early_data_size = 20'000;  // than 16384
      if (!accepted) scene.server.anti_replay = nullptr;
      Ends ends = ends_of(scene);
      CHECK(ends.client.write_early_data(Buffer(16'384, 'e')));
      while (carry(ends.client, ends.server, ends.from_client)) {
      }
      CHECK_FALSE(ends.server.failure());
      CHECK(ends.client.write_early_data(as_bytes("e")));
      settle(ends);
      CHECK(alert_code(ends.server) == static_cast<int>(Alert::unexpected_message));
      CHECK(ends.client.peer_alert() == static_cast<uint8_t>(Alert::unexpected_message));
    }
  }

  TEST_CASE("early data has the room of the ticket, and no more than is kept; none without an offer") {
    Scene scene(Mode::stream);
    resume(scene);
    scene.client_options.ticket->max_early_data_size = 0xffff'ffff;
    Ends ends = ends_of(scene);
    CHECK(ends.client.early_data_room() == kEarlyDataKeptMax);
    CHECK_FALSE(ends.client.write_early_data(Buffer(kEarlyDataKeptMax + 1)));
    CHECK_FALSE(ends.client.failure());
    scene.client_options = {
        .server_name = "example.com", .transport_parameters = {}, .ticket = {}, .external_psks = {}};
    Ends plain = ends_of(scene);
    CHECK(plain.client.early_data_room() == 0);
    CHECK_FALSE(plain.client.write_early_data(as_bytes("e")));
    CHECK_FALSE(plain.server.write_early_data(as_bytes("e")));
  }

  // RFC 8446 §6.1
  TEST_CASE("close_notify ends one direction; without it the end is a cut") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene);
    settle(ends);
    CHECK(say(ends.client, "last words"));
    ends.client.close();
    ends.client.close();
    CHECK_FALSE(ends.client.is_writable());
    settle(ends);
    CHECK(ends.server.is_read_closed());
    CHECK(take(ends.server) == "last words");
    CHECK(ends.server.receive_end());
    CHECK(say(ends.server, "still here"));
    settle(ends);
    CHECK(take(ends.client) == "still here");
    CHECK_FALSE(ends.client.receive_end());
    CHECK(ends.server.receive(Buffer(100, 0xff), kNow));  // what follows is ignored
    CHECK_FALSE(ends.server.failure());
  }

  TEST_CASE("after our close_notify a peer that asks for new keys gets no answer") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene);
    settle(ends);
    ends.client.close();
    settle(ends);
    ends.from_client.clear();
    REQUIRE(ends.server.update_keys(true));
    CHECK(say(ends.server, "more"));
    settle(ends);
    CHECK(take(ends.client) == "more");
    CHECK_FALSE(ends.client.failure());
    CHECK(ends.from_client.empty());
  }

  TEST_CASE("a client that closes amid the handshake says user_canceled and close_notify") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene);
    ends.client.close();
    CHECK(to_hex(ends.client.to_send()).ends_with("1503030002015a15030300020100"));
    settle(ends);
    CHECK(ends.server.is_read_closed());
    CHECK_FALSE(ends.server.failure());
    CHECK_FALSE(ends.server.is_complete());
  }

  // RFC 8446 §6
  TEST_CASE("the level of an alert is ignored, and unknown alerts are errors") {
    struct Row {
      std::string_view content;
      std::optional<int> failure;
      bool from_peer;
    };
    const Row rows[] = {
        {"0228", 40, true},       // fatal handshake_failure
        {"0128", 40, true},       // the same as a warning
        {"02ff", 255, true},      // unknown
        {"0164", 100, true},      // no_renegotiation, of earlier versions
        {"015a", {}, false},      // user_canceled: reading goes on
        {"025a", {}, false},      // likewise
        {"01", 50, false},        // half of one: decode_error
        {"015a0100", 50, false},  // two
    };
    for (const Row& row : rows) {
      INFO(row.content);
      Scene scene(Mode::stream);
      Ends ends = ends_of(scene);
      const Buffer content = from_hex(row.content).value();
      Buffer record{21, 3, 3, 0, static_cast<uint8_t>(content.size())};
      record.insert(record.end(), content.begin(), content.end());
      const size_t to_send = ends.client.to_send().size();
      CHECK(ends.client.receive(record, kNow).has_value() == !row.failure);
      CHECK(ends.client.to_send().size() == to_send + (row.failure && !row.from_peer ? 7 : 0));  // no alert answers one
      CHECK(alert_code(ends.client) == row.failure.value_or(-1));
      CHECK(ends.client.peer_alert().has_value() == row.from_peer);
      if (!row.failure) {
        settle(ends);
        CHECK(ends.client.is_complete());
      }
    }
  }

  // RFC 8446 §5.1
  TEST_CASE("a closure alert amid a handshake message is unexpected_message; an error alert counts") {
    const Buffer part{22, 3, 3, 0, 5, 2, 0, 0, 90, 3};
    for (const uint8_t alert : {uint8_t{0}, uint8_t{90}, uint8_t{40}}) {
      Scene scene(Mode::stream);
      Ends ends = ends_of(scene);
      CHECK(ends.client.receive(part, kNow));
      CHECK_FALSE(ends.client.receive(Buffer{21, 3, 3, 0, 2, 1, alert}, kNow));
      CHECK(alert_code(ends.client) == (alert == 40 ? 40 : static_cast<int>(Alert::unexpected_message)));
    }
  }

  TEST_CASE("a client that understands nothing of a ServerHello can say so without keys") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene);
    carry(ends.client, ends.server, ends.from_client);
    CHECK_FALSE(ends.server.receive(Buffer{21, 3, 3, 0, 2, 2, 47}, kNow));
    CHECK(ends.server.peer_alert() == static_cast<uint8_t>(Alert::illegal_parameter));
  }

  TEST_CASE("a failure reaches the peer as its alert, stays, and leaves no keys") {
    Scene scene(Mode::stream);
    scene.client_options.server_name = "other.example";
    Ends ends = ends_of(scene);
    settle(ends);
    REQUIRE(ends.client.failure());
    CHECK_FALSE(ends.client.is_complete());
    CHECK(ends.server.peer_alert() == static_cast<uint8_t>(alert_code(ends.client)));
    const auto again = ends.client.receive(as_bytes("x"), kNow);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ends.client.failure()->code);
    uint8_t out[8];
    CHECK_FALSE(ends.server.export_keying_material("label", {}, out));
    CHECK_FALSE(say(ends.server, "x"));
    CHECK(ends.server.to_send().empty());
    CHECK(ends.server.negotiated().server_name == "other.example");
  }

  TEST_CASE("a changed record is bad_record_mac") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene);
    settle(ends);
    CHECK(say(ends.client, "words"));
    Buffer bytes(ends.client.to_send().begin(), ends.client.to_send().end());
    bytes.back() ^= 1;
    CHECK_FALSE(ends.server.receive(bytes, kNow));
    CHECK(alert_code(ends.server) == static_cast<int>(Alert::bad_record_mac));
    settle(ends);
    CHECK(ends.client.peer_alert() == static_cast<uint8_t>(Alert::bad_record_mac));
    CHECK(take(ends.server).empty());
  }

  // RFC 8446 §4.6.3, §5.5
  TEST_CASE("keys change when asked for, in answer, and by themselves after so many records") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene, {.records_per_key = 3});
    settle(ends);
    REQUIRE(ends.client.update_keys(true));
    REQUIRE(ends.server.update_keys(false));
    settle(ends);
    ends.from_client.clear();
    const std::string big(300'000, 'k');
    for (int round = 0; round < 3; round++) {
      CHECK(say(ends.client, big));
      CHECK(say(ends.server, big));
      settle(ends, 10'000);
      CHECK(take(ends.server) == big);
      CHECK(take(ends.client) == big);
    }
    CHECK_FALSE(ends.client.failure());
    // 19 records of data a round; every three of them are followed by a KeyUpdate of 5 bytes, but for the last.
    size_t sent = 0;
    for (const Buffer& piece : ends.from_client) sent += piece.size();
    CHECK(sent == 3 * (300'000 + 19 * kRecordOverhead) + 18 * (5 + kRecordOverhead));
  }

  TEST_CASE("key updates without data between them have an end; with data they have none") {
    Scene scene(Mode::stream);
    Ends good = ends_of(scene);
    settle(good);
    for (size_t i = 0; i < 3 * kKeyUpdatesInARowMax; i++) {
      REQUIRE(good.server.update_keys(false));
      if (i % kKeyUpdatesInARowMax == 0) CHECK(say(good.server, "."));
    }
    settle(good);
    CHECK(take(good.client) == "...");
    Ends bad = ends_of(scene);
    settle(bad);
    for (size_t i = 0; i <= kKeyUpdatesInARowMax; i++) REQUIRE(bad.server.update_keys(true));
    settle(bad);
    CHECK(alert_code(bad.client) == static_cast<int>(Alert::unexpected_message));
  }

  TEST_CASE("padding hides the size of data") {
    Scene scene(Mode::stream);
    Ends ends = ends_of(scene, {.padding_multiple = 500});
    settle(ends);
    CHECK(say(ends.client, "short"));
    const size_t size = ends.client.to_send().size();
    settle(ends);
    CHECK(say(ends.client, std::string(400, 'l')));
    CHECK(ends.client.to_send().size() == size);
    settle(ends);
    CHECK(take(ends.server) == "short" + std::string(400, 'l'));
  }

  TEST_CASE("a server gives tickets whenever it wants") {
    Scene scene(Mode::stream);
    scene.give_tickets();
    scene.server.tickets = 0;
    Ends ends = ends_of(scene);
    settle(ends);
    CHECK_FALSE(ends.client.take_ticket());
    REQUIRE(ends.server.send_ticket(kNow));
    settle(ends);
    CHECK(ends.client.take_ticket());
    CHECK_FALSE(ends.client.send_ticket(kNow));
  }
}

}  // namespace
}  // namespace quoll::tls
