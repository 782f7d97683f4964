// The events of a connection, and what an application does beside streams; conversation_streams.cc has the streams.

#include "tests/sim/conversation.h"

#include <algorithm>

namespace quoll::sim {
namespace {

constexpr Duration kRetryErrand = Duration::milliseconds(20);

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

}  // namespace

Conversation::Conversation(World& world, const ScenarioOptions& options, Features& features, Host& host,
                           quic::ConnectionHandle handle, quic::Role role, uint32_t index)
    : world_(world),
      options_(options),
      features_(features),
      host_(host),
      handle_(handle),
      role_(role),
      index_(index),
      dice_(options.seed * 31 + index * 2 + (role == quic::Role::server ? 1 : 0)),
      started_at_(world.now()) {
  for (const quic::Role opener : {quic::Role::client, quic::Role::server}) {
    halves_left_ += 2 * planned_streams(options, opener, false) + planned_streams(options, opener, true);
  }
}

void Conversation::fail(const std::string& what) {
  world_.fail(std::string(role_ == quic::Role::client ? "client" : "server") + " of connection " +
              std::to_string(index_) + ": " + what);
}

void Conversation::fail(quic::StreamId id, const std::string& what) {
  fail("stream " + std::to_string(id.value()) + ": " + what);
}

const quic::Statistics& Conversation::statistics() {
  if (const quic::Connection* found = connection()) statistics_ = found->statistics();
  return statistics_;
}

std::string Conversation::describe() const {
  std::string text = role_ == quic::Role::client ? "client:" : "server:";
  int shown = 0;
  for (const auto& [id, stream] : streams_) {
    const bool sending = stream.send.exists && !stream.send.done;
    const bool receiving = stream.receive.exists && !stream.receive.done;
    if ((!sending && !receiving) || ++shown > 3) continue;
    text += " stream " + std::to_string(id);
    if (sending) {
      text += (stream.send.finished ? " awaits delivery of " : " wrote ") + std::to_string(stream.send.offset) + "/" +
              std::to_string(stream.plan.from(stream.ours).size);
    }
    if (receiving) {
      text +=
          " read " + std::to_string(stream.receive.offset) + "/" + std::to_string(stream.plan.from(!stream.ours).size);
    }
    text += ";";
  }
  for (const bool unidirectional : {false, true}) {
    text += " " + std::to_string(opened_[unidirectional]) + "/" +
            std::to_string(planned_streams(options_, role_, unidirectional)) + (unidirectional ? " uni" : " bidi");
  }
  return text + " opened; " + std::to_string(errands_left_) + " errands";
}

void Conversation::close(Instant now, uint64_t code) {
  quic::Connection* found = connection();
  if (!found || closed_ || !close_called_at_.is_never()) return;
  close_called_at_ = now;
  close_code_ = code;
  closed_while_unestablished_ = !found->is_confirmed();
  world_.journal.note(now, std::string(role_ == quic::Role::client ? "client" : "server") + " closes");
  statistics();
  found->close(now, quic::ApplicationErrorCode{code}, "enough");
}

void Conversation::ping() {
  if (quic::Connection* found = connection(); found && !closed_) found->ping();
}

void Conversation::on_timeout(Instant now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const std::function<void(Instant)> action = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    if (!closed_ && !abandoned_ && connection()) action(now);
  }
}

template <>
void Conversation::on(Instant now, const quic::Connected& event) {
  if (connected_) return fail("connected twice");
  connected_ = now;
  early_data_accepted_ = event.early_data_accepted;
  if (role_ == quic::Role::client) {
    features_.add(Feature::handshakes);
    if (event.resumed) features_.add(Feature::resumptions);
    if (event.early_data_accepted) features_.add(Feature::early_data_accepted);
    if (event.version == quic::Version::v2) features_.add(Feature::version_2);
    if (connection()->tls().hello_retry) features_.add(Feature::hello_retries);
    if (options_.versions == Versions::upgrade && event.version == quic::Version::v2) {
      features_.add(Feature::version_upgrades);
    }
  }
  const quic::Version expected = options_.versions == Versions::v2 || options_.versions == Versions::upgrade
                                     ? quic::Version::v2
                                     : quic::Version::v1;
  if (event.version != expected) fail("the connection has another version than it should have");
  begin(now);
}

template <>
void Conversation::on(Instant now, const quic::Confirmed&) {
  if (confirmed_) return fail("confirmed twice");
  if (!connected_) return fail("confirmed before it was connected");
  confirmed_ = true;
  start_errands(now);
}

template <>
void Conversation::on(Instant now, const quic::Closed& event) {
  closed_ = event;
  closed_at_ = now;
  statistics();
  world_.journal.note(
      now, std::string(role_ == quic::Role::client ? "client" : "server") + " of connection " + std::to_string(index_) +
               " is closed: why " + std::to_string(static_cast<int>(event.why)) + ", code " +
               std::to_string(event.error_code) + (event.application ? " (application), " : ", ") + event.reason);
}

