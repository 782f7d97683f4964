// The end (RFC 9114 §5): GOAWAY both ways, closing, and the transport's end.
#include "h3/state.h"

namespace quoll::h3 {
namespace {

/// RFC 9114 §5.2: what stops new requests without rejecting those under way.
constexpr uint64_t kLastRequest = kVarintMax - 3;

}  // namespace

void Session::State::shutdown(bool final) {
  uint64_t id = 0;
  if (role == Role::server) {
    id = final ? next_request : kLastRequest;
  } else {
    // Pushes that are promised may still come.
    id = final ? (pushes.empty() ? pushes_over.first_missing(0) : pushes.rbegin()->first + 1) : kVarintMax;
  }
  // RFC 9114 §5.2: never more than before.
  if (goaway_sent && id >= *goaway_sent) return;
  goaway_sent = id;
  write_id_frame(control.waiting, FrameType::goaway, id);
}

void Session::State::on_goaway(Bytes payload) {
  const Result<uint64_t> id = parse_goaway(payload, role);
  if (!id) return fail(id.error());
  if (goaway_received && *id > *goaway_received)
    return fail(ErrorCode::id_error, "GOAWAY with a larger id than before");
  if (goaway_received == *id) return count_useless();
  goaway_received = *id;
  tell(GoawayReceived{.id = *id});
  if (role == Role::client) {
    reject_requests_from(*id);
  } else {
    end_pushes_from(*id);
  }
}

/// Client: those are not processed, as if each had been rejected (RFC 9114 §5.2). One whose response is under way is processed,
/// whatever the GOAWAY says: some servers name the last request that they have taken, where the next one belongs.
void Session::State::reject_requests_from(uint64_t first) {
  for (const uint64_t stream : exchanges.streams()) {
    Exchange* exchange = exchanges.find(stream);
    if (!exchange || exchange->is_push() || stream < first) continue;
    if (exchange->receive != Exchange::Receive::head) continue;
    tell(MessageAborted{.stream = stream, .code = static_cast<uint64_t>(ErrorCode::request_rejected), .by_peer = true});
    abandon(*exchange, ErrorCode::request_cancelled);
  }
}

void Session::State::close(ErrorCode code, std::string_view reason) {
  if (!is_open()) return;
  phase = Phase::closed;
  transport.close(static_cast<uint64_t>(code), reason);
}

void Session::State::on_closed() {
  if (phase == Phase::ended) return;
  phase = Phase::ended;
  for (const uint64_t stream : exchanges.streams()) {
    Exchange& exchange = *exchanges.find(stream);
    drop_datagrams(exchange);
    if (exchange.told) tell(ExchangeClosed{.stream = stream, .delivered = exchange.delivered});
    gone.push_back(exchanges.take(exchange));
  }
  gone.clear();
  blocked_bytes = 0;
  untyped.clear();
  early_datagrams.clear();
}

}  // namespace quoll::h3
