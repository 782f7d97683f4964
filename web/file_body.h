// Bodies of files: bytes that go from the system's page cache into pooled buffers, and from there, as slices that nobody
// copies, into the AEAD.
//
// Why files are read and not mapped. QUIC may have to send bytes again, and they must be the same then (RFC 9000 §2.2): a
// mapping shows whatever the file holds by that time, and a file that was cut short in between ends the process with SIGBUS.
// A read costs about as much as the page faults of a mapping would, and what was read stays.
//
// A body promises a size when it is made. If the file turns out shorter or unreadable, next() gives an Error, and the
// message ends with a reset instead of a wrong body; what a file has grown by is not sent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/range.h"
#include "web/body_source.h"
#include "web/root_folder.h"

namespace quoll::web {

/// Bytes that are read at a time.
inline constexpr size_t kFilePieceSize = 64 * 1024;
/// Buffers of that size that a thread keeps for the files that it sends. Beyond them the heap serves.
inline constexpr size_t kFilePiecesPooled = 256;

/// A slice, whole.
std::unique_ptr<BodySource> slice_body(Slice slice);

/// A part of a file. A small one is read at once, and the file closed: `file` is empty afterwards. Else the body takes the
/// file over. An Error when a small one could not be read whole.
[[nodiscard]] Result<std::unique_ptr<BodySource>> file_body(FileHandle& file, http::ByteRange range);

/// Several parts of a file as multipart/byteranges (RFC 9110 §14.6).
class MultipartBody final : public BodySource {
 public:
  struct Content {
    std::vector<http::ByteRange> ranges{};  // not empty
    std::string media_type{};
    uint64_t representation_size = 0;
    std::string boundary{};  // must occur in no part: random
  };
  MultipartBody(FileHandle file, Content content);

  Result<Piece> next(size_t max) override;
  std::optional<uint64_t> size() const override { return size_; }

 private:
  Slice head_of(size_t part) const;
  Slice tail() const;

  FileHandle file_;
  Content content_;
  uint64_t size_ = 0;
  // Where we are: a text (a part's head, or the tail), then the part's bytes.
  Slice text_;
  http::ByteRange rest_;
  size_t next_part_ = 0;
  bool tail_taken_ = false;
};

}  // namespace quoll::web
