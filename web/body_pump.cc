#include "web/body_pump.h"

namespace quoll::web {

BodyPump::Outcome BodyPump::run(h3::Session& session, uint64_t stream) {
  const auto fail = [this](const Error& error) {
    failure_ = error;
    return Outcome::failed;
  };
  for (;;) {
    if (!waiting_.empty()) {
      const size_t before = waiting_.size();
      if (Result<void> written = session.write_body(stream, waiting_); !written) return fail(written.error());
      sent_ += before - waiting_.size();
      if (!waiting_.empty()) return Outcome::blocked;
    }
    if (at_end_) {
      if (Result<void> finished = session.finish(stream); !finished) return fail(finished.error());
      return Outcome::done;
    }
    begun_ = true;
    Result<BodySource::Piece> piece = source_->next(kBodyPieceSize);
    if (!piece) return fail(piece.error());
    if (piece->data.empty() && !piece->end) return fail({.reason = "a body source gave nothing before its end"});
    waiting_ = std::move(piece->data);
    at_end_ = piece->end;
  }
}

std::unique_ptr<BodySource> BodyPump::take_rewound() {
  if (begun_ && source_ && !source_->rewind()) return nullptr;
  return std::move(source_);
}

}  // namespace quoll::web