void Conversation::on_event(Instant now, const quic::Event& event) {
  if (abandoned_) return;
  if (closed_) return fail("an event after Closed");
  std::visit(
      Overloaded{
          [&](const quic::Connected& e) { on(now, e); },
          [&](const quic::EarlyDataRejected&) { features_.add(Feature::early_data_refused); },
          [&](const quic::Confirmed& e) { on(now, e); },
          [&](const quic::ResumptionReceived& e) {
            if (role_ == quic::Role::server) return fail("a server received a ticket");
            if (e.state.ticket || !resumption_) resumption_ = e.state;
          },
          [&](const quic::StreamOpened& e) { peers_stream(now, e.stream_id); },
          [&](const quic::StreamReadable& e) { read_some(now, e.stream_id); },
          [&](const quic::StreamWritable& e) { write_some(now, e.stream_id); },
          [&](const quic::StreamDelivered& e) {
            Stream* stream = find(e.stream_id);
            if (!stream || !stream->send.finished) return fail(e.stream_id, "delivered what was not finished");
            if (stream->send.done) return fail(e.stream_id, "delivered twice");
            finish_half(stream->send);
            features_.add(Feature::streams_finished);
            maybe_begin_gap(now);
          },
          [&](const quic::StreamStopped& e) {
            Stream* stream = peers_stream(now, e.stream_id);
            if (!stream) return;
            const DirectionPlan& plan = stream->plan.from(stream->ours);
            if (!plan.stop_at) return fail(e.stream_id, "stopped by a peer that never did that");
            if (e.error != plan.stop_code) return fail(e.stream_id, "stopped with another code");
            if (stream->send.done) return;
            features_.add(Feature::streams_stopped);
            finish_half(stream->send);
            maybe_begin_gap(now);
          },
          [&](const quic::StreamReset& e) {
            Stream* stream = peers_stream(now, e.stream_id);
            if (!stream || stream->receive.done) return;
            on_read_error(now, e.stream_id,
                          {.domain = ErrorDomain::application, .code = static_cast<uint64_t>(e.error)});
            // The event says it all; that the stream is read once more must do no harm.
            (void)connection()->streams().read(e.stream_id);
          },
          [&](const quic::StreamsAvailable&) { open_streams(now); },
          [&](const quic::DatagramReceived&) { receive_datagrams(); },
          [&](const quic::Migrated& e) {
            world_.journal.note(now, "migrated to " + e.path.local.to_string() + " -> " + e.path.remote.to_string());
            if (role_ == quic::Role::server) return features_.add(Feature::rebindings_followed);
            features_.add(e.path.remote.port == 4433 ? Feature::client_migrations : Feature::preferred_addresses);
          },
          [&](const quic::MigrationFailed&) {
            if (role_ == quic::Role::server) return fail("MigrationFailed is a client's");
            features_.add(Feature::failed_migrations);
          },
          [&](const quic::Closed& e) { on(now, e); },
      },
      event);
}

void Conversation::start_errands(Instant now) {
  const bool client = role_ == quic::Role::client;
  for (uint32_t i = 0; i < options_.key_updates; i++) {
    if ((i % 2 == 0) != client) continue;
    errands_left_++;
    at(now + (i + 1) * Duration::milliseconds(options_.key_update_every_ms),
       [this](Instant then) { update_keys(then, 0); });
  }
  if (!client) return;
  for (uint32_t i = 0; i < options_.migrations; i++) {
    errands_left_++;
    at(now + (i + 1) * Duration::milliseconds(options_.migrate_every_ms),
       [this, i](Instant then) { migrate(then, i, 0); });
  }
  for (uint32_t i = 0; i < options_.pings; i++) {
    at(now + (i + 1) * Duration::milliseconds(100), [this](Instant) { ping(); });
  }
  if (options_.datagrams > 0) {
    errands_left_++;
    send_datagram(now, 0);
  }
}

void Conversation::update_keys(Instant now, int tries) {
  if (connection()->update_keys(now) || tries >= 100) {
    errands_left_--;
  } else {
    at(now + kRetryErrand, [this, tries](Instant then) { update_keys(then, tries + 1); });
  }
}

void Conversation::migrate(Instant now, uint32_t number, int tries) {
  const SocketAddress local{.ip = IpAddress::v4({10, 0, 0, static_cast<uint8_t>(2 + number)}),
                            .port = static_cast<uint16_t>(5000 + 100 * index_ + number)};
  if (connection()->migrate(now, local) || tries >= 50) {
    errands_left_--;
  } else {
    at(now + kRetryErrand, [this, number, tries](Instant then) { migrate(then, number, tries + 1); });
  }
}

void Conversation::send_datagram(Instant now, uint32_t number) {
  const std::optional<size_t> largest = connection()->max_datagram_size();
  if (!largest) return fail("the peer takes datagrams, but none can be sent");
  if (*largest >= 4) {
    const size_t size = 4 + dice_.below(std::min<size_t>(*largest - 4 + 1, 1'000));
    std::vector<uint8_t> bytes(size);
    fill_pattern(options_.seed, quic::StreamId(number), true, 1 << 20, bytes);
    for (int i = 0; i < 4; i++) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    if (!connection()->send_datagram(Slice::copy_of(bytes))) {
      if (connection()->is_closed()) return;  // we are yet to be told
      return fail("a datagram of a size that fits was refused");
    }
  }
  if (number + 1 < options_.datagrams) {
    at(now + Duration::microseconds(options_.datagram_every_us),
       [this, number](Instant then) { send_datagram(then, number + 1); });
  } else {
    errands_left_--;
  }
}

void Conversation::receive_datagrams() {
  while (std::optional<Slice> datagram = connection()->receive_datagram()) {
    const Bytes bytes = datagram->bytes();
    if (bytes.size() < 4) return fail("a datagram that is too short");
    const uint32_t number = load_le<uint32_t>(bytes.data());
    if (number >= options_.datagrams) return fail("a datagram that nobody sent");
    std::vector<uint8_t> expected(bytes.size());
    fill_pattern(options_.seed, quic::StreamId(number), true, 1 << 20, expected);
    if (!std::equal(bytes.begin() + 4, bytes.end(), expected.begin() + 4)) return fail("a datagram has wrong bytes");
    if (!datagrams_seen_.insert(number).second) return fail("a datagram came twice");
    if (role_ == quic::Role::client) {
      features_.add(Feature::datagrams_echoed);
    } else {
      (void)connection()->send_datagram(std::move(*datagram));  // the path may have become too small for it
    }
  }
}

}  // namespace quoll::sim
