// Transfer: one URL of `quoll get` from its request to its report, redirects included; with --retry, one try of it.
//
// It is the Listener of its exchanges, one after the other. Where its body goes (get_output.h), what follows a redirect
// (redirect.h) and what is printed in the end (write_out.h) is decided elsewhere; here it is put together. However it ends,
// it ends once: with a code, a message where something failed, and what -w asks for.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/exit_codes.h"
#include "app/get_console.h"
#include "app/get_options.h"
#include "app/get_output.h"
#include "app/get_request.h"
#include "app/get_retry.h"
#include "app/redirect.h"
#include "app/server_judge.h"
#include "app/upload_source.h"
#include "app/write_out.h"
#include "web/client.h"

namespace quoll::app {

class Transfer;

/// What the transfers of a run share; all of it outlives them.
struct GetContext {
  const GetOptions& options;
  GetConsole& console;
  web::Client& client;
  const ServerJudge* judge = nullptr;  // null: nobody is verified
  std::FILE* heads = nullptr;          // of -D
  std::function<void(Transfer&)> on_done{};
};

class Transfer final : public web::Listener {
 public:
  /// One try of the URL with that number, counted from 0.
  struct Try {
    size_t number = 0;
    size_t retries = 0;  // that came before
    Instant first_begun = {};
  };
  Transfer(GetContext& context, const Try& which);

  /// Sends the request; on_done() follows, from within when the URL is none.
  void begin();
  /// Goes on with an output, or an input, that was not ready. About 50 times a second.
  void on_tick();

  bool is_done() const { return done_; }
  /// This try ended in what may pass, nothing was reported, and another one is to begin after so long.
  const std::optional<Duration>& retry_in() const { return retry_in_; }
  Try next_try() const { return {try_.number, try_.retries + 1, try_.first_begun}; }
  GetExit exit() const { return failure_ ? failure_->exit : GetExit::ok; }
  /// For the progress bar: bytes of the bodies, and how many there are to be.
  uint64_t bytes_done() const;
  std::optional<uint64_t> bytes_total() const;

  void on_information(web::ClientExchange& exchange, unsigned status, const http::FieldSection& fields) override;
  void on_response(web::ClientExchange& exchange, unsigned status, const http::FieldSection& fields) override;
  void on_readable(web::ClientExchange& exchange) override;
  void on_trailers(web::ClientExchange& exchange, const http::FieldSection& fields) override;
  void on_writable(web::ClientExchange& exchange) override;
  void on_end(web::ClientExchange& exchange, const std::optional<web::Failure>& failure) override;

 private:
  enum class Body : uint8_t { deliver, drop };
  struct Fault {
    GetExit exit;
    std::string text;
  };

  bool prepare();
  bool add_data_to_query();
  bool prepare_target();
  void take_name(const http::FieldSection& fields);
  bool prepare_body(web::ClientRequest& request);
  void send();
  void follow();
  void finish();
  void report();

  std::optional<Duration> delay_before_retry(const http::FieldSection& fields) const;
  void decide(unsigned status, const http::FieldSection& fields);
  void check_body(const http::FieldSection& fields);
  void decide_continued(unsigned status, const http::FieldSection& fields);
  bool open_output();
  void write_head(unsigned status, const http::FieldSection& fields);
  void move_body(web::ClientExchange& exchange);
  void move_input(web::ClientExchange& exchange);
  void announce(web::ClientExchange& exchange);
  void tell_connection(const web::ClientExchange& exchange);
  void take_facts(const web::ClientExchange& exchange);
  /// The first one counts.
  void fail(GetExit exit, std::string text);
  void fail(const web::Failure& failure);
  void stop(web::ClientExchange& exchange);
  /// What comes is still wanted: nothing failed, or only the status did and --fail-with-body is given.
  bool wants_body() const { return body_ == Body::deliver && (!failure_ || failure_->exit == GetExit::http_error); }
  /// What came can be had again as if nothing had happened.
  bool can_begin_anew() const;
  std::string file_text() const { return target_path_.empty() ? "standard output" : target_path_; }

  GetContext& context_;
  const GetOptions& options_;
  const Try try_;
  Instant begun_;
  std::optional<Duration> retry_in_;
  bool done_ = false;

  // The request of now.
  http::Url url_{};
  std::string user_;
  std::string method_;
  bool same_origin_ = true;
  bool has_body_ = true;  // what -d and -T give still goes along
  web::ClientExchange* exchange_ = nullptr;
  http::FieldSection request_fields_;
  bool announced_ = false;
  std::optional<uint64_t> upload_size_;
  std::string upload_type_;  // of -F
  std::unique_ptr<InputPipe> input_;
  bool input_used_ = false;
  Slice input_waiting_;

  // The response.
  Target::Kind target_ = Target::Kind::standard_output;
  bool target_asked_ = false;  // -o -: whatever comes goes to the terminal
  std::string target_path_;
  uint64_t offset_ = 0;  // -C
  GetOutput output_;
  Body body_ = Body::deliver;
  std::vector<Slice> slices_;
  std::optional<uint64_t> content_length_;
  uint64_t dropped_ = 0;
  bool any_written_ = false, any_head_written_ = false;
  bool stopped_ = false;  // by us: the failure that follows is none
  std::optional<std::string> location_;

  std::optional<Fault> failure_;
  TransferReport report_;
};

}  // namespace quoll::app
