// Unidirectional streams (RFC 9114 §6.2): what the peer's are, and the three that are ours: control, and QPACK's encoder
// and decoder (RFC 9204 §4.2).
#include "h3/state.h"

namespace quoll::h3 {

// ---- Ours

/// RFC 9114 §6.2.1, §7.2.4.2: at once, without waiting for anything of the peer's. Where it allows no streams yet, they
/// follow as it does, the control stream first.
void Session::State::open_own_streams() {
  const struct {
    Outgoing& out;
    StreamType type;
  } streams[] = {{control, StreamType::control},
                 {encoder_stream, StreamType::qpack_encoder},
                 {decoder_stream, StreamType::qpack_decoder}};
  const bool complete = decoder_stream.stream.has_value();
  for (const auto& [out, type] : streams) {
    if (out.stream) continue;
    out.stream = transport.open(true);
    if (!out.stream) break;
    // Messages wait for what is said here, so no body goes before it.
    transport.set_priority(*out.stream, {.urgency = 0, .incremental = false});
    if (type == StreamType::qpack_encoder && peer_settings) use_peer_table();
    std::vector<uint8_t> begin;
    write_varint(begin, static_cast<uint64_t>(type));
    if (type == StreamType::control) {
      std::optional<std::pair<uint64_t, uint64_t>> grease;
      if (options.grease) grease = {reserved_id(rng.below(kReservedIdsMax)), rng.below(kVarintMax)};
      write_settings(begin, own_settings(), grease);
      if (options.grease) write_reserved(begin, rng.below(kReservedIdsMax), {});
      if (pushes_allowed != 0 && role == Role::client) {
        write_id_frame(begin, FrameType::max_push_id, pushes_allowed - 1);
      }
    }
    // What waited for the stream to be opened comes after its beginning.
    out.waiting.insert(out.waiting.begin(), begin.begin(), begin.end());
  }
  flush_own_streams();
  if (!complete && decoder_stream.stream && options.grease) open_grease_stream();
}

/// RFC 9114 §6.2.3: a stream without a meaning.
void Session::State::open_grease_stream() {
  const std::optional<uint64_t> stream = transport.open(true);
  if (!stream) return;
  std::vector<uint8_t> bytes;
  write_varint(bytes, reserved_id(rng.below(kReservedIdsMax)));
  bytes.push_back(0);
  if (transport.write_copy(*stream, bytes) == bytes.size()) {
    transport.finish(*stream);
  } else {
    transport.reset(*stream, static_cast<uint64_t>(ErrorCode::no_error));
  }
}

void Session::State::flush(Outgoing& out) {
  if (!out.stream || out.waiting.empty()) return;
  const size_t taken = transport.write_copy(*out.stream, out.waiting);
  out.waiting.erase(out.waiting.begin(), out.waiting.begin() + static_cast<ptrdiff_t>(taken));
}

void Session::State::flush_own_streams() {
  if (!is_open()) return;
  flush(control);
  flush(encoder_stream);
  flush(decoder_stream);
  if (encoder_stream.stream && encoder_stream.waiting.empty()) {
    if (const Bytes bytes = encoder.encoder_stream(); !bytes.empty()) {
      encoder.sent(transport.write_copy(*encoder_stream.stream, bytes));
    }
  }
  if (decoder_stream.stream && decoder_stream.waiting.empty()) {
    if (const Bytes bytes = decoder.decoder_stream(); !bytes.empty()) {
      decoder.sent(transport.write_copy(*decoder_stream.stream, bytes));
    }
  }
  // RFC 9204 §7.3: a peer that gives no credit for what it makes us say.
  if (control.waiting.size() > kControlWaitingMax || decoder.decoder_stream().size() > kControlWaitingMax) {
    fail(ErrorCode::excessive_load, "the peer does not read our control and QPACK streams");
  }
}

bool Session::State::is_own_stream(uint64_t stream) const {
  return control.stream == stream || encoder_stream.stream == stream || decoder_stream.stream == stream;
}

// ---- The peer's

std::optional<uint64_t>& Session::State::peer_stream(StreamType type) {
  if (type == StreamType::control) return peer_control;
  return type == StreamType::qpack_encoder ? peer_encoder : peer_decoder;
}

std::optional<StreamType> Session::State::critical_type(uint64_t stream) const {
  if (peer_control == stream) return StreamType::control;
  if (peer_encoder == stream) return StreamType::qpack_encoder;
  if (peer_decoder == stream) return StreamType::qpack_decoder;
  return {};
}

void Session::State::forget_untyped(uint64_t stream) {
  std::erase_if(untyped, [&](const Untyped& each) { return each.stream == stream; });
}

void Session::State::read_untyped(uint64_t stream) {
  const auto place = std::ranges::find(untyped, stream, &Untyped::stream);
  if (place == untyped.end()) return;
  for (;;) {
    Result<std::optional<Chunk>> chunk = transport.read(stream, kReadSize);
    // RFC 9114 §6.2: a stream may end or be reset before its header is there.
    if (!chunk) return forget_untyped(stream);
    if (!*chunk) return;
    Chunk rest = std::move(**chunk);
    if (const std::optional<StreamHeader> header = take_stream_header(*place, rest.data)) {
      untyped.erase(place);
      return begin_stream(stream, *header, std::move(rest));
    }
    if (rest.fin) return forget_untyped(stream);
  }
}

std::optional<Session::State::StreamHeader> Session::State::take_stream_header(Untyped& of, Slice& input) const {
  for (;;) {
    const Bytes so_far = Bytes(of.bytes).first(of.size);
    if (const DecodedVarint type = varint_decode(so_far); type.size != 0) {
      const StreamType known{type.value};
      if (known != StreamType::push || role == Role::server) return StreamHeader{.type = known};
      // RFC 9114 §6.2.2: a push stream is not given up before its push id is read.
      if (const DecodedVarint id = varint_decode(so_far.subspan(type.size)); id.size != 0) {
        return StreamHeader{.type = known, .push_id = id.value};
      }
    }
    if (input.empty()) return {};
    of.bytes[of.size++] = input.bytes()[0];
    input.drop_front(1);
  }
}

void Session::State::begin_stream(uint64_t stream, const StreamHeader& header, Chunk rest) {
  switch (header.type) {
    case StreamType::control:
    case StreamType::qpack_encoder:
    case StreamType::qpack_decoder:
      return begin_critical(stream, header.type, std::move(rest));
    case StreamType::push:
      // RFC 9114 §6.2.2
      if (role == Role::server) return fail(ErrorCode::stream_creation_error, "a push stream of a client's");
      return on_push_stream(stream, header.push_id, std::move(rest));
  }
  // RFC 9114 §6.2: a type that nobody here knows.
  statistics.unknown_streams++;
  count_useless();
  if (!rest.fin && is_open()) transport.stop(stream, static_cast<uint64_t>(ErrorCode::stream_creation_error));
}

void Session::State::begin_critical(uint64_t stream, StreamType type, Chunk rest) {
  std::optional<uint64_t>& place = peer_stream(type);
  if (place) return fail(ErrorCode::stream_creation_error, "a second stream of a type that there is one of");
  place = stream;
  take_critical(type, std::move(rest.data));
  if (!is_open()) return;
  if (rest.fin) return fail(ErrorCode::closed_critical_stream, "a critical stream was closed");
  read_critical(stream, type);
}

void Session::State::read_critical(uint64_t stream, StreamType type) {
  while (is_open()) {
    Result<std::optional<Chunk>> chunk = transport.read(stream, kReadSize);
    if (!chunk) return fail(ErrorCode::closed_critical_stream, "a critical stream was reset");
    if (!*chunk) break;
    take_critical(type, std::move((*chunk)->data));
    if ((*chunk)->fin) fail(ErrorCode::closed_critical_stream, "a critical stream was closed");
  }
  if (type == StreamType::qpack_encoder) unblock();
}

void Session::State::take_critical(StreamType type, Slice data) {
  switch (type) {
    case StreamType::control:
      return take_control(std::move(data));
    case StreamType::qpack_encoder:
      check(decoder.on_encoder_stream(data.bytes()));
      return;
    case StreamType::qpack_decoder:
      check(encoder.on_decoder_stream(data.bytes()));
      return;
    case StreamType::push:
      return;
  }
}

/// Sections whose entries have come.
void Session::State::unblock() {
  while (is_open()) {
    const std::optional<uint64_t> stream = decoder.poll_unblocked();
    if (!stream) return;
    Exchange* exchange = exchanges.find(*stream);
    if (!exchange || !exchange->blocked) continue;
    exchange->blocked = false;
    blocked_bytes -= exchange->section.size();
    const std::vector<uint8_t> payload = std::exchange(exchange->section, {});
    on_section(*exchange, payload);
    if (!is_open() || exchange->blocked) continue;
    if (exchange->receive == Exchange::Receive::head) {
      read_head(*exchange);
    } else if (exchange->receive != Exchange::Receive::over) {
      tell_readable(*exchange);
    }
  }
}

}  // namespace quoll::h3
