// Frames of HTTP/3 (RFC 9114 §7, RFC 9218 §7.2): their headers read from bytes that are split anywhere, where each type
// may stand, the payloads of the small ones, and what writes them.
//
// FrameReader keeps a header's few bytes and no payload: who reads decides per type whether the payload is passed on,
// gathered (up to a limit of its own) or dropped. Nothing here remembers what came before: that the first frame of a
// control stream is SETTINGS, and that DATA follows HEADERS, is for the owner of the stream, with check_settings_first() for
// the former. Errors are connection errors, in ErrorDomain::application.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/slice.h"
#include "base/varint.h"
#include "h3/error.h"
#include "h3/settings.h"
#include "h3/transport.h"
#include "http/priority.h"

namespace quoll::h3 {

/// Any other number is a type that we do not know.
enum class FrameType : uint64_t {
  data = 0x00,
  headers = 0x01,
  cancel_push = 0x03,
  settings = 0x04,
  push_promise = 0x05,
  goaway = 0x07,
  max_push_id = 0x0d,
  priority_update_request = 0xf0700,
  priority_update_push = 0xf0701,
};

/// "HEADERS"; empty for a type that we do not know.
std::string_view name_of(FrameType type);

struct FrameHeader {
  FrameType type = FrameType::data;
  uint64_t length = 0;  // of the payload
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// A stream of frames, cut into headers and payloads. Input is Bytes or a Slice; what is taken is cut off its front.
/// Capsules have the same layout, so it reads them too.
class FrameReader {
 public:
  /// To be called when payload_left() is 0. The header, as soon as its last byte is there; empty: more input is needed,
  /// and all of this was taken.
  std::optional<FrameHeader> read_header(Bytes& input);
  std::optional<FrameHeader> read_header(Slice& input);

  /// Of the frame whose header was read last.
  uint64_t payload_left() const { return payload_left_; }
  /// As much of the payload as there is.
  Bytes take_payload(Bytes& input) {
    const size_t size = payload_in(input.size());
    const Bytes part = input.first(size);
    input = input.subspan(size);
    return part;
  }
  Slice take_payload(Slice& input) { return input.split_front(payload_in(input.size())); }

  /// Nothing of a frame is missing: the only places where a stream may end (RFC 9114 §7.1).
  bool is_at_boundary() const { return payload_left_ == 0 && partial_size_ == 0; }

 private:
  size_t payload_in(size_t available) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(available, payload_left_));
    payload_left_ -= size;
    return size;
  }
  /// The header at the front of `bytes`, and how long it is.
  static std::optional<std::pair<FrameHeader, size_t>> parse(Bytes bytes);

  uint64_t payload_left_ = 0;
  std::array<uint8_t, 2 * kVarintMaxSize> partial_ = {};
  uint8_t partial_size_ = 0;
};

/// What a stream of frames carries. `tunnel`: a request stream after CONNECT succeeded (RFC 9114 §4.4).
enum class StreamKind : uint8_t { control, request, push, tunnel };

/// Whether `receiver` may get a frame of that type there (RFC 9114 §7.2): H3_FRAME_UNEXPECTED when not. Unknown types may
/// stand everywhere, but those of HTTP/2 nowhere.
[[nodiscard]] Result<void> check_frame(FrameType type, StreamKind stream, Role receiver);
/// The first frame of the peer's control stream is SETTINGS, and no other is: H3_MISSING_SETTINGS, H3_FRAME_UNEXPECTED.
[[nodiscard]] Result<void> check_settings_first(FrameType type, bool is_first);
/// Whether a payload of that length can be one of that type, to be asked before it is gathered: H3_FRAME_ERROR.
[[nodiscard]] Result<void> check_length(const FrameHeader& header);

// Whole payloads. H3_FRAME_ERROR for bytes that are missing or too many.

/// Of CANCEL_PUSH, MAX_PUSH_ID and GOAWAY.
[[nodiscard]] Result<uint64_t> parse_id(Bytes payload);
/// A client's GOAWAY names a push, a server's a request stream: H3_ID_ERROR for another stream.
[[nodiscard]] Result<uint64_t> parse_goaway(Bytes payload, Role receiver);

struct PushPromise {
  uint64_t push_id = 0;
  Bytes field_section;  // within the payload
};
[[nodiscard]] Result<PushPromise> parse_push_promise(Bytes payload);

struct PriorityUpdate {
  bool of_push = false;
  uint64_t id = 0;  // of a request stream, or a push id
  http::Priority priority;
  friend bool operator==(const PriorityUpdate&, const PriorityUpdate&) = default;
};
/// H3_ID_ERROR for what is no request stream, H3_GENERAL_PROTOCOL_ERROR for a value that does not parse (RFC 9218 §7). What
/// streams and pushes there are is for the caller to check.
[[nodiscard]] Result<PriorityUpdate> parse_priority_update(FrameType type, Bytes payload);

// Writing. Ids and lengths fit varints.

/// Type and length in place, for DATA and HEADERS whose payload is elsewhere.
struct EncodedHeader {
  std::array<uint8_t, 2 * kVarintMaxSize> storage = {};
  uint8_t size = 0;
  Bytes bytes() const { return Bytes(storage).first(size); }
};
EncodedHeader encode_header(const FrameHeader& header);

void write_varint(std::vector<uint8_t>& out, uint64_t value);
void write_header(std::vector<uint8_t>& out, const FrameHeader& header);
/// CANCEL_PUSH, MAX_PUSH_ID or GOAWAY, whole.
void write_id_frame(std::vector<uint8_t>& out, FrameType type, uint64_t id);
void write_settings(std::vector<uint8_t>& out, const Settings& settings,
                    std::optional<std::pair<uint64_t, uint64_t>> grease = {});
/// All but the field section, which follows.
void write_push_promise(std::vector<uint8_t>& out, uint64_t push_id, size_t field_section_size);
void write_priority_update(std::vector<uint8_t>& out, const PriorityUpdate& update);
/// RFC 9114 §7.2.8: a frame without meaning; `n` chooses the type.
void write_reserved(std::vector<uint8_t>& out, uint64_t n, Bytes payload);

}  // namespace quoll::h3
