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
  exchange.readable_told = false;
  // The trailers are told before the end, which is to be read.
  if (is_open() && before == Exchange::Receive::body && exchange.receive == Exchange::Receive::trailers) {
    tell_readable(exchange);
  }
  return std::nullopt;
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
  // RFC 9114 §7.1
  if (exchange.in_frame || !exchange.frames.is_at_boundary()) {
    fail(ErrorCode::frame_error, "a stream that ends within a frame");
    return false;
  }
  // RFC 9114 §4.1.2: no less than content-length says.
  if (!exchange.content.finish()) {
    on_malformed(exchange);
    return false;
  }
  exchange.receive = Exchange::Receive::over;
  drop_datagrams(exchange);
  release(exchange);
  return true;
}

}  // namespace quoll::h3
