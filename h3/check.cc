// What must always hold; for tests and fuzz targets.
#include "h3/state.h"

namespace quoll::h3 {

void Session::State::check_invariants() const {
  encoder.check_invariants();
  decoder.check_invariants();
  size_t blocked = 0, datagrams = 0;
  exchanges.for_each([&](const Exchange& exchange) {
    QUOLL_CHECK(!exchange.is_over());
    QUOLL_CHECK(!is_unidirectional(exchange.stream) || exchange.is_push());
    QUOLL_CHECK(!exchange.finish_waits || exchange.send == Exchange::Send::finished);
    QUOLL_CHECK(!exchange.wants_room || exchange.send == Exchange::Send::body);
    QUOLL_CHECK(exchange.send != Exchange::Send::over || exchange.waiting.empty());
    QUOLL_CHECK(exchange.receive != Exchange::Receive::over || (exchange.input.empty() && !exchange.blocked));
    if (exchange.blocked) blocked += exchange.section.size();
    if (exchange.datagrams) datagrams += exchange.datagrams->size();
    if (role == Role::client) QUOLL_CHECK(exchange.send != Exchange::Send::head);
  });
  QUOLL_CHECK(blocked == blocked_bytes);
  QUOLL_CHECK(datagrams == datagrams_waiting);
  QUOLL_CHECK(blocked_bytes <= kBlockedBytesMax || !is_open());
  QUOLL_CHECK(early_priorities.size() <= kEarlyPrioritiesMax && early_datagrams.size() <= kEarlyDatagramsMax);
  QUOLL_CHECK(untyped.size() <= kUntypedStreamsMax && events.size() <= kEventsMax);
  QUOLL_CHECK(pushes.size() <= options.pushes_max);
  QUOLL_CHECK(role == Role::client || pushes.empty());
  for (const auto& [push_id, push] : pushes) {
    QUOLL_CHECK(is_allowed_push(push_id) && !pushes_over.contains(push_id));
    if (push.stream && phase != Phase::ended) QUOLL_CHECK(exchanges.find(*push.stream) != nullptr);
  }
  for (const auto& [push_id, stream] : push_streams) {
    QUOLL_CHECK(push_id < next_push);
    if (phase != Phase::ended) QUOLL_CHECK(exchanges.find(stream) != nullptr);
  }
}

}  // namespace quoll::h3
