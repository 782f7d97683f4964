// make_controller: the one place where an algorithm's name becomes its object.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "quic/congestion/controller.h"

namespace quoll::quic {

enum class CongestionAlgorithm : uint8_t { new_reno, cubic, bbr2, bbr3 };

/// The names that people type, as in "cubic, newreno, bbr2 or bbr3".
inline constexpr std::string_view kCongestionAlgorithmNames = "cubic, newreno, bbr2 or bbr3";
/// None for other words; "reno" and "bbr" are taken for newreno and bbr3.
std::optional<CongestionAlgorithm> congestion_algorithm(std::string_view name);

/// `seed` spreads what an algorithm does at random times.
std::unique_ptr<Controller> make_controller(CongestionAlgorithm algorithm, uint64_t max_datagram_size, uint64_t seed,
                                            InitialWindow initial_window = {});

}  // namespace quoll::quic
