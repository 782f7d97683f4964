// WorkerGroup: sockets for several workers that serve the same addresses, each in a thread of its own (SO_REUSEPORT).
//
// The kernel spreads clients over the workers by their addresses. So that a connection stays with its worker when its
// client's address changes, its ids tell the worker: either a program in the kernel reads them (steering.h), or, where
// that is not permitted, the workers look at the ids and hand over what is not theirs (worker_inbox.h). Sockets are of
// one owner each: worker i's thread uses sockets(i) and inbox(i) and nothing else of this.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "udp/socket.h"
#include "udp/steering.h"
#include "udp/worker_inbox.h"

namespace quoll::udp {

struct WorkerGroupOptions {
  size_t workers = 1;
  SocketOptions socket;
  /// For the kernel; empty: none is asked.
  std::optional<SteeringKey> steering;
  uint16_t server = 0;  // in the connection ids that the kernel steers by (steering.h)
  /// For the workers, where the kernel does not do it; null: nothing is handed over.
  WorkerOf worker_of;
};

class WorkerGroup {
 public:
  /// Sockets of every worker for each address. An address without a port gets the same one for all workers.
  [[nodiscard]] static Result<WorkerGroup> bind(std::span<const SocketAddress> addresses,
                                                const WorkerGroupOptions& options);
  WorkerGroup(WorkerGroup&&) noexcept;
  WorkerGroup& operator=(WorkerGroup&&) noexcept;
  ~WorkerGroup();

  size_t workers() const;
  /// A socket for each address.
  std::span<Socket> sockets(size_t worker);
  WorkerInbox& inbox(size_t worker);
  /// With the ports that the kernel chose.
  std::vector<SocketAddress> addresses() const;
  /// The kernel does it: nothing needs to be handed over.
  bool steered_by_kernel() const;
  /// Why it does not; empty otherwise.
  const std::optional<Error>& steering_error() const;

 private:
  struct State;
  explicit WorkerGroup(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace quoll::udp
