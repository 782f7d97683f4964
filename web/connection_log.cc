#include "web/connection_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/hex.h"
#include "os/file.h"

namespace quoll::web {

namespace {

// Longer than any that a client draws, so that it is found again.
constexpr std::array<uint8_t, quic::kConnectionIdSizeMax> kUnknownId = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

}  // namespace

Result<void> check_qlog_directory(const std::string& path) {
  if (path.empty()) return {};
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::unexpected(os::system_error(errno));
  if (!S_ISDIR(status.st_mode)) return std::unexpected(os::system_error(ENOTDIR));
  return {};
}

/// A client's connection tells its original destination id only after its first events, and the header of the log wants
/// it: until then the header waits with kUnknownId in its place.
class ConnectionLog::File final : public qlog::Output {
 public:
  ~File() override {
    if (fd_ >= 0) ::close(fd_);
  }
  bool open(const std::string& path, Bytes original_destination) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    original_destination_ = to_hex(original_destination);
    return fd_ >= 0;
  }
  bool write(std::string_view text) override {
    if (fd_ < 0) return false;
    const std::string unknown = to_hex(kUnknownId);
    const size_t at = header_written_ ? std::string_view::npos : text.find(unknown);
    header_written_ = true;
    if (at == std::string_view::npos) return write_all(text);
    return write_all(text.substr(0, at)) && write_all(original_destination_) && write(text.substr(at + unknown.size()));
  }

 private:
  bool write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }

  int fd_ = -1;
  std::string original_destination_;
  bool header_written_ = false;
};

ConnectionLog::ConnectionLog(const std::string& directory, quic::Role role,
                             const quic::ConnectionId& original_destination, WallClock& clock)
    : directory_(directory), role_(role), original_destination_(original_destination), clock_(clock) {}

ConnectionLog::~ConnectionLog() = default;

void ConnectionLog::on_event(Instant now, const quic::TraceEvent& event) {
  if (!file_) {
    begin(now);
    if (!original_destination_.empty()) open(original_destination_);
  }
  if (!log_->is_closed()) sink_->on_event(now, event);
  if (is_open_) return;
  if (const auto* started = std::get_if<quic::trace::ConnectionStarted>(&event)) open(started->remote_id);
}

void ConnectionLog::begin(Instant now) {
  file_ = std::make_unique<File>();
  const std::string wall_clock = timestamp(clock_.at(now));
  log_.emplace(*file_,
               qlog::LogHeader{.role = role_,
                               .original_destination =
                                   original_destination_.empty() ? Bytes(kUnknownId) : Bytes(original_destination_),
                               .start = now,
                               .wall_clock = wall_clock});
  sink_.emplace(*log_, role_);
}

void ConnectionLog::open(Bytes original_destination) {
  is_open_ = true;
  (void)file_->open(directory_ + "/" + qlog::log_file_name(original_destination, role_), original_destination);
  log_->flush();
}

}  // namespace quoll::web
