#include "web/receive_buffers.h"

#include <utility>

namespace quoll::web {

std::span<Received> ReceiveBuffers::copied(size_t count) {
  const std::span<Received> arrived = std::span(received_).first(count);
  for (Received& received : arrived) {
    if (received.data.size() < kCopyBelow) copy_short(received);
  }
  return arrived;
}

void ReceiveBuffers::copy_short(Received& received) {
  const size_t size = received.data.size();
  std::optional<Buffer> own;
  if (size <= kDatagramBufferSize) own = datagrams_.take();
  if (!own) own = Buffer::allocate(size);
  own->truncate(size);
  copy_bytes(own->bytes().data(), std::as_const(received.data).bytes());
  received.data = std::move(*own);
}

}  // namespace quoll::web
