#include "tests/sim/traces.h"

#include <cstdio>
#include <optional>

#include "qlog/log_reader.h"

namespace quoll::sim {
namespace {

class Memory final : public qlog::Output {
 public:
  bool write(std::string_view more) override {
    text.append(more);
    return true;
  }
  std::string text;
};

class File final : public qlog::Output {
 public:
  explicit File(const std::string& name) : file_(std::fopen(name.c_str(), "w")) {
    if (file_) std::setvbuf(file_, nullptr, _IONBF, 0);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() override {
    if (file_) std::fclose(file_);
  }
  bool write(std::string_view more) override {
    return file_ && std::fwrite(more.data(), 1, more.size(), file_) == more.size();
  }

 private:
  std::FILE* file_;
};

const char* name_of(quic::Role role) { return role == quic::Role::client ? "client" : "server"; }

}  // namespace

struct Traces::Trace {
  Trace(std::unique_ptr<qlog::Output> to, const qlog::LogHeader& header, const qlog::LogOptions& options)
      : role(header.role), output(std::move(to)), log(*output, header, options), sink(log, header.role) {}

  quic::Role role;
  std::unique_ptr<qlog::Output> output;
  qlog::Log log;
  qlog::QlogSink sink;
};

Traces::Traces(uint64_t size_max) : size_max_(size_max) {}
Traces::Traces(std::string files) : files_(std::move(files)) {}
Traces::~Traces() = default;

TraceSink<quic::TraceEvent>* Traces::begin(quic::Role role, Bytes original_destination) {
  auto& traces = traces_[of(role)];
  if (traces.size() == kTracesMax) return nullptr;
  std::unique_ptr<qlog::Output> output = std::make_unique<Memory>();
  if (!files_.empty()) {
    const std::string number = std::to_string(traces.size() + 1);
    output = std::make_unique<File>(files_ + "-" + name_of(role) + "-" + number + ".sqlog");
  }
  const qlog::LogHeader header{
      .role = role, .vantage_point = name_of(role), .original_destination = original_destination, .start = Instant()};
  qlog::LogOptions options{.size_max = size_max_};
  if (!files_.empty()) options.buffer_size = 0;
  return &traces.emplace_back(std::make_unique<Trace>(std::move(output), header, options))->sink;
}

std::string Traces::check() {
  for (const quic::Role role : {quic::Role::client, quic::Role::server}) {
    for (const auto& trace : traces_[of(role)]) {
      trace->log.flush();
      std::string wrong = check(*trace, summaries_[of(role)].emplace_back());
      const std::string number = std::to_string(summaries_[of(role)].size());
      if (!wrong.empty()) return std::string("the trace of ") + name_of(role) + " " + number + ": " + wrong;
    }
  }
  return {};
}

std::string Traces::check(const Trace& trace, std::optional<qlog::Summary>& summary) const {
  const std::string& text = static_cast<const Memory&>(*trace.output).text;
  if (text.size() > size_max_) return "grew beyond its limit";
  if (text.empty()) return trace.log.is_closed() ? "" : "is empty";
  qlog::LogReader reader(text);
  qlog::Summary sum;
  double last = 0;
  while (const auto event = reader.next()) {
    if (event->time < last) return "goes back in time";
    last = event->time;
    sum.add(*event);
  }
  if (reader.failure()) return "record " + std::to_string(reader.failure()->record) + ": " + reader.failure()->what;
  if (!trace.log.is_closed()) summary = std::move(sum);
  return {};
}

}  // namespace quoll::sim
