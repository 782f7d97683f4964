#include "capi/values.h"

#include "capi/status.h"
#include "web/resolve.h"

namespace quoll::capi {

std::optional<SocketAddress> address_of(const quoll_address& address) {
  switch (address.family) {
    case QUOLL_FAMILY_NONE:
      return SocketAddress{.ip = {}, .port = address.port};
    case QUOLL_FAMILY_IPV4: {
      std::array<uint8_t, 4> octets;
      std::copy_n(address.ip, octets.size(), octets.begin());
      return SocketAddress{.ip = IpAddress::v4(octets), .port = address.port};
    }
    case QUOLL_FAMILY_IPV6:
      return SocketAddress{.ip = IpAddress::v6(std::to_array(address.ip), address.scope), .port = address.port};
    default:
      return {};
  }
}

quoll_address address_of(const SocketAddress& address) {
  quoll_address out{};
  const Bytes octets = address.ip.octets();
  std::ranges::copy(octets, out.ip);
  out.scope = address.ip.scope();
  out.port = address.port;
  out.family = octets.empty() ? QUOLL_FAMILY_NONE : octets.size() == 4 ? QUOLL_FAMILY_IPV4 : QUOLL_FAMILY_IPV6;
  return out;
}

std::optional<http::FieldSection> fields_of(const quoll_field* fields, size_t count) {
  http::FieldSection section;
  if (count > 0 && !fields) return {};
  for (size_t i = 0; i < count; i++) {
    const quoll_field& field = fields[i];
    if (!field.name || (field.value_size > 0 && !field.value)) return {};
    section.add({field.name, field.name_size}, {field.value_size > 0 ? field.value : "", field.value_size});
  }
  return section;
}

}  // namespace quoll::capi

using namespace quoll;

int quoll_address_resolve(const char* host, uint16_t port, quoll_address* addresses, size_t capacity) {
  if (!host || !addresses || capacity == 0) return capi::invalid("a host, addresses and a capacity are wanted");
  const web::Resolved resolved = web::resolve(host, true, true);
  if (resolved.addresses.empty()) return capi::fail(QUOLL_E_RESOLVE, "no address for the name");
  const size_t count = std::min(capacity, resolved.addresses.size());
  for (size_t i = 0; i < count; i++) {
    addresses[i] = capi::address_of(SocketAddress{.ip = resolved.addresses[i], .port = port});
  }
  return static_cast<int>(count);
}

int quoll_address_format(const quoll_address* address, char* text, size_t capacity) {
  const auto parsed = address ? capi::address_of(*address) : std::nullopt;
  if (!parsed || parsed->ip.family() == IpAddress::Family::none || !text)
    return capi::invalid("no address, or no memory");
  const std::string whole = parsed->to_string();
  if (whole.size() >= capacity) return capi::fail(QUOLL_E_SIZE, "the text of the address is longer");
  std::memcpy(text, whole.c_str(), whole.size() + 1);
  return QUOLL_OK;
}
