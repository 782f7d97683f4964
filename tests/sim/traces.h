// Traces: what the endpoints of one scenario trace, each connection's end in a qlog of its own. In memory, to be checked
// when the scenario is over: that tracing is on must change nothing, and what it writes must be whole records. Or in files,
// one record after the other as they come, so that a scenario that aborts leaves them too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qlog/qlog_sink.h"
#include "qlog/summary.h"
#include "quic/wire/types.h"

namespace quoll::sim {

class Traces {
 public:
  /// Connections of either side that are traced: attackers make more than anybody wants to read.
  static constexpr size_t kTracesMax = 64;

  /// In memory, each at most so large; logs that reach their limit are a case of their own.
  explicit Traces(uint64_t size_max);
  /// In files FILES-client-1.sqlog, FILES-server-1.sqlog, FILES-client-2.sqlog, …
  explicit Traces(std::string files);
  ~Traces();
  Traces(const Traces&) = delete;
  Traces& operator=(const Traces&) = delete;

  /// A connection begins: its sink, or null when there are too many.
  TraceSink<quic::TraceEvent>* begin(quic::Role role, Bytes original_destination);
  /// Reads every log in memory. What is wrong, or empty.
  std::string check();
  /// The totals of the connections that a side began or accepted, in their order; empty when that log is not whole.
  const std::vector<std::optional<qlog::Summary>>& summaries(quic::Role role) const { return summaries_[of(role)]; }

 private:
  struct Trace;

  static size_t of(quic::Role role) { return role == quic::Role::client ? 0 : 1; }
  std::string check(const Trace& trace, std::optional<qlog::Summary>& summary) const;

  uint64_t size_max_ = uint64_t{256} << 20;
  std::string files_;
  std::vector<std::unique_ptr<Trace>> traces_[2];
  std::vector<std::optional<qlog::Summary>> summaries_[2];
};

}  // namespace quoll::sim
