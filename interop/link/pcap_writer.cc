#include "interop/link/pcap_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace quoll::link {
namespace {

constexpr uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr uint32_t kSnapLength = 1 << 18;
constexpr uint32_t kLinktypeRaw = 101;
// A kernel that is not preemptible lets nobody else, not even a real-time thread, have the processor before a write is done.
constexpr size_t kWriteSize = 32'768;

template <class T>
void put(std::string& to, T value) {
  uint8_t bytes[sizeof value];
  store_le(bytes, value);
  to += as_text(bytes);
}

bool write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), std::min(text.size(), kWriteSize));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<PcapWriter>> PcapWriter::create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    return std::unexpected(Error{
        .domain = ErrorDomain::system, .code = static_cast<uint64_t>(errno), .reason = "cannot write the capture"});
  return std::unique_ptr<PcapWriter>(new PcapWriter(fd));
}

PcapWriter::PcapWriter(int fd) : fd_(fd) {
  put<uint32_t>(added_, kMagicNanoseconds);
  put<uint16_t>(added_, 2);  // version 2.4
  put<uint16_t>(added_, 4);
  put<uint32_t>(added_, 0);
  put<uint32_t>(added_, 0);
  put<uint32_t>(added_, kSnapLength);
  put<uint32_t>(added_, kLinktypeRaw);
  thread_ = std::thread([this] { write_all(); });
  hand_over();
}

PcapWriter::~PcapWriter() { close(); }

bool PcapWriter::close() {
  if (fd_ < 0) return !failed_;
  {
    const std::lock_guard lock(mutex_);
    pending_ += added_;
    ending_ = true;
  }
  handed_.notify_one();
  thread_.join();
  failed_ |= ::close(fd_) != 0;
  fd_ = -1;
  return !failed_;
}

void PcapWriter::add(Instant wall, Bytes packet) {
  const auto nanoseconds = static_cast<uint64_t>(wall.as_nanoseconds());
  put(added_, static_cast<uint32_t>(nanoseconds / 1'000'000'000));
  put(added_, static_cast<uint32_t>(nanoseconds % 1'000'000'000));
  put(added_, static_cast<uint32_t>(packet.size()));
  put(added_, static_cast<uint32_t>(packet.size()));
  added_ += as_text(packet);
}

void PcapWriter::hand_over() {
  if (added_.empty()) return;
  {
    // The thread has an ordinary priority: to wait until it lets go could take long on a busy machine.
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    pending_.empty() ? pending_.swap(added_) : void(pending_ += added_);
  }
  added_.clear();
  handed_.notify_one();
}

void PcapWriter::write_all() {
  std::string writing;
  std::unique_lock lock(mutex_);
  for (;;) {
    handed_.wait(lock, [this] { return ending_ || !pending_.empty(); });
    writing.clear();
    writing.swap(pending_);
    const bool last = ending_;
    lock.unlock();
    const bool good = write_fully(fd_, writing);
    lock.lock();
    if (!good) failed_ = true;
    if (last && pending_.empty()) return;
  }
}

}  // namespace quoll::link
