// ServerExchange: the Exchange of one request stream, or of a push that was promised, on a ServerConnection.
#pragma once

#include "h3/session.h"
#include "web/body_pump.h"
#include "web/callback.h"
#include "web/exchange.h"

namespace quoll::web {

class ServerConnection;

class ServerExchange final : public Exchange {
 public:
  /// `has_request_body`: false when the request is complete already.
  ServerExchange(ServerConnection& connection, uint64_t stream, http::FieldSection fields, bool has_request_body);
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  std::string_view method() const override { return pseudo(":method"); }
  std::string_view scheme() const override { return pseudo(":scheme"); }
  std::string_view authority() const override;
  std::string_view path() const override { return pseudo(":path"); }
  std::string_view connect_protocol() const override { return pseudo(":protocol"); }
  const http::FieldSection& fields() const override { return fields_; }
  SocketAddress peer() const override;
  const quic::Connection* connection() const override;
  bool is_early() const override;

  std::optional<Slice> read(size_t max) override;
  bool is_request_complete() const override { return request_complete_; }
  const http::FieldSection& trailers() const override { return trailers_; }
  void on_readable(std::function<void()> callback) override;

  void inform(unsigned status, const http::FieldSection& fields) override;
  void respond(unsigned status, const http::FieldSection& fields) override;
  void write(Slice& data) override;
  void on_writable(std::function<void()> callback) override { set(on_writable_, std::move(callback)); }
  void finish(const http::FieldSection& trailers) override;
  using Exchange::send;
  void send(unsigned status, const http::FieldSection& fields, std::unique_ptr<BodySource> body) override;
  void abort(h3::ErrorCode code) override;
  Exchange* push(const http::FieldSection& request) override;

  std::optional<size_t> max_datagram_size() const override;
  bool send_datagram(Bytes payload) override;
  std::optional<Slice> receive_datagram() override;
  void on_datagram(std::function<void()> callback) override { set(on_datagram_, std::move(callback)); }
  void on_end(std::function<void(const Outcome&)> callback) override { on_end_ = std::move(callback); }

  // Events of the session.
  void take_readable();
  void take_trailers(http::FieldSection trailers) { trailers_ = std::move(trailers); }
  void take_writable();
  void take_aborted(uint64_t code);
  void take_stopped(uint64_t code);
  void take_datagram() { on_datagram_(); }
  /// What a callback that was set late has missed.
  void take_missed();
  /// Calls on_end()'s callback: the last thing that happens to it.
  void end(bool delivered, uint64_t connection_code);

 private:
  std::string_view pseudo(std::string_view name) const { return fields_.find(name).value_or(std::string_view()); }
  void set(Callback& callback, std::function<void()> function);
  void send_head(unsigned status, const http::FieldSection& fields, const BodySource* body, bool end);
  void pump();
  void ask_for_content();
  /// Our message is over: what is left of the request is not wanted, unless somebody reads it.
  void settle_request();

  ServerConnection& connection_;
  uint64_t stream_;
  http::FieldSection fields_;
  http::FieldSection trailers_;
  Callback on_readable_, on_writable_, on_datagram_;
  std::function<void(const Outcome&)> on_end_;
  BodyPump pump_;
  Outcome outcome_;
  bool request_complete_;
  bool client_waits_;  // to be asked for the request's content
  bool response_finished_ = false;
  bool no_content_ = false;  // what is written of a body is dropped
  bool missed_readable_ = false, missed_writable_ = false, missed_datagram_ = false;
  bool aborted_ = false;
};

}  // namespace quoll::web
