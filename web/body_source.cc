#include "web/body_source.h"

#include <algorithm>
#include <utility>

namespace quoll::web {
namespace {

/// The text lies in memory of its own, which slices share: what is on its way outlives the source.
class TextBody final : public BodySource {
 public:
  explicit TextBody(std::string text) {
    auto* kept = new std::string(std::move(text));
    whole_ = Slice::of_application(
        {reinterpret_cast<const uint8_t*>(kept->data()), kept->size()},
        [](void* context) { delete static_cast<std::string*>(context); }, kept);
    rest_ = whole_;
  }

  Result<Piece> next(size_t max) override {
    Slice data = rest_.split_front(std::min(max, rest_.size()));
    return Piece{.data = std::move(data), .end = rest_.empty()};
  }
  std::optional<uint64_t> size() const override { return whole_.size(); }
  bool rewind() override {
    rest_ = whole_;
    return true;
  }

 private:
  Slice whole_;
  Slice rest_;
};

}  // namespace

std::unique_ptr<BodySource> text_body(std::string text) { return std::make_unique<TextBody>(std::move(text)); }

}  // namespace quoll::web
