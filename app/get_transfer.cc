// Transfer's way from a URL to its report. The response's way to the output stands in get_transfer_body.cc.
#include "app/get_transfer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "app/cert.h"
#include "app/content_disposition.h"
#include "app/failure_exit.h"
#include "http/date.h"
#include "http/method.h"
#include "os/system_rng.h"
#include "quic/connection/connection.h"
#include "udp/loop.h"

namespace quoll::app {
namespace {

/// What stays after the folder and a slash; a path that begins at the root is taken as it is.
std::string in_folder(const std::string& folder, const std::string& path) {
  if (folder.empty() || path.starts_with('/')) return path;
  return folder.ends_with('/') ? folder + path : folder + "/" + path;
}

Duration since(Instant begin, const std::optional<Instant>& instant) {
  if (!instant || *instant < begin) return {};
  return *instant - begin;
}

/// "1", "0.5".
std::string seconds_text(Duration duration) {
  std::array<char, 32> text;
  const int size =
      std::snprintf(text.data(), text.size(), "%.3g", static_cast<double>(duration.as_milliseconds()) / 1000);
  return std::string(text.data(), static_cast<size_t>(size));
}

}  // namespace

Transfer::Transfer(GetContext& context, const Try& which)
    : context_(context), options_(context.options), try_(which), begun_(udp::now()) {
  report_.url = report_.url_effective = options_.urls[try_.number];
  report_.url_number = try_.number;
  report_.retries = try_.retries;
  report_.referer = options_.referer;
  report_.method = method_ = method_of(options_);
}

void Transfer::begin() {
  if (!prepare() || !prepare_target()) return finish();
  send();
}

/// Where the URL leads; false after fail().
bool Transfer::prepare() {
  auto typed = parse_typed_url(options_.urls[try_.number]);
  if (!typed) {
    fail(typed.error().unsupported ? GetExit::unsupported_protocol : GetExit::url_malformed, typed.error().text);
    return false;
  }
  url_ = std::move(typed->url);
  user_ = std::move(typed->user);
  has_body_ = (options_.data && !options_.data_in_query) || options_.upload || !options_.form.empty();
  if (options_.data_in_query && !add_data_to_query()) return false;
  // curl: an upload to a folder keeps the file's name.
  if (options_.upload && *options_.upload != "-" && url_.path.ends_with('/')) {
    url_.path += http::percent_encode(options_.upload->substr(options_.upload->rfind('/') + 1));
  }
  report_.url_effective = url_.to_string();
  return true;
}

/// -G; false after fail().
bool Transfer::add_data_to_query() {
  std::string query = "?" + url_.query.value_or("");
  if (query.size() > 1 && !options_.data->empty()) query += '&';
  Result<http::Url> with_data = url_.resolve(query + *options_.data);
  if (!with_data) {
    fail(GetExit::url_malformed, std::string("what -G puts into the query is none: ") + with_data.error().reason +
                                     " (--data-urlencode encodes it)");
    return false;
  }
  url_ = std::move(*with_data);
  return true;
}

bool Transfer::prepare_target() {
  const bool given = try_.number < options_.targets.size();
  const Target target = given                   ? options_.targets[try_.number]
                        : options_.remote_names ? Target{Target::Kind::remote_name, {}}
                                                : Target{};
  target_ = target.kind;
  target_asked_ = given;
  target_path_ = target.path;
  if (target_ == Target::Kind::remote_name) {
    target_path_ = remote_file_name(url_.path);
    if (target_path_.empty() && !options_.remote_header_name) {
      fail(GetExit::write_error, "the URL's path ends in no file name; -o FILE gives one");
      return false;
    }
  }
  if (target_ != Target::Kind::standard_output) target_path_ = in_folder(options_.output_dir, target_path_);
  report_.file_name = target_path_;
  if (!options_.continues) return true;
  if (options_.continue_at) {
    offset_ = *options_.continue_at;
  } else if (!target_path_.empty()) {
    offset_ = file_size(target_path_).value_or(0);
  }
  return true;
}

/// -J: the file's name is known when the response is there.
void Transfer::take_name(const http::FieldSection& fields) {
  if (!options_.remote_header_name || target_ != Target::Kind::remote_name) return;
  const auto name = file_name_of(fields.find("content-disposition").value_or(""));
  if (name) target_path_ = in_folder(options_.output_dir, *name);
  report_.file_name = target_path_;
  if (target_path_.empty() || target_path_.ends_with('/')) {
    body_ = Body::drop;
    fail(GetExit::write_error, "neither the URL nor the response names a file; -o FILE gives a name");
  } else if (name && access(target_path_.c_str(), F_OK) == 0) {
    // curl: what a stranger calls a file must not overwrite one of ours.
    body_ = Body::drop;
    fail(GetExit::write_error, target_path_ + " is there already, and -J overwrites nothing");
  }
}

/// The body of the request, anew for every try; false after fail().
bool Transfer::prepare_body(web::ClientRequest& request) {
  input_.reset();
  upload_size_.reset();
  if (!has_body_) return true;
  if (options_.data) {
    upload_size_ = options_.data->size();
    request.body = web::text_body(*options_.data);
    return true;
  }
  if (!options_.form.empty()) {
    auto form = make_form(options_.form, os::thread_rng());
    if (!form) {
      fail(GetExit::read_error, form.error());
      return false;
    }
    upload_size_ = form->source->size();
    upload_type_ = std::move(form->content_type);
    request.body = std::move(form->source);
    return true;
  }
  if (input_used_) {
    fail(GetExit::send_rewind, "a redirect wants the body again, which came through a pipe");
    return false;
  }
  Result<Upload> upload = open_upload(*options_.upload);
  if (!upload) {
    fail(GetExit::read_error, *options_.upload + ": " + error_text(upload.error()));
    return false;
  }
  input_ = std::move(upload->pipe);
  input_used_ = request.streaming = input_ != nullptr;
  request.body = std::move(upload->file);
  if (request.body) upload_size_ = request.body->size();
  return true;
}

void Transfer::send() {
  web::ClientRequest request;
  if (!prepare_body(request)) return finish();
  const std::string range = offset_ != 0 ? std::to_string(offset_) + "-" : options_.range;
  auto fields = request_fields(options_, {.user = user_,
                                          .same_origin = same_origin_,
                                          .has_body = has_body_,
                                          .body_size = upload_size_,
                                          .body_type = upload_type_,
                                          .range = range});
  if (!fields) {
    fail(GetExit::usage, fields.error());
    return finish();
  }
  if (options_.time_limit) {
    request.time_limit = *options_.time_limit - (udp::now() - begun_);
    if (*request.time_limit <= Duration()) {
      fail(GetExit::timeout, "the time is over");
      return finish();
    }
  }
  request.connect_limit = options_.connect_limit;
  request.method = report_.method = method_;
  request.url = url_;
  request.fields = request_fields_ = std::move(*fields);
  request.early_data = options_.early_data && http::is_safe_method(method_) && !has_body_;
  announced_ = stopped_ = false;
  body_ = Body::deliver;
  content_length_.reset();
  location_.reset();
  report_.status = 0;
  report_.fields.clear();
  report_.url_effective = url_.to_string();
  exchange_ = &context_.client.send(std::move(request), *this);
}

void Transfer::on_tick() {
  if (done_ || !exchange_) return;
  if (exchange_->connection()) announce(*exchange_);
  if (output_.is_blocked()) on_readable(*exchange_);
  if (exchange_ && input_) move_input(*exchange_);
}

void Transfer::on_end(web::ClientExchange& exchange, const std::optional<web::Failure>& failure) {
  if (!failure) announce(exchange);
  take_facts(exchange);
  exchange_ = nullptr;
  if (failure && !(stopped_ && failure->kind == web::FailureKind::cancelled)) fail(*failure);
  if (location_ && !failure_) return follow();
  finish();
}

void Transfer::follow() {
  if (report_.redirects == options_.redirects_max) {
    fail(GetExit::too_many_redirects,
         "more than " + std::to_string(options_.redirects_max) + " redirects; the next one leads to " + *location_);
    return finish();
  }
  Result<Redirect> next = follow_redirect(report_.status, *location_, method_, url_);
  if (!next) {
    fail(GetExit::url_malformed, "a redirect to " + *location_ + ": " + next.error().reason);
    return finish();
  }
  if (next->url.scheme != "https") {
    fail(GetExit::unsupported_protocol, "a redirect to " + *location_ + ": HTTP/3 is for https");
    return finish();
  }
  context_.console.tell('*', "the redirect leads to " + next->url.to_string());
  report_.redirects++;
  report_.redirect = udp::now() - begun_;
  method_ = next->method;
  has_body_ = has_body_ && next->keeps_body;
  // What was for one server alone does not come back into play after a detour over another one.
  same_origin_ = same_origin_ && !next->changes_origin;
  url_ = std::move(next->url);
  send();
}

void Transfer::take_facts(const web::ClientExchange& exchange) {
  const web::Facts& facts = exchange.facts();
  const web::Timings& timings = facts.timings;
  report_.connected = report_.connected || timings.connected.has_value();
  if (timings.connected && !facts.connection_reused) report_.connects++;
  if (timings.connected || timings.sent) {
    // A request in 0-RTT goes out before the kernel has said from where.
    report_.local = exchange.connection() ? exchange.connection()->path().local : facts.local;
    report_.remote = facts.remote;
  }
  report_.size_download = facts.body_received;
  report_.size_upload = facts.body_sent;
  report_.size_header += facts.header_size;
  for (const http::FieldLine field : request_fields_)
    report_.size_request += field.name.size() + field.value.size() + 4;
  report_.name_lookup = since(begun_, timings.resolved);
  report_.connect = facts.connection_reused ? Duration() : since(begun_, timings.connected);
  report_.pre_transfer = since(begun_, timings.sent);
  report_.start_transfer = since(begun_, timings.first_byte);
  if (const auto* finding = context_.judge ? context_.judge->find(url_.host) : nullptr; finding && !facts.resumed)
    report_.certificates = finding->certificates;
}

void Transfer::fail(GetExit exit, std::string text) {
  if (!failure_) failure_ = Fault{exit, std::move(text)};
}

void Transfer::fail(const web::Failure& failure) {
  const ServerJudge::Finding* finding = context_.judge ? context_.judge->find(url_.host) : nullptr;
  const bool sending = has_body_ && report_.status == 0;
  std::string text = failure.text;
  if (failure.kind == web::FailureKind::tls && finding && finding->failure) {
    text = "the server's certificate is refused: " + std::string(x509::describe(*finding->failure)) + ": " +
           finding->reason;
    if (*finding->failure == x509::Failure::pin_mismatch) {
      text += ", sha256/" + finding->pin;
    } else {
      text += " (-k goes on without asking, --cacert and --pin say whom to trust)";
    }
  }
  fail(exit_for(failure, finding, sending), std::move(text));
}

/// The end of all requests: the file gets its name, or goes away.
void Transfer::finish() {
  if (wants_body() && !retry_in_) {
    Result<void> finished = open_output() ? output_.flush() : Result<void>();  // an empty body makes an empty file
    while (finished && output_.is_blocked()) finished = output_.flush();
    if (finished && options_.remote_time) {
      const auto modified = http::parse_date(report_.fields.find("last-modified").value_or(""), now());
      if (modified) output_.set_modified(*modified);
    }
    if (finished && wants_body()) finished = output_.finish();
    if (!finished) fail(GetExit::write_error, file_text() + ": " + error_text(finished.error()));
  }
  if (failure_ && !retry_in_ && is_transient(failure_->exit, options_.retry.all_errors))
    retry_in_ = delay_before_retry(report_.fields);
  output_.discard();
  report_.total = udp::now() - begun_;
  if (retry_in_) {
    const std::string why = failure_ ? failure_->text : "the server answers " + std::to_string(report_.status);
    context_.console.error(report_.url + ": " + why + "; the next try is in " + seconds_text(*retry_in_) + " s, " +
                           std::to_string(options_.retry.count - try_.retries) + " left");
  } else {
    report();
  }
  done_ = true;
  context_.on_done(*this);
}

bool Transfer::can_begin_anew() const {
  if (input_used_) return false;
  const bool is_partial_file = options_.continues && target_ != Target::Kind::standard_output;
  return (!any_written_ && !any_head_written_) || is_partial_file || output_.can_be_discarded();
}

/// Empty: there is no further try.
std::optional<Duration> Transfer::delay_before_retry(const http::FieldSection& fields) const {
  if (!can_begin_anew()) return {};
  return retry_delay(options_.retry,
                     {.retries = try_.retries,
                      .elapsed = udp::now() - try_.first_begun,
                      .retry_after = parse_retry_after(fields.find("retry-after").value_or(""), now())});
}

void Transfer::report() {
  GetConsole& console = context_.console;
  if (failure_) {
    report_.exit_code = static_cast<int>(failure_->exit);
    report_.error_message = failure_->text;
    if (failure_->exit != GetExit::interrupted) console.error(report_.url + ": " + failure_->text);
  }
  if (options_.write_out.empty()) return;
  console.make_room();
  const WrittenOut written = write_out(options_.write_out, report_);
  std::fwrite(written.standard_output.data(), 1, written.standard_output.size(), stdout);
  std::fflush(stdout);
  std::fwrite(written.standard_error.data(), 1, written.standard_error.size(), stderr);
  for (const std::string& name : written.unknown) console.error("-w knows no variable %{" + name + "}");
}

uint64_t Transfer::bytes_done() const {
  if (!exchange_) return std::max(report_.size_download, report_.size_upload);
  return std::max(exchange_->facts().body_received, exchange_->facts().body_sent);
}

std::optional<uint64_t> Transfer::bytes_total() const {
  if (report_.status != 0) return content_length_;
  return upload_size_;
}

}  // namespace quoll::app
