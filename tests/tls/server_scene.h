// What tests of the server's side of whole handshakes share, on top of support.h.
#pragma once

#include "base/reader.h"
#include "tests/tls/support.h"
#include "tls/codepoints.h"

// After all headers of ours: the checks here are doctest's.
#include <doctest/doctest.h>

namespace quoll::tls::tests {

/// Runs a handshake that must succeed.
inline Pump complete(Scene& scene, size_t chunk = SIZE_MAX, UnixTime now = kNow) {
  Pump pump = scene.pump(chunk, now);
  const Result<void> done = pump.run(now);
  INFO((done ? "" : done.error().reason));
  REQUIRE(done);
  REQUIRE(pump.complete());
  CHECK(pump.disorder() == "");
  CHECK(pump.secrets_agree());
  return pump;
}

/// A handshake that gives tickets, of which the client's next session uses one.
inline void resume(Scene& scene, bool early_data = false) {
  Pump pump = complete(scene);
  REQUIRE_FALSE(pump.client().tickets.empty());
  scene.client_options.ticket = pump.client().tickets.back();
  scene.client_options.early_data = early_data;
}

/// Changes the client's bytes of the handshake level and gives the server's alert.
template <class Change>
int alert_for_change(Scene& scene, Change change) {
  Pump pump = scene.pump();
  pump.tamper = [&change](Side from, Level level, std::vector<uint8_t>& bytes) {
    if (from == Side::client && level == Level::handshake) change(bytes);
  };
  const int alert = alert_of(pump.run());
  CHECK(pump.failed() == Side::server);
  return alert;
}

/// The body of the first message of this type that the server sent at the handshake level; empty if there is none.
inline Bytes sent_by_server(Pump& pump, HandshakeType type) {
  Reader reader(pump.server().sent[Level::handshake]);
  while (reader.remaining() != 0) {
    const HandshakeType found{reader.u8()};
    const Bytes body = reader.prefixed_u24().rest();
    if (found == type) return body;
  }
  return {};
}

}  // namespace quoll::tls::tests
