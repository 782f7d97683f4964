// Stream: TLS 1.3 over a byte stream (RFC 8446), without a socket: a Session in Mode::stream, and records around it.
//
// Drive it like this, in any order, and send after each:
//   receive()         what the transport gave; receive_end() when it ended
//   to_send(), sent() what the transport is to take
//   readable(), consume(), write(), write_early_data(), close()  the application's side
//
// Either direction can be closed alone (RFC 8446 §6.1): close() ends ours, is_read_closed() tells that the peer ended its
// own. A failure ends both: receive() returns it, the alert for the peer waits in to_send(), all keys are forgotten.
//
// A Stream takes and keeps whatever it is given, so bounds are the caller's: it does not receive() while much is readable,
// and does not write() while much is to be sent. What a peer alone could make grow is limited: less than a record of
// what came in, and answers to kKeyUpdatesInARowMax key updates.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "tls/alert.h"
#include "tls/record_layer.h"
#include "tls/session.h"

namespace quoll::tls {

/// After so many records under one key, a new one is taken: well below what RFC 8446 §5.5 permits AES-GCM, and below
/// where crypto::AeadKey refuses.
inline constexpr uint64_t kRecordsPerKey = uint64_t{1} << 22;
/// Early data that a client writes at most, whatever the server's ticket permits: it is kept until its fate is known.
inline constexpr size_t kEarlyDataKeptMax = 64 * 1024;
/// Rejected early data that a server skips at least, though it accepts less or none: a ticket may be from a server, or a
/// time, with another limit, and a rejection must not end the connection (RFC 8446 §4.2.10).
inline constexpr size_t kEarlyDataSkippedMin = 16 * 1024;
/// KeyUpdates that a peer may send without data between them: more is unexpected_message.
inline constexpr size_t kKeyUpdatesInARowMax = 32;

struct StreamOptions {
  uint64_t records_per_key = kRecordsPerKey;
  size_t padding_multiple = 1;  // RecordWriter::set_padding_multiple()
};

class Stream {
 public:
  /// Starts; the ClientHello is to be sent. A usage error for what Session::client() refuses, or another mode than
  /// Mode::stream. `rng` must outlive the stream.
  [[nodiscard]] static Result<Stream> client(std::shared_ptr<const ClientConfig> config, ClientOptions options,
                                             Rng& rng, UnixTime now, const StreamOptions& stream_options = {});
  [[nodiscard]] static Result<Stream> server(std::shared_ptr<const ServerConfig> config, ServerOptions options,
                                             Rng& rng, const StreamOptions& stream_options = {});

  // The transport's side.

  /// Bytes from the transport. The error is the alert that we send, or, where peer_alert() is set, the peer's. After a
  /// failure every call gives the same one. What follows the peer's close_notify is ignored.
  [[nodiscard]] Result<void> receive(Bytes bytes, UnixTime now);

  /// The transport gives no more. False when the peer has not said so with a close_notify: somebody may have cut off the
  /// end of the data (RFC 8446 §6.1).
  [[nodiscard]] bool receive_end();

  /// What the transport is to take, until the next call that changes the stream.
  Bytes to_send() const { return Bytes(outgoing_).subspan(outgoing_begin_); }
  /// The transport has taken the first `size` bytes of it.
  void sent(size_t size);

  // The application's side.

  /// Data that has arrived. `early`: as 0-RTT, so perhaps a replay of what somebody else recorded (RFC 8446 §8); early
  /// data and other data are never given together.
  struct Readable {
    Bytes data;
    bool early = false;
  };
  Readable readable() const;
  void consume(size_t size);
  /// The peer will send no more: it sent close_notify. There may be data left to read.
  bool is_read_closed() const { return read_closed_; }

  /// Whether write() can take data: on a client when the handshake is complete; on a server already with its Finished, when
  /// it does not know yet who the client is (RFC 8446 §2: that is for answers to early data).
  bool is_writable() const { return write_level_ == Level::application && !write_closed_ && !failure_; }
  /// Data to send. A usage error when not is_writable().
  [[nodiscard]] Result<void> write(Bytes data);

