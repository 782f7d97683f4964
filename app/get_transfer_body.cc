// The response of a Transfer: what becomes of its body, the heads that are printed, what -v tells of the connection.
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "app/cert.h"
#include "app/get_transfer.h"
#include "http/range.h"
#include "quic/connection/connection.h"
#include "tls/cipher_suite.h"

namespace quoll::app {
namespace {

constexpr size_t kSlicesPerWrite = 1024;       // what one system call takes
constexpr uint64_t kDroppedMax = 1024 * 1024;  // bytes of a body that nobody wants, before the stream is stopped

http::FieldSection without_pseudo_fields(const http::FieldSection& fields) {
  http::FieldSection out;
  for (const http::FieldLine field : fields) {
    if (!field.name.starts_with(':')) out.add(field);
  }
  return out;
}

std::string line_of(const http::FieldLine& field) { return std::string(field.name).append(": ").append(field.value); }

bool has_zero_byte(Bytes bytes) { return std::ranges::find(bytes, 0) != bytes.end(); }

std::string_view name_of(tls::NamedGroup group) {
  switch (group) {
    case tls::NamedGroup::secp256r1:
      return "P-256";
    case tls::NamedGroup::secp384r1:
      return "P-384";
    case tls::NamedGroup::x25519:
      return "X25519";
    case tls::NamedGroup::x25519_mlkem768:
      return "X25519MLKEM768";
  }
  return "unknown group";
}

}  // namespace

void Transfer::on_information(web::ClientExchange& exchange, unsigned status, const http::FieldSection& fields) {
  announce(exchange);
  write_head(status, without_pseudo_fields(fields));
}

void Transfer::on_response(web::ClientExchange& exchange, unsigned status, const http::FieldSection& fields) {
  announce(exchange);
  report_.status = status;
  report_.fields = without_pseudo_fields(fields);
  if (const auto length = report_.fields.find("content-length"); length && method_ != "HEAD") {
    content_length_ = parse_number(*length, INT64_MAX);
  }
  decide(status, report_.fields);
  write_head(status, report_.fields);
  if ((failure_ || retry_in_) && body_ == Body::drop) stop(exchange);
}

void Transfer::on_trailers(web::ClientExchange&, const http::FieldSection& fields) {
  for (const http::FieldLine field : fields) context_.console.tell('<', line_of(field));
}

void Transfer::on_readable(web::ClientExchange& exchange) {
  if (body_ == Body::deliver) return move_body(exchange);
  while (const std::optional<Slice> slice = exchange.read()) dropped_ += slice->size();
  if (dropped_ > kDroppedMax) stop(exchange);
}

void Transfer::on_writable(web::ClientExchange& exchange) {
  if (input_) move_input(exchange);
}

void Transfer::stop(web::ClientExchange& exchange) {
  if (stopped_) return;
  stopped_ = true;
  input_.reset();
  exchange.cancel();
}

/// What is to be done with the body of this response.
void Transfer::decide(unsigned status, const http::FieldSection& fields) {
  const auto location = fields.find("location");
  if (location && is_redirect(status)) {
    if (options_.follow) {
      location_ = std::string(*location);
      body_ = Body::drop;
      return;
    }
    const Result<http::Url> target = url_.resolve(*location);
    report_.redirect_url = target ? target->to_string() : std::string(*location);
  }
  if (is_transient(status) && (retry_in_ = delay_before_retry(fields))) {
    body_ = Body::drop;
    return;
  }
  if (status >= 400 && (options_.fail || options_.fail_with_body) && !(options_.continues && status == 416)) {
    fail(GetExit::http_error, "the server answers " + std::to_string(status));
    if (!options_.fail_with_body) body_ = Body::drop;
  } else if (options_.continues) {
    decide_continued(status, fields);
  }
  if (body_ == Body::deliver && method_ != "HEAD") check_body(fields);
  if (body_ == Body::deliver) take_name(fields);
}

/// What the head tells of a body that is not to be had.
void Transfer::check_body(const http::FieldSection& fields) {
  const std::string_view coding = fields.find("content-encoding").value_or("identity");
  if (options_.compressed && coding != "identity") {
    body_ = Body::drop;
    fail(GetExit::content_coding, "the server sends the coding " + std::string(coding) +
                                      ", which is not decoded here (without --compressed it is written as it comes)");
  } else if (options_.size_max && content_length_.value_or(0) > *options_.size_max) {
    body_ = Body::drop;
    fail(GetExit::file_size, "the body has " + std::to_string(*content_length_) + " bytes, more than --max-filesize");
  }
}

/// -C: nothing but the rest of the same thing may go behind what is there.
void Transfer::decide_continued(unsigned status, const http::FieldSection& fields) {
  const auto content = http::parse_content_range(fields.find("content-range").value_or(""));
  if (status == 200 && offset_ == 0) return;
  if (status == 206 && content && content->range && content->range->offset == offset_) return;
  body_ = Body::drop;
  // RFC 9110 §15.5.17: there is nothing behind the end.
  if (status == 416 && content && content->representation_size == offset_) {
    context_.console.tell('*', "the file is complete already");
    return;
  }
  if (status == 200 || status == 206) {
    return fail(GetExit::range,
                "the server does not send parts: the file cannot be gone on with (without -C it begins anew)");
  }
  if (status == 416) return fail(GetExit::range, "what is there is longer than what the server has");
  fail(GetExit::http_error, "the server answers " + std::to_string(status));
}

bool Transfer::open_output() {
  if (output_.is_open()) return true;
  Result<void> opened;
  const bool is_file = target_ != Target::Kind::standard_output;
  if (is_file && options_.create_dirs) opened = make_folders(target_path_);
  if (opened && !is_file) {
    context_.console.make_room();
    opened = output_.open_standard_output();
  } else if (opened) {
    opened = options_.continues ? output_.open_partial(target_path_, offset_) : output_.open_file(target_path_);
  }
  if (!opened) fail(GetExit::write_error, file_text() + ": " + error_text(opened.error()));
  return opened.has_value();
}

/// For -v, -D, and for -i and -I, in the form of HTTP/1.1 that people know (curl's, to the blank behind the status).
void Transfer::write_head(unsigned status, const http::FieldSection& fields) {
  GetConsole& console = context_.console;
  std::string text = "HTTP/3 " + std::to_string(status);
  console.tell('<', text);
  text += " \r\n";
  for (const http::FieldLine field : fields) {
    const std::string line = line_of(field);
    console.tell('<', line);
    text.append(line).append("\r\n");
  }
  console.tell('<', "");
  text += "\r\n";
  if (context_.heads) {
    std::fwrite(text.data(), 1, text.size(), context_.heads);
    std::fflush(context_.heads);
  }
  if ((!options_.include && !options_.head) || retry_in_ || !open_output()) return;
  any_head_written_ = true;
  const Result<void> written = output_.write(text);
  if (!written) fail(GetExit::write_error, file_text() + ": " + error_text(written.error()));
}

/// From the exchange to the output, as long as both are ready.
void Transfer::move_body(web::ClientExchange& exchange) {
  if (stopped_) return;
  Result<void> written = open_output() ? output_.flush() : Result<void>();
  // Once read() has come back empty there is more to be told, such as trailers, before it is asked again.
  bool more = true;
  while (more && wants_body() && written && !output_.is_blocked()) {
    while (more && slices_.size() < kSlicesPerWrite) {
      std::optional<Slice> slice = exchange.read();
      more = slice.has_value();
      if (more) slices_.push_back(std::move(*slice));
    }
    if (slices_.empty()) return;
    const bool to_terminal = target_ == Target::Kind::standard_output && !target_asked_ && !any_written_;
    if (to_terminal && isatty(STDOUT_FILENO) == 1 && has_zero_byte(slices_.front().bytes())) {
      fail(GetExit::write_error, "what comes is binary: -o FILE takes it, -o - shows it all the same");
    }
    if (options_.size_max && exchange.facts().body_received > *options_.size_max) {
      fail(GetExit::file_size, "the body has more bytes than --max-filesize");
    }
    any_written_ = true;
    if (wants_body()) written = output_.write(slices_);
  }
  if (!written) {
    fail(GetExit::write_error, file_text() + ": " + error_text(written.error()));
  }
  if (!wants_body()) stop(exchange);
}

/// From standard input to the exchange. What is given before the request went out would be lost.
void Transfer::move_input(web::ClientExchange& exchange) {
  if (!exchange.facts().timings.sent || stopped_) return;
  while (true) {
    if (!input_waiting_.empty()) exchange.write(input_waiting_);
    if (!input_waiting_.empty()) return;
    Result<std::optional<Slice>> slice = input_->read();
    if (!slice) {
      fail(GetExit::read_error, *options_.upload + ": " + error_text(slice.error()));
      return stop(exchange);
    }
    if (input_->is_at_end()) {
      input_.reset();
      return exchange.finish();
    }
    if (!*slice) return;
    input_waiting_ = std::move(**slice);
  }
}

/// Once for each request, when its connection stands: what -v has to say before the response.
void Transfer::announce(web::ClientExchange& exchange) {
  if (announced_ || !context_.console.is_verbose()) return;
  announced_ = true;
  GetConsole& console = context_.console;
  tell_connection(exchange);
  console.tell('>', method_ + " " + url_.request_target() + " HTTP/3");
  console.tell('>', "host: " + url_.authority());
  for (const http::FieldLine field : request_fields_) {
    console.tell('>', field.name == "authorization" ? "authorization: (not shown)" : line_of(field));
  }
  console.tell('>', "");
}

void Transfer::tell_connection(const web::ClientExchange& exchange) {
  GetConsole& console = context_.console;
  const web::Facts& facts = exchange.facts();
  const std::string place = url_.host + " (" + facts.remote.to_string() + ")";
  if (facts.connection_reused) return console.tell('*', "goes on with the connection to " + place);
  const quic::Connection* connection = exchange.connection();
  const SocketAddress local = connection ? connection->path().local : facts.local;
  console.tell('*', "connected to " + place + " from " + local.to_string());
  if (!connection) return;
  const tls::Negotiated& tls = connection->tls();
  std::string text = connection->version() == quic::Version::v2 ? "QUIC version 2, " : "QUIC version 1, ";
  text.append("TLS 1.3, ").append(tls::name_of(tls.cipher_suite));
  if (tls.group) text.append(", ").append(name_of(*tls.group));
  text.append(", ALPN ").append(tls.application_protocol);
  if (tls.resumed) text += tls.early_data ? ", resumed with 0-RTT" : ", resumed";
  console.tell('*', text);
  const ServerJudge::Finding* finding = context_.judge ? context_.judge->find(url_.host) : nullptr;
  if (tls.resumed) return;
  if (!finding) return console.tell('*', "the server's certificate is not verified");
  console.tell('*', "certificate: " + finding->subject + ", issued by " + finding->issuer + ", valid until " +
                        finding->not_after);
  console.tell('*', "pin: sha256/" + finding->pin);
}

}  // namespace quoll::app
