// Settings: the parameters of SETTINGS (RFC 9114 §7.2.4, RFC 9204 §5, RFC 9220 §3, RFC 9297 §2.1.1) that we know.
//
// A value: what an end says of itself. Others are ignored, but neither those of HTTP/2 nor repetitions. When the frame must
// come, and when 0-RTT is to be given up for its sake, is the session's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace quoll::h3 {

enum class SettingId : uint64_t {
  qpack_max_table_capacity = 0x01,
  max_field_section_size = 0x06,
  qpack_blocked_streams = 0x07,
  enable_connect_protocol = 0x08,
  h3_datagram = 0x33,
};

struct Settings {
  uint64_t qpack_max_table_capacity = 0;
  uint64_t qpack_blocked_streams = 0;
  std::optional<uint64_t> max_field_section_size = {};  // empty: unlimited
  bool enable_connect_protocol = false;
  bool h3_datagram = false;

  /// The payload of a SETTINGS frame. An Error with H3_SETTINGS_ERROR or H3_FRAME_ERROR.
  [[nodiscard]] static Result<Settings> parse(Bytes payload);
  /// Appends the payload; `grease`: a reserved identifier and its value beside (RFC 9114 §7.2.4.1).
  void write(std::vector<uint8_t>& out, std::optional<std::pair<uint64_t, uint64_t>> grease = {}) const;
  friend bool operator==(const Settings&, const Settings&) = default;
};

/// RFC 9114 §7.2.4.2: whether a server whose settings a client remembered as `before` may accept 0-RTT and go on with `now`.
/// Else a connection error: QPACK_DECODER_STREAM_ERROR for another table capacity (RFC 9204 §3.2.3), H3_SETTINGS_ERROR.
[[nodiscard]] Result<void> check_compatible(const Settings& before, const Settings& now);

}  // namespace quoll::h3
