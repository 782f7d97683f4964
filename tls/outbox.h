// Outbox: the outputs of a session in order, until they are polled.
#pragma once

#include <optional>
#include <vector>

#include "base/shrink.h"
#include "tls/messages.h"
#include "tls/session.h"

namespace quoll::tls {

class Outbox {
 public:
  /// Writes one message (a lambda that calls a write_* function on a sink) behind what was last put to the same level, and
  /// returns it. The view lives until the next call.
  template <class WriteFunction>
  Bytes message(Level level, WriteFunction write) {
    std::vector<uint8_t>& bytes = open(level);
    const size_t begin = append_message(bytes, write);
    return Bytes(bytes).subspan(begin);
  }

  /// Any of the alternatives, made in place.
  template <class T>
  void put(T output) {
    queue_.emplace_back(std::move(output));
  }

  std::optional<Output> poll() {
    if (first_ == queue_.size()) return {};
    std::optional<Output> output = std::move(queue_[first_++]);
    if (first_ == queue_.size()) {
      queue_.clear();
      first_ = 0;
    }
    return output;
  }

  bool empty() const { return first_ == queue_.size(); }

  /// Gives memory back; nothing waits any more.
  void shrink() { quoll::shrink(queue_); }

 private:
  /// The bytes of a Send at the end of the queue, made if need be: a flight of one level leaves in one piece.
  std::vector<uint8_t>& open(Level level) {
    if (!empty()) {
      if (Send* last = std::get_if<Send>(&queue_.back()); last && last->level == level) return last->bytes;
    }
    queue_.push_back(Send{level, {}});
    return std::get<Send>(queue_.back()).bytes;
  }

  std::vector<Output> queue_;
  size_t first_ = 0;  // before it: polled
};

}  // namespace quoll::tls
