#include "interop/link/command_line.h"

#include <doctest/doctest.h>

namespace quoll::link {
namespace {

std::expected<Options, std::string> parse(std::vector<std::string> words, bool namespaces = true) {
  if (namespaces) words.insert(words.begin(), {"--left", "/l", "--right=/r"});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return parse_command_line(arguments);
}

std::string complaint(const std::vector<std::string>& words, bool namespaces = true) {
  const std::expected<Options, std::string> options = parse(words, namespaces);
  return options ? "none" : options.error();
}

}  // namespace

TEST_SUITE("interop/link/command_line") {
  TEST_CASE("without options the link is the runner's usual one, with the simulator's addresses") {
    const Options options = parse({"simple-p2p"}).value();
    CHECK_EQ(options.left.network_namespace, "/l");
    CHECK_EQ(options.right.network_namespace, "/r");
    CHECK_EQ(options.scenario.wire.delay, Duration::milliseconds(15));
    CHECK_EQ(options.scenario.wire.rate, Bandwidth::bits_per_second(10'000'000));
    CHECK_EQ(options.scenario.wire.queue, 25);
    REQUIRE_EQ(options.left.addresses.size(), 2);
    CHECK_EQ(options.left.addresses[0].address.to_string(), "193.167.0.100");
    CHECK_EQ(options.right.addresses[1].address.to_string(), "fd00:cafe:cafe:100::100");
    CHECK_EQ(options.right.addresses[1].prefix_size, 64);
    CHECK_FALSE(options.wait_for_start);
  }

  TEST_CASE("the scenarios' own words") {
    Scenario scenario = parse({"drop-rate", "--delay=7.5ms", "--bandwidth=100Mbps", "--queue", "80",
                               "--rate_to_server=30", "--rate_to_client=0.1", "--burst_to_server=3"})
                            .value()
                            .scenario;
    CHECK_EQ(scenario.wire.delay, Duration::microseconds(7'500));
    CHECK_EQ(scenario.wire.rate, Bandwidth::bits_per_second(100'000'000));
    CHECK_EQ(scenario.wire.queue, 80);
    CHECK_EQ(scenario.to_server.rate, 300'000);
    CHECK_EQ(scenario.to_client.rate, 1'000);
    CHECK_EQ(scenario.to_server.burst_max, 3);
    CHECK_EQ(scenario.to_client.burst_max, RandomChoice::kUnlimited);

    scenario = parse({"droplist", "--drops_to_server=2,3,7"}).value().scenario;
    CHECK_EQ(scenario.to_server.drops, std::set<uint64_t>{2, 3, 7});
    scenario = parse({"blackhole", "--on=5s", "--off=2s", "--repeat=2", "--direction=toclient"}).value().scenario;
    CHECK_EQ(scenario.off, Duration::seconds(2));
    CHECK_EQ(scenario.directions, Scenario::Directions::to_client);
    scenario = parse({"rebind", "--first-rebind=1s", "--rebind-freq=5s", "--rebind-addr"}).value().scenario;
    CHECK_EQ(scenario.nat.every, Duration::seconds(5));
    CHECK(scenario.nat.addresses);
    scenario =
        parse({"simple-p2p", "--rate-steps=40Mbps@0s,10Mbps@5s", "--ecn-threshold=5", "--jitter=1ms"}).value().scenario;
    REQUIRE_EQ(scenario.wire.steps.size(), 2);
    CHECK_EQ(scenario.wire.steps[1].rate, Bandwidth::bits_per_second(10'000'000));
    CHECK_EQ(scenario.wire.steps[1].at, Duration::seconds(5));
    CHECK_EQ(scenario.wire.ecn_threshold, 5);
  }

  TEST_CASE("what is wrong is said in a line") {
    CHECK_EQ(complaint({"simple-p2p"}, false), "--left is missing");
    CHECK_EQ(complaint({"--left=/l", "simple-p2p"}, false), "--right is missing");
    CHECK_EQ(complaint({}), "the scenario is missing");
    CHECK_EQ(complaint({"simple"}), "there is no scenario \"simple\"");
    CHECK_EQ(complaint({"simple-p2p", "rebind"}), "there is one scenario, and then comes \"rebind\"");
    CHECK_EQ(complaint({"simple-p2p", "--on=5s"}), "simple-p2p has no option --on");
    CHECK_EQ(complaint({"simple-p2p", "--speed=5"}), "there is no option --speed");
    CHECK_EQ(complaint({"simple-p2p", "--delay"}), "--delay wants a value");
    CHECK_EQ(complaint({"rebind", "--rebind-addr=1"}), "--rebind-addr takes no value");
    CHECK_EQ(complaint({"rebind"}), "rebind wants --first-rebind");
    CHECK_EQ(complaint({"blackhole", "--on=1s"}), "blackhole wants --off");
    CHECK_EQ(complaint({"simple-p2p", "--delay=fast"}), "--delay: not understood: \"fast\"");
  }

  TEST_CASE("every option with a value refuses one that makes no sense, and the help names every option") {
    const std::string help = help_text();
    for (const char* option : {"--delay=15",
                               "--delay=-1ms",
                               "--delay=1e3ms",
                               "--delay=15 ms",
                               "--delay=inf",
                               "--delay=9999999min",
                               "--bandwidth=10",
                               "--bandwidth=0Mbps",
                               "--bandwidth=10MBps",
                               "--queue=-1",
                               "--queue=1.5",
                               "--queue=",
                               "--rate-steps=10Mbps",
                               "--rate-steps=10Mbps@5s,1Mbps@5s",
                               "--rate-steps=,",
                               "--seed=x",
                               "--ready-fd=a",
                               "--left=",
                               "--pcap-left=",
                               "--left-address=193.167.0.100",
                               "--left-address=193.167.0.100/33",
                               "--right-address=::1/129",
                               "--jitter=1h",
                               "--ecn-threshold=few"}) {
      const std::string name = std::string(option).substr(0, std::string(option).find('='));
      CHECK_EQ(complaint({"simple-p2p", option}).substr(0, name.size() + 1), name + ":");
      CHECK_NE(help.find("\n  " + name + "="), std::string::npos);
    }
    for (const char* option :
         {"--rate_to_server=101", "--rate_to_client=-1", "--rate_to_client=1%", "--burst_to_client=x"})
      CHECK_NE(complaint({"drop-rate", option}), "none");
    for (const char* option : {"--drops_to_server=0", "--drops_to_server=", "--drops_to_client=1,,2"})
      CHECK_NE(complaint({"droplist", option}), "none");
    CHECK_NE(complaint({"blackhole", "--on=1s", "--off=1s", "--direction=up"}), "none");
  }

  TEST_CASE("addresses replace the usual ones, side by side") {
    const Options options =
        parse({"simple-p2p", "--left-address=10.0.0.1/8", "--left-address", "fd00::1/64", "--left-address=10.0.0.2/8"})
            .value();
    CHECK_EQ(options.left.addresses.size(), 3);
    CHECK_EQ(options.right.addresses.size(), 2);
  }
}

}  // namespace quoll::link
