#include "udp/worker_group.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace quoll::udp {

struct WorkerGroup::State {
  std::vector<std::vector<Socket>> sockets;  // by worker, then by address
  std::vector<std::unique_ptr<WorkerInbox>> inboxes;
  bool steered = false;
  std::optional<Error> steering_error;

  Result<void> open(std::span<const SocketAddress> addresses, const WorkerGroupOptions& options) {
    sockets.resize(options.workers);
    steered = options.steering.has_value();
    for (const SocketAddress& address : addresses) {
      if (Result<void> bound = bind(address, options); !bound) return bound;
    }
    return open_inboxes(steered ? WorkerOf() : options.worker_of);
  }

  /// The sockets of one address, one for each worker.
  Result<void> bind(SocketAddress address, const WorkerGroupOptions& options) {
    SocketOptions each = options.socket;
    each.reuse_port = options.workers > 1 && address.port != 0;
    std::vector<Socket> group;
    for (size_t i = 0; i < options.workers; i++) {
      Result<Socket> socket = Socket::bind(address, each);
      if (!socket) return std::unexpected(socket.error());
      group.push_back(*std::move(socket));
      if (options.workers == 1 || each.reuse_port) continue;
      // A port of the kernel's choice: with SO_REUSEPORT it may choose one that other groups have.
      const int on = 1;
      if (setsockopt(group[0].fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
        return failed("setsockopt(SO_REUSEPORT)");
      }
      address.port = group[0].local_address().port;
      each.reuse_port = true;
    }
    if (options.steering && options.workers > 1) {
      if (Result<void> done = steer(group, *options.steering, options.server); !done) {
        steered = false;
        steering_error = done.error();
      }
    }
    for (size_t i = 0; i < options.workers; i++) sockets[i].push_back(std::move(group[i]));
    return {};
  }

  Result<void> open_inboxes(const WorkerOf& worker_of) {
    std::vector<WorkerInbox*> all;
    for (size_t i = 0; i < sockets.size(); i++) all.push_back(inboxes.emplace_back(new WorkerInbox).get());
    for (size_t i = 0; i < all.size(); i++) {
      if (!all[i]->open(i, all, worker_of)) return failed("opening an event descriptor");
    }
    return {};
  }

  static std::unexpected<Error> failed(const char* call) {
    return std::unexpected(Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(errno), .reason = call});
  }
};

WorkerGroup::WorkerGroup(std::unique_ptr<State> state) : state_(std::move(state)) {}
WorkerGroup::WorkerGroup(WorkerGroup&&) noexcept = default;
WorkerGroup& WorkerGroup::operator=(WorkerGroup&&) noexcept = default;
WorkerGroup::~WorkerGroup() = default;

Result<WorkerGroup> WorkerGroup::bind(std::span<const SocketAddress> addresses, const WorkerGroupOptions& options) {
  if (options.workers == 0 || addresses.empty()) return usage_error("a group wants workers and addresses");
  auto state = std::make_unique<State>();
  if (Result<void> opened = state->open(addresses, options); !opened) return std::unexpected(opened.error());
  return WorkerGroup(std::move(state));
}

size_t WorkerGroup::workers() const { return state_->sockets.size(); }
std::span<Socket> WorkerGroup::sockets(size_t worker) { return state_->sockets[worker]; }
WorkerInbox& WorkerGroup::inbox(size_t worker) { return *state_->inboxes[worker]; }

std::vector<SocketAddress> WorkerGroup::addresses() const {
  std::vector<SocketAddress> addresses;
  for (const Socket& socket : state_->sockets[0]) addresses.push_back(socket.local_address());
  return addresses;
}

bool WorkerGroup::steered_by_kernel() const { return state_->steered; }
const std::optional<Error>& WorkerGroup::steering_error() const { return state_->steering_error; }

}  // namespace quoll::udp
