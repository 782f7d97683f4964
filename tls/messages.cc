#include "tls/messages.h"

#include <algorithm>

#include "base/check.h"

namespace quoll::tls {

const Random kHelloRetryRequestRandom = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                         0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                         0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

std::optional<KeyShareEntry> KeyShareList::next() {
  if (raw_.empty()) return std::nullopt;
  Reader reader(raw_);
  const NamedGroup group{reader.u16()};
  const Bytes key_exchange = reader.prefixed_u16().rest();
  raw_ = reader.rest();
  return KeyShareEntry{group, key_exchange};
}

std::optional<Bytes> KeyShareList::find(NamedGroup group) const {
  KeyShareList rest = *this;
  while (const std::optional<KeyShareEntry> entry = rest.next()) {
    if (entry->group == group) return entry->key_exchange;
  }
  return std::nullopt;
}

std::optional<Bytes> ProtocolNameList::next() {
  if (raw_.empty()) return std::nullopt;
  Reader reader(raw_);
  const Bytes name = reader.prefixed_u8().rest();
  raw_ = reader.rest();
  return name;
}

bool ProtocolNameList::contains(Bytes name) const {
  ProtocolNameList rest = *this;
  while (const std::optional<Bytes> entry = rest.next()) {
    if (std::ranges::equal(*entry, name)) return true;
  }
  return false;
}

PskOffer::Identity PskOffer::identity(size_t index) const {
  QUOLL_CHECK(index < count);
  Reader reader(identities);
  for (; index > 0; index--) {
    reader.prefixed_u16();
    reader.u32();
  }
  const Bytes identity = reader.prefixed_u16().rest();
  return {identity, reader.u32()};
}

Bytes PskOffer::binder(size_t index) const {
  QUOLL_CHECK(index < count);
  Reader reader(binders);
  for (; index > 0; index--) reader.prefixed_u8();
  return reader.prefixed_u8().rest();
}

}  // namespace quoll::tls
