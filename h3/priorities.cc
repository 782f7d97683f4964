// Priorities (RFC 9218): the field of a request and PRIORITY_UPDATE, to the transport's scheduler.
#include "h3/state.h"

namespace quoll::h3 {

void Session::State::prioritize(Exchange& exchange, http::Priority priority) {
  exchange.priority = priority;
  transport.set_priority(exchange.stream, priority);
}

/// By the application.
void Session::State::set_priority(Exchange& exchange, http::Priority priority) {
  if (priority.urgency > http::Priority::kUrgencyMax) return;
  if (role == Role::server) {
    exchange.priority_ours = true;
    return prioritize(exchange, priority);
  }
  if (exchange.receive == Exchange::Receive::over) return;
  write_priority_update(control.waiting, {.of_push = exchange.is_push(),
                                          .id = exchange.is_push() ? *exchange.push_id : exchange.stream,
                                          .priority = priority});
  exchange.priority = priority;
  if (exchange.send != Exchange::Send::over) transport.set_priority(exchange.stream, priority);
  flush_own_streams();
}

/// Server: a request's head is there.
void Session::State::on_request_priority(Exchange& exchange, const http::FieldSection& fields) {
  // RFC 9218 §7: an update that came before is newer than the field.
  const auto early = std::ranges::find(early_priorities, exchange.stream, [](const auto& each) { return each.first; });
  if (early != early_priorities.end()) {
    prioritize(exchange, early->second);
    early_priorities.erase(early);
    return;
  }
  // By updates that came while the head was under way.
  if (exchange.priority != http::Priority()) return;
  std::optional<http::Priority> asked;
  if (fields.count("priority") == 1) {
    asked = http::parse_priority(*fields.find("priority"));
  } else if (const std::optional<std::string> all = fields.combined("priority")) {
    asked = http::parse_priority(*all);
  }
  // A tunnel shares with others by itself (RFC 9218 §11).
  http::Priority priority = asked.value_or(http::Priority());
  if (!asked && exchange.tunnel) priority.incremental = true;
  if (priority != exchange.priority) prioritize(exchange, priority);
}

/// Server: what a client wishes now.
void Session::State::on_priority_update(FrameType type, Bytes payload) {
  const Result<PriorityUpdate> update = parse_priority_update(type, payload);
  if (!update) return fail(update.error());
  uint64_t stream = update->id;
  if (update->of_push) {
    // RFC 9218 §7.2: of what was promised.
    if (update->id >= next_push) return fail(ErrorCode::id_error, "PRIORITY_UPDATE of a push that was not promised");
    const auto place = push_streams.find(update->id);
    if (place == push_streams.end()) return;
    stream = place->second;
  } else if (stream >= next_request) {
    // RFC 9218 §7.2: of a stream that the client may not open.
    if (stream >= transport.request_limit()) {
      return fail(ErrorCode::id_error, "PRIORITY_UPDATE of a stream beyond the limit");
    }
    std::erase_if(early_priorities, [&](const auto& each) { return each.first == stream; });
    if (early_priorities.size() >= kEarlyPrioritiesMax) early_priorities.erase(early_priorities.begin());
    early_priorities.emplace_back(stream, update->priority);
    return count_useless();
  }
  Exchange* exchange = exchanges.find(stream);
  if (!exchange || exchange->send == Exchange::Send::over) return count_useless();
  if (!exchange->priority_ours) prioritize(*exchange, update->priority);
  exchange->asked = update->priority;
  if (!exchange->told || std::exchange(exchange->priority_told, true)) return count_useless();
  tell(PriorityUpdated{.stream = stream, .priority = update->priority});
}

}  // namespace quoll::h3
