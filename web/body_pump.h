// BodyPump: moves a BodySource's bytes into a message of an h3::Session, as far as there is room.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "h3/session.h"
#include "web/body_source.h"

namespace quoll::web {

/// Bytes that a source is asked for at a time: few calls, and little that waits when a stream is stopped.
inline constexpr size_t kBodyPieceSize = 256 * 1024;

class BodyPump {
 public:
  enum class Outcome : uint8_t {
    blocked,  // BodyWritable follows
    done,     // the message is finished
    failed,   // the source failed, or does not keep to the content-length: failure() says how
  };

  BodyPump() = default;
  explicit BodyPump(std::unique_ptr<BodySource> source) : source_(std::move(source)) {}

  bool is_active() const { return source_ != nullptr; }
  Outcome run(h3::Session& session, uint64_t stream);
  uint64_t sent() const { return sent_; }
  /// Of the whole body, if it is known.
  std::optional<uint64_t> size() const { return source_ ? source_->size() : std::nullopt; }
  const Error& failure() const { return failure_; }
  /// Frees the source, and what waits.
  void stop() { *this = BodyPump(nullptr, sent_); }
  /// Gives the source back, begun anew; null when it cannot.
  std::unique_ptr<BodySource> take_rewound();

 private:
  BodyPump(std::unique_ptr<BodySource> source, uint64_t sent) : source_(std::move(source)), sent_(sent) {}

  std::unique_ptr<BodySource> source_;
  Slice waiting_;
  bool at_end_ = false;  // nothing comes after `waiting_`
  bool begun_ = false;
  uint64_t sent_ = 0;
  Error failure_;
};

}  // namespace quoll::web