  /// Client, before the handshake is complete: how much early data can be written. 0 where none was offered, or its fate is
  /// known.
  size_t early_data_room() const;
  /// Writes early data; a usage error when there is no room for it.
  [[nodiscard]] Result<void> write_early_data(Bytes data);
  /// The fate of early data that was offered; empty until it is known.
  std::optional<bool> early_data_accepted() const { return early_data_accepted_; }
  /// Client: the early data that the server has not taken. Nothing is sent again by itself: the server may speak another
  /// protocol now, and only the application knows whether the data still stands (RFC 8446 §4.2.10).
  std::vector<uint8_t> take_rejected_early_data();

  /// Sends close_notify; before the handshake is complete, user_canceled first. Reading goes on.
  void close();

  // The connection.

  bool is_complete() const { return complete_; }
  /// Set when the stream has failed.
  const std::optional<Error>& failure() const { return failure_; }
  /// The alert by which the peer ended the connection. May be a number that tls/alert.h does not know.
  std::optional<uint8_t> peer_alert() const { return peer_alert_; }
  /// After a failure without the peer's certificates.
  const Negotiated& negotiated() const { return session_ ? session_->negotiated() : negotiated_; }
  /// Client: the next ticket that came; empty when there is none.
  std::optional<ClientTicket> take_ticket();

  // As in Session; usage errors after a failure.
  [[nodiscard]] Result<void> export_keying_material(std::string_view label, Bytes context, MutBytes out) const;
  [[nodiscard]] Result<void> send_ticket(UnixTime now);
  /// New keys now. They are taken by themselves after StreamOptions::records_per_key records.
  [[nodiscard]] Result<void> update_keys(bool request_peer);
  /// Frees what only the handshake needed, such as the peer's certificates.
  void confirm();

 private:
  Stream(Session session, const StreamOptions& options);

  Result<void> on_record(const Record& record, UnixTime now);
  Result<void> on_handshake(Bytes content, UnixTime now);
  Result<void> on_alert(Bytes content);
  Result<void> on_application_data(Bytes content);

  /// Acts upon the session's outputs, in their order.
  Result<void> drain();
  Result<void> on_output(Send& send);
  Result<void> on_output(TrafficSecret& secret);
  Result<void> on_output(PeerTransportParameters& parameters);
  Result<void> on_output(EarlyDataDecision& decision);
  Result<void> on_output(HandshakeComplete& complete);
  Result<void> on_output(TicketReceived& received);
  Result<void> on_read_secret(const TrafficSecret& secret, RecordProtection protection);

  Result<void> write_records(Bytes data);
  void send_change_cipher_spec();
  void send_alert(Alert alert);
  std::unexpected<Error> fail(const Error& error);
  void end(const Error& error);

  std::optional<Session> session_;  // until a failure
  Negotiated negotiated_;           // from then on
  StreamOptions options_;
  const crypto::Provider* provider_ = nullptr;
  RecordReader reader_;
  RecordWriter writer_;
  Level read_level_ = Level::initial;
  Level write_level_ = Level::initial;

  std::vector<uint8_t> outgoing_;
  size_t outgoing_begin_ = 0;
  std::vector<uint8_t> incoming_;
  size_t incoming_begin_ = 0;
  size_t incoming_early_ = 0;  // bytes of incoming_, from its beginning, that are early data

  // The compatibility mode of RFC 8446 appendix D.4, which a legacy_session_id asks for.
  bool compatibility_mode_ = false;
  bool first_hello_sent_ = false;
  bool change_cipher_spec_sent_ = false;

  std::optional<bool> early_data_accepted_;
  size_t early_data_size_max_ = 0;   // client: to write; server: to read
  size_t early_data_size_ = 0;       // so far
  std::vector<uint8_t> early_data_;  // client: written, until it is accepted
  std::deque<ClientTicket> tickets_;
  size_t key_updates_in_a_row_ = 0;

  bool complete_ = false;
  bool read_closed_ = false;
  bool write_closed_ = false;
  std::optional<Error> failure_;
  std::optional<uint8_t> peer_alert_;
};

}  // namespace quoll::tls
