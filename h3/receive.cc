// Messages that come: frames of request and push streams up to the head, and field sections wherever they stand
// (RFC 9114 §4.1, §7).
#include "h3/capsule.h"
#include "h3/state.h"

namespace quoll::h3 {
namespace {

constexpr const char* kTruncated = "a stream that ends within a frame";

}  // namespace

void Session::State::read_head(Exchange& exchange) {
  while (is_open() && exchange.receive == Exchange::Receive::head && !exchange.blocked) {
    if (!exchange.input.empty()) {
      work(exchange);
    } else if (exchange.end_read) {
      return on_early_end(exchange);
    } else if (!pull(exchange, kReadSize)) {
      return;
    }
  }
  keep_small(exchange.input);
}

/// Reads a piece of input when there is none. False: there is nothing now, or nothing more.
bool Session::State::pull(Exchange& exchange, size_t max) {
  Result<std::optional<Chunk>> chunk = transport.read(exchange.stream, max);
  if (!chunk) {
    on_exchange_reset(exchange, chunk.error().code);
    return false;
  }
  if (!*chunk) return false;
  exchange.input = std::move((*chunk)->data);
  exchange.end_read = (*chunk)->fin;
  return true;
}

/// A header, or a part of a payload other than DATA's.
void Session::State::work(Exchange& exchange) {
  if (!exchange.in_frame && !read_header(exchange)) return;
  const FrameType type = exchange.frame.type;
  if (type == FrameType::headers || type == FrameType::push_promise) return gather(exchange);
  // RFC 9114 §9: of a type that nobody here knows.
  if (type != FrameType::data) (void)exchange.frames.take_payload(exchange.input);
  if (exchange.frames.payload_left() == 0) exchange.in_frame = false;
}

/// False: more is needed, or nothing more is to be done.
bool Session::State::read_header(Exchange& exchange) {
  const std::optional<FrameHeader> header = exchange.frames.read_header(exchange.input);
  if (!header) return false;
  exchange.frame = *header;
  exchange.in_frame = true;
  begin_frame(exchange, *header);
  return is_open() && exchange.receive != Exchange::Receive::over;
}

void Session::State::begin_frame(Exchange& exchange, const FrameHeader& header) {
  const StreamKind kind = exchange.is_push()                                               ? StreamKind::push
                          : exchange.tunnel && exchange.receive != Exchange::Receive::head ? StreamKind::tunnel
                                                                                           : StreamKind::request;
  if (!check(check_frame(header.type, kind, role)) || !check(check_length(header))) return;
  if (header.type == FrameType::data) return begin_data(exchange, header.length);
  if (!name_of(header.type).empty()) return begin_section(exchange, header);
  statistics.unknown_frames++;
  count_useless();
}

void Session::State::begin_data(Exchange& exchange, uint64_t length) {
  // RFC 9114 §4.1: before the head, or after the trailers.
  if (exchange.receive != Exchange::Receive::body) {
    return fail(ErrorCode::frame_unexpected, "DATA where no content may stand");
  }
  if (length == 0) return count_useless();
  count_useful();
  // RFC 9114 §4.1.2: no more than content-length says.
  if (!exchange.content.add(length)) on_malformed(exchange);
}

void Session::State::begin_section(Exchange& exchange, const FrameHeader& header) {
  if (exchange.receive == Exchange::Receive::trailers && header.type == FrameType::headers) {
    return fail(ErrorCode::frame_unexpected, "HEADERS after the trailers");
  }
  const uint64_t limit = options.decoder.max_field_section_size;
  if (header.length > kEncodedSizeSlack && (header.length - kEncodedSizeSlack) / kEncodedSizeFactor > limit) {
    on_too_large(exchange);
  }
}

/// A payload that is needed whole: as it lies in the input where it can be.
void Session::State::gather(Exchange& exchange) {
  Slice part = exchange.frames.take_payload(exchange.input);
  const bool whole = exchange.frames.payload_left() == 0;
  if (whole) exchange.in_frame = false;
  if (whole && exchange.section.empty()) return on_section(exchange, part.bytes());
  exchange.section.insert(exchange.section.end(), part.bytes().begin(), part.bytes().end());
  if (whole) {
    const std::vector<uint8_t> payload = std::exchange(exchange.section, {});
    on_section(exchange, payload);
  }
}

void Session::State::on_section(Exchange& exchange, Bytes payload) {
  Bytes section = payload;
  if (exchange.frame.type == FrameType::push_promise) {
    const Result<PushPromise> promise = parse_push_promise(payload);
    if (!promise) return fail(promise.error());
    // RFC 9114 §7.2.5
    if (!is_allowed_push(promise->push_id)) return fail(ErrorCode::id_error, "a promise above MAX_PUSH_ID");
    section = promise->field_section;
    promised_push = promise->push_id;
  }
  http::FieldSection fields;
  const Result<qpack::DecodeStatus> status = decoder.decode(exchange.stream, section, fields);
  if (!status) return fail(status.error());
  switch (*status) {
    case qpack::DecodeStatus::done:
      return on_fields(exchange, std::move(fields));
    case qpack::DecodeStatus::blocked:
      return keep_blocked(exchange, payload);
    case qpack::DecodeStatus::too_large:
      return on_too_large(exchange);
  }
}

void Session::State::keep_blocked(Exchange& exchange, Bytes payload) {
  exchange.blocked = true;
  exchange.section.assign(payload.begin(), payload.end());
  blocked_bytes += payload.size();
  if (blocked_bytes > kBlockedBytesMax) fail(ErrorCode::excessive_load, "too much waits for the dynamic table");
}

void Session::State::on_fields(Exchange& exchange, http::FieldSection fields) {
  if (exchange.frame.type == FrameType::push_promise) return on_promise(exchange, std::move(fields));
  if (exchange.receive == Exchange::Receive::body) return on_trailers(exchange, std::move(fields));
  if (role == Role::server) return on_request(exchange, std::move(fields));
  on_response(exchange, std::move(fields));
}

void Session::State::on_request(Exchange& exchange, http::FieldSection fields) {
  const Result<RequestHead> head = check_request(fields, options.enable_connect_protocol);
  if (!head) return on_malformed(exchange);
  // RFC 9297 §3.2
  if (!head->protocol.empty() && !check_capsule_message(fields)) return on_malformed(exchange);
  exchange.method = head->is_connect() ? Method::connect : head->method == "HEAD" ? Method::head : Method::other;
  exchange.tunnel = head->is_connect();
  exchange.content = ContentCheck::of(*head);
  exchange.receive = Exchange::Receive::body;
  on_request_priority(exchange, fields);
  const std::optional<bool> goes_on = has_body(exchange);
  if (!goes_on) return;
  statistics.requests++;
  count_useful();
  exchange.told = true;
  tell(RequestReceived{.stream = exchange.stream, .fields = std::move(fields), .has_body = *goes_on});
  if (*goes_on) {
    tell_readable(exchange);
    peek(exchange);
  }
  take_early_datagrams(exchange);
}

void Session::State::on_response(Exchange& exchange, http::FieldSection fields) {
  const Result<ResponseHead> head = check_response(fields);
  if (!head) return on_malformed(exchange);
  if (head->is_interim()) return on_interim(exchange, head->status, std::move(fields));
  const bool succeeded = head->status / 100 == 2;
  exchange.tunnel = exchange.method == Method::connect && succeeded;
  // RFC 9297 §3.2
  if (exchange.tunnel && !check_capsule_message(fields, head->status)) return on_malformed(exchange);
  exchange.content = ContentCheck::of(*head, exchange.method == Method::head      ? "HEAD"
                                             : exchange.method == Method::connect ? "CONNECT"
                                                                                  : "GET");
  exchange.receive = Exchange::Receive::body;
  const std::optional<bool> goes_on = has_body(exchange);
  if (!goes_on) return;
  count_useful();
  tell(ResponseReceived{
      .stream = exchange.stream, .status = head->status, .fields = std::move(fields), .has_body = *goes_on});
  if (*goes_on) {
    tell_readable(exchange);
    peek(exchange);
  } else {
    release(exchange);
  }
}

void Session::State::on_interim(Exchange& exchange, unsigned status, http::FieldSection fields) {
  // RFC 9114 §4.5
  if (status == 101) return on_malformed(exchange);
  count_useless();
  if (exchange.interim_waiting >= kInterimWaitingMax) return;
  exchange.interim_waiting++;
  tell(InformationReceived{.stream = exchange.stream, .status = status, .fields = std::move(fields)});
}

void Session::State::on_trailers(Exchange& exchange, http::FieldSection fields) {
  if (!check_trailers(fields) || !exchange.content.finish()) return on_malformed(exchange);
  exchange.receive = Exchange::Receive::trailers;
  if (exchange.discarding) return;
  exchange.trailers_wait = true;
  tell(TrailersReceived{.stream = exchange.stream, .fields = std::move(fields)});
}

/// RFC 9114 §4.2.2: a server answers, a client does without the response. Nothing is malformed, there is only too much of it.
void Session::State::on_too_large(Exchange& exchange) {
  const bool answers = role == Role::server && exchange.receive == Exchange::Receive::head;
  if (answers) {
    exchange.told = false;
    exchange.method = Method::other;
    (void)respond(exchange, 431, {}, true);
    stop_receiving(exchange, ErrorCode::no_error);
    return release(exchange);
  }
  on_malformed(exchange, ErrorCode::excessive_load);
}

void Session::State::on_early_end(Exchange& exchange) {
  // RFC 9114 §7.1
  if (exchange.in_frame || !exchange.frames.is_at_boundary()) {
    return fail(ErrorCode::frame_error, kTruncated);
  }
  if (role == Role::client) return on_malformed(exchange);
  // RFC 9114 §4.1: there is not enough of a request to answer.
  stop_receiving(exchange, {});
  abandon(exchange, ErrorCode::request_incomplete);
}

/// After the head: whether more follows. Empty: what came with it is not as it must be, and nothing is to be told.
std::optional<bool> Session::State::has_body(Exchange& exchange) {
  look_ahead(exchange);
  if (!is_open() || exchange.receive == Exchange::Receive::over) return {};
  if (!exchange.input.empty() || !exchange.end_read) return true;
  if (!end_is_good(exchange)) return {};
  exchange.receive = Exchange::Receive::over;
  return false;
}

/// What came with a head or trailers is looked at before anybody acts on them, as far as content does not stand before it:
/// an error of the peer's is found whether or not the application cares for the body.
void Session::State::look_ahead(Exchange& exchange) {
  while (is_open() && exchange.receive != Exchange::Receive::over && !exchange.input.empty()) {
    if (!exchange.in_frame && !read_header(exchange)) return;
    if (exchange.frame.type == FrameType::headers || exchange.frame.type == FrameType::push_promise) return;
    const uint64_t left = exchange.frames.payload_left();
    if (exchange.frame.type == FrameType::data && left != 0) {
      const bool is_last = exchange.end_read && left >= exchange.input.size();
      if (is_last && left > exchange.input.size()) return fail(ErrorCode::frame_error, kTruncated);
      if (is_last && !exchange.content.finish()) on_malformed(exchange);
      return;
    }
    (void)exchange.frames.take_payload(exchange.input);
    if (exchange.frames.payload_left() == 0) exchange.in_frame = false;
  }
}

/// The same for what comes later, where a frame begins: no more than a piece before the application asks for it.
void Session::State::peek(Exchange& exchange) {
  const auto in_data = [&] { return exchange.in_frame && exchange.frame.type == FrameType::data; };
  while (exchange.input.empty() && !exchange.end_read && !exchange.blocked && !exchange.discarding && !in_data()) {
    if (!pull(exchange, kReadSize)) return;
    look_ahead(exchange);
    if (exchange.receive == Exchange::Receive::over || !is_open()) return;
    if (exchange.input.empty() && exchange.end_read) (void)end_is_good(exchange);
  }
  keep_small(exchange.input);
}

/// What waits for the application shall not keep a large buffer for a few bytes.
void Session::State::keep_small(Slice& rest) {
  if (rest.empty()) rest = {};  // else the memory of what was worked off stays
  if (!rest.empty() && rest.pinned_size() > 8 * rest.size() + 4096) rest = Slice::copy_of(rest.bytes());
}

/// The stream ends here. False: it must not, and that is seen to.
bool Session::State::end_is_good(Exchange& exchange) {
  // RFC 9114 §7.1
  if (exchange.in_frame || !exchange.frames.is_at_boundary()) {
    fail(ErrorCode::frame_error, kTruncated);
    return false;
  }
  // RFC 9114 §4.1.2: no less than content-length says.
  if (!exchange.content.finish()) {
    on_malformed(exchange);
    return false;
  }
  return true;
}

void Session::State::tell_readable(Exchange& exchange) {
  if (exchange.discarding) return drain(exchange);
  if (!std::exchange(exchange.readable_told, true)) tell(BodyReadable{.stream = exchange.stream});
}

}  // namespace quoll::h3
