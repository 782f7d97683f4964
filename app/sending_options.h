// How fast data is sent: the options that all subcommands with connections have in common, understood.
#pragma once

#include <string>

#include "app/options.h"
#include "quic/connection/config.h"

namespace quoll::app {

inline constexpr Option kCongestionOption = {"cc", 0, "NAME", "cubic (default), newreno, bbr2 or bbr3"};
inline constexpr Option kInitialWindowOption = {"initial-window", 0, "N",
                                                "datagrams in flight at first (48 per 100 ms; RFC 9002: 10)"};

/// Listed by --help-all alone.
constexpr Option rare(Option option) {
  option.rare = true;
  return option;
}

struct SendingOptions {
  quic::CongestionAlgorithm congestion = quic::CongestionAlgorithm::cubic;
  quic::InitialWindow initial_window = quic::kEagerInitialWindow;

  void apply(quic::TransportConfig& transport) const {
    transport.congestion = congestion;
    transport.initial_window = initial_window;
  }
};

/// What is wrong, in a line for a person; or an empty text.
std::string read_sending_options(const Arguments& arguments, SendingOptions& options);

}  // namespace quoll::app
