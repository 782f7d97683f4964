// Where the body of a response goes: standard output, a file, or the rest of a partial file.
//
// A file appears whole or not at all: the bytes go to a file without a name in the same folder, which nobody sees and which
// the kernel takes away with the process, however it ends. finish() names it, over what was there. Where a file system has
// no such files, it is one with a temporary name. Devices, pipes and partial files (-C) are written as they are.
//
// write() takes slices and gives them to the kernel in one call, without a copy. To a pipe or a terminal that does not take
// them it waits a moment only, so that a slow reader does not end the connection: what is left waits in the output
// (is_blocked()), and flush() goes on with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/slice.h"
#include "base/unix_time.h"

namespace quoll::app {

class GetOutput {
 public:
  GetOutput() = default;
  GetOutput(const GetOutput&) = delete;
  GetOutput& operator=(const GetOutput&) = delete;
  ~GetOutput() { discard(); }

  /// Errors are of ErrorDomain::system: an errno value.
  [[nodiscard]] Result<void> open_standard_output();
  [[nodiscard]] Result<void> open_file(const std::string& path);
  /// Goes on at `offset` of a file, which is made if it is not there; what is behind it is cut off.
  [[nodiscard]] Result<void> open_partial(const std::string& path, uint64_t offset);
  bool is_open() const { return number_ >= 0; }
  /// Nobody has seen anything of what was written.
  bool can_be_discarded() const { return !path_.empty(); }

  /// Takes the slices; more may wait afterwards.
  [[nodiscard]] Result<void> write(std::vector<Slice>& slices);
  [[nodiscard]] Result<void> write(std::string_view text);
  /// Tries again; waits a moment.
  [[nodiscard]] Result<void> flush();
  bool is_blocked() const { return !waiting_.empty(); }

  /// The time of the last change that a file tells; for other outputs nothing.
  void set_modified(UnixTime time);
  /// Nothing waits: gives a file its name.
  [[nodiscard]] Result<void> finish();
  /// Leaves no trace of a file that is not finished, but for partial ones.
  void discard();

 private:
  [[nodiscard]] Result<void> write_waiting();
  int number_ = -1;
  bool owned_ = false;          // to be closed
  std::string path_;            // to be named so; empty: it has its name
  std::string temporary_;       // its name until then; empty: none
  std::vector<Slice> waiting_;  // from first_ on
  size_t first_ = 0;
};

/// The size of a file; empty when there is none.
std::optional<uint64_t> file_size(const std::string& path);
/// The last segment of a URL's path, to call a file by: as it stands, percent-encoded, so that it is harmless. Empty: it has
/// none.
std::string remote_file_name(std::string_view url_path);
/// The folders that lead to a file.
[[nodiscard]] Result<void> make_folders(const std::string& path);

}  // namespace quoll::app
