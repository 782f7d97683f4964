#include "app/perf_load.h"

#include <algorithm>

#include "app/serve_metrics.h"
#include "os/system_rng.h"
#include "udp/run.h"
#include "web/failure.h"

namespace quoll::app {
namespace {

// Handshakes that fail one after the other: the server is not there, and a million more attempts will not find it.
constexpr uint64_t kFailuresMax = 100;
constexpr size_t kHandshakesAtATime = 64;  // of connections that are to be idle: no flood
constexpr Duration kTicketPatience = Duration::seconds(1);
constexpr quic::ApplicationErrorCode kNoError{static_cast<uint64_t>(h3::ErrorCode::no_error)};

}  // namespace

Result<std::unique_ptr<PerfLoad>> PerfLoad::create(PerfPlan plan, const PerfData& data) {
  const bool ipv6 = plan.remote.ip.family() == IpAddress::Family::ipv6;
  const SocketAddress any{.ip = ipv6 ? IpAddress::v6({}) : IpAddress::v4({})};
  Result<udp::Socket> socket = udp::Socket::bind(any);
  if (!socket) return std::unexpected(socket.error());
  Result<udp::Loop> loop = udp::Loop::create();
  if (!loop) return std::unexpected(loop.error());
  return std::unique_ptr<PerfLoad>(new PerfLoad(std::move(plan), data, std::move(*loop), std::move(*socket)));
}

PerfLoad::PerfLoad(PerfPlan plan, const PerfData& data, udp::Loop loop, udp::Socket socket)
    : plan_(std::move(plan)),
      data_(data),
      loop_(std::move(loop)),
      socket_(std::move(socket)),
      tickets_({.tickets_per_server = 2 * plan_.connections + 2}) {
  quic::EndpointConfig config;
  config.wall_clock = [this](Instant at) { return clock_.at(at); };
  endpoint_ = std::make_unique<quic::Endpoint>(std::move(config), crypto::best(), os::thread_rng());
}

PerfLoad::~PerfLoad() = default;

Result<void> PerfLoad::run() { return udp::run(loop_, *endpoint_, std::span(&socket_, 1), *this); }

void PerfLoad::close() {
  if (open_ == 0) return;
  closing_ = true;
  done_ = false;
  (void)run();
}

// --- The loop

void PerfLoad::on_turn(Instant now) {
  if (closing_) {
    for (const auto& link : links_) {
      quic::Connection* connection = link ? endpoint_->find(link->handle) : nullptr;
      if (connection) connection->close(now, kNoError, {});
    }
    done_ = true;  // once that is sent
    return;
  }
  if (first_ && plan_.work != PerfWork::transfers) begin_measure(now);
  begin_connections(now);
  first_ = false;
  if (plan_.resumes && result_.done > 0 && now >= answered_at_ + kTicketPatience)
    give_up("the server sends no tickets");
  if (now >= ends_at_ || open_ == 0 || result_.done + result_.failed >= plan_.requests) over_ = true;
  if (over_ && lingers_until_.is_never()) {
    end_measure(now);
    lingers_until_ = now + plan_.linger;
  }
  done_ = over_ && now >= lingers_until_;
}

Instant PerfLoad::next_timeout() const {
  if (over_) return lingers_until_;
  return plan_.resumes && result_.done > 0 ? std::min(ends_at_, answered_at_ + kTicketPatience) : ends_at_;
}

void PerfLoad::give_up(const std::string& why) {
  over_ = true;
  if (result_.failure.empty()) result_.failure = why;
}

void PerfLoad::begin_measure(Instant now) {
  if (measured_from_) return;
  measured_from_ = now;
  cpu_before_ = ProcessFacts::read().cpu_microseconds;
  if (plan_.time) ends_at_ = now + *plan_.time;
}

void PerfLoad::end_measure(Instant now) {
  result_.elapsed = measured_from_ ? now - *measured_from_ : Duration();
  if (measured_from_) result_.cpu_microseconds = ProcessFacts::read().cpu_microseconds - cpu_before_;
}

// --- Connections

void PerfLoad::begin_connections(Instant now) {
  while (may_connect() && connect(now)) {
    if (plan_.work != PerfWork::transfers) begun_++;
  }
}

bool PerfLoad::may_connect() const {
  switch (plan_.work) {
    case PerfWork::transfers:
      return first_ && open_ < plan_.connections;
    case PerfWork::handshakes:
      return wants_more() && open_ < plan_.connections;
    case PerfWork::idle:
      return wants_more() && unanswered_ < kHandshakesAtATime;
  }
  return false;
}

bool PerfLoad::connect(Instant now) {
  quic::Endpoint::ConnectOptions options{.server_name = plan_.server_name};
  h3::SessionOptions session = session_options_;
  if (plan_.resumes) {
    options.resumption = tickets_.take(plan_.server_name, clock_.at(now));
    options.early_data = plan_.early_data && options.resumption && options.resumption->ticket && settings_;
    if (options.early_data) session.remembered = settings_;
  }
  const bool early = options.early_data;
  const auto handle = endpoint_->connect(now, plan_.config, socket_.path_to(plan_.remote), std::move(options));
  if (!handle) {
    result_.failed++;
    give_up(std::string("cannot connect: ") + handle.error().reason);
    return false;
  }
  if (handle->index >= links_.size()) links_.resize(handle->index + 1);
  links_[handle->index] = std::make_unique<Link>(*handle, session, os::thread_rng(), now);
  open_++;
  unanswered_++;
  if (early) send_requests(*links_[handle->index], now);
  return true;
}

PerfLoad::Link* PerfLoad::find(quic::ConnectionHandle handle) {
  if (handle.index >= links_.size() || !links_[handle.index]) return nullptr;
  return links_[handle.index]->handle == handle ? links_[handle.index].get() : nullptr;
}

void PerfLoad::forget(Link& link) {
  open_--;
  if (!link.answered) unanswered_--;
  links_[link.handle.index].reset();
}

void PerfLoad::on_event(Instant now, quic::EndpointEvent& event) {
  auto* news = std::get_if<quic::Event>(&event.event);
  Link* link = find(event.connection);
  if (!news || !link) return;
  if (auto* resumption = std::get_if<quic::ResumptionReceived>(news))
    on_resumption(*link, std::move(resumption->state));
  if (quic::Connection* connection = endpoint_->find(link->handle)) link->h3.on_event(*connection, *news);
  if (const auto* connected = std::get_if<quic::Connected>(news)) on_connected(*link, now, *connected);
  take_news(*link, now);
  if (const auto* closed = std::get_if<quic::Closed>(news)) {
    on_closed(*link, *closed);
  } else if (plan_.work == PerfWork::handshakes) {
    close_used(*link);
  }
}

void PerfLoad::on_connected(Link& link, Instant now, const quic::Connected& event) {
  link.established = true;
  result_.connections++;
  result_.resumed += event.resumed ? 1 : 0;
  result_.early += event.early_data_accepted ? 1 : 0;
  result_.handshake.add(now - link.begin);
  send_requests(link, now);
}

void PerfLoad::on_resumption(Link& link, quic::ResumptionState state) {
  link.has_ticket = link.has_ticket || state.ticket;
  if (plan_.resumes) tickets_.put(plan_.server_name, std::move(state));
}

void PerfLoad::on_closed(Link& link, const quic::Closed& event) {
  const std::string why = web::failure_of(event, plan_.server_name, link.established).text;
  const bool failed = !link.closing && !closing_;
  if (failed && link.requests.empty()) fail(link, 0, why);
  while (failed && !link.requests.empty()) fail(link, link.requests.begin()->first, why);
  forget(link);
  if (result_.failed >= kFailuresMax && result_.done == 0) begun_ = plan_.requests;
}

void PerfLoad::close_used(Link& link) {
  const bool waits = plan_.resumes && !link.has_ticket;
  if (!link.established || !link.answered || !link.requests.empty() || waits) return;
  link.closing = true;
  if (quic::Connection* connection = endpoint_->find(link.handle)) connection->close(kNoError, {});
  forget(link);
}

// --- Requests

void PerfLoad::send_requests(Link& link, Instant now) {
  quic::Connection* connection = endpoint_->find(link.handle);
  if (!connection) return;
  begin_measure(now);
  h3::Session& session = link.h3.use(*connection);
  const bool one_each = plan_.work != PerfWork::transfers;
  const size_t at_a_time = one_each ? 1 : plan_.streams;
  const auto may_begin = [&] { return one_each ? !link.answered && !over_ : wants_more(); };
  while (!link.out_of_streams && link.requests.size() < at_a_time && may_begin()) {
    const auto stream = session.request(plan_.request, !plan_.upload);
    if (!stream) {
      return give_up(stream.error().reason);
    }
    if (!*stream) {
      link.out_of_streams = true;
      return;
    }
    if (!one_each) begun_++;
    link.requests.emplace(**stream, Request{.begin = now});
    if (plan_.upload) send_body(session, link, **stream);
  }
}

void PerfLoad::send_body(h3::Session& session, Link& link, uint64_t stream) {
  const auto at = link.requests.find(stream);
  if (at == link.requests.end()) return;
  Request& request = at->second;
  while (request.sent < *plan_.upload) {
    Slice piece = data_.at(request.sent, *plan_.upload - request.sent);
    const size_t size = piece.size();
    if (!session.write_body(stream, piece)) return;  // its end has an event of its own
    request.sent += size - piece.size();
    result_.bytes_sent += size - piece.size();
    if (!piece.empty()) return;  // BodyWritable follows
  }
  (void)session.finish(stream);
}

void PerfLoad::take_news(Link& link, Instant now) {
  while (const std::optional<h3::Event> event = link.h3.poll_event()) take(link, now, *event);
}

void PerfLoad::take(Link& link, Instant now, const h3::Event& event) {
  if (const auto* response = std::get_if<h3::ResponseReceived>(&event)) {
    take_response(link, now, *response);
    if (!response->has_body) complete(link, now, response->stream);
  } else if (const auto* readable = std::get_if<h3::BodyReadable>(&event)) {
    read_body(link, now, readable->stream);
  } else if (const auto* writable = std::get_if<h3::BodyWritable>(&event)) {
    if (quic::Connection* connection = endpoint_->find(link.handle))
      send_body(link.h3.use(*connection), link, writable->stream);
  } else if (const auto* aborted = std::get_if<h3::MessageAborted>(&event)) {
    fail(link, aborted->stream, web::stream_failure(aborted->code, aborted->by_peer).text);
    send_requests(link, now);
  } else if (std::get_if<h3::RequestsAvailable>(&event)) {
    link.out_of_streams = false;
    send_requests(link, now);
  } else if (const auto* settings = std::get_if<h3::SettingsReceived>(&event)) {
    settings_ = settings->settings;
  }
}

void PerfLoad::take_response(Link& link, Instant now, const h3::ResponseReceived& response) {
  if (!std::exchange(link.answered, true)) {
    unanswered_--;
    result_.first_byte.add(now - link.begin);
  }
  answered_at_ = now;
  result_.fields = response.fields;
  constexpr unsigned kFirstError = 400;
  if (response.status < kFirstError) return;
  if (const auto at = link.requests.find(response.stream); at != link.requests.end()) at->second.refused = true;
  if (result_.failure.empty()) result_.failure = "status " + std::to_string(response.status);
}

void PerfLoad::read_body(Link& link, Instant now, uint64_t stream) {
  quic::Connection* connection = endpoint_->find(link.handle);
  if (!connection) return;
  h3::Session& session = link.h3.use(*connection);
  for (;;) {
    const auto chunk = session.read_body(stream);
    if (!chunk || !*chunk) return;
    if (!over_) result_.bytes_received += (*chunk)->data.size();
    if ((*chunk)->fin) return complete(link, now, stream);
  }
}

void PerfLoad::complete(Link& link, Instant now, uint64_t stream) {
  const auto at = link.requests.find(stream);
  if (at == link.requests.end()) return;
  if (!over_ && at->second.refused) {
    result_.failed++;
  } else if (!over_) {
    result_.done++;
    result_.latency.add(now - at->second.begin);
  }
  link.requests.erase(at);
  send_requests(link, now);
}

void PerfLoad::fail(Link& link, uint64_t stream, const std::string& why) {
  const bool known = link.requests.erase(stream) > 0;
  if (over_ || (!known && link.established && link.answered)) return;
  result_.failed++;
  if (result_.failure.empty()) result_.failure = why;
}

}  // namespace quoll::app
