#include "quic/congestion/make_controller.h"

#include <array>

#include "quic/congestion/bbr.h"
#include "quic/congestion/cubic.h"
#include "quic/congestion/new_reno.h"

namespace quoll::quic {
namespace {

struct Name {
  std::string_view text;
  CongestionAlgorithm algorithm;
};
constexpr std::array kNames = {
    Name{"cubic", CongestionAlgorithm::cubic},   Name{"newreno", CongestionAlgorithm::new_reno},
    Name{"reno", CongestionAlgorithm::new_reno}, Name{"bbr2", CongestionAlgorithm::bbr2},
    Name{"bbr3", CongestionAlgorithm::bbr3},     Name{"bbr", CongestionAlgorithm::bbr3},
};

}  // namespace

std::optional<CongestionAlgorithm> congestion_algorithm(std::string_view name) {
  for (const Name& each : kNames) {
    if (each.text == name) return each.algorithm;
  }
  return std::nullopt;
}

std::unique_ptr<Controller> make_controller(CongestionAlgorithm algorithm, uint64_t max_datagram_size, uint64_t seed,
                                            InitialWindow initial_window) {
  const WindowController::Options options{.max_datagram_size = max_datagram_size, .initial_window = initial_window};
  const Bbr::Options of_bbr{.max_datagram_size = max_datagram_size, .initial_window = initial_window, .seed = seed};
  switch (algorithm) {
    case CongestionAlgorithm::new_reno:
      return std::make_unique<NewReno>(options);
    case CongestionAlgorithm::cubic:
      return std::make_unique<Cubic>(options);
    case CongestionAlgorithm::bbr2:
      return std::make_unique<Bbr>(kBbr2, of_bbr);
    case CongestionAlgorithm::bbr3:
      return std::make_unique<Bbr>(kBbr3, of_bbr);
  }
  return nullptr;
}

}  // namespace quoll::quic
