// Exchanges come and go.
#include "base/shrink.h"
#include "h3/state.h"

namespace quoll::h3 {

Result<Exchange*> Session::State::find(uint64_t stream) {
  gone.clear();
  if (!is_open()) return usage_error("the connection is closed");
  Exchange* exchange = exchanges.find(stream);
  if (!exchange) return usage_error("no such exchange");
  return exchange;
}

void Session::State::on_request_opened(uint64_t stream) {
  next_request = std::max(next_request, stream + 4);
  // RFC 9114 §5.2: what was announced not to be served, and what there is no room for.
  if ((goaway_sent && stream >= *goaway_sent) || exchanges.size() >= kExchangesMax) {
    transport.reset(stream, static_cast<uint64_t>(ErrorCode::request_rejected));
    transport.stop(stream, static_cast<uint64_t>(ErrorCode::request_rejected));
    decoder.cancel(stream);
    return flush_own_streams();
  }
  exchanges.insert(stream);
}

void Session::State::give_up(Exchange& exchange, ErrorCode code) {
  // RFC 9114 §7.2.3: a promise that is not kept is taken back. The reset may overtake the push id.
  if (exchange.is_push() && role == Role::server && exchange.send != Exchange::Send::over) {
    write_id_frame(control.waiting, FrameType::cancel_push, *exchange.push_id);
  }
  abandon(exchange, code);
}

void Session::State::abandon(Exchange& exchange, ErrorCode code) {
  stop_sending(exchange, code);
  stop_receiving(exchange, code);
  release(exchange);
}

void Session::State::on_malformed(Exchange& exchange, ErrorCode code) {
  statistics.messages_malformed++;
  if (exchange.told) {
    tell(MessageAborted{.stream = exchange.stream, .code = static_cast<uint64_t>(code), .by_peer = false});
  }
  abandon(exchange, code);
}

/// `code`: STOP_SENDING goes out, unless everything has come; none when the peer's part is over by itself.
void Session::State::stop_receiving(Exchange& exchange, std::optional<ErrorCode> code) {
  if (exchange.receive == Exchange::Receive::over) return;
  exchange.receive = Exchange::Receive::over;
  if (code && !exchange.end_read) transport.stop(exchange.stream, static_cast<uint64_t>(*code));
  // RFC 9204 §2.2.2.2: sections that come no more, or are not looked at.
  decoder.cancel(exchange.stream);
  if (std::exchange(exchange.blocked, false)) blocked_bytes -= exchange.section.size();
  quoll::release(exchange.section);
  exchange.input = {};
  drop_datagrams(exchange);
}

/// `code`: RESET_STREAM goes out; none when the peer has stopped it.
void Session::State::stop_sending(Exchange& exchange, std::optional<ErrorCode> code) {
  if (exchange.send == Exchange::Send::over) return;
  exchange.send = Exchange::Send::over;
  if (code) transport.reset(exchange.stream, static_cast<uint64_t>(*code));
  exchange.waiting.clear();
  exchange.wants_room = exchange.finish_waits = false;
}

void Session::State::release(Exchange& exchange) {
  if (!exchange.is_over() || exchanges.find(exchange.stream) != &exchange) return;
  if (exchange.push_id) end_push(*exchange.push_id);
  drop_datagrams(exchange);
  if (exchange.told) tell(ExchangeClosed{.stream = exchange.stream, .delivered = exchange.delivered});
  const bool was_request = !exchange.is_push();
  gone.push_back(exchanges.take(exchange));
  if (role == Role::client && was_request && !pushes.empty()) drop_unpromised_pushes();
}

/// The peer gave its message up.
void Session::State::on_exchange_reset(Exchange& exchange, uint64_t code) {
  if (exchange.receive == Exchange::Receive::over) return;
  if (exchange.told) tell(MessageAborted{.stream = exchange.stream, .code = code, .by_peer = true});
  stop_receiving(exchange, {});
  // RFC 9114 §4.1.1: a request that nobody has seen was not processed.
  if (!exchange.told) stop_sending(exchange, ErrorCode::request_rejected);
  release(exchange);
}

}  // namespace quoll::h3
