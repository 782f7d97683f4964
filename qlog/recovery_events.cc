// draft-ietf-quic-qlog-quic-events §5.21, §7.1 to §7.3, §7.6.
#include "qlog/event_members.h"
#include "qlog/qlog_sink.h"
#include "qlog/trace_names.h"

namespace quoll::qlog {

namespace trace = quic::trace;

namespace {

using Metrics = trace::MetricsUpdated;

constexpr int kEighth = 1'000'000 / 8;  // as a Duration of nanoseconds it prints as 0.125

/// §7.2: pacing_rate is in bits per second.
uint64_t bits_per_second(Bandwidth rate) {
  const uint64_t bytes = rate.as_bytes_per_second();
  return bytes > UINT64_MAX / 8 ? UINT64_MAX : bytes * 8;
}

/// Writes what differs from `before`; everything, when nothing was written before.
class MetricsWriter {
 public:
  MetricsWriter(JsonWriter& json, const Metrics& now, const Metrics* before)
      : json_(json), now_(now), before_(before) {}

  void member(std::string_view name, Duration Metrics::* value) {
    // Zero: there is no sample yet.
    if (changed(value) && !(now_.*value).is_zero()) json_.member(name, now_.*value);
  }
  void member(std::string_view name, uint32_t Metrics::* value) {
    if (changed(value)) json_.member(name, now_.*value);
  }
  void member(std::string_view name, uint64_t Metrics::* value) {
    if (changed(value)) json_.member(name, now_.*value);
  }
  void slow_start_threshold() {
    const uint64_t threshold = now_.slow_start_threshold;
    if (changed(&Metrics::slow_start_threshold) && threshold != UINT64_MAX) json_.member("ssthresh", threshold);
  }
  void pacing_rate() {
    const Bandwidth rate = now_.pacing_rate;
    const bool is_told = changed(&Metrics::pacing_rate) && !rate.is_zero() && !rate.is_infinite();
    if (is_told) json_.member("pacing_rate", bits_per_second(rate));
  }

 private:
  template <class T>
  bool changed(T Metrics::* value) const {
    return !before_ || before_->*value != now_.*value;
  }

  JsonWriter& json_;
  const Metrics& now_;
  const Metrics* before_;
};

}  // namespace

void QlogSink::write(Instant now, const trace::RecoveryParametersSet& event) {
  Log::Event record(log_, now, "quic:recovery_parameters_set");
  JsonWriter& json = record.json();
  json.member("reordering_threshold", event.reordering_threshold);
  json.member("time_threshold", Duration::nanoseconds(kEighth) * event.time_threshold_eighths);
  json.member("timer_granularity", static_cast<uint64_t>(event.timer_granularity.as_milliseconds()));
  json.member("initial_rtt", event.initial_rtt);
  json.member("max_datagram_size", event.max_datagram_size);
  json.member("initial_congestion_window", event.initial_congestion_window);
  json.member("minimum_congestion_window", event.minimum_congestion_window);
  json.member("persistent_congestion_threshold", event.persistent_congestion_threshold);
}

void QlogSink::write(Instant now, const trace::MetricsUpdated& event) {
  // §7.2: only what has changed is worth an event.
  if (has_metrics_ && event == metrics_) return;
  Log::Event record(log_, now, "quic:recovery_metrics_updated");
  MetricsWriter metrics(record.json(), event, has_metrics_ ? &metrics_ : nullptr);
  metrics.member("min_rtt", &Metrics::min_rtt);
  metrics.member("smoothed_rtt", &Metrics::smoothed_rtt);
  metrics.member("latest_rtt", &Metrics::latest_rtt);
  metrics.member("rtt_variance", &Metrics::rttvar);
  metrics.member("pto_count", &Metrics::pto_count);
  // Always told, so that no event is without a metric.
  record.json().member("congestion_window", event.congestion_window);
  record.json().member("bytes_in_flight", event.bytes_in_flight);
  metrics.slow_start_threshold();
  metrics.member("packets_in_flight", &Metrics::packets_in_flight);
  metrics.pacing_rate();
  metrics_ = event;
  has_metrics_ = true;
}

void QlogSink::write(Instant now, const trace::CongestionStateUpdated& event) {
  Log::Event record(log_, now, "quic:congestion_state_updated");
  if (event.old) record.json().member("old", name_of(*event.old));
  record.json().member("new", name_of(event.state));
  write_text(record.json(), "trigger", event.trigger);
}

void QlogSink::write(Instant now, const trace::TimerUpdated& event) {
  Log::Event record(log_, now, "quic:timer_updated");
  JsonWriter& json = record.json();
  json.member("timer_type", name_of(event.kind));
  if (event.space) json.member("packet_number_space", name_of(*event.space));
  json.member("event_type", name_of(event.change));
  if (event.change == trace::TimerChange::set && !event.delta.is_infinite()) json.member("delta", event.delta);
}

void QlogSink::write(Instant now, const trace::EcnStateUpdated& event) {
  Log::Event record(log_, now, "quic:ecn_state_updated");
  if (event.old) record.json().member("old", name_of(*event.old));
  record.json().member("new", name_of(event.state));
}

}  // namespace quoll::qlog
