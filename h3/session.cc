// What is called from outside, and what all parts share: errors and events.
#include "h3/session.h"

#include "h3/state.h"

namespace quoll::h3 {
namespace {

/// Servers have nothing to remember (RFC 9114 §7.2.4.2).
SessionOptions for_role(Role role, SessionOptions options) {
  if (role == Role::server) options.remembered.reset();
  return options;
}

/// Bytes of field sections that wait with an event.
uint64_t section_bytes(const Event& event) {
  return std::visit(
      [](const auto& kind) -> uint64_t {
        if constexpr (requires { kind.fields; }) return kind.fields.decoded_size();
        if constexpr (requires { kind.request.decoded_size(); }) return kind.request.decoded_size();
        return 0;
      },
      event);
}

}  // namespace

// ---- Common

Session::State::State(Role of, const SessionOptions& with, Transport& below, Rng& random)
    : role(of),
      options(for_role(of, with)),
      transport(below),
      rng(random),
      encoder(with.encoder),
      decoder(with.decoder),
      pushes_allowed(of == Role::client ? std::min(with.pushes_max, kVarintMax) : 0) {}

void Session::State::fail(uint64_t code, const char* reason) {
  if (!is_open()) return;
  phase = Phase::closed;
  failure = SessionFailed{.code = code, .reason = reason};
  transport.close(code, reason);
}

void Session::State::fail(const Error& error) {
  if (error.domain == ErrorDomain::application) return fail(error.code, error.reason);
  fail(ErrorCode::internal_error, error.reason);
}

bool Session::State::check(const Result<void>& result) {
  if (!result) fail(result.error());
  return result.has_value();
}

void Session::State::tell(Event event) {
  event_bytes += section_bytes(event);
  const bool room = events.emplace(std::move(event)) != nullptr;
  if (!room || event_bytes > kEventBytesMax) fail(ErrorCode::excessive_load, "more news than anybody takes");
}

std::optional<Event> Session::State::poll_event() {
  gone.clear();
  while (!events.empty()) {
    Event event = std::move(events.front());
    events.pop();
    event_bytes -= section_bytes(event);
    if (is_news(event)) return event;
  }
  if (failure) return *std::exchange(failure, std::nullopt);
  return {};
}

/// What waited may be out of date: its exchange was closed by the application itself, or the peer has changed its mind.
bool Session::State::is_news(Event& event) {
  if (const auto* readable = std::get_if<BodyReadable>(&event)) return exchanges.find(readable->stream) != nullptr;
  if (const auto* writable = std::get_if<BodyWritable>(&event)) return exchanges.find(writable->stream) != nullptr;
  if (const auto* datagram = std::get_if<DatagramReceived>(&event)) return exchanges.find(datagram->stream) != nullptr;
  if (const auto* information = std::get_if<InformationReceived>(&event)) {
    if (Exchange* exchange = exchanges.find(information->stream)) exchange->interim_waiting--;
  }
  if (const auto* trailers = std::get_if<TrailersReceived>(&event)) {
    if (Exchange* exchange = exchanges.find(trailers->stream)) exchange->trailers_wait = false;
  }
  if (auto* update = std::get_if<PriorityUpdated>(&event)) {
    Exchange* exchange = exchanges.find(update->stream);
    if (!exchange) return false;
    exchange->priority_told = false;
    update->priority = exchange->asked;
  }
  return true;
}

/// RFC 9114 §10.5: what has its uses, but not in such numbers.
void Session::State::count_useless() {
  if (++useless > kUselessMax) fail(ErrorCode::excessive_load, "little else than what is of no use");
}

const Settings* Session::State::known_settings() const {
  if (peer_settings) return &*peer_settings;
  // RFC 9114 §7.2.4.2: with 0-RTT, those of the connection before are the initial ones.
  return options.remembered && !early_data_rejected ? &*options.remembered : nullptr;
}

Settings Session::State::own_settings() const {
  return {.qpack_max_table_capacity = options.decoder.max_table_capacity,
          .qpack_blocked_streams = options.decoder.blocked_streams,
          .max_field_section_size = options.decoder.max_field_section_size,
          // RFC 8441 §3: a client's has no meaning.
          .enable_connect_protocol = role == Role::server && options.enable_connect_protocol,
          .h3_datagram = options.datagrams};
}

// ---- From outside

Session::Session(Role role, const SessionOptions& options, Transport& transport, Rng& rng)
    : state_(std::make_unique<State>(role, options, transport, rng)) {}

Session::~Session() = default;

void Session::start() {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open() || std::exchange(s.started, true)) return;
  s.open_own_streams();
}

