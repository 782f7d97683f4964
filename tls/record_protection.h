// RecordProtection: the keys of one direction under one traffic secret (RFC 8446 §5.2, §5.3, §7.3), with the sequence
// number that its nonces come from. A key change makes a new one, so every key starts at sequence number 0.
//
// A TLSCiphertext is a header of 5 bytes, which is authenticated, and the sealed TLSInnerPlaintext: content, content
// type, zeros.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/ct.h"
#include "crypto/hash.h"

namespace quoll::tls {

/// RFC 8446 §5.1.
enum class ContentType : uint8_t {
  invalid = 0,
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

// Sizes in bytes.
inline constexpr size_t kRecordHeaderSize = 5;
inline constexpr size_t kRecordContentSizeMax = size_t{1} << 14;                 // TLSPlaintext.fragment
inline constexpr size_t kRecordInnerSizeMax = kRecordContentSizeMax + 1;         // TLSInnerPlaintext
inline constexpr size_t kRecordCiphertextSizeMax = kRecordContentSizeMax + 256;  // TLSCiphertext.encrypted_record
inline constexpr size_t kRecordOverhead = kRecordHeaderSize + 1 + crypto::kAeadTagSize;  // without padding

/// Content to seal into one record. `content` and `padding` together are at most kRecordContentSizeMax bytes. `out` takes
/// kRecordOverhead bytes more than that, and does not overlap the content.
struct RecordToSeal {
  ContentType type{};
  Bytes content;
  size_t padding = 0;
  uint8_t* out = nullptr;
};

/// What a record held. `content` lies where the ciphertext lay.
struct OpenedRecord {
  ContentType type{};
  MutBytes content;
};

class RecordProtection {
 public:
  /// At most so many records are sealed in one call.
  static constexpr size_t kBatchMax = 8;
  /// The most zeros that a record can be padded with here; the format allows more.
  static constexpr size_t kPaddingMax = 1024;

  /// `traffic_secret`: of `hash`'s size (Failure::length).
  [[nodiscard]] static Result<RecordProtection> create(const crypto::Aead& aead, const crypto::HashAlgorithm& hash,
                                                       Bytes traffic_secret);

  /// Seals up to kBatchMax records under the next sequence numbers. Failure::limit at the AEAD's limit (RFC 8446 §5.5).
  [[nodiscard]] Result<void> seal(std::span<const RecordToSeal> records);

  /// Opens a whole record in place: `record` is header and ciphertext. Alerts: bad_record_mac, and then the sequence
  /// number stays, so that the next record may be tried; record_overflow; unexpected_message when all is zeros.
  [[nodiscard]] Result<OpenedRecord> open(MutBytes record);

  /// Records sealed or opened so far: the next sequence number.
  uint64_t sequence_number() const { return sequence_number_; }

 private:
  explicit RecordProtection(crypto::AeadKey key) : key_(std::move(key)) {}
  crypto::Nonce nonce(uint64_t sequence_number) const;

  crypto::AeadKey key_;
  crypto::Secret<crypto::kAeadNonceSize> iv_;
  uint64_t sequence_number_ = 0;
};

}  // namespace quoll::tls
