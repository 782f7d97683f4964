#include "app/sending_options.h"

namespace quoll::app {

std::string read_sending_options(const Arguments& arguments, SendingOptions& options) {
  if (const auto text = arguments.value(kCongestionOption.name)) {
    const auto algorithm = quic::congestion_algorithm(*text);
    if (!algorithm) return "--cc is " + std::string(quic::kCongestionAlgorithmNames) + ", not " + std::string(*text);
    options.congestion = *algorithm;
  }
  if (const auto text = arguments.value(kInitialWindowOption.name)) {
    constexpr uint32_t kMost = quic::InitialWindow::kDatagramsMax;
    const auto datagrams = parse_number(*text, kMost);
    if (!datagrams || *datagrams < quic::InitialWindow::kDatagramsMin)
      return "--initial-window wants 2 to " + std::to_string(kMost) + " datagrams, not " + std::string(*text);
    options.initial_window = {.datagrams = static_cast<uint32_t>(*datagrams)};
  }
  return {};
}

}  // namespace quoll::app
