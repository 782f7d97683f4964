// quoll get: transfers URLs. What happens to each is a Transfer's (get_transfer.h); here the client is made, and the
// transfers take turns.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "app/cert.h"
#include "app/commands.h"
#include "app/get_console.h"
#include "app/get_options.h"
#include "app/get_transfer.h"
#include "app/interrupt_watch.h"
#include "os/trust.h"
#include "udp/loop.h"
#include "web/key_log_file.h"
#include "web/session_file.h"

namespace quoll::app {
namespace {

constexpr Duration kTick = Duration::milliseconds(20);
constexpr Duration kDrawEvery = Duration::milliseconds(200);

int code_of(GetExit exit) { return static_cast<int>(exit); }

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};

/// Whom to trust. Null, after a message, when that cannot be had.
std::shared_ptr<const x509::TrustStore> load_trust(const GetOptions& options, GetConsole& console) {
  auto trust = std::make_shared<x509::TrustStore>();
  if (options.authorities.empty()) {
    if (const auto loaded = os::load_system_trust(*trust); loaded) return trust;
    console.error("the system has no authorities to trust: --cacert FILE names some, --pin names the server");
    return nullptr;
  }
  for (const std::string& path : options.authorities) {
    const auto loaded = os::load_trust_file(*trust, path.c_str());
    if (loaded) continue;
    console.error("--cacert " + path + ": " + error_text(loaded.error()));
    return nullptr;
  }
  return trust;
}

/// The addresses that --resolve gives for a host.
std::vector<IpAddress> resolve_by(const std::vector<ResolveRule>& rules, const std::string& host, uint16_t port) {
  for (const ResolveRule& rule : rules) {
    if ((rule.host == host || rule.host == "*") && rule.port == port) return rule.addresses;
  }
  return {};
}

std::optional<std::pair<std::string, uint16_t>> connect_by(const std::vector<ConnectRule>& rules,
                                                           const std::string& host, uint16_t port) {
  for (const ConnectRule& rule : rules) {
    if (!rule.from_host.empty() && rule.from_host != host) continue;
    if (rule.from_port && *rule.from_port != port) continue;
    return std::pair(rule.to_host.empty() ? host : rule.to_host, rule.to_port.value_or(port));
  }
  return {};
}

/// One run of the command.
class GetRun {
 public:
  explicit GetRun(const GetOptions& options) : options_(options), console_(options) {}

  int run() {
    signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of write(), which has a message and a code
    InterruptWatch watch([this] {
      if (web::Client* const client = stoppable_.load()) client->stop();
    });
    watch_ = &watch;
    if (const GetExit exit = prepare(); exit != GetExit::ok) return code_of(exit);
    stoppable_ = client_.get();
    transfer();
    console_.finish_progress();
    client_->close();  // after an interruption too, at once then: servers need not wait for a client that is gone
    const GetExit saved = save();
    if (exit_ == GetExit::ok) exit_ = saved;
    transfers_.clear();
    stoppable_ = nullptr;
    client_.reset();
    watch.end_process();
    return code_of(exit_);
  }

 private:
  GetExit prepare() {
    if (const GetExit exit = open_files(); exit != GetExit::ok) return exit;
    web::ClientOptions client;
    if (const GetExit exit = make_tls(client); exit != GetExit::ok) return exit;
    make_transport(client);
    if (const GetExit exit = check_qlog_directory(client.qlog_directory); exit != GetExit::ok) return exit;
    auto created = web::Client::create(std::move(client));
    if (!created) {
      console_.error("no socket: " + error_text(created.error()));
      return GetExit::connect;
    }
    client_ = std::move(*created);
    if (options_.session_file.empty()) return GetExit::ok;
    const auto loaded = web::load_sessions(options_.session_file, trust_digest_, client_->resumption());
    if (loaded) return GetExit::ok;
    console_.error("--session " + options_.session_file + ": " + error_text(loaded.error()));
    return GetExit::read_error;
  }

