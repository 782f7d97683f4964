#include "tls/x509/extension_list.h"

#include "tls/x509/oids.h"

namespace quoll::x509 {

using crypto::DerReader;
using crypto::DerTag;

namespace {

constexpr uint8_t kDerTrue = 0xff;

DerReader enter_whole(Bytes element) {
  DerReader outer(element);
  return outer.enter(DerTag::sequence);
}

}  // namespace

ExtensionReader::ExtensionReader(const Certificate& certificate) : list_(enter_whole(certificate.extensions)) {}

std::optional<Extension> ExtensionReader::next() {
  if (list_.at_end()) return std::nullopt;
  DerReader element = list_.enter(DerTag::sequence);
  Extension extension;
  extension.oid = element.read(DerTag::object_identifier).value_or(Bytes());
  if (element.next_is(DerTag::boolean)) {
    const Bytes flag = element.read(DerTag::boolean).value_or(Bytes());
    extension.critical = flag.size() == 1 && flag[0] == kDerTrue;
  }
  extension.value = element.read(DerTag::octet_string).value_or(Bytes());
  if (!element.finished()) return std::nullopt;
  return extension;
}

std::optional<Extension> find_extension(const Certificate& certificate, Bytes oid) {
  ExtensionReader reader(certificate);
  while (const auto extension = reader.next()) {
    if (oid::is(extension->oid, oid)) return extension;
  }
  return std::nullopt;
}

NameAttributeReader::NameAttributeReader(Bytes name) : sequence_(enter_whole(name)), set_(Bytes()) {}

std::optional<NameAttribute> NameAttributeReader::next() {
  if (set_.at_end() && !sequence_.at_end()) set_ = sequence_.enter(DerTag::set);
  if (set_.at_end()) return std::nullopt;
  DerReader pair = set_.enter(DerTag::sequence);
  NameAttribute attribute;
  attribute.oid = pair.read(DerTag::object_identifier).value_or(Bytes());
  const auto tag = pair.peek();
  if (!tag) return std::nullopt;
  attribute.value = pair.read(*tag).value_or(Bytes());
  if (!pair.finished()) return std::nullopt;
  return attribute;
}

}  // namespace quoll::x509
