// Bodies that come: DATA frames without their headers, as the application asks for them; then trailers and the end.
#include "h3/state.h"

namespace quoll::h3 {

Result<std::optional<Chunk>> Session::State::read_body(Exchange& exchange, size_t max) {
  if (max == 0) return std::nullopt;
  const Exchange::Receive before = exchange.receive;
  while (is_open() && !exchange.blocked && exchange.receive == before) {
    if (before != Exchange::Receive::body && before != Exchange::Receive::trailers) break;
    if (exchange.input.empty()) {
      if (exchange.end_read) {
        // Trailers are told before the end, also to whoever asks again before looking for events.
        if (exchange.trailers_wait) return std::nullopt;
        if (end_message(exchange)) return Chunk{.data = {}, .fin = true};
      } else if (!pull(exchange, std::max(max, kReadSize))) {
        break;
      }
    } else if (exchange.in_frame && exchange.frame.type == FrameType::data) {
      return take_body(exchange, max);
    } else {
      work(exchange);
    }
  }
  if (!exchange.trailers_wait) exchange.readable_told = false;
  if (is_open() && before == Exchange::Receive::body && exchange.receive == Exchange::Receive::trailers) {
    look_ahead(exchange);
    exchange.readable_told = false;
    if (!exchange.discarding) tell_readable(exchange);
  }
  return std::nullopt;
}

/// What is not wanted is checked as if it were, and dropped as it comes: as far as the limit goes, or until our own message
/// is over.
void Session::State::drain(Exchange& exchange) {
  while (is_open() && exchange.receive != Exchange::Receive::over) {
    const Exchange::Receive before = exchange.receive;
    const Result<std::optional<Chunk>> chunk = read_body(exchange, kReadSize);
    if (chunk && *chunk) {
      exchange.discarded += (**chunk).data.size();
      if (exchange.discarded > kDiscardedMax) return stop_draining(exchange);
    } else if (exchange.receive == before) {
      return;
    }
  }
}

/// RFC 9114 §4.1: who has answered without the whole request asks the client to stop without an error.
void Session::State::stop_draining(Exchange& exchange) {
  stop_receiving(exchange, ErrorCode::no_error);
  release(exchange);
}

/// From within a DATA frame.
Chunk Session::State::take_body(Exchange& exchange, size_t max) {
  const uint64_t size = std::min<uint64_t>({max, exchange.input.size(), exchange.frames.payload_left()});
  Slice front = exchange.input.split_front(static_cast<size_t>(size));
  Chunk chunk{.data = exchange.frames.take_payload(front)};
  if (exchange.frames.payload_left() == 0) exchange.in_frame = false;
  // The end is told with the last bytes where it came with them. Where bytes are missing, the next read finds out.
  const bool last = exchange.end_read && exchange.input.empty() && !exchange.in_frame;
  if (last && exchange.content.finish()) chunk.fin = end_message(exchange);
  return chunk;
}

/// All input is worked off. False: it ended where it must not.
bool Session::State::end_message(Exchange& exchange) {
  if (!end_is_good(exchange)) return false;
  exchange.receive = Exchange::Receive::over;
  drop_datagrams(exchange);
  release(exchange);
  return true;
}

}  // namespace quoll::h3
