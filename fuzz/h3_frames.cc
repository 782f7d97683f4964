// h3::FrameReader and what reads whole payloads: the first byte chooses how the rest, a stream of frames, is cut. However
// that is, the frames are the same; headers and small payloads are written again and read the same; and errors are those
// that the frame's own rules have.
#include "h3/frame.h"

using namespace quoll;
using namespace quoll::h3;

namespace {

struct Frame {
  FrameHeader header;
  std::vector<uint8_t> payload;
  friend bool operator==(const Frame&, const Frame&) = default;
};

/// `step`: the size of the pieces; 0: all at once.
std::vector<Frame> read_all(Bytes stream, size_t step, bool& at_boundary) {
  std::vector<Frame> frames;
  FrameReader reader;
  while (!stream.empty()) {
    Bytes piece = stream.first(step == 0 ? stream.size() : std::min(step, stream.size()));
    stream = stream.subspan(piece.size());
    while (!piece.empty()) {
      if (reader.payload_left() == 0) {
        const std::optional<FrameHeader> header = reader.read_header(piece);
        if (!header) {
          QUOLL_CHECK(piece.empty());
          break;
        }
        frames.push_back({*header, {}});
        QUOLL_CHECK(reader.payload_left() == header->length);
      }
      const Bytes part = reader.take_payload(piece);
      frames.back().payload.insert(frames.back().payload.end(), part.begin(), part.end());
    }
  }
  at_boundary = reader.is_at_boundary();
  return frames;
}

bool is_error(const Error& error, std::initializer_list<ErrorCode> allowed) {
  for (const ErrorCode code : allowed) {
    if (error.domain == ErrorDomain::application && error.code == static_cast<uint64_t>(code)) return true;
  }
  return false;
}

/// The payload of a frame that was written.
Bytes payload_in(const std::vector<uint8_t>& written, FrameType type) {
  Bytes input = written;
  FrameReader reader;
  const std::optional<FrameHeader> header = reader.read_header(input);
  QUOLL_CHECK(header && header->type == type && header->length == input.size());
  return input;
}

void check_id(const Frame& frame) {
  const Result<uint64_t> id = parse_id(frame.payload);
  QUOLL_CHECK(id || is_error(id.error(), {ErrorCode::frame_error}));
  QUOLL_CHECK(!id || check_length(frame.header));
  if (!id) return;
  std::vector<uint8_t> out;
  write_id_frame(out, frame.header.type, *id);
  QUOLL_CHECK(parse_id(payload_in(out, frame.header.type)) == *id);
  const Result<uint64_t> stream = parse_goaway(frame.payload, Role::client);
  QUOLL_CHECK(stream.has_value() == (*id % 4 == 0));
}

void check_priority_update(const Frame& frame) {
  const Result<PriorityUpdate> update = parse_priority_update(frame.header.type, frame.payload);
  if (!update) {
    QUOLL_CHECK(
        is_error(update.error(), {ErrorCode::frame_error, ErrorCode::id_error, ErrorCode::general_protocol_error}));
    return;
  }
  std::vector<uint8_t> out;
  write_priority_update(out, *update);
  const Result<PriorityUpdate> again = parse_priority_update(frame.header.type, payload_in(out, frame.header.type));
  QUOLL_CHECK(again && *again == *update);
}

void check_push_promise(const Frame& frame) {
  const Result<PushPromise> promise = parse_push_promise(frame.payload);
  QUOLL_CHECK(promise || is_error(promise.error(), {ErrorCode::frame_error}));
  if (!promise) return;
  std::vector<uint8_t> out;
  write_push_promise(out, promise->push_id, promise->field_section.size());
  out.insert(out.end(), promise->field_section.begin(), promise->field_section.end());
  const Result<PushPromise> again = parse_push_promise(payload_in(out, FrameType::push_promise));
  QUOLL_CHECK(again && again->push_id == promise->push_id);
  QUOLL_CHECK(std::ranges::equal(again->field_section, promise->field_section));
}

void check_whole(const Frame& frame) {
  const EncodedHeader encoded = encode_header(frame.header);
  Bytes input = encoded.bytes();
  FrameReader reader;
  QUOLL_CHECK(reader.read_header(input) == frame.header && input.empty());
  switch (frame.header.type) {
    case FrameType::cancel_push:
    case FrameType::goaway:
    case FrameType::max_push_id:
      return check_id(frame);
    case FrameType::push_promise:
      return check_push_promise(frame);
    case FrameType::priority_update_request:
    case FrameType::priority_update_push:
      return check_priority_update(frame);
    case FrameType::settings: {
      const Result<Settings> settings = Settings::parse(frame.payload);
      QUOLL_CHECK(settings || is_error(settings.error(),
                                       {ErrorCode::settings_error, ErrorCode::frame_error, ErrorCode::excessive_load}));
      return;
    }
    case FrameType::data:
    case FrameType::headers:
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes stream = Bytes(data, size).subspan(1);
  bool ended = false, ended_in_pieces = false;
  const std::vector<Frame> frames = read_all(stream, 0, ended);
  QUOLL_CHECK(read_all(stream, 1 + data[0] % 32, ended_in_pieces) == frames);
  QUOLL_CHECK(ended == ended_in_pieces);
  for (const Frame& frame : frames) {
    const bool whole = frame.payload.size() == frame.header.length;
    QUOLL_CHECK(whole || (&frame == &frames.back() && !ended));
    if (whole) check_whole(frame);
  }
  return 0;
}
