// What must always hold; for tests and fuzz targets.
#include "h3/state.h"

namespace quoll::h3 {

void Session::State::check_invariants() const {
  encoder.check_invariants();
  decoder.check_invariants();
  size_t blocked = 0, datagrams = 0;
  exchanges.for_each([&](const Exchange& exchange) {
    CHECK(!exchange.is_over());
    CHECK(!is_unidirectional(exchange.stream) || exchange.is_push());
    CHECK(!exchange.finish_waits || exchange.send == Exchange::Send::finished);
    CHECK(!exchange.wants_room || exchange.send == Exchange::Send::body);
    CHECK(exchange.send != Exchange::Send::over || exchange.waiting.empty());
    CHECK(exchange.receive != Exchange::Receive::over || (exchange.input.empty() && !exchange.blocked));
    if (exchange.blocked) blocked += exchange.section.size();
    if (exchange.datagrams) datagrams += exchange.datagrams->size();
    if (role == Role::client) CHECK(exchange.send != Exchange::Send::head);
  });
  CHECK(blocked == blocked_bytes);
  CHECK(datagrams == datagrams_waiting);
  CHECK(blocked_bytes <= kBlockedBytesMax || !is_open());
  CHECK(early_priorities.size() <= kEarlyPrioritiesMax && early_datagrams.size() <= kEarlyDatagramsMax);
  CHECK(untyped.size() <= kUntypedStreamsMax && events.size() <= kEventsMax);
  CHECK(pushes.size() <= options.pushes_max);
  CHECK(role == Role::client || pushes.empty());
  for (const auto& [push_id, push] : pushes) {
    CHECK(is_allowed_push(push_id) && !pushes_over.contains(push_id));
    if (push.stream && phase != Phase::ended) CHECK(exchanges.find(*push.stream) != nullptr);
  }
  for (const auto& [push_id, stream] : push_streams) {
    CHECK(push_id < next_push);
    if (phase != Phase::ended) CHECK(exchanges.find(stream) != nullptr);
  }
}

}  // namespace quoll::h3
