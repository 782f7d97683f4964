// The judge: whether the way in which a connection ended is what its scenario explains. Nothing is excused by a
// threshold: who timed out must have had datagrams lost in the time that it waited, who was reset must have met a server
// without memory, and every other error is a failure.
#pragma once

#include <functional>
#include <string>

#include "tests/sim/conversation.h"

namespace quoll::sim {

struct Facts {
  const ScenarioOptions& options;
  const Journal& journal;
  Ending ending;
  Conversation& client;
  Conversation* server;  // null: it was never connected
  bool restarted;        // the server lost its state meanwhile
  const std::function<bool(const quic::Closed&)>& also_accept;
};

/// Empty when all is explained.
std::string judge(const Facts& facts, Features& features);

}  // namespace quoll::sim
