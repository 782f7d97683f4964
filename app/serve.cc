// quoll serve: an HTTP/3 server of static files, or of a small site for demonstration.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "app/access_log.h"
#include "app/cert.h"
#include "app/commands.h"
#include "app/demo_site.h"
#include "app/heap_trim.h"
#include "app/line_file.h"
#include "app/metrics_server.h"
#include "app/serve_certificates.h"
#include "app/serve_metrics.h"
#include "app/serve_options.h"
#include "app/signals.h"
#include "http/method.h"
#include "http/status.h"
#include "udp/loop.h"
#include "web/key_log_file.h"
#include "web/server.h"
#include "web/static_files.h"

namespace quoll::app {
namespace {

constexpr unsigned kAccessLogMode = 0644;
/// Two trains of the pacer's.
constexpr Duration kKernelPacingHorizon = Duration::milliseconds(2);

void note(const std::string& text) { std::fputs(("quoll serve: " + text + "\n").c_str(), stderr); }

/// Each file that is being sent is a descriptor: what the system grants is asked for.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// One run of the server, with all that belongs to it.
class Serving {
 public:
  explicit Serving(ServeOptions options) : options_(std::move(options)), certificates_(options_.certificates) {}

  /// The exit code.
  int run();

 private:
  bool open_files();
  bool listen();
  bool start_metrics();
  void announce() const;
  void print_browser_hint() const;
  void take_signal(int signal);
  void reload();

  web::ServerOptions server_options(tls::Identities identities) const;
  void handle(web::Exchange& exchange);
  void watch_end(web::Exchange& exchange);
  MetricsSources metrics_sources() const;

