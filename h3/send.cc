// Messages that go: heads, bodies without a copy, trailers (RFC 9114 §4.1, §7.2.1, §7.2.2).
#include <charconv>

#include "h3/capsule.h"
#include "h3/state.h"

namespace quoll::h3 {
namespace {

/// Room before an encoded section for the header of its frame and a push id.
constexpr size_t kFrontRoom = 3 * kVarintMaxSize;

std::string_view method_name(Method method) {
  switch (method) {
    case Method::head:
      return "HEAD";
    case Method::connect:
      return "CONNECT";
    case Method::other:
      break;
  }
  return "GET";
}

/// What a response to that request must not say of its content, or of capsules.
Result<void> check_length_fits(const Exchange& exchange, unsigned status, const http::FieldSection& fields) {
  const bool opens_tunnel = exchange.method == Method::connect && status / 100 == 2;
  // RFC 9110 §8.6
  if ((status < 200 || status == 204 || opens_tunnel) && fields.find("content-length")) {
    return usage_error("a content-length where none may stand");
  }
  // RFC 9297 §3.4
  if (status / 100 != 2 && fields.find("capsule-protocol")) return usage_error("capsules after that status");
  // RFC 9297 §3.2
  return opens_tunnel ? check_capsule_message(fields, status) : Result<void>();
}

}  // namespace

Result<std::optional<uint64_t>> Session::State::request(const http::FieldSection& fields, bool end,
                                                        http::Priority priority) {
  if (role == Role::server) return usage_error("a request of a server");
  if (!is_open()) return usage_error("the connection is closed");
  const Settings* settings = known_settings();
  // RFC 8441 §4, RFC 9220 §3: only after the server said that it takes :protocol.
  const Result<RequestHead> head = check_request(fields, settings && settings->enable_connect_protocol);
  if (!head) return std::unexpected(head.error());
  // RFC 9297 §3.2
  if (!head->protocol.empty()) {
    if (const Result<void> good = check_capsule_message(fields); !good) return std::unexpected(good.error());
  }
  if (is_too_large(fields)) return usage_error("a header section larger than the server takes");
  const ContentCheck announced = ContentCheck::of(*head);
  if (end && !announced.finish()) return usage_error("a request without the content that its content-length announces");
  // RFC 9114 §5.2: none after GOAWAY.
  if (goaway_received || goaway_sent) return std::nullopt;
  const std::optional<uint64_t> stream = transport.open(false);
  if (!stream) {
    request_refused = true;
    return std::nullopt;
  }
  Exchange& exchange = exchanges.insert(*stream);
  exchange.told = true;
  exchange.method = head->is_connect() ? Method::connect : head->method == "HEAD" ? Method::head : Method::other;
  exchange.announced = announced;
  exchange.send = Exchange::Send::body;
  statistics.requests++;
  if (priority != http::Priority()) prioritize(exchange, priority);
  if (priority != http::Priority() && !fields.find("priority")) {
    // RFC 9218 §5
    scratch_fields.clear();
    scratch_fields.append(fields);
    scratch_fields.add("priority", to_string(priority));
    write_section(exchange, scratch_fields);
  } else {
    write_section(exchange, fields);
  }
  if (end) end_sending(exchange);
  return stream;
}

bool Session::State::is_too_large(const http::FieldSection& fields) const {
  const Settings* settings = known_settings();
  return settings && settings->max_field_section_size && fields.decoded_size() > *settings->max_field_section_size;
}

const http::FieldSection& Session::State::with_status(unsigned status, const http::FieldSection& fields) {
  char text[8];
  const char* end = std::to_chars(text, text + sizeof text, status).ptr;
  scratch_fields.clear();
  scratch_fields.add(":status", std::string_view(text, static_cast<size_t>(end - text)));
  scratch_fields.append(fields);
  return scratch_fields;
}

Result<void> Session::State::inform(Exchange& exchange, unsigned status, const http::FieldSection& fields) {
  if (role == Role::client) return usage_error("a response of a client");
  if (exchange.send == Exchange::Send::over) return {};
  if (exchange.send != Exchange::Send::head) return usage_error("an interim response after the final one");
  // RFC 9114 §4.5
  if (status < 100 || status > 199 || status == 101) return usage_error("no status of an interim response");
  const http::FieldSection& section = with_status(status, fields);
  if (const Result<ResponseHead> head = check_response(section); !head) return std::unexpected(head.error());
  if (Result<void> good = check_length_fits(exchange, status, fields); !good) return good;
  if (is_too_large(section)) return usage_error("a header section larger than the client takes");
  write_section(exchange, section);
  return {};
}

Result<void> Session::State::respond(Exchange& exchange, unsigned status, const http::FieldSection& fields, bool end) {
  if (role == Role::client) return usage_error("a response of a client");
  if (exchange.send == Exchange::Send::over) return {};  // the client wants none; SendingStopped says so
  if (exchange.send != Exchange::Send::head) return usage_error("a second response");
  if (status < 200 || status > 999) return usage_error("no status of a final response");
  const http::FieldSection& section = with_status(status, fields);
  const Result<ResponseHead> head = check_response(section);
  if (!head) return std::unexpected(head.error());
  if (Result<void> good = check_length_fits(exchange, status, fields); !good) return good;
  if (is_too_large(section)) return usage_error("a header section larger than the client takes");
  const ContentCheck announced = ContentCheck::of(*head, method_name(exchange.method));
  if (end && !announced.finish()) return usage_error("a response without the content that it announces");
  exchange.announced = announced;
  exchange.send = Exchange::Send::body;
  write_section(exchange, section);
  if (end) end_sending(exchange);
  return {};
}

/// A HEADERS frame, or with `push_id` a PUSH_PROMISE frame. What it needs of the encoder stream goes before it.
void Session::State::write_section(Exchange& exchange, const http::FieldSection& fields,
                                   std::optional<uint64_t> push_id) {
  scratch.resize(kFrontRoom);
  // RFC 9204 §2.1.3: inserts that flow control holds back would block the section.
  const bool flows = encoder_stream.stream && encoder_stream.waiting.empty();
  encoder.set_room(flows ? transport.credit(*encoder_stream.stream) : 0);
  encoder.encode(exchange.stream, fields, scratch);
  const size_t section_size = scratch.size() - kFrontRoom;
  const size_t id_size = push_id ? varint_size(*push_id) : 0;
  const EncodedHeader header =
      encode_header({.type = push_id ? FrameType::push_promise : FrameType::headers, .length = section_size + id_size});
  const size_t begin = kFrontRoom - id_size - header.size;
  copy_bytes(scratch.data() + begin, header.bytes());
  if (push_id) varint_encode(scratch.data() + begin + header.size, *push_id, id_size);
  flush_own_streams();
  write(exchange, Bytes(scratch).subspan(begin));
}

/// By a copy; what the transport does not take waits.
void Session::State::write(Exchange& exchange, Bytes bytes) {
  if (exchange.waiting.empty()) bytes = bytes.subspan(transport.write_copy(exchange.stream, bytes));
  if (!bytes.empty()) (void)exchange.waiting.emplace(Slice::copy_of(bytes));
}

void Session::State::write(Exchange& exchange, Slice data) {
  if (exchange.waiting.empty()) transport.write(exchange.stream, data);
  if (!data.empty()) (void)exchange.waiting.emplace(std::move(data));
}

Result<void> Session::State::write_body(Exchange& exchange, Slice& data) {
  if (exchange.send == Exchange::Send::over) {
    data = {};  // the peer wants no more; SendingStopped says so
    return {};
  }
  if (exchange.send != Exchange::Send::body) return usage_error("content before the head or after the end");
  if (exchange.announced.left() && data.size() > *exchange.announced.left()) {
    return usage_error("more content than the head announced");
  }
  while (!data.empty()) {
    if (!exchange.waiting.empty()) {
      exchange.wants_room = true;
      return {};
    }
    const size_t size = std::min(data.size(), kDataFrameMax);
    const EncodedHeader header = encode_header({.type = FrameType::data, .length = size});
    const size_t taken = transport.write_copy(exchange.stream, header.bytes());
    if (taken == 0) {  // nothing is promised yet
      exchange.wants_room = true;
      return {};
    }
    (void)exchange.announced.add(size);
    // The header says what follows: from here on it is ours to bring.
    if (taken < header.size) (void)exchange.waiting.emplace(Slice::copy_of(header.bytes().subspan(taken)));
    write(exchange, data.split_front(size));
  }
  return {};
}

Result<void> Session::State::finish(Exchange& exchange, const http::FieldSection& trailers) {
  if (exchange.send == Exchange::Send::over) return {};
  if (exchange.send != Exchange::Send::body) return usage_error("the end before the head or after the end");
  if (!exchange.announced.finish()) return usage_error("less content than the head announced");
  if (!trailers.empty()) {
    if (const Result<void> good = check_trailers(trailers); !good) return good;
    if (is_too_large(trailers)) return usage_error("trailers larger than the peer takes");
    // RFC 9114 §4.4: a tunnel carries DATA alone.
    if (exchange.method == Method::connect) return usage_error("trailers in a tunnel");
    write_section(exchange, trailers);
  }
  end_sending(exchange);
  return {};
}

void Session::State::end_sending(Exchange& exchange) {
  exchange.send = Exchange::Send::finished;
  exchange.wants_room = false;
  exchange.finish_waits = !exchange.waiting.empty();
  if (!exchange.finish_waits) transport.finish(exchange.stream);
}

/// There is room again.
void Session::State::flush(Exchange& exchange) {
  while (!exchange.waiting.empty()) {
    Slice& first = exchange.waiting.front();
    transport.write(exchange.stream, first);
    if (!first.empty()) return;
    exchange.waiting.pop();
  }
  if (std::exchange(exchange.finish_waits, false)) transport.finish(exchange.stream);
  if (std::exchange(exchange.wants_room, false)) tell(BodyWritable{.stream = exchange.stream});
}

}  // namespace quoll::h3
