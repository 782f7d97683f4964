// Values of the C interface and ours: structs that grow, times, addresses, names of connections, fields.
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/net.h"
#include "http/field_section.h"
#include "quic/endpoint/connection_handle.h"
#include "quoll/quoll.h"

namespace quoll::capi {

/// More than any struct will have: a size above it was never set.
inline constexpr size_t kStructSizeMax = 64 * 1024;

/// A struct of a program that was compiled with another version's header. What it lacks is zero; what we do not know must
/// be zero. Empty: it is NULL, its size was not set, or it asks for what we cannot do.
template <class T>
std::optional<T> read_struct(const T* given) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, struct_size) == 0);
  if (!given || given->struct_size < sizeof(size_t) || given->struct_size > kStructSizeMax) return {};
  const auto* const bytes = reinterpret_cast<const uint8_t*>(given);
  if (given->struct_size > sizeof(T) &&
      std::any_of(bytes + sizeof(T), bytes + given->struct_size, [](uint8_t byte) { return byte != 0; })) {
    return {};
  }
  T value{};
  std::memcpy(&value, bytes, std::min(given->struct_size, sizeof(T)));
  return value;
}

/// Whether a result may be written to it.
template <class T>
bool is_struct(const T* given) {
  return given && given->struct_size >= sizeof(size_t) && given->struct_size <= kStructSizeMax;
}

/// Writes as much of a result as the program's header knows. is_struct() was asked.
template <class T>
void write_struct(T* out, T value) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, struct_size) == 0);
  value.struct_size = out->struct_size;
  std::memcpy(out, &value, std::min(out->struct_size, sizeof(T)));
}

/// Empty for QUOLL_NEVER and what lies beyond 292 years.
inline std::optional<Instant> instant_of(uint64_t now) {
  if (now >= INT64_MAX) return {};
  return Instant::from_nanoseconds(static_cast<int64_t>(now));
}
inline uint64_t time_of(Instant instant) {
  if (instant.is_never()) return QUOLL_NEVER;
  return static_cast<uint64_t>(std::max<int64_t>(instant.as_nanoseconds(), 0));
}
inline Duration duration_of(uint64_t nanoseconds) {
  return nanoseconds >= INT64_MAX ? Duration::infinite() : Duration::nanoseconds(static_cast<int64_t>(nanoseconds));
}

/// Empty for a family that there is not.
std::optional<SocketAddress> address_of(const quoll_address& address);
quoll_address address_of(const SocketAddress& address);

inline quoll_connection name_of(quic::ConnectionHandle handle) {
  return uint64_t{handle.generation} << 32 | handle.index;
}
inline quic::ConnectionHandle handle_of(quoll_connection connection) {
  return {.index = static_cast<uint32_t>(connection), .generation = static_cast<uint32_t>(connection >> 32)};
}

/// Empty when a pointer is missing.
std::optional<http::FieldSection> fields_of(const quoll_field* fields, size_t count);

/// RFC 9000 §16: codes and ids are variable-length integers.
inline bool is_varint(uint64_t value) { return value < uint64_t{1} << 62; }

}  // namespace quoll::capi
