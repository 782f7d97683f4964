// What is sent on each stream: both sides work it out from the options and the stream's id alone, so the receiver knows
// every byte that must come, and how the stream must end.
#pragma once

#include <optional>

#include "quic/wire/error_code.h"
#include "quic/wire/types.h"
#include "tests/sim/options.h"

namespace quoll::sim {

/// One direction of a stream.
struct DirectionPlan {
  uint64_t size = 0;
  std::optional<uint64_t> reset_at;  // the sender gives up when it has written so much; less than size
  std::optional<uint64_t> stop_at;   // the receiver has enough when it has read so much; less than size
  uint32_t reset_delay_ms = 0;       // between the last write and the reset
  uint32_t read_max = UINT32_MAX;    // a slow reader takes so much every few milliseconds
  bool pause = false;                // a reader that stops in the middle for pause_ms
  quic::ApplicationErrorCode reset_code{};
  quic::ApplicationErrorCode stop_code{};
};

struct StreamPlan {
  DirectionPlan request;   // from who opened it
  DirectionPlan response;  // of bidirectional streams
  bool duplex = false;     // the response does not wait for the request
  uint8_t urgency = 3;
  bool incremental = false;

  const DirectionPlan& from(bool opener) const { return opener ? request : response; }
};

StreamPlan plan_of(const ScenarioOptions& options, quic::StreamId id);

/// How many streams of a kind there are in all.
uint64_t planned_streams(const ScenarioOptions& options, quic::Role opener, bool unidirectional);

/// The bytes of one direction of a stream, anywhere in it.
void fill_pattern(uint64_t seed, quic::StreamId id, bool opener, uint64_t offset, MutBytes out);

}  // namespace quoll::sim
