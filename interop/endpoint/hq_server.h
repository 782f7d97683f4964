// HqServer: files over hq-interop: each bidirectional stream of a client asks "GET /path\r\n" and gets the bytes of the
// file, as far as flow control lets them go. HTTP/0.9 has no status: what cannot be served is a reset.
//
// An application for udp::run(). Requests are bounded by the streams that a connection may have, and their size by
// kRequestSizeMax.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "quic/endpoint/endpoint.h"
#include "web/body_source.h"
#include "web/root_folder.h"

namespace quoll::interop {

class HqServer {
 public:
  static constexpr size_t kRequestSizeMax = 8 * 1024;
  // There are no codes in HTTP/0.9; peers show them to people.
  static constexpr quic::ApplicationErrorCode kNoError{0};
  static constexpr quic::ApplicationErrorCode kBadRequest{400};
  static constexpr quic::ApplicationErrorCode kNotFound{404};
  static constexpr quic::ApplicationErrorCode kFailedToRead{500};

  HqServer(quic::Endpoint& endpoint, web::RootFolder files) : endpoint_(endpoint), files_(std::move(files)) {}

  /// From any thread: closes the connections, and udp::run() comes back.
  void stop() { stopping_ = true; }

  void on_event(Instant now, quic::EndpointEvent& event);
  void on_turn(Instant now);
  bool is_done() const { return closed_; }

 private:
  struct Request {
    std::string line;                       // as far as it has arrived
    std::unique_ptr<web::BodySource> body;  // once the line is whole
    Slice piece;                            // of the body, not taken by the stream yet
    bool last_piece = false;
    // It is forgotten when both are: the end of a request may come long after its line.
    bool is_read = false;
    bool is_answered = false;
  };
  using Requests = std::map<quic::StreamId, Request>;

  void read(quic::Streams& streams, Requests& requests, quic::StreamId id);
  void begin_answer(quic::Streams& streams, Requests& requests, quic::StreamId id);
  void send(quic::Streams& streams, Requests& requests, quic::StreamId id);
  void give_up(quic::Streams& streams, Requests& requests, quic::StreamId id, quic::ApplicationErrorCode error);

  quic::Endpoint& endpoint_;
  web::RootFolder files_;
  std::map<std::pair<uint32_t, uint32_t>, Requests> connections_;  // by the parts of the handle
  std::atomic<bool> stopping_ = false;
  bool closed_ = false;
};

}  // namespace quoll::interop
