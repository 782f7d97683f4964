// quoll_link: an emulated link between two network namespaces (README.md).
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "interop/link/command_line.h"
#include "interop/link/link.h"

namespace quoll::link {
namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;
constexpr int kRealTimePriority = 20;

int fail(const std::string& what, const Error& error) {
  const char* code = error.domain == ErrorDomain::system ? std::strerror(static_cast<int>(error.code)) : "";
  std::fprintf(stderr, "quoll_link: %s: %s: %s\n", what.c_str(), error.reason, code);
  return kFailed;
}

/// Before all ordinary processes, if that is permitted: a link that waits for its turn makes bursts of smooth flows.
bool become_real_time() {
  (void)::prctl(PR_SET_TIMERSLACK, 1);
  (void)::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  sched_param parameters{};
  parameters.sched_priority = kRealTimePriority;
  return ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0;
}

int open_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

uint64_t draw_seed() {
  uint32_t seed = 0;  // short enough to be typed again
  if (::getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = static_cast<uint32_t>(::getpid());
  return uint64_t{seed} + 1;
}

void say(int fd, std::string_view text) {
  if (::write(fd, text.data(), text.size()) < 0) return;  // nobody listens
}

Result<Side> open_side(const SideOptions& options) {
  std::unique_ptr<PcapWriter> pcap;
  if (!options.pcap.empty()) {
    Result<std::unique_ptr<PcapWriter>> created = PcapWriter::create(options.pcap);
    if (!created) return std::unexpected(created.error());
    pcap = std::move(*created);
  }
  Result<TunDevice> device = TunDevice::create(options.network_namespace, "eth0", options.addresses);
  if (!device) return std::unexpected(device.error());
  return Side{.device = std::move(*device), .pcap = std::move(pcap)};
}

bool write_statistics(const std::string& path, const Statistics& statistics) {
  if (path.empty()) return true;
  FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const std::string json = statistics.json();
  const bool written = std::fwrite(json.data(), 1, json.size(), file) == json.size();
  return std::fclose(file) == 0 && written;
}

/// Carries packets until a signal says that it is enough.
Result<void> run(Link& link, const Options& options, int signals) {
  if (!options.wait_for_start) link.begin();
  say(options.ready_fd, "ready\n");
  bool begun = !options.wait_for_start;
  for (;;) {
    if (const Result<void> ran = link.run(signals); !ran) return ran;
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof info) != sizeof info) continue;
    if (info.ssi_signo != SIGUSR1) return {};
    if (begun) continue;
    begun = true;
    link.begin();
    say(options.ready_fd, "started\n");
  }
}

int main_with(std::span<char* const> arguments) {
  const std::expected<Options, std::string> options = parse_command_line(arguments);
  if (!options) {
    std::fprintf(stderr, "quoll_link: %s; --help lists the options\n", options.error().c_str());
    return kUsageError;
  }
  if (options->help) {
    std::fputs(help_text().c_str(), stdout);
    return 0;
  }
  const int signals = open_signals();
  Result<Side> left = open_side(options->left);
  if (!left) return fail("left", left.error());
  Result<Side> right = open_side(options->right);
  if (!right) return fail("right", right.error());
  Link link(options->scenario, options->seed != 0 ? options->seed : draw_seed(), std::move(*left), std::move(*right));
  const bool real_time = become_real_time();
  if (const Result<void> ran = run(link, *options, signals); !ran) return fail("link", ran.error());
  Statistics statistics = link.statistics();
  statistics.real_time = real_time;
  if (!link.close_captures()) {
    std::fputs("quoll_link: a capture could not be written\n", stderr);
    return kFailed;
  }
  if (!write_statistics(options->statistics, statistics)) {
    std::fprintf(stderr, "quoll_link: cannot write %s: %s\n", options->statistics.c_str(), std::strerror(errno));
    return kFailed;
  }
  return 0;
}

}  // namespace
}  // namespace quoll::link

int main(int argument_count, char** arguments) {
  const auto count = static_cast<size_t>(argument_count > 0 ? argument_count - 1 : 0);
  return quoll::link::main_with({arguments + 1, count});
}
