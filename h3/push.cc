// Server push (RFC 9114 §4.6): promises, push streams, and their ends.
#include "h3/state.h"

namespace quoll::h3 {

// ---- Server

Result<std::optional<uint64_t>> Session::State::push(Exchange& exchange, const http::FieldSection& request) {
  if (role == Role::client) return usage_error("a push of a client");
  if (exchange.is_push() || exchange.tunnel) return usage_error("a promise where none may stand");
  if (exchange.send == Exchange::Send::finished) return usage_error("a promise after the end of the response");
  const Result<RequestHead> head = check_promised_request(request);
  if (!head) return std::unexpected(head.error());
  if (is_too_large(request)) return usage_error("a header section larger than the client takes");
  // RFC 9114 §5.2: no new promise after GOAWAY.
  const bool welcome = is_allowed_push(next_push) && !goaway_received && !goaway_sent;
  if (!welcome || exchange.send == Exchange::Send::over) return std::nullopt;
  const std::optional<uint64_t> stream = transport.open(true);
  if (!stream) return std::nullopt;
  const uint64_t push_id = next_push++;
  write_section(exchange, request, push_id);
  Exchange& pushed = exchanges.insert(*stream);
  pushed.told = true;
  pushed.push_id = push_id;
  pushed.receive = Exchange::Receive::over;
  pushed.method = head->method == "HEAD" ? Method::head : Method::other;
  push_streams.emplace(push_id, *stream);
  statistics.pushes++;
  scratch.clear();
  write_varint(scratch, static_cast<uint64_t>(StreamType::push));
  write_varint(scratch, push_id);
  write(pushed, Bytes(scratch));
  return stream;
}

void Session::State::on_max_push_id(uint64_t push_id) {
  // RFC 9114 §7.2.7
  if (push_id + 1 < pushes_allowed) return fail(ErrorCode::id_error, "a smaller MAX_PUSH_ID than before");
  if (push_id + 1 == pushes_allowed) count_useless();
  pushes_allowed = push_id + 1;
}

/// RFC 9114 §5.2: the client does not take them.
void Session::State::end_pushes_from(uint64_t first) {
  while (!push_streams.empty() && push_streams.rbegin()->first >= first) {
    const auto [push_id, stream] = *push_streams.rbegin();
    tell(PushCancelled{.push_id = push_id});
    abandon(*exchanges.find(stream), ErrorCode::request_cancelled);
  }
}

// ---- Client

/// A promise, checked against the limit.
void Session::State::on_promise(Exchange& exchange, http::FieldSection request) {
  const uint64_t push_id = promised_push;
  const Result<RequestHead> head = check_promised_request(request);
  if (!head && head.error().code == static_cast<uint64_t>(ErrorCode::message_error)) return on_malformed(exchange);
  // RFC 9114 §7.2.5: what is over already is ignored.
  if (pushes_over.contains(push_id)) return count_useless();
  Push& push = pushes[push_id];
  if (push.request) {
    // RFC 9114 §4.6: the same fields in the same order.
    if (*push.request != request) return fail(ErrorCode::general_protocol_error, "two promises that differ");
    count_useless();
    return tell(PushPromised{.stream = exchange.stream, .push_id = push_id, .request = std::move(request)});
  }
  // RFC 9114 §4.6: not safe, not cacheable, with content; or after we have said that we take no more.
  if (!head || (goaway_sent && push_id >= *goaway_sent)) return cancel_push(push_id);
  push.method = head->method == "HEAD" ? Method::head : Method::other;
  push.request = request;
  tell(PushPromised{.stream = exchange.stream, .push_id = push_id, .request = std::move(request)});
  if (push.stream) begin_push(push, push_id);
}

void Session::State::on_push_stream(uint64_t stream, uint64_t push_id, Chunk rest) {
  // RFC 9114 §4.6, §6.2.2
  if (!is_allowed_push(push_id)) return fail(ErrorCode::id_error, "a push stream above MAX_PUSH_ID");
  if (push_streams_seen.contains(push_id)) return fail(ErrorCode::id_error, "a second stream of a push");
  (void)push_streams_seen.insert(push_id);
  if (pushes_over.contains(push_id)) {
    // RFC 9114 §7.2.3: cancelled before it came.
    if (!rest.fin) transport.stop(stream, static_cast<uint64_t>(ErrorCode::request_cancelled));
    decoder.cancel(stream);
    return;
  }
  Push& push = pushes[push_id];
  push.stream = stream;
  Exchange& exchange = exchanges.insert(stream);
  exchange.push_id = push_id;
  exchange.send = Exchange::Send::over;
  exchange.delivered = true;
  exchange.receive = Exchange::Receive::promise;
  exchange.input = std::move(rest.data);
  exchange.end_read = rest.fin;
  if (push.request) return begin_push(push, push_id);
  // Until the promise comes, flow control holds the rest back.
  if (exchange.input.pinned_size() > 4096) exchange.input = Slice::copy_of(exchange.input.bytes());
}

/// Promise and stream are there.
void Session::State::begin_push(Push& push, uint64_t push_id) {
  Exchange& exchange = *exchanges.find(*push.stream);
  exchange.receive = Exchange::Receive::head;
  exchange.method = push.method;
  exchange.told = true;
  statistics.pushes++;
  tell(PushStarted{.push_id = push_id, .stream = exchange.stream});
  read_head(exchange);
}

void Session::State::cancel_push(uint64_t push_id) {
  if (role == Role::server || !is_allowed_push(push_id) || pushes_over.contains(push_id)) return;
  const auto place = pushes.find(push_id);
  if (place == pushes.end()) return;
  if (place->second.stream) {
    // RFC 9114 §7.2.3: once its stream is there, that is what to stop.
    return abandon(*exchanges.find(*place->second.stream), ErrorCode::request_cancelled);
  }
  write_id_frame(control.waiting, FrameType::cancel_push, push_id);
  end_push(push_id);
}

/// RFC 9114 §4.6: streams whose promise does not come. No clock here says how long is too long; but when no request is left
/// that could carry it, it is not under way.
void Session::State::drop_unpromised_pushes() {
  bool carriers = false;
  exchanges.for_each([&](const Exchange& exchange) {
    carriers = carriers || (!exchange.is_push() && exchange.receive != Exchange::Receive::over);
  });
  if (carriers) return;
  std::vector<uint64_t> streams;
  for (const auto& [push_id, push] : pushes) {
    if (push.stream && !push.request) streams.push_back(*push.stream);
  }
  for (const uint64_t stream : streams) abandon(*exchanges.find(stream), ErrorCode::request_cancelled);
}

void Session::State::announce_pushes() {
  if (goaway_sent) return;
  const uint64_t target = std::min(pushes_over_count + options.pushes_max, kVarintMax);
  if (target - pushes_allowed < (options.pushes_max + 1) / 2) return;
  pushes_allowed = target;
  write_id_frame(control.waiting, FrameType::max_push_id, pushes_allowed - 1);
}

// ---- Both

void Session::State::on_cancel_push(uint64_t push_id) {
  // RFC 9114 §7.2.3
  if (!is_allowed_push(push_id)) return fail(ErrorCode::id_error, "CANCEL_PUSH above MAX_PUSH_ID");
  count_useless();
  if (role == Role::server) {
    if (push_id >= next_push) return fail(ErrorCode::id_error, "CANCEL_PUSH of a push that was not promised");
    const auto place = push_streams.find(push_id);
    if (place == push_streams.end()) return;
    tell(PushCancelled{.push_id = push_id});
    return abandon(*exchanges.find(place->second), ErrorCode::request_cancelled);
  }
  if (pushes_over.contains(push_id)) return;
  const auto place = pushes.find(push_id);
  const bool promised = place != pushes.end() && place->second.request;
  if (place != pushes.end() && place->second.stream) {
    // RFC 9114 §7.2.3: a stream that is there ends by itself; but it would wait for its promise for ever.
    if (!promised) abandon(*exchanges.find(*place->second.stream), ErrorCode::request_cancelled);
    return;
  }
  if (promised) tell(PushCancelled{.push_id = push_id});
  end_push(push_id);
}

/// It is fulfilled, cancelled or given up.
void Session::State::end_push(uint64_t push_id) {
  if (role == Role::server) {
    push_streams.erase(push_id);
    return;
  }
  pushes.erase(push_id);
  if (pushes_over.contains(push_id)) return;
  QUOLL_CHECK(pushes_over.insert(push_id));
  pushes_over_count++;
  announce_pushes();
}

}  // namespace quoll::h3
