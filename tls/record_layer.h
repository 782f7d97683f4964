// The record layer of TLS 1.3 (RFC 8446 §5): RecordWriter makes records, RecordReader takes them apart. Neither knows
// what the messages mean; who uses them (tls/stream.h) changes keys and tells the reader where the handshake stands.
//
// The reader keeps all the rules that a stream of records has: sizes, content types, that handshake messages are not
// interleaved with other data and end before a key change, where change_cipher_spec may stand (§5, appendix D.4), and
// the skipping of early data that was rejected (§4.2.10).
#pragma once

#include <optional>
#include <vector>

#include "tls/record_protection.h"

namespace quoll::tls {

class RecordWriter {
 public:
  /// What is written from now on is protected; with an empty optional, it is not (a second ClientHello).
  void set_protection(std::optional<RecordProtection> protection) { protection_ = std::move(protection); }
  bool is_protected() const { return protection_.has_value(); }
  /// Records under the present key; 0 without one.
  uint64_t records_written() const { return protection_ ? protection_->sequence_number() : 0; }

  /// Pads protected records of application data, so that content and type fill a multiple of this many bytes (as far as
  /// a record may be that long); 1 pads nothing; at most RecordProtection::kPaddingMax.
  void set_padding_multiple(size_t multiple);

  /// legacy_record_version of the unprotected records to come; 0x0301 for a first ClientHello, then 0x0303 (§5.1).
  void set_legacy_version(uint16_t version) { legacy_version_ = version; }

  /// Appends `content`, cut into records, to `out`. No record for empty content. Failure::limit at the key's limit; then
  /// `out` ends with the last whole record that fitted.
  [[nodiscard]] Result<void> write(ContentType type, Bytes content, std::vector<uint8_t>& out);

  /// Appends the change_cipher_spec record of the compatibility mode (appendix D.4), which is never protected.
  static void write_change_cipher_spec(std::vector<uint8_t>& out);

 private:
  void write_plaintext(ContentType type, Bytes content, std::vector<uint8_t>& out) const;
  [[nodiscard]] Result<void> write_batch(ContentType type, Bytes content, std::vector<uint8_t>& out);
  size_t padding(ContentType type, size_t content_size) const;

  std::optional<RecordProtection> protection_;
  size_t padding_multiple_ = 1;
  uint16_t legacy_version_ = 0x0303;
};

/// Follows the boundaries of handshake messages through the records, by their headers alone.
class HandshakeBoundary {
 public:
  void pass(Bytes content);
  bool inside_message() const { return header_size_ != 0; }

 private:
  uint32_t length_ = 0;     // of the message's body, while its header comes in
  uint32_t body_left_ = 0;  // once the header is complete
  uint8_t header_size_ = 0;
};

/// One record's content; never a change_cipher_spec. Lives until the reader's next call.
struct Record {
  ContentType type{};
  Bytes content;
  bool was_protected = false;
};

class RecordReader {
 public:
  /// Takes bytes from the transport. They are kept until next() has gone through them: a reader that is asked until it
  /// has no more holds less than one record.
  void receive(Bytes bytes);

  /// The next record; empty when more bytes are wanted. Alerts as said above; after one, the reader is of no more use.
  [[nodiscard]] Result<std::optional<Record>> next();

  /// What comes from now on is protected. An alert when a handshake message is not complete (§5.1).
  [[nodiscard]] Result<void> set_protection(RecordProtection protection);
  bool is_protected() const { return protection_.has_value(); }

  /// §5: from the first ClientHello on and until the peer's Finished; not allowed to begin with.
  void allow_change_cipher_spec(bool allowed) { change_cipher_spec_allowed_ = allowed; }

  /// Lets unprotected alerts pass while nothing has been opened under the present key: a client that cannot make sense
  /// of a ServerHello has no keys to say so with.
  void allow_plaintext_alert(bool allowed) { plaintext_alert_allowed_ = allowed; }

  /// Early data was rejected: drops up to `size_max` bytes of records that do not open, or that come where an unprotected
  /// ClientHello is due, until the first one that does (§4.2.10). unexpected_message beyond (§4.6.1).
  void skip_early_data(uint32_t size_max) { skip_left_ = size_max; }

  /// Whether the transport ending here would cut something in two.
  bool inside_record() const { return begin_ != buffer_.size(); }
  bool inside_message() const { return boundary_.inside_message(); }

 private:
  [[nodiscard]] Result<void> check_header(ContentType type, size_t length) const;
  [[nodiscard]] Result<std::optional<Record>> accept(MutBytes record);
  [[nodiscard]] Result<std::optional<Record>> accept_protected(MutBytes record);
  [[nodiscard]] Result<std::optional<Record>> accept_plaintext(ContentType type, Bytes content);
  [[nodiscard]] Result<std::optional<Record>> deliver(const Record& record);
  [[nodiscard]] Result<void> skip(size_t ciphertext_size);

  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;  // of what next() has not seen
  std::optional<RecordProtection> protection_;
  HandshakeBoundary boundary_;
  std::optional<uint32_t> skip_left_;  // set while early data is skipped
  bool change_cipher_spec_allowed_ = false;
  bool plaintext_alert_allowed_ = false;
};

}  // namespace quoll::tls