Result<std::optional<uint64_t>> Session::request(const http::FieldSection& fields, bool end, http::Priority priority) {
  state_->gone.clear();
  return state_->request(fields, end, priority);
}

Result<void> Session::inform(uint64_t stream, unsigned status, const http::FieldSection& fields) {
  const Result<Exchange*> found = state_->find(stream);
  return found ? state_->inform(**found, status, fields) : std::unexpected(found.error());
}

Result<void> Session::respond(uint64_t stream, unsigned status, const http::FieldSection& fields, bool end) {
  const Result<Exchange*> found = state_->find(stream);
  return found ? state_->respond(**found, status, fields, end) : std::unexpected(found.error());
}

Result<void> Session::write_body(uint64_t stream, Slice& data) {
  const Result<Exchange*> found = state_->find(stream);
  return found ? state_->write_body(**found, data) : std::unexpected(found.error());
}

Result<void> Session::finish(uint64_t stream, const http::FieldSection& trailers) {
  const Result<Exchange*> found = state_->find(stream);
  return found ? state_->finish(**found, trailers) : std::unexpected(found.error());
}

Result<std::optional<Chunk>> Session::read_body(uint64_t stream, size_t max) {
  const Result<Exchange*> found = state_->find(stream);
  if (!found) return std::unexpected(found.error());
  Result<std::optional<Chunk>> chunk = state_->read_body(**found, max);
  state_->flush_own_streams();
  return chunk;
}

void Session::abort(uint64_t stream, ErrorCode code) {
  const Result<Exchange*> found = state_->find(stream);
  if (!found) return;
  state_->give_up(**found, code);
  state_->flush_own_streams();
}

void Session::stop_reading(uint64_t stream, ErrorCode code) {
  const Result<Exchange*> found = state_->find(stream);
  if (!found) return;
  state_->stop_receiving(**found, code);
  state_->release(**found);
  state_->flush_own_streams();
}

void Session::discard(uint64_t stream) {
  const Result<Exchange*> found = state_->find(stream);
  if (!found || (*found)->receive == Exchange::Receive::over) return;
  (*found)->discarding = true;
  (*found)->trailers_wait = false;
  state_->drain(**found);
  state_->flush_own_streams();
}

void Session::set_priority(uint64_t stream, http::Priority priority) {
  const Result<Exchange*> found = state_->find(stream);
  if (found) state_->set_priority(**found, priority);
}

Result<std::optional<uint64_t>> Session::push(uint64_t stream, const http::FieldSection& request) {
  const Result<Exchange*> found = state_->find(stream);
  if (!found) return std::unexpected(found.error());
  return state_->push(**found, request);
}

void Session::cancel_push(uint64_t push_id) {
  state_->gone.clear();
  if (!state_->is_open()) return;
  state_->cancel_push(push_id);
  state_->flush_own_streams();
}

std::optional<size_t> Session::max_datagram_size(uint64_t stream) const { return state_->max_datagram_size(stream); }

Result<bool> Session::send_datagram(uint64_t stream, Bytes payload) {
  const Result<Exchange*> found = state_->find(stream);
  return found ? state_->send_datagram(**found, payload) : std::unexpected(found.error());
}

std::optional<Slice> Session::receive_datagram(uint64_t stream) {
  const Result<Exchange*> found = state_->find(stream);
  return found ? state_->receive_datagram(**found) : std::nullopt;
}

void Session::shutdown(bool final) {
  state_->gone.clear();
  if (!state_->is_open()) return;
  state_->shutdown(final);
  state_->flush_own_streams();
}

void Session::close(ErrorCode code, std::string_view reason) { state_->close(code, reason); }

