#include "quic/congestion/make_controller.h"

#include "quic/congestion/cubic.h"
#include "quic/congestion/new_reno.h"

namespace quoll::quic {

std::unique_ptr<Controller> make_controller(CongestionAlgorithm algorithm, uint64_t max_datagram_size) {
  const WindowController::Options options{.max_datagram_size = max_datagram_size};
  switch (algorithm) {
    case CongestionAlgorithm::new_reno:
      return std::make_unique<NewReno>(options);
    case CongestionAlgorithm::cubic:
      return std::make_unique<Cubic>(options);
  }
  return nullptr;
}

}  // namespace quoll::quic