  GetExit open_files() {
    if (!options_.dump_header.empty()) {
      heads_.reset(options_.dump_header == "-" ? stdout : std::fopen(options_.dump_header.c_str(), "wbe"));
      if (!heads_) {
        console_.error("-D " + options_.dump_header + ": " + std::strerror(errno));
        return GetExit::write_error;
      }
    }
    const auto given = options_.key_log.empty() ? std::nullopt : std::optional<std::string_view>(options_.key_log);
    if (const auto path = option_or_environment(given, "SSLKEYLOGFILE")) {
      auto opened = web::KeyLogFile::open(*path);
      if (!opened) {
        console_.error("--keylog " + *path + ": " + error_text(opened.error()));
        return GetExit::write_error;
      }
      key_log_ = std::move(*opened);
    }
    return GetExit::ok;
  }

  GetExit check_qlog_directory(const std::string& path) {
    if (path.empty() || access(path.c_str(), W_OK | X_OK) == 0) return GetExit::ok;
    console_.error("--qlog " + path + ": " + std::strerror(errno));
    return GetExit::write_error;
  }

  GetExit make_tls(web::ClientOptions& client) {
    auto tls = std::make_shared<tls::ClientConfig>();
    tls->key_log = key_log_.get();
    if (options_.cipher) tls->preferences.cipher_suites = {*options_.cipher};
    std::shared_ptr<const x509::TrustStore> trust;
    // A pinned key says who the server is, whoever signed its certificate.
    const bool by_authorities = !options_.insecure && (options_.pins.empty() || !options_.authorities.empty());
    if (by_authorities && !(trust = load_trust(options_, console_))) return GetExit::bad_ca_file;
    trust_digest_ = web::trust_digest(trust.get(), options_.pins);
    if (trust || !options_.pins.empty()) {
      judge_.emplace(trust, options_.pins);
      tls->verifier = [this](const tls::PeerCertificates& peer) { return judge_->verify(peer); };
    } else {
      tls->verification = tls::PeerVerification::none;
    }
    client.tls = std::move(tls);
    return GetExit::ok;
  }

  void make_transport(web::ClientOptions& client) const {
    options_.sending.apply(client.transport);
    if (options_.version) {
      client.original_version = options_.version;
      client.transport.versions = {*options_.version};
    }
    const auto given =
        options_.qlog_directory.empty() ? std::nullopt : std::optional<std::string_view>(options_.qlog_directory);
    client.qlog_directory = option_or_environment(given, "QLOGDIR").value_or("");
    client.ipv4 = options_.ipv4;
    client.ipv6 = options_.ipv6;
    const GetOptions& options = options_;
    if (!options.resolve.empty()) {
      client.resolve = [&options](const std::string& host, uint16_t port) {
        return resolve_by(options.resolve, host, port);
      };
    }
    if (!options.connect_to.empty()) {
      client.connect_to = [&options](const std::string& host, uint16_t port) {
        return connect_by(options.connect_to, host, port);
      };
    }
  }