  const ServeOptions options_;
  ServeCertificates certificates_;
  const UnixTime start_ = now();
  ExchangeCounts counts_;
  std::unique_ptr<web::KeyLogFile> key_log_;
  std::unique_ptr<LineFile> access_log_;
  std::optional<web::StaticFiles> files_;
  std::unique_ptr<web::Server> server_;
  std::unique_ptr<MetricsServer> metrics_;
  bool stopping_ = false;  // the signal thread's
};

/// One line on stderr, and false.
bool complain(const std::string& subject, const std::string& why) {
  failed(kServeUsage, subject, why);
  return false;
}

bool Serving::open_files() {
  if (options_.root) {
    auto files = web::StaticFiles::create(
        {.root = *options_.root, .listing = options_.listing, .cache_control = options_.cache_control});
    if (!files) return complain(*options_.root, error_text(files.error()));
    files_ = std::move(*files);
  }
  if (options_.qlog_directory) {
    struct stat status{};
    const bool found = stat(options_.qlog_directory->c_str(), &status) == 0;
    if (!found || !S_ISDIR(status.st_mode)) {
      return complain(*options_.qlog_directory, std::strerror(found ? ENOTDIR : errno));
    }
  }
  if (options_.key_log) {
    auto log = web::KeyLogFile::open(*options_.key_log);
    if (!log) return complain(*options_.key_log, error_text(log.error()));
    key_log_ = std::move(*log);
  }
  if (options_.access_log) {
    auto log = LineFile::open(*options_.access_log, kAccessLogMode);
    if (!log) return complain(*options_.access_log, log.error());
    access_log_ = std::move(*log);
  }
  return true;
}

web::ServerOptions Serving::server_options(tls::Identities identities) const {
  web::ServerOptions server;
  server.listen = options_.listen;
  server.identities = std::move(identities);
  server.workers = options_.workers;
  server.retry = options_.retry ? quic::RetryPolicy::always : quic::RetryPolicy::under_load;
  options_.sending.apply(server.transport);
  if (options_.kernel_paces) {
    server.socket.departures = true;
    server.transport.departure_horizon = kKernelPacingHorizon;
  }
  server.early_data = options_.early_data;
  server.key_log = key_log_.get();
  server.qlog_directory = options_.qlog_directory.value_or("");
  server.drain = options_.drain;
  return server;
}

bool is_address_missing(const Error& error) {
  return error.domain == ErrorDomain::system && (error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT);
}

bool Serving::listen() {
  auto identities = certificates_.load();
  if (!identities) {
    note(identities.error());
    return false;
  }
  web::ServerOptions wanted = server_options(std::move(*identities));
  const auto handler = [this](web::Exchange& exchange) { handle(exchange); };
  auto server = web::Server::listen(wanted, handler);
  if (!server && options_.listen_by_default && is_address_missing(server.error())) {
    // A machine without IPv6, or without IPv4: what there is of localhost will do.
    for (const SocketAddress& only : options_.listen) {
      if (server) break;
      wanted.listen = {only};
      server = web::Server::listen(wanted, handler);
    }
  }
  if (!server) {
    std::string where;
    for (const SocketAddress& address : options_.listen) where += (where.empty() ? "" : ", ") + address.to_string();
    return complain(where, error_text(server.error()));
  }
  server_ = std::move(*server);
  return true;
}

MetricsSources Serving::metrics_sources() const {
  ProcessFacts process = ProcessFacts::read();
  process.start_seconds = start_.as_seconds();
  return {.exchanges = counts_,
          .server = server_->statistics(),
          .log_lines_lost = access_log_ ? access_log_->lost() : 0,
          .process = process};
}

bool Serving::start_metrics() {
  if (!options_.metrics) return true;
  auto metrics = MetricsServer::start(*options_.metrics, [this] { return metrics_text(metrics_sources()); });
  if (!metrics) return complain(options_.metrics->to_string(), metrics.error());
  metrics_ = std::move(*metrics);
  note("metrics at http://" + metrics_->address().to_string() + "/metrics");
  return true;
}

/// Said in one piece, so that whoever waits for the first line can rely on what follows.
void Serving::announce() const {
  for (const std::string& notice : server_->notices()) note(notice);
  std::string text = "listening on";
  if (options_.listen_by_default) {
    text.append(" https://localhost:").append(std::to_string(server_->addresses().front().port)).append("/");
  } else {
    for (const SocketAddress& address : server_->addresses()) text.append(" https://" + address.to_string() + "/");
  }
  text += '\n';
  if (!certificates_.pin().empty()) text.append("pin: ").append(certificates_.pin()).append("\n");
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  if (!certificates_.pin().empty() && isatty(STDOUT_FILENO)) print_browser_hint();
}

/// No browser trusts a certificate that was made on the spot, nor tries HTTP/3 first, unless it is told to.
void Serving::print_browser_hint() const {
  const std::string host = "localhost:" + std::to_string(server_->addresses().front().port);
  std::string text = "To look at it:\n  chromium --user-data-dir=$(mktemp -d) --origin-to-force-quic-on=";
  text.append(host).append(" \\\n    --ignore-certificate-errors-spki-list=").append(certificates_.pin());
  text.append(" https://").append(host).append("/\n");
  std::fputs(text.c_str(), stderr);
}

/// By the signal thread. A second signal to end does not wait for anybody.
void Serving::take_signal(int signal) {
  if (signal == SIGHUP) {
    reload();
    return;
  }
  if (!stopping_) note("ending when open requests have ended; again to end at once");
  stopping_ = true;
  server_->stop();
}

void Serving::reload() {
  if (access_log_ && !access_log_->reopen())
    note(*options_.access_log + ": cannot be opened anew: the old file is kept");
  auto identities = certificates_.load();
  if (!identities) {
    note(identities.error() + "; the old certificates are kept");
    return;
  }
  server_->set_identities(std::move(*identities));
  note("certificates are new");
}

/// Counts the exchange when it ends, and logs it.
void Serving::watch_end(web::Exchange& exchange) {
  if (!access_log_) {
    exchange.on_end([this](const web::Outcome& outcome) { counts_.count(outcome); });
    return;
  }
  exchange.on_end([this, &exchange, begin = udp::now(), time = now()](const web::Outcome& outcome) {
    counts_.count(outcome);
    const AccessRecord record{.exchange = exchange, .outcome = outcome, .begin = time, .duration = udp::now() - begin};
    access_log_->append(access_line(record, options_.log_format));
  });
}

void Serving::handle(web::Exchange& exchange) {
  watch_end(exchange);
  // RFC 8470 §5.2: what a replay could do twice waits for the handshake.
  if (exchange.is_early() && !http::is_safe_method(exchange.method())) {
    web::respond_with_status(exchange, http::status::kTooEarly);
  } else if (files_) {
    files_->serve(exchange);
  } else {
    serve_demo_site(exchange);
  }
}

int Serving::run() {
  signal(SIGPIPE, SIG_IGN);
  const std::vector<int> signal_numbers = {SIGTERM, SIGINT, SIGHUP};
  SignalThread::block(signal_numbers);
  raise_descriptor_limit();
  if (!open_files() || !listen() || !start_metrics()) return kFailed;
  Result<void> served;
  announce();
  {
    // Signals that came before have waited.
    const HeapTrimmer trimmer([this] {
      const web::ServerStatistics statistics = server_->statistics();
      return Activity{statistics.endpoint.accepted, statistics.requests};
    });
    const SignalThread signals(signal_numbers, [this](int signal) { take_signal(signal); });
    served = server_->run();
  }
  metrics_.reset();
  server_.reset();
  if (!served) return failed(kServeUsage, "the server", served.error());
  return 0;
}

}  // namespace

int serve(std::span<char* const> arguments) {
  const auto parsed = Arguments::parse(kServeUsage, arguments);
  if (!parsed) return parsed.error();
  ServeOptions options;
  if (const std::string wrong = read_serve_options(*parsed, options); !wrong.empty()) {
    return wrong_usage(kServeUsage, wrong);
  }
  return Serving(std::move(options)).run();
}

}  // namespace quoll::app