size_t Session::open_exchanges() const { return state_->exchanges.size(); }
bool Session::is_going_away() const { return !state_->is_open() || state_->goaway_received || state_->goaway_sent; }
const std::optional<Settings>& Session::peer_settings() const { return state_->peer_settings; }
const SessionStatistics& Session::statistics() const { return state_->statistics; }

// ---- Inputs

void Session::on_opened(uint64_t stream) {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open() || opener(stream) == s.role) return;
  if (is_unidirectional(stream)) {
    if (s.untyped.size() >= kUntypedStreamsMax) return s.fail(ErrorCode::excessive_load, "streams without a type");
    s.untyped.push_back({.stream = stream});
    return;
  }
  // RFC 9114 §6.1: no extension that we know has such streams.
  if (s.role == Role::client) return s.fail(ErrorCode::stream_creation_error, "a bidirectional stream of the server's");
  s.on_request_opened(stream);
}

void Session::on_readable(uint64_t stream) {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open()) return;
  if (Exchange* exchange = s.exchanges.find(stream)) {
    if (exchange->receive == Exchange::Receive::head) {
      s.read_head(*exchange);
    } else if (exchange->receive != Exchange::Receive::over && exchange->receive != Exchange::Receive::promise) {
      s.peek(*exchange);
      if (exchange->receive != Exchange::Receive::over && s.is_open()) s.tell_readable(*exchange);
    }
  } else if (const std::optional<StreamType> type = s.critical_type(stream)) {
    s.read_critical(stream, *type);
  } else {
    s.read_untyped(stream);
  }
  s.flush_own_streams();
}

void Session::on_writable(uint64_t stream) {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open()) return;
  if (Exchange* exchange = s.exchanges.find(stream)) {
    s.flush(*exchange);
  } else {
    s.flush_own_streams();
  }
}

void Session::on_reset(uint64_t stream, uint64_t code) {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open()) return;
  // RFC 9114 §6.2.1, RFC 9204 §4.2: without these a connection cannot go on.
  if (s.critical_type(stream)) return s.fail(ErrorCode::closed_critical_stream, "a critical stream was reset");
  if (Exchange* exchange = s.exchanges.find(stream)) {
    s.on_exchange_reset(*exchange, code);
  } else {
    s.forget_untyped(stream);  // RFC 9114 §6.2: before its type came, which is to be borne
  }
  s.flush_own_streams();
}

void Session::on_stopped(uint64_t stream, uint64_t code) {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open()) return;
  if (s.is_own_stream(stream)) return s.fail(ErrorCode::closed_critical_stream, "a critical stream was stopped");
  Exchange* exchange = s.exchanges.find(stream);
  if (!exchange || exchange->send == Exchange::Send::over) return;
  if (exchange->told) s.tell(SendingStopped{.stream = stream, .code = code});
  s.stop_sending(*exchange, {});
  if (exchange->discarding) s.stop_receiving(*exchange, ErrorCode::no_error);
  s.release(*exchange);
  s.flush_own_streams();
}

void Session::on_delivered(uint64_t stream) {
  State& s = *state_;
  s.gone.clear();
  Exchange* exchange = s.exchanges.find(stream);
  if (!s.is_open() || !exchange || exchange->send != Exchange::Send::finished) return;
  exchange->send = Exchange::Send::over;
  exchange->delivered = true;
  if (exchange->discarding) s.stop_receiving(*exchange, ErrorCode::no_error);
  s.release(*exchange);
  s.flush_own_streams();
}

void Session::on_streams_available(bool unidirectional) {
  State& s = *state_;
  s.gone.clear();
  if (!s.is_open()) return;
  if (unidirectional) {
    if (s.started) s.open_own_streams();
  } else if (std::exchange(s.request_refused, false)) {
    s.tell(RequestsAvailable{});
  }
}

void Session::on_datagram(Slice data) {
  state_->gone.clear();
  if (!state_->is_open()) return;
  state_->on_datagram(std::move(data));
  state_->flush_own_streams();
}

void Session::on_early_data_rejected() {
  state_->gone.clear();
  state_->early_data_rejected = true;
}

void Session::on_closed() { state_->on_closed(); }

std::optional<Event> Session::poll_event() { return state_->poll_event(); }
void Session::check_invariants() const { state_->check_invariants(); }

}  // namespace quoll::h3
