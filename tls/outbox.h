// Outbox: the outputs of a session in order, until they are polled.
#pragma once

#include <deque>
#include <optional>

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

  void put(Output output) { queue_.push_back(std::move(output)); }

  std::optional<Output> poll() {
    if (queue_.empty()) return {};
    std::optional<Output> first = std::move(queue_.front());
    queue_.pop_front();
    return first;
  }

  bool empty() const { return queue_.empty(); }

 private:
  /// The bytes of a Send at the end of the queue, made if need be: a flight of one level leaves in one piece.
  std::vector<uint8_t>& open(Level level) {
    if (!queue_.empty()) {
      if (Send* last = std::get_if<Send>(&queue_.back()); last && last->level == level) return last->bytes;
    }
    queue_.push_back(Send{level, {}});
    return std::get<Send>(queue_.back()).bytes;
  }

  std::deque<Output> queue_;
};

}  // namespace quoll::tls
