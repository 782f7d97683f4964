#include "h3/frame.h"

#include "base/reader.h"
#include "h3/stream_type.h"

namespace quoll::h3 {
namespace {

/// RFC 9114 §7.2.8, §11.2.1: PRIORITY, PING, WINDOW_UPDATE and CONTINUATION of HTTP/2.
bool is_of_http2(FrameType type) {
  const auto number = static_cast<uint64_t>(type);
  return number == 0x02 || number == 0x06 || number == 0x08 || number == 0x09;
}

/// RFC 9114 §7.2, Table 1, and RFC 9218 §7.2. Who may send a type is who does not receive it.
bool may_stand(FrameType type, StreamKind stream, Role receiver) {
  switch (type) {
    case FrameType::data:
      return stream != StreamKind::control;
    case FrameType::headers:
      return stream == StreamKind::request || stream == StreamKind::push;
    case FrameType::cancel_push:
    case FrameType::settings:
    case FrameType::goaway:
      return stream == StreamKind::control;
    case FrameType::push_promise:
      return stream == StreamKind::request && receiver == Role::client;
    case FrameType::max_push_id:
    case FrameType::priority_update_request:
    case FrameType::priority_update_push:
      return stream == StreamKind::control && receiver == Role::server;
  }
  return !is_of_http2(type);
}

template <class Append>
void write_frame(std::vector<uint8_t>& out, FrameType type, size_t length, Append append) {
  write_header(out, {.type = type, .length = length});
  const size_t begin = out.size();
  append();
  QUOLL_DCHECK(out.size() == begin + length);
}

}  // namespace

std::string_view name_of(FrameType type) {
  switch (type) {
    case FrameType::data:
      return "DATA";
    case FrameType::headers:
      return "HEADERS";
    case FrameType::cancel_push:
      return "CANCEL_PUSH";
    case FrameType::settings:
      return "SETTINGS";
    case FrameType::push_promise:
      return "PUSH_PROMISE";
    case FrameType::goaway:
      return "GOAWAY";
    case FrameType::max_push_id:
      return "MAX_PUSH_ID";
    case FrameType::priority_update_request:
    case FrameType::priority_update_push:
      return "PRIORITY_UPDATE";
  }
  return {};
}

std::optional<std::pair<FrameHeader, size_t>> FrameReader::parse(Bytes bytes) {
  const DecodedVarint type = varint_decode(bytes);
  if (type.size == 0) return {};
  const DecodedVarint length = varint_decode(bytes.subspan(type.size));
  if (length.size == 0) return {};
  return std::pair(FrameHeader{.type = FrameType{type.value}, .length = length.value}, type.size + length.size);
}

std::optional<FrameHeader> FrameReader::read_header(Bytes& input) {
  QUOLL_DCHECK(payload_left_ == 0);
  if (partial_size_ == 0) {
    if (const auto whole = parse(input)) {
      input = input.subspan(whole->second);
      payload_left_ = whole->first.length;
      return whole->first;
    }
  }
  // The header is split: its bytes are collected one by one, since where it ends is told by themselves.
  while (!input.empty()) {
    partial_[partial_size_++] = input[0];
    input = input.subspan(1);
    if (const auto whole = parse(Bytes(partial_).first(partial_size_))) {
      QUOLL_DCHECK(whole->second == partial_size_);
      partial_size_ = 0;
      payload_left_ = whole->first.length;
      return whole->first;
    }
  }
  return {};
}

std::optional<FrameHeader> FrameReader::read_header(Slice& input) {
  Bytes bytes = input.bytes();
  const std::optional<FrameHeader> header = read_header(bytes);
  input.drop_front(input.size() - bytes.size());
  return header;
}

Result<void> check_frame(FrameType type, StreamKind stream, Role receiver) {
  if (may_stand(type, stream, receiver)) return {};
  if (is_of_http2(type)) return error(ErrorCode::frame_unexpected, "a frame type of HTTP/2");
  return error(ErrorCode::frame_unexpected, "a frame that is not allowed on this stream");
}

Result<void> check_settings_first(FrameType type, bool is_first) {
  // RFC 9114 §6.2.1: whatever else comes first, and be it forbidden here, says that SETTINGS are missing.
  if (is_first && type != FrameType::settings) {
    return error(ErrorCode::missing_settings, "the control stream does not begin with SETTINGS");
  }
  // RFC 9114 §7.2.4: once on a connection.
  if (!is_first && type == FrameType::settings) return error(ErrorCode::frame_unexpected, "a second SETTINGS frame");
  return {};
}

Result<void> check_length(const FrameHeader& header) {
  bool possible = true;
  switch (header.type) {
    case FrameType::data:
    case FrameType::headers:
    case FrameType::settings:
      break;
    case FrameType::cancel_push:
    case FrameType::goaway:
    case FrameType::max_push_id:
      possible = header.length >= 1 && header.length <= kVarintMaxSize;
      break;
    case FrameType::push_promise:
    case FrameType::priority_update_request:
    case FrameType::priority_update_push:
      possible = header.length >= 1;
      break;
  }
  // RFC 9114 §7.1: a payload contains exactly the fields of its frame.
  if (!possible) return error(ErrorCode::frame_error, "a frame of impossible length");
  return {};
}

Result<uint64_t> parse_id(Bytes payload) {
  Reader reader(payload);
  const uint64_t id = reader.varint();
  if (!reader.finished()) return error(ErrorCode::frame_error, "a frame of one number with something else in it");
  return id;
}

Result<uint64_t> parse_goaway(Bytes payload, Role receiver) {
  const Result<uint64_t> id = parse_id(payload);
  if (id && receiver == Role::client && *id % 4 != 0) {
    // RFC 9114 §7.2.6
    return error(ErrorCode::id_error, "GOAWAY with a stream that is no request");
  }
  return id;
}

Result<PushPromise> parse_push_promise(Bytes payload) {
  Reader reader(payload);
  const uint64_t push_id = reader.varint();
  if (!reader.ok()) return error(ErrorCode::frame_error, "PUSH_PROMISE without a push id");
  return PushPromise{.push_id = push_id, .field_section = reader.rest()};
}

Result<PriorityUpdate> parse_priority_update(FrameType type, Bytes payload) {
  QUOLL_DCHECK(type == FrameType::priority_update_request || type == FrameType::priority_update_push);
  Reader reader(payload);
  PriorityUpdate update{.of_push = type == FrameType::priority_update_push, .id = reader.varint(), .priority = {}};
  if (!reader.ok()) return error(ErrorCode::frame_error, "PRIORITY_UPDATE without an id");
  // RFC 9218 §7.2: bit 0 is the server's, bit 1 that of unidirectional streams.
  if (!update.of_push && update.id % 4 != 0) {
    return error(ErrorCode::id_error, "PRIORITY_UPDATE of a stream that is no request");
  }
  // RFC 9218 §7: the whole set of parameters, so the defaults take the place of those that are missing.
  const std::optional<http::Priority> priority = http::parse_priority(as_text(reader.rest()));
  if (!priority) return error(ErrorCode::general_protocol_error, "PRIORITY_UPDATE with a value that does not parse");
  update.priority = *priority;
  return update;
}

EncodedHeader encode_header(const FrameHeader& header) {
  EncodedHeader encoded;
  const size_t type_size = varint_size(static_cast<uint64_t>(header.type));
  const size_t length_size = varint_size(header.length);
  varint_encode(encoded.storage.data(), static_cast<uint64_t>(header.type), type_size);
  varint_encode(encoded.storage.data() + type_size, header.length, length_size);
  encoded.size = static_cast<uint8_t>(type_size + length_size);
  return encoded;
}

void write_varint(std::vector<uint8_t>& out, uint64_t value) {
  const size_t size = varint_size(value);
  out.resize(out.size() + size);
  varint_encode(out.data() + out.size() - size, value, size);
}

void write_header(std::vector<uint8_t>& out, const FrameHeader& header) {
  write_varint(out, static_cast<uint64_t>(header.type));
  write_varint(out, header.length);
}

void write_id_frame(std::vector<uint8_t>& out, FrameType type, uint64_t id) {
  QUOLL_DCHECK(type == FrameType::cancel_push || type == FrameType::max_push_id || type == FrameType::goaway);
  write_frame(out, type, varint_size(id), [&] { write_varint(out, id); });
}

void write_settings(std::vector<uint8_t>& out, const Settings& settings,
                    std::optional<std::pair<uint64_t, uint64_t>> grease) {
  std::vector<uint8_t> payload;
  settings.write(payload, grease);
  write_frame(out, FrameType::settings, payload.size(), [&] { out.insert(out.end(), payload.begin(), payload.end()); });
}

void write_push_promise(std::vector<uint8_t>& out, uint64_t push_id, size_t field_section_size) {
  write_header(out, {.type = FrameType::push_promise, .length = varint_size(push_id) + field_section_size});
  write_varint(out, push_id);
}

void write_priority_update(std::vector<uint8_t>& out, const PriorityUpdate& update) {
  const std::string value = http::to_string(update.priority);
  const FrameType type = update.of_push ? FrameType::priority_update_push : FrameType::priority_update_request;
  write_frame(out, type, varint_size(update.id) + value.size(), [&] {
    write_varint(out, update.id);
    out.insert(out.end(), value.begin(), value.end());
  });
}

void write_reserved(std::vector<uint8_t>& out, uint64_t n, Bytes payload) {
  write_frame(out, FrameType{reserved_id(n)}, payload.size(),
              [&] { out.insert(out.end(), payload.begin(), payload.end()); });
}

}  // namespace quoll::h3
