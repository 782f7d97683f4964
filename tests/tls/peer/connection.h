// Connection: a Stream over a TCP socket, driven until a condition holds or a deadline passes, with a count and a digest
// of what came. And the report of how it went, one "name=value" a line, for scripts to read.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "crypto/hash.h"
#include "tests/tls/peer/arguments.h"
#include "tls/key_log.h"
#include "tls/stream.h"

namespace quoll::tls::peer {

UnixTime unix_now();

/// A connected socket; exit code 3 when nobody answers.
int connect_to(const std::string& host_and_port);
/// A listening socket on the loopback interface, whose port is printed as "port=N".
int listen_on(const std::string& port);
/// The next connection; exit code 3 when none comes within the time.
int accept_from(int listener, std::chrono::seconds time_limit);

void print(std::string_view name, std::string_view value);

/// Lines into a file.
class FileKeyLog final : public KeyLog {
 public:
  explicit FileKeyLog(const std::string& path);
  ~FileKeyLog() override;
  void line(std::string_view text) override;

 private:
  std::FILE* file_;
};

class Connection {
 public:
  /// Takes the socket over.
  Connection(int socket, Stream stream, std::chrono::seconds time_limit);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  Stream& stream() { return stream_; }

  /// What is done with data that comes, after it was counted.
  using OnData = std::function<void(Bytes data, bool early)>;
  void on_data(OnData handler) { on_data_ = std::move(handler); }

  /// Takes data to be sent, which goes into the stream as there is room: so it never keeps us from reading. A peer that
  /// writes without reading meanwhile would otherwise wait for us as we for it.
  void send(std::vector<uint8_t> data);
  /// All of it is in the stream.
  bool is_written() const { return pending_.size() == pending_written_; }

  /// Sends and receives until the condition holds; false when that became impossible: the stream failed, the transport
  /// ended, or time ran out (which is reported).
  bool run_until(const std::function<bool()>& condition);
  /// Sends what is left to send, then ends sending.
  void finish_sending();

  uint64_t received_size() const { return received_size_; }
  const std::string& early_text() const { return early_; }
  bool has_ended() const { return ended_; }

  void report_negotiated();
  void report_data();
  void report_end();

 private:
  bool exchange();
  void write_pending();
  void send_some();
  void receive_some();
  void take_data();
  void linger();

  int socket_;
  Stream stream_;
  std::chrono::steady_clock::time_point deadline_;
  OnData on_data_;
  std::vector<uint8_t> pending_;
  size_t pending_written_ = 0;
  crypto::Hash digest_;
  uint64_t received_size_ = 0;
  std::string head_;   // the first bytes of what came
  std::string early_;  // of it, what came early
  bool ended_ = false;
  bool clean_end_ = false;
  bool timed_out_ = false;
};

}  // namespace quoll::tls::peer