  void transfer() {
    GetContext context{.options = options_,
                       .console = console_,
                       .client = *client_,
                       .judge = judge_ ? &*judge_ : nullptr,
                       .heads = heads_.get(),
                       .on_done = [this](Transfer& done) { on_done(done); }};
    context_ = &context;
    begun_ = udp::now();
    client_->on_tick(kTick, [this](Instant now) { on_tick(now); });
    begin_more();
    client_->run();
    while (!retries_.empty() && watch_->signal() == 0) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(kTick.as_nanoseconds()));
      on_tick(udp::now());
      client_->run();
    }
    if (console_.shows_progress()) draw(udp::now());
  }

  bool is_over() const {
    return next_ == options_.urls.size() || watch_->signal() != 0 || (options_.fail_early && exit_ != GetExit::ok);
  }

  /// As many as may go at a time. A transfer that fails at once calls on_done() from within. `last` is one that is done and
  /// whose exchange is still calling.
  void begin_more(const Transfer* last = nullptr) {
    if (beginning_) return;
    beginning_ = true;
    std::erase_if(transfers_, [last](const auto& each) { return each->is_done() && each.get() != last; });
    const size_t limit = options_.parallel ? options_.parallel_max : 1;
    while (active_ < limit && !is_over()) {
      active_++;
      begin({.number = next_++, .first_begun = udp::now()});
      if (transfers_.back()->is_done()) transfers_.pop_back();
    }
    beginning_ = false;
  }

  void begin(const Transfer::Try& which) {
    transfers_.push_back(std::make_unique<Transfer>(*context_, which));
    transfers_.back()->begin();
  }

  void on_done(Transfer& transfer) {
    if (transfer.retry_in()) {  // it keeps its place among those that are active
      retries_.push_back({udp::now() + *transfer.retry_in(), transfer.next_try()});
      return;
    }
    active_--;
    finished_++;
    bytes_finished_ += transfer.bytes_done();
    if (exit_ == GetExit::ok) exit_ = transfer.exit();
    begin_more(&transfer);
  }

  void on_tick(Instant now) {
    for (size_t i = 0; i < transfers_.size(); i++) transfers_[i]->on_tick();
    begin_retries(now);
    if (console_.shows_progress() && now - drawn_ >= kDrawEvery) draw(now);
  }

  void begin_retries(Instant now) {
    const auto due = [now](const Retry& retry) { return retry.at <= now; };
    std::vector<Retry> ready;
    std::ranges::copy_if(retries_, std::back_inserter(ready), due);
    std::erase_if(retries_, due);
    for (const Retry& retry : ready) begin(retry.which);
  }

  void draw(Instant now) {
    drawn_ = now;
    ProgressState state{.done = bytes_finished_, .total = bytes_finished_};
    for (const auto& transfer : transfers_) {
      if (transfer->is_done()) continue;
      state.done += transfer->bytes_done();
      const auto total = transfer->bytes_total();
      state.total = total && state.total ? std::optional(*state.total + *total) : std::nullopt;
    }
    if (next_ < options_.urls.size()) state.total.reset();  // nobody knows what else there is
    meter_.add(now, state.done);
    state.rate = meter_.rate();
    state.elapsed = now - begun_;
    state.transfers = options_.urls.size();
    state.transfers_done = finished_;
    console_.draw(state);
  }

  GetExit save() {
    if (options_.session_file.empty()) return GetExit::ok;
    const auto saved = web::save_sessions(options_.session_file, trust_digest_, client_->resumption(), now());
    if (saved) return GetExit::ok;
    console_.error("--session " + options_.session_file + ": " + error_text(saved.error()));
    return GetExit::write_error;
  }

  const GetOptions& options_;
  GetConsole console_;
  std::unique_ptr<std::FILE, CloseFile> heads_;
  std::unique_ptr<web::KeyLogFile> key_log_;
  std::optional<ServerJudge> judge_;
  web::TrustDigest trust_digest_{};
  std::unique_ptr<web::Client> client_;
  std::atomic<web::Client*> stoppable_ = nullptr;  // the same, for the thread that waits for signals
  const InterruptWatch* watch_ = nullptr;
  GetContext* context_ = nullptr;

  std::vector<std::unique_ptr<Transfer>> transfers_;
  size_t next_ = 0, active_ = 0, finished_ = 0;
  struct Retry {
    Instant at;
    Transfer::Try which;
  };
  std::vector<Retry> retries_;  // that wait for their time
  bool beginning_ = false;
  GetExit exit_ = GetExit::ok;  // of the first that failed

  Instant begun_, drawn_;
  RateMeter meter_;
  uint64_t bytes_finished_ = 0;
};

}  // namespace

int get(std::span<char* const> arguments) {
  const auto options = GetOptions::parse(arguments);
  if (!options) return options.error();
  return GetRun(*options).run();
}

}  // namespace quoll::app
