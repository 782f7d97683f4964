#include "app/upload_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/file.h"

namespace quoll::app {
namespace {

constexpr size_t kPieceSize = 128 * 1024;
constexpr size_t kPieces = 256;         // that wait for acknowledgments; beyond them, memory comes from the heap
constexpr int kPipeSize = 1024 * 1024;  // bytes; what an unprivileged process may ask for
constexpr int kWaitMilliseconds = 5;    // a loop that waits longer would answer the server late

ssize_t read_again(int number, MutBytes into) {
  ssize_t got = -1;
  do {
    got = read(number, into.data(), into.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

/// A regular file, and the part of standard input that is left where that is one.
class FileSource final : public web::BodySource {
 public:
  FileSource(int number, bool owned, off_t start, uint64_t size)
      : number_(number), owned_(owned), start_(start), size_(size) {}
  ~FileSource() override {
    if (owned_) close(number_);
  }

  Result<Piece> next(size_t max) override {
    max = std::min(max, kPieceSize);
    max = static_cast<size_t>(std::min<uint64_t>(max, size_ - read_));
    if (max == 0) return Piece{{}, true};
    std::optional<Buffer> buffer = pool_.take();
    if (!buffer) buffer = Buffer::allocate(kPieceSize);
    ssize_t got = -1;
    do {
      got = pread(number_, buffer->bytes().data(), max, start_ + static_cast<off_t>(read_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return std::unexpected(os::system_error(errno));
    if (got == 0) {
      return std::unexpected(Error{.domain = ErrorDomain::system, .code = EIO, .reason = "the file got shorter"});
    }
    read_ += static_cast<uint64_t>(got);
    buffer->truncate(static_cast<size_t>(got));
    return Piece{buffer->slice(), read_ == size_};
  }

  std::optional<uint64_t> size() const override { return size_; }

  bool rewind() override {
    read_ = 0;
    return true;
  }

 private:
  int number_;
  bool owned_;
  off_t start_;
  uint64_t size_;
  uint64_t read_ = 0;
  BufferPool pool_{kPieceSize, kPieces};
};

}  // namespace

InputPipe::InputPipe(int number) : number_(number), pool_(kPieceSize, kPieces) {
  fcntl(number, F_SETPIPE_SZ, kPipeSize);  // a wish
}

Result<std::optional<Slice>> InputPipe::read() {
  if (at_end_) return std::nullopt;
  pollfd entry{.fd = number_, .events = POLLIN, .revents = 0};
  if (poll(&entry, 1, kWaitMilliseconds) <= 0) return std::nullopt;
  std::optional<Buffer> buffer = pool_.take();
  if (!buffer) buffer = Buffer::allocate(kPieceSize);
  const ssize_t got = read_again(number_, buffer->bytes());
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
  if (got < 0) return std::unexpected(os::system_error(errno));
  at_end_ = got == 0;
  if (at_end_) return std::nullopt;
  buffer->truncate(static_cast<size_t>(got));
  return buffer->slice();
}

Result<Upload> open_upload(const std::string& path) {
  const bool is_input = path == "-";
  const int number = is_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  struct stat status{};
  if (number < 0 || fstat(number, &status) != 0) return std::unexpected(os::system_error(errno));
  if (S_ISDIR(status.st_mode)) {
    if (!is_input) close(number);
    return std::unexpected(os::system_error(EISDIR));
  }
  if (!S_ISREG(status.st_mode)) return Upload{nullptr, std::make_unique<InputPipe>(number)};
  const off_t start = is_input ? std::max<off_t>(lseek(number, 0, SEEK_CUR), 0) : 0;
  posix_fadvise(number, 0, 0, POSIX_FADV_SEQUENTIAL);
  const auto size = static_cast<uint64_t>(std::max<off_t>(status.st_size - start, 0));
  return Upload{std::make_unique<FileSource>(number, !is_input, start, size), nullptr};
}

}  // namespace quoll::app
