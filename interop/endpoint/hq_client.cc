#include "interop/endpoint/hq_client.h"

#include <algorithm>
#include <utility>

#include "udp/loop.h"

namespace quoll::interop {
namespace {

constexpr quic::ApplicationErrorCode kNoError{0};
constexpr Duration kTicketPatience = Duration::seconds(5);
constexpr Duration kInitialRttMin = Duration::milliseconds(10);  // a network may be slower the next time

std::vector<http::Url> part_of(const std::vector<http::Url>& requests, size_t begin, size_t end) {
  return {requests.begin() + static_cast<ptrdiff_t>(begin), requests.begin() + static_cast<ptrdiff_t>(end)};
}

}  // namespace

std::deque<PlannedConnection> plan_for(TestCase test_case, const std::vector<http::Url>& requests) {
  std::deque<PlannedConnection> plan;
  if (test_case == TestCase::multiconnect) {
    for (const http::Url& request : requests) plan.push_back({.requests = {request}});
    return plan;
  }
  const bool resumes = test_case == TestCase::resumption || test_case == TestCase::zerortt;
  if (resumes && requests.size() > 1) {
    plan.push_back({.requests = part_of(requests, 0, 1), .keeps_ticket = true});
    plan.push_back({.requests = part_of(requests, 1, requests.size()),
                    .resumes = true,
                    .early_data = test_case == TestCase::zerortt});
    return plan;
  }
  plan.push_back({.requests = requests, .updates_keys = test_case == TestCase::keyupdate});
  return plan;
}

void HqClient::on_turn(Instant now) {
  if (done_) return;
  if (handle_ && is_finished()) {
    const bool waits = now_doing_.keeps_ticket && !has_ticket_;
    if (waits && give_up_ticket_at_.is_never()) give_up_ticket_at_ = now + kTicketPatience;
    if (waits && now < give_up_ticket_at_) return;
    if (waits) return fail("the server has sent no ticket");
    if (quic::Connection* open = connection()) {
      remember_path(*open);
      open->close(now, kNoError, "");
    }
    handle_.reset();
  }
  if (handle_) return;
  if (plan_.empty()) {
    done_ = true;
  } else {
    connect(now);
  }
}

void HqClient::connect(Instant now) {
  now_doing_ = std::move(plan_.front());
  plan_.pop_front();
  confirmed_ = has_ticket_ = false;
  give_up_ticket_at_ = Instant::never();
  pending_.clear();
  for (http::Url& url : now_doing_.requests) {
    // The runner's test of version negotiation asks for no file.
    if (!file_name_of(url).empty()) pending_.push_back(std::move(url));
  }
  quic::Endpoint::ConnectOptions options{.server_name = target_.server_name};
  if (now_doing_.resumes) {
    options.resumption = tickets_.take(target_.server_name, web::WallClock().at(now));
    options.early_data = now_doing_.early_data;
  }
  auto handle = endpoint_.connect(now, config_, target_.path, std::move(options));
  if (!handle) return fail(std::string("cannot connect: ") + handle.error().reason);
  handle_ = *handle;
  if (now_doing_.early_data) send_requests();
}

/// RFC 9002 §6.2.2: where a previous RTT is known, the next handshake's first probe need not wait a second.
void HqClient::remember_path(const quic::Connection& connection) {
  const Duration rtt = connection.statistics().smoothed_rtt;
  if (plan_.empty() || rtt <= Duration{}) return;
  auto config = std::make_shared<quic::ClientConfig>(*config_);
  config->transport.initial_rtt = std::clamp(rtt, kInitialRttMin, quic::kInitialRtt);
  config_ = std::move(config);
}

void HqClient::on_event(Instant now, quic::EndpointEvent& event) {
  const auto* news = std::get_if<quic::Event>(&event.event);
  if (!news || !handle_ || event.connection != *handle_) return;  // of a connection that we have closed
  if (std::get_if<quic::Connected>(news)) {
    send_requests();
  } else if (std::get_if<quic::Confirmed>(news)) {
    confirmed_ = true;
    if (now_doing_.updates_keys) {
      if (const auto updated = connection()->update_keys(now); !updated) fail(updated.error().reason);
    }
  } else if (const auto* resumption = std::get_if<quic::ResumptionReceived>(news)) {
    has_ticket_ |= resumption->state.ticket.has_value();
    tickets_.put(target_.server_name, resumption->state);
  } else if (std::get_if<quic::StreamsAvailable>(news)) {
    send_requests();
  } else if (const auto* readable = std::get_if<quic::StreamReadable>(news)) {
    read(readable->stream_id);
  } else if (const auto* reset = std::get_if<quic::StreamReset>(news)) {
    if (fetches_.contains(reset->stream_id)) fail(fetches_.at(reset->stream_id).name + ": reset by the server");
  } else if (const auto* closed = std::get_if<quic::Closed>(news)) {
    on_closed(*closed);
  }
}

void HqClient::send_requests() {
  quic::Streams& streams = connection()->streams();
  while (!pending_.empty()) {
    const std::optional<quic::StreamId> id = streams.open(/*unidirectional=*/false);
    if (!id) return;  // StreamsAvailable follows
    const http::Url url = std::move(pending_.front());
    pending_.pop_front();
    const std::string line = "GET " + url.request_target() + "\r\n";
    // A request is far smaller than what a stream has room for, so it is taken whole.
    const auto written = streams.write(*id, as_bytes(line));
    if (!written || *written != line.size() || !streams.finish(*id)) return fail("a request could not be written");
    Fetch& fetch = fetches_[*id];
    fetch.name = file_name_of(url);
    fetch.file = Download::create(downloads_, fetch.name);
    if (!fetch.file) return fail(downloads_ + "/" + fetch.name + ": cannot be written");
  }
}

void HqClient::read(quic::StreamId id) {
  const auto found = fetches_.find(id);
  if (found == fetches_.end()) return;
  Fetch& fetch = found->second;
  for (;;) {
    const auto chunk = connection()->streams().read(id);
    if (!chunk) return fail(fetch.name + ": reset by the server");
    if (!*chunk) return;
    const bool is_last = (*chunk)->fin;
    if (!fetch.file->write((*chunk)->data.bytes()) || (is_last && !fetch.file->finish())) {
      return fail(downloads_ + "/" + fetch.name + ": cannot be written");
    }
    if (!is_last) continue;
    fetches_.erase(found);
    return;
  }
}

void HqClient::on_closed(const quic::Closed& closed) {
  handle_.reset();
  if (is_finished() && closed.error_code == 0 && !(now_doing_.keeps_ticket && !has_ticket_)) return;
  fail("the connection ended: " +
       (closed.reason.empty() ? "error " + std::to_string(closed.error_code) : closed.reason));
}

void HqClient::fail(const std::string& why) {
  say(why);
  if (quic::Connection* open = connection(); open && !open->is_closed()) open->close(kNoError, "");
  handle_.reset();
  plan_.clear();
  fetches_.clear();
  failed_ = done_ = true;
}

}  // namespace quoll::interop
