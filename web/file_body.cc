#include "web/file_body.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/buffer_pool.h"
#include "os/file.h"

namespace quoll::web {
namespace {

/// Files of this size are read when they are opened: a site of small files holds no descriptor while it waits for its
/// clients.
constexpr size_t kSmallSize = 16 * 1024;

/// Buffers of the calling thread, for pieces of large files. Slices count without locks, so each thread has its own; and a
/// pool, because the allocator would give memory of this size back to the system and fault it in again for each piece.
BufferPool& piece_pool() {
  thread_local BufferPool pool(kFilePieceSize, kFilePiecesPooled);
  return pool;
}

Buffer take_buffer(size_t size) {
  if (size > kSmallSize) {
    if (auto buffer = piece_pool().take()) {
      buffer->truncate(size);
      return std::move(*buffer);
    }
  }
  return Buffer::allocate(size);
}

/// Reads from `range` as much as fits one piece of `max` bytes at most, and moves its begin.
Result<Slice> read_piece(int fd, http::ByteRange& range, size_t max) {
  const size_t size = static_cast<size_t>(std::min<uint64_t>({range.size, max, kFilePieceSize}));
  if (size == 0) return Slice();
  Buffer buffer = take_buffer(size);
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got =
        pread(fd, buffer.bytes().data() + filled, size - filled, static_cast<off_t>(range.offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(os::system_error(errno));
    if (got == 0) {
      return std::unexpected(
          Error{.domain = ErrorDomain::system, .code = EIO, .reason = "the file became shorter while it was sent"});
    }
    filled += static_cast<size_t>(got);
  }
  range.offset += size;
  range.size -= size;
  return buffer.slice();
}

class SliceBody final : public BodySource {
 public:
  explicit SliceBody(Slice slice) : rest_(std::move(slice)), size_(rest_.size()) {}
  Result<Piece> next(size_t max) override {
    Slice piece = rest_.split_front(std::min(max, rest_.size()));
    return Piece{.data = std::move(piece), .end = rest_.empty()};
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  Slice rest_;
  uint64_t size_;
};

class FileBody final : public BodySource {
 public:
  FileBody(FileHandle file, http::ByteRange range) : file_(std::move(file)), rest_(range), size_(range.size) {
#ifdef POSIX_FADV_SEQUENTIAL
    posix_fadvise(file_.fd(), static_cast<off_t>(range.offset), static_cast<off_t>(range.size), POSIX_FADV_SEQUENTIAL);
#endif
  }
  Result<Piece> next(size_t max) override {
    auto data = read_piece(file_.fd(), rest_, max);
    if (!data) return std::unexpected(data.error());
    return Piece{.data = std::move(*data), .end = rest_.size == 0};
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  FileHandle file_;
  http::ByteRange rest_;
  uint64_t size_;
};

}  // namespace

std::unique_ptr<BodySource> slice_body(Slice slice) { return std::make_unique<SliceBody>(std::move(slice)); }

Result<std::unique_ptr<BodySource>> file_body(FileHandle& file, http::ByteRange range) {
  if (range.size > kSmallSize) return std::make_unique<FileBody>(std::move(file), range);
  auto whole = read_piece(file.fd(), range, kSmallSize);
  file = {};
  if (!whole) return std::unexpected(whole.error());
  return slice_body(std::move(*whole));
}

MultipartBody::MultipartBody(FileHandle file, Content content) : file_(std::move(file)), content_(std::move(content)) {
  for (size_t part = 0; part < content_.ranges.size(); part++)
    size_ += head_of(part).size() + content_.ranges[part].size;
  size_ += tail().size();
}

/// RFC 9110 §14.6, RFC 2046 §5.1.1: the line break before a delimiter belongs to it.
Slice MultipartBody::head_of(size_t part) const {
  std::string text = part == 0 ? "--" : "\r\n--";
  text.append(content_.boundary);
  if (!content_.media_type.empty()) text.append("\r\ncontent-type: ").append(content_.media_type);
  text.append("\r\ncontent-range: ").append(http::content_range(content_.ranges[part], content_.representation_size));
  return Slice::copy_of(as_bytes(text.append("\r\n\r\n")));
}

Slice MultipartBody::tail() const {
  return Slice::copy_of(as_bytes(std::string("\r\n--").append(content_.boundary).append("--\r\n")));
}

Result<BodySource::Piece> MultipartBody::next(size_t max) {
  if (text_.empty() && rest_.size == 0 && !tail_taken_) {
    const bool has_part = next_part_ < content_.ranges.size();
    text_ = has_part ? head_of(next_part_) : tail();
    if (has_part) rest_ = content_.ranges[next_part_++];
    tail_taken_ = !has_part;
  }
  if (!text_.empty()) {
    Slice piece = text_.split_front(std::min(max, text_.size()));
    return Piece{.data = std::move(piece), .end = tail_taken_ && text_.empty()};
  }
  auto data = read_piece(file_.fd(), rest_, max);
  if (!data) return std::unexpected(data.error());
  return Piece{.data = std::move(*data)};
}

}  // namespace quoll::web
