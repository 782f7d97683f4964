// ConnectionLog: the qlog of one connection in a file of its own, in a directory that the user named.
//
// The file is named by the original destination id. What cannot be written is not logged: a full disk ends a log, never
// a connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "qlog/log.h"
#include "qlog/qlog_sink.h"
#include "quic/trace/event.h"
#include "web/clock.h"

namespace quoll::web {

/// An Error (system) when it is named and is no directory.
[[nodiscard]] Result<void> check_qlog_directory(const std::string& path);

class ConnectionLog final : public TraceSink<quic::TraceEvent> {
 public:
  /// A client's `original_destination` is empty. `clock` outlives the log.
  ConnectionLog(const std::string& directory, quic::Role role, const quic::ConnectionId& original_destination,
                WallClock& clock);
  ~ConnectionLog() override;
  void on_event(Instant now, const quic::TraceEvent& event) override;

 private:
  class File;
  void begin(Instant now);
  void open(Bytes original_destination);

  const std::string& directory_;
  quic::Role role_;
  quic::ConnectionId original_destination_;
  WallClock& clock_;
  std::unique_ptr<File> file_;
  std::optional<qlog::Log> log_;
  std::optional<qlog::QlogSink> sink_;
  bool is_open_ = false;
};

}  // namespace quoll::web
