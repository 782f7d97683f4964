#include "tls/message_assembler.h"

#include <algorithm>

namespace quoll::tls {
namespace {

size_t body_size(const uint8_t* header) { return size_t{header[1]} << 16 | size_t{header[2]} << 8 | header[3]; }

HandshakeMessage message_of(Bytes whole) {
  return {static_cast<HandshakeType>(whole[0]), whole.subspan(kHandshakeHeaderSize), whole};
}

}  // namespace

Result<std::optional<HandshakeMessage>> MessageAssembler::next(Bytes& input, size_t body_size_max) {
  if (whole_) {
    part_.clear();
    whole_ = false;
  }
  const bool in_place = part_.empty() && input.size() >= kHandshakeHeaderSize;
  if (!in_place && !collect(input, kHandshakeHeaderSize)) return std::nullopt;
  const size_t body = body_size(in_place ? input.data() : part_.data());
  if (body > body_size_max) return abort_with(Alert::decode_error, "a handshake message is longer than the limit");
  const size_t size = kHandshakeHeaderSize + body;
  if (in_place && input.size() >= size) {
    const Bytes whole = input.first(size);
    input = input.subspan(size);
    return message_of(whole);
  }
  if (!collect(input, size)) return std::nullopt;
  whole_ = true;
  return message_of(part_);
}

bool MessageAssembler::collect(Bytes& input, size_t size) {
  if (part_.size() < size) {
    const size_t taken = std::min(size - part_.size(), input.size());
    part_.insert(part_.end(), input.begin(), input.begin() + static_cast<ptrdiff_t>(taken));
    input = input.subspan(taken);
  }
  return part_.size() >= size;
}

}  // namespace quoll::tls
