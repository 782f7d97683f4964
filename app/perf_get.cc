// quoll perf get: loads an HTTP/3 server and tells how it does.
#include <csignal>
#include <cstdio>
#include <expected>

#include "app/cert.h"
#include "app/perf.h"
#include "app/perf_load.h"
#include "app/perf_options.h"
#include "app/perf_report.h"
#include "os/trust.h"
#include "web/resolve.h"

namespace quoll::app {
namespace {

/// Until tickets, tokens and the last acknowledgments of idle connections are over.
constexpr Duration kSettleTime = Duration::seconds(1);
/// What a server that answers at all needs to tell of itself, many times over.
constexpr Duration kAskTime = Duration::seconds(10);

class PerfGet {
 public:
  explicit PerfGet(const PerfGetOptions& options) : options_(options), data_(options.cold) {}

  /// The exit code.
  int run();

 private:
  int complain(std::string_view subject, std::string_view why) { return failed(kPerfGetUsage, subject, why); }
  bool make_config();
  PerfPlan plan() const;
  PerfPlan base_plan(std::string_view method, std::string_view path) const;
  /// What the server tells of itself; empty when it does not. An Error is a line for a person: nobody is there.
  std::expected<std::optional<PerfServerFacts>, std::string> ask();

  const PerfGetOptions& options_;
  const PerfData data_;
  SocketAddress remote_;
  std::shared_ptr<quic::ClientConfig> config_;
};

bool PerfGet::make_config() {
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {std::string(h3::kProtocol)};
  if (options_.cipher) tls->preferences.cipher_suites = {*options_.cipher};
  tls->verification = tls::PeerVerification::none;
  if (!options_.authorities.empty()) {
    auto trust = std::make_shared<x509::TrustStore>();
    for (const std::string& path : options_.authorities) {
      if (const auto loaded = os::load_trust_file(*trust, path.c_str()); !loaded) {
        complain("--cacert " + path, error_text(loaded.error()));
        return false;
      }
    }
    tls->verification = tls::PeerVerification::chain;
    tls->trust = std::move(trust);
  }
  config_ = std::make_shared<quic::ClientConfig>();
  config_->tls = std::move(tls);
  config_->transport = options_.transport.config();
  h3::prepare(config_->transport, {});
  return true;
}

PerfPlan PerfGet::base_plan(std::string_view method, std::string_view path) const {
  PerfPlan plan;
  plan.remote = remote_;
  plan.server_name = options_.url.host;
  plan.config = config_;
  plan.request = {{":method", method}, {":scheme", "https"}, {":authority", options_.url.authority()}, {":path", path}};
  plan.request.add("user-agent", "quoll");
  return plan;
}

PerfPlan PerfGet::plan() const {
  PerfPlan plan = base_plan(options_.upload ? "POST" : "GET", options_.path());
  if (options_.upload) {
    plan.upload = options_.size;
    plan.request.add("content-length", std::to_string(options_.size));
  }
  plan.connections = options_.connections;
  plan.streams = options_.streams;
  plan.requests = options_.requests;
  plan.time = options_.time;
  plan.work = options_.work;
  plan.resumes = options_.resume;
  plan.early_data = options_.early_data;
  if (options_.work == PerfWork::idle) plan.linger = kSettleTime;
  return plan;
}

std::expected<std::optional<PerfServerFacts>, std::string> PerfGet::ask() {
  if (options_.foreign) return std::nullopt;
  PerfPlan plan = base_plan("GET", kPerfStatisticsPath);
  plan.time = kAskTime;
  auto load = PerfLoad::create(std::move(plan), data_);
  if (!load) return std::unexpected("a UDP socket: " + error_text(load.error()));
  if (const Result<void> ran = (*load)->run(); !ran)
    return std::unexpected("the event loop: " + error_text(ran.error()));
  if ((*load)->result().connections == 0) return std::unexpected((*load)->result().failure);
  (*load)->close();
  return PerfServerFacts::parse((*load)->result().fields);
}

int PerfGet::run() {
  const web::Resolved resolved = web::resolve(options_.url.host, options_.ipv4, options_.ipv6);
  if (resolved.addresses.empty()) return complain(options_.url.host, resolved.failure);
  remote_ = SocketAddress{.ip = resolved.addresses.front(), .port = options_.url.port};
  if (!make_config()) return kFailed;

  const auto before = ask();
  if (!before) return complain(options_.url.authority(), before.error());
  auto load = PerfLoad::create(plan(), data_);
  if (!load) return complain("a UDP socket", error_text(load.error()));
  if (const Result<void> ran = (*load)->run(); !ran) return complain("the event loop", error_text(ran.error()));
  // While connections are open: their memory is part of the answer.
  const auto after = ask().value_or(std::nullopt);
  (*load)->close();

  const PerfResult& result = (*load)->result();
  const PerfReport report{.options = options_, .result = result, .before = *before, .after = after};
  std::fputs((options_.json ? report.json() : report.text()).c_str(), stdout);
  if (result.failed == 0 && result.failure.empty()) return 0;
  return complain(options_.url.authority(), result.failure.empty() ? "requests failed" : result.failure);
}

}  // namespace

int perf_get(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kPerfGetUsage, arguments);
  if (!parsed) return parsed.error();
  PerfGetOptions options;
  if (const std::string wrong = read_perf_get_options(*parsed, options); !wrong.empty()) {
    return wrong_usage(kPerfGetUsage, wrong);
  }
  signal(SIGPIPE, SIG_IGN);
  return PerfGet(options).run();
}

}  // namespace quoll::app
