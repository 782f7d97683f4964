#include "h3/settings.h"

#include <algorithm>
#include <array>

#include "base/reader.h"
#include "base/varint.h"
#include "h3/error.h"
#include "qpack/error.h"

namespace quoll::h3 {
namespace {

/// Identifiers that a frame may hold before it is not read any further. All that are registered, and reserved ones of a
/// generous peer, are a dozen; more makes comparing each with each a burden.
constexpr size_t kIdentifiersMax = 256;

/// RFC 9114 §7.2.4.1, §11.2.2: settings of HTTP/2 that have none here to match them.
bool is_of_http2(uint64_t id) { return id == 0x00 || (id >= 0x02 && id <= 0x05); }

Result<bool> parse_flag(uint64_t value) {
  // RFC 8441 §3, RFC 9297 §2.1.1
  if (value > 1) return error(ErrorCode::settings_error, "a setting that is 0 or 1 with another value");
  return value == 1;
}

Result<void> apply(Settings& settings, uint64_t id, uint64_t value) {
  switch (SettingId{id}) {
    case SettingId::qpack_max_table_capacity:
      settings.qpack_max_table_capacity = value;
      return {};
    case SettingId::max_field_section_size:
      settings.max_field_section_size = value;
      return {};
    case SettingId::qpack_blocked_streams:
      settings.qpack_blocked_streams = value;
      return {};
    case SettingId::enable_connect_protocol:
    case SettingId::h3_datagram: {
      const Result<bool> flag = parse_flag(value);
      if (!flag) return std::unexpected(flag.error());
      (SettingId{id} == SettingId::h3_datagram ? settings.h3_datagram : settings.enable_connect_protocol) = *flag;
      return {};
    }
  }
  if (is_of_http2(id)) return error(ErrorCode::settings_error, "a setting of HTTP/2");
  return {};
}

void append_varint(std::vector<uint8_t>& out, uint64_t value) {
  uint8_t encoded[kVarintMaxSize];
  const size_t size = varint_size(value);
  varint_encode(encoded, value, size);
  out.insert(out.end(), encoded, encoded + size);
}

}  // namespace

Result<Settings> Settings::parse(Bytes payload) {
  Settings settings;
  std::array<uint64_t, kIdentifiersMax> seen;
  size_t count = 0;
  Reader reader(payload);
  while (reader.remaining() != 0) {
    const uint64_t id = reader.varint();
    const uint64_t value = reader.varint();
    if (!reader.ok()) break;
    if (count == kIdentifiersMax) return error(ErrorCode::excessive_load, "more settings than anybody needs");
    // RFC 9114 §7.2.4: each identifier once, also those that we do not know.
    if (std::find(seen.begin(), seen.begin() + count, id) != seen.begin() + count) {
      return error(ErrorCode::settings_error, "a setting that is given twice");
    }
    seen[count++] = id;
    if (const Result<void> applied = apply(settings, id, value); !applied) return std::unexpected(applied.error());
  }
  if (!reader.ok()) return error(ErrorCode::frame_error, "SETTINGS that end within a setting");
  return settings;
}

void Settings::write(std::vector<uint8_t>& out, std::optional<std::pair<uint64_t, uint64_t>> grease) const {
  const auto setting = [&](SettingId id, uint64_t value) {
    append_varint(out, static_cast<uint64_t>(id));
    append_varint(out, value);
  };
  // RFC 9114 §7.2.4.2: what differs from its initial value; the rest need not be said.
  if (qpack_max_table_capacity != 0) setting(SettingId::qpack_max_table_capacity, qpack_max_table_capacity);
  if (max_field_section_size) setting(SettingId::max_field_section_size, *max_field_section_size);
  if (qpack_blocked_streams != 0) setting(SettingId::qpack_blocked_streams, qpack_blocked_streams);
  if (enable_connect_protocol) setting(SettingId::enable_connect_protocol, 1);
  if (h3_datagram) setting(SettingId::h3_datagram, 1);
  if (grease) {
    append_varint(out, grease->first);
    append_varint(out, grease->second);
  }
}

Result<void> check_compatible(const Settings& before, const Settings& now) {
  // RFC 9204 §3.2.3: a remembered capacity, when there was one, is the capacity now: sizes of indices depend on it.
  if (before.qpack_max_table_capacity != 0 && before.qpack_max_table_capacity != now.qpack_max_table_capacity) {
    return qpack::error(qpack::ErrorCode::decoder_stream_error,
                        "another table capacity than early data was accepted with");
  }
  // Whoever kept to `before` must not have gone beyond `now`, and what was said once must be said again: an absent limit
  // is the largest, but not after it was given.
  const bool size_kept = now.max_field_section_size
                             ? before.max_field_section_size.value_or(UINT64_MAX) <= *now.max_field_section_size
                             : !before.max_field_section_size;
  const bool kept = now.qpack_blocked_streams >= before.qpack_blocked_streams && size_kept &&
                    (now.enable_connect_protocol || !before.enable_connect_protocol) &&
                    (now.h3_datagram || !before.h3_datagram);
  if (!kept) return error(ErrorCode::settings_error, "settings that are less than what early data was accepted with");
  return {};
}

}  // namespace quoll::h3
