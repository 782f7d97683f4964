// What `quoll get` says on standard error: messages, what -v tells, the progress bar; each on lines of its own.
#pragma once

#include <string_view>

#include "app/get_options.h"
#include "app/progress.h"

namespace quoll::app {

class GetConsole {
 public:
  /// `options` outlives the console.
  explicit GetConsole(const GetOptions& options);

  /// "quoll get: TEXT", unless -s without -S.
  void error(std::string_view text);
  bool is_verbose() const { return options_.verbose; }
  /// A line of -v, with its mark: '*' what happens, '>' what is sent, '<' what is received.
  void tell(char mark, std::string_view text);

  /// Whether there is somebody to see a bar.
  bool shows_progress() const { return shows_progress_; }
  void draw(const ProgressState& state);
  /// Before something is printed on standard output.
  void make_room() { bar_.clear(); }
  void finish_progress() { bar_.finish(); }

 private:
  const GetOptions& options_;
  bool shows_progress_;
  ProgressBar bar_;
};

/// Text of a peer for a terminal: control characters become dots.
std::string harmless(std::string_view text);

}  // namespace quoll::app
