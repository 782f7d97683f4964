// TunDevice: a TUN device in a network namespace, of which this process is the far end: what the namespace sends is read here,
// what is written here is received there. It vanishes with the object, and when the process dies.
//
// The kernel cuts trains and completes checksums before they come, since the device offers neither. The device is up, with its
// addresses usable at once and the default routes of their families through it, when create() returns; the namespace's loopback
// device is up too.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "interop/link/arrival_stamps.h"
#include "interop/link/units.h"

namespace quoll::link {

class TunDevice {
 public:
  static constexpr size_t kMtu = 1500;

  /// `name` is new in the namespace; a path tells which that is.
  [[nodiscard]] static Result<TunDevice> create(const std::string& network_namespace, const std::string& name,
                                                std::span<const InterfaceAddress> addresses);
  TunDevice(TunDevice&& other) noexcept : fd_(std::exchange(other.fd_, -1)), stamps_(std::move(other.stamps_)) {}
  TunDevice& operator=(TunDevice&& other) = delete;
  ~TunDevice();

  /// Readable when there is a packet.
  int fd() const { return fd_; }
  /// The size of the packet that was read, 0 when there is none; never waits.
  [[nodiscard]] Result<size_t> read(MutBytes into);
  /// How long ago a packet that was just read came to the device; zero when that is not known.
  Duration age_of(Bytes packet) { return stamps_ ? stamps_->age(packet) : Duration(); }
  bool has_stamps() const { return stamps_ != nullptr; }
  /// Whether the namespace took it.
  bool write(Bytes packet);

 private:
  TunDevice(int fd, std::unique_ptr<ArrivalStamps> stamps) : fd_(fd), stamps_(std::move(stamps)) {}

  int fd_;
  std::unique_ptr<ArrivalStamps> stamps_;  // null: the kernel gives none
};

}  // namespace quoll::link
