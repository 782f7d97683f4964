// The body of -T: a file, or what comes through a pipe.
//
// A file is read as there is room to send it. Its size is what it is when it is opened, and is promised to the server: a file
// that gets shorter ends the message with an Error (ErrorDomain::system). What comes from a pipe has no size, cannot be sent
// again, and may take its time: it is asked for what it has, and waited for a moment only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/buffer_pool.h"
#include "web/body_source.h"

namespace quoll::app {

/// Standard input, or another descriptor that is not to be closed, where it is no regular file.
class InputPipe {
 public:
  explicit InputPipe(int number);
  /// What has come, after waiting for a moment; empty: nothing yet, or the end. Errors are of ErrorDomain::system.
  [[nodiscard]] Result<std::optional<Slice>> read();
  bool is_at_end() const { return at_end_; }

 private:
  int number_;
  bool at_end_ = false;
  BufferPool pool_;
};

/// A file or a pipe. Errors are of ErrorDomain::system: an errno value.
struct Upload {
  std::unique_ptr<web::BodySource> file;
  std::unique_ptr<InputPipe> pipe;
};
/// "-" is standard input.
[[nodiscard]] Result<Upload> open_upload(const std::string& path);

}  // namespace quoll::app
