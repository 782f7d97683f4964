#include "qlog/qlog_sink.h"

namespace quoll::qlog {

void QlogSink::on_event(Instant now, const quic::TraceEvent& event) {
  if (log_.is_closed()) return;
  std::visit([this, now](const auto& known) { write(now, known); }, event);
}

}  // namespace quoll::qlog
