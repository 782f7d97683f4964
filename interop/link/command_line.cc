#include "interop/link/command_line.h"

#include <algorithm>
#include <optional>

namespace quoll::link {
namespace {

using Kind = Scenario::Kind;

constexpr unsigned bit(Kind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr unsigned kAlways = ~0u;
constexpr unsigned kRandom = bit(Kind::drop_rate) | bit(Kind::corrupt_rate);
constexpr Kind kKinds[] = {Kind::simple_p2p, Kind::drop_rate, Kind::corrupt_rate,
                           Kind::droplist,   Kind::blackhole, Kind::rebind};

/// Stores what was parsed, if anything was.
template <class To, class T>
bool store(To& to, std::optional<T> parsed) {
  if (parsed) to = static_cast<To>(std::move(*parsed));
  return parsed.has_value();
}

bool store_path(std::string& to, std::string_view value) {
  to = value;
  return !value.empty();
}

bool add_address(SideOptions& side, std::string_view value) {
  const std::optional<InterfaceAddress> address = parse_interface_address(value);
  if (address) side.addresses.push_back(*address);
  return address.has_value();
}

bool store_directions(Scenario& scenario, std::string_view value) {
  if (value == "both") scenario.directions = Scenario::Directions::both;
  if (value == "toserver") scenario.directions = Scenario::Directions::to_server;
  if (value == "toclient") scenario.directions = Scenario::Directions::to_client;
  return value == "both" || value == "toserver" || value == "toclient";
}

bool store_ready_fd(int& to, std::string_view value) {
  const std::optional<uint64_t> number = parse_count(value);
  return number && *number < 1'000'000 && store(to, number);
}

struct Setting {
  std::string_view name;
  std::string_view value;  // what it is called in the help; empty: a flag
  std::string_view help;
  unsigned kinds;  // the scenarios that have it
  bool (*set)(Options&, std::string_view);
};

const Setting kSettings[] = {
    {"left", "NETNS", "network namespace of the client, a path", kAlways,
     [](Options& o, std::string_view v) { return store_path(o.left.network_namespace, v); }},
    {"right", "NETNS", "network namespace of the server", kAlways,
     [](Options& o, std::string_view v) { return store_path(o.right.network_namespace, v); }},
    {"left-address", "ADDRESS/SIZE", "address of the client's eth0, instead of the usual ones; may be repeated",
     kAlways, [](Options& o, std::string_view v) { return add_address(o.left, v); }},
    {"right-address", "ADDRESS/SIZE", "the same for the server's", kAlways,
     [](Options& o, std::string_view v) { return add_address(o.right, v); }},
    {"pcap-left", "FILE", "write what the client's side sees", kAlways,
     [](Options& o, std::string_view v) { return store_path(o.left.pcap, v); }},
    {"pcap-right", "FILE", "write what the server's side sees", kAlways,
     [](Options& o, std::string_view v) { return store_path(o.right.pcap, v); }},
    {"statistics", "FILE", "write statistics as JSON at the end", kAlways,
     [](Options& o, std::string_view v) { return store_path(o.statistics, v); }},
    {"seed", "N", "for all that is random; without it, or 0: a new one every time", kAlways,
     [](Options& o, std::string_view v) { return store(o.seed, parse_count(v)); }},
    {"ready-fd", "FD", "say \"ready\" there when packets can be sent; without it on stdout", kAlways,
     [](Options& o, std::string_view v) { return store_ready_fd(o.ready_fd, v); }},
    {"wait-for-start", "", "only carry packets until SIGUSR1, then begin scenario, captures and statistics", kAlways,
     [](Options& o, std::string_view) { return o.wait_for_start = true; }},
    {"help", "", "print this", kAlways, [](Options& o, std::string_view) { return o.help = true; }},

    {"delay", "TIME", "one way; 15ms without it", kAlways,
     [](Options& o, std::string_view v) { return store(o.scenario.wire.delay, parse_time(v)); }},
    {"bandwidth", "RATE", "each way; 10Mbps without it", kAlways,
     [](Options& o, std::string_view v) { return store(o.scenario.wire.rate, parse_rate(v)); }},
    {"queue", "PACKETS", "each way; 25 without it", kAlways,
     [](Options& o, std::string_view v) { return store(o.scenario.wire.queue, parse_count(v)); }},
    {"rate-steps", "RATE@TIME,...", "bandwidths from these times on, counted from the start", kAlways,
     [](Options& o, std::string_view v) { return store(o.scenario.wire.steps, parse_rate_steps(v)); }},
    {"ecn-threshold", "PACKETS", "mark Congestion Experienced on packets that find so many waiting", kAlways,
     [](Options& o, std::string_view v) { return store(o.scenario.wire.ecn_threshold, parse_count(v)); }},
    {"jitter", "TIME", "lengthen each packet's delay by up to this, so that packets overtake each other", kAlways,
     [](Options& o, std::string_view v) { return store(o.scenario.wire.jitter, parse_time(v)); }},

    {"rate_to_server", "PERCENT", "of the UDP datagrams are hit", kRandom,
     [](Options& o, std::string_view v) { return store(o.scenario.to_server.rate, parse_percent(v)); }},
    {"rate_to_client", "PERCENT", "the same", kRandom,
     [](Options& o, std::string_view v) { return store(o.scenario.to_client.rate, parse_percent(v)); }},
    {"burst_to_server", "N", "at most so many are hit in a row", kRandom,
     [](Options& o, std::string_view v) { return store(o.scenario.to_server.burst_max, parse_count(v)); }},
    {"burst_to_client", "N", "the same", kRandom,
     [](Options& o, std::string_view v) { return store(o.scenario.to_client.burst_max, parse_count(v)); }},
    {"drops_to_server", "N,N,...", "UDP datagrams that are lost, counted from 1", bit(Kind::droplist),
     [](Options& o, std::string_view v) { return store(o.scenario.to_server.drops, parse_numbers(v)); }},
    {"drops_to_client", "N,N,...", "the same", bit(Kind::droplist),
     [](Options& o, std::string_view v) { return store(o.scenario.to_client.drops, parse_numbers(v)); }},
    {"on", "TIME", "how long packets pass", bit(Kind::blackhole),
     [](Options& o, std::string_view v) { return store(o.scenario.on, parse_time(v)); }},
    {"off", "TIME", "and then are lost", bit(Kind::blackhole),
     [](Options& o, std::string_view v) { return store(o.scenario.off, parse_time(v)); }},
    {"repeat", "N", "so often; once without it", bit(Kind::blackhole),
     [](Options& o, std::string_view v) { return store(o.scenario.repeat, parse_count(v)); }},
    {"direction", "WHICH", "both, toserver or toclient", bit(Kind::blackhole),
     [](Options& o, std::string_view v) { return store_directions(o.scenario, v); }},
    {"first-rebind", "TIME", "when the client's ports change", bit(Kind::rebind),
     [](Options& o, std::string_view v) { return store(o.scenario.nat.first, parse_time(v)); }},
    {"rebind-freq", "TIME", "and how often after that", bit(Kind::rebind),
     [](Options& o, std::string_view v) { return store(o.scenario.nat.every, parse_time(v)); }},
    {"rebind-addr", "", "addresses change too", bit(Kind::rebind),
     [](Options& o, std::string_view) { return o.scenario.nat.addresses = true; }},
};

const Setting* find_setting(std::string_view name) {
  const auto found = std::find_if(std::begin(kSettings), std::end(kSettings), [&](auto& s) { return s.name == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

std::optional<Kind> find_kind(std::string_view name) {
  for (const Kind kind : kKinds) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

using Wrong = std::unexpected<std::string>;

/// What is still missing when all was read.
std::optional<std::string> missing(const Options& options, bool has_scenario) {
  const Scenario& scenario = options.scenario;
  if (options.left.network_namespace.empty()) return "--left is missing";
  if (options.right.network_namespace.empty()) return "--right is missing";
  if (!has_scenario) return "the scenario is missing";
  if (scenario.kind == Kind::blackhole && scenario.on.is_zero()) return "blackhole wants --on";
  if (scenario.kind == Kind::blackhole && scenario.off.is_zero()) return "blackhole wants --off";
  if (scenario.kind == Kind::rebind && scenario.nat.first.is_zero()) return "rebind wants --first-rebind";
  return std::nullopt;
}

void use_usual_addresses(SideOptions& side, std::string_view ipv4, std::string_view ipv6) {
  if (!side.addresses.empty()) return;
  add_address(side, ipv4);
  add_address(side, ipv6);
}

}  // namespace

std::expected<Options, std::string> parse_command_line(std::span<char* const> arguments) {
  Options options;
  std::optional<Kind> kind;
  std::vector<const Setting*> given;
  for (size_t i = 0; i < arguments.size(); i++) {
    const std::string argument = arguments[i];
    if (!argument.starts_with("--")) {
      if (kind) return Wrong("there is one scenario, and then comes \"" + argument + '"');
      kind = find_kind(argument);
      if (!kind) return Wrong("there is no scenario \"" + argument + '"');
      continue;
    }
    const size_t equals = argument.find('=');
    const Setting* setting = find_setting(std::string_view(argument).substr(2, equals - 2));
    if (setting == nullptr) return Wrong("there is no option " + argument.substr(0, equals));
    std::string_view value;
    if (equals != std::string::npos) value = std::string_view(argument).substr(equals + 1);
    if (setting->value.empty() && equals != std::string::npos)
      return Wrong(argument.substr(0, equals) + " takes no value");
    if (!setting->value.empty() && equals == std::string::npos) {
      if (i + 1 == arguments.size()) return Wrong(argument + " wants a value");
      value = arguments[++i];
    }
    if (!setting->set(options, value))
      return Wrong(argument.substr(0, equals) + ": not understood: \"" + std::string(value) + '"');
    given.push_back(setting);
  }
  if (options.help) return options;
  options.scenario.kind = kind.value_or(Kind::simple_p2p);
  if (const std::optional<std::string> what = missing(options, kind.has_value())) return Wrong(*what);
  for (const Setting* setting : given) {
    if ((setting->kinds & bit(*kind)) == 0)
      return Wrong(std::string(name_of(*kind)) + " has no option --" + std::string(setting->name));
  }
  use_usual_addresses(options.left, "193.167.0.100/24", "fd00:cafe:cafe::100/64");
  use_usual_addresses(options.right, "193.167.100.100/24", "fd00:cafe:cafe:100::100/64");
  return options;
}

std::string help_text() {
  std::string text =
      "usage: quoll_link --left NETNS --right NETNS [OPTION...] SCENARIO [OPTION...]\n"
      "Carries IP packets between two network namespaces over an emulated link, until SIGTERM or SIGINT.\n\n"
      "Scenarios:";
  for (const Kind kind : kKinds) text += ' ' + std::string(name_of(kind));
  text += '\n';
  unsigned kinds = kAlways + 1;
  for (const Setting& setting : kSettings) {
    if (setting.kinds != kinds) {
      kinds = setting.kinds;
      text += '\n';
      for (const Kind kind : kKinds) {
        if (kinds != kAlways && (kinds & bit(kind)) != 0) text += std::string(name_of(kind)) + ' ';
      }
      text += kinds == kAlways ? "Options:\n" : "has:\n";
    }
    std::string left = "  --" + std::string(setting.name);
    if (!setting.value.empty()) left += '=' + std::string(setting.value);
    left.resize(std::max<size_t>(left.size() + 2, 34), ' ');
    text += left + std::string(setting.help) + '\n';
  }
  return text;
}

}  // namespace quoll::link
