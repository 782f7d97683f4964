// quoll perf serve: an HTTP/3 server that gives as many bytes as a path says, and swallows what is sent to it.
#include <csignal>
#include <cstdio>

#include "app/cert.h"
#include "app/perf.h"
#include "app/perf_data.h"
#include "app/perf_options.h"
#include "app/serve_certificates.h"
#include "app/serve_metrics.h"
#include "app/signals.h"
#include "http/status.h"
#include "web/server.h"

namespace quoll::app {
namespace {

/// So many bytes of the data.
class PerfBody final : public web::BodySource {
 public:
  PerfBody(const PerfData& data, uint64_t size) : data_(data), size_(size) {}

  Result<Piece> next(size_t max) override {
    Piece piece;
    if (sent_ < size_) piece.data = data_.at(sent_, std::min<uint64_t>(size_ - sent_, max));
    sent_ += piece.data.size();
    piece.end = sent_ == size_;
    return piece;
  }
  std::optional<uint64_t> size() const override { return size_; }
  bool rewind() override {
    sent_ = 0;
    return true;
  }

 private:
  const PerfData& data_;
  const uint64_t size_;
  uint64_t sent_ = 0;
};

class PerfServing {
 public:
  explicit PerfServing(const PerfServeOptions& options)
      : options_(options), certificates_(options.certificates), data_(options.cold) {}

  /// The exit code.
  int run();

 private:
  bool listen();
  void announce() const;
  void handle(web::Exchange& exchange) const;
  void tell_statistics(web::Exchange& exchange) const;

  const PerfServeOptions& options_;
  ServeCertificates certificates_;
  const PerfData data_;
  std::unique_ptr<web::Server> server_;
};

void swallow(web::Exchange& exchange) {
  const auto take = [&exchange] {
    while (exchange.read()) continue;
    if (exchange.is_request_complete()) exchange.send(http::status::kOk);
  };
  exchange.on_readable(take);
  take();
}

void PerfServing::tell_statistics(web::Exchange& exchange) const {
  const ProcessFacts facts = ProcessFacts::read();
  http::FieldSection fields;
  fields.add(kPerfCpuField, std::to_string(facts.cpu_microseconds));
  if (facts.resident_bytes) fields.add(kPerfMemoryField, std::to_string(*facts.resident_bytes));
  fields.add(kPerfConnectionsField, std::to_string(server_->statistics().connections));
  exchange.send(http::status::kOk, fields, "");
}

void PerfServing::handle(web::Exchange& exchange) const {
  if (exchange.method() == "POST" || exchange.method() == "PUT") return swallow(exchange);
  if (exchange.path() == kPerfStatisticsPath) return tell_statistics(exchange);
  const auto size = parse_number(exchange.path().substr(1), kPerfBodyMax);
  if (!size) return exchange.send(http::status::kNotFound, {}, "GET /N asks for N bytes\n");
  exchange.send(http::status::kOk, {}, std::make_unique<PerfBody>(data_, *size));
}

bool PerfServing::listen() {
  auto identities = certificates_.load();
  if (!identities) {
    std::fputs(("quoll perf serve: " + identities.error() + "\n").c_str(), stderr);
    return false;
  }
  web::ServerOptions wanted;
  wanted.listen = options_.listen;
  wanted.identities = std::move(*identities);
  wanted.workers = options_.workers;
  wanted.transport = options_.transport.config();
  // A load is no attack here: Retry would be measured instead.
  wanted.retry = quic::RetryPolicy::never;
  auto server = web::Server::listen(wanted, [this](web::Exchange& exchange) { handle(exchange); });
  if (!server) {
    std::string where;
    for (const SocketAddress& address : options_.listen) where += (where.empty() ? "" : ", ") + address.to_string();
    failed(kPerfServeUsage, where, server.error());
    return false;
  }
  server_ = std::move(*server);
  return true;
}

void PerfServing::announce() const {
  for (const std::string& notice : server_->notices()) std::fprintf(stderr, "quoll perf serve: %s\n", notice.c_str());
  std::string text = "listening on";
  for (const SocketAddress& address : server_->addresses()) text.append(" https://" + address.to_string() + "/");
  std::puts(text.c_str());
  std::fflush(stdout);
}

int PerfServing::run() {
  signal(SIGPIPE, SIG_IGN);
  const std::vector<int> signal_numbers = {SIGTERM, SIGINT};
  SignalThread::block(signal_numbers);
  if (!listen()) return kFailed;
  announce();
  const SignalThread signals(signal_numbers, [this](int) { server_->stop(); });
  const Result<void> served = server_->run();
  return served ? 0 : failed(kPerfServeUsage, "the server", served.error());
}

}  // namespace

int perf_serve(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kPerfServeUsage, arguments);
  if (!parsed) return parsed.error();
  PerfServeOptions options;
  if (const std::string wrong = read_perf_serve_options(*parsed, options); !wrong.empty()) {
    return wrong_usage(kPerfServeUsage, wrong);
  }
  return PerfServing(options).run();
}

}  // namespace quoll::app
