// make_controller: the one place where an algorithm's name becomes its object.
#pragma once

#include <memory>

#include "quic/congestion/controller.h"

namespace quoll::quic {

enum class CongestionAlgorithm : uint8_t { new_reno, cubic };

std::unique_ptr<Controller> make_controller(CongestionAlgorithm algorithm, uint64_t max_datagram_size);

}  // namespace quoll::quic
