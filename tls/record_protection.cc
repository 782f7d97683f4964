#include "tls/record_protection.h"

#include <array>

#include "base/check.h"
#include "crypto/hkdf.h"
#include "tls/alert.h"
#include "tls/codepoints.h"

namespace quoll::tls {
namespace {

constexpr std::array<uint8_t, RecordProtection::kPaddingMax> kZeros{};

}  // namespace

Result<RecordProtection> RecordProtection::create(const crypto::Aead& aead, const crypto::HashAlgorithm& hash,
                                                  Bytes traffic_secret) {
  if (traffic_secret.size() != hash.digest_size) return usage_error("a traffic secret has the size of its hash");
  crypto::Secret<crypto::kAeadKeySizeMax> key_bytes;
  const MutBytes key = MutBytes(key_bytes).first(aead.key_size);
  if (const auto done = crypto::hkdf_expand_label(hash, traffic_secret, "key", {}, key); !done) {
    return std::unexpected(done.error());
  }
  auto expanded = crypto::AeadKey::create(aead, key);
  if (!expanded) return std::unexpected(expanded.error());
  RecordProtection protection(std::move(*expanded));
  if (const auto done = crypto::hkdf_expand_label(hash, traffic_secret, "iv", {}, protection.iv_); !done) {
    return std::unexpected(done.error());
  }
  return protection;
}

crypto::Nonce RecordProtection::nonce(uint64_t sequence_number) const {
  // RFC 8446 §5.3: the sequence number, padded on the left, and the IV.
  crypto::Nonce nonce{};
  store_be(nonce.data() + nonce.size() - sizeof sequence_number, sequence_number);
  for (size_t i = 0; i < nonce.size(); i++) nonce[i] ^= iv_.data()[i];
  return nonce;
}

Result<void> RecordProtection::seal(std::span<const RecordToSeal> records) {
  QUOLL_CHECK(records.size() <= kBatchMax);
  std::array<crypto::SealJob, kBatchMax> jobs;
  std::array<std::array<Bytes, 3>, kBatchMax> pieces;
  for (size_t i = 0; i < records.size(); i++) {
    const RecordToSeal& record = records[i];
    QUOLL_CHECK(record.padding <= kPaddingMax && record.content.size() + record.padding <= kRecordContentSizeMax);
    const size_t inner_size = record.content.size() + 1 + record.padding;
    record.out[0] = static_cast<uint8_t>(ContentType::application_data);
    store_be<uint16_t>(record.out + 1, kLegacyVersion);
    store_be(record.out + 3, static_cast<uint16_t>(inner_size + crypto::kAeadTagSize));
    pieces[i] = {record.content, Bytes(reinterpret_cast<const uint8_t*>(&record.type), 1),
                 Bytes(kZeros).first(record.padding)};
    jobs[i] = {.nonce = nonce(sequence_number_ + i),
               .aad = Bytes(record.out, kRecordHeaderSize),
               .plaintext = pieces[i],
               .out = record.out + kRecordHeaderSize};
  }
  if (const auto sealed = key_.seal(std::span(jobs).first(records.size())); !sealed) return sealed;
  sequence_number_ += records.size();
  return {};
}

Result<OpenedRecord> RecordProtection::open(MutBytes record) {
  QUOLL_DCHECK(record.size() >= kRecordHeaderSize);
  const auto opened =
      key_.open(nonce(sequence_number_), record.first(kRecordHeaderSize), record.subspan(kRecordHeaderSize));
  // RFC 8446 §5.2: one alert for every way in which a record cannot be opened, such as being shorter than a tag.
  if (!opened) return abort_with(Alert::bad_record_mac, "a record that does not open");
  sequence_number_++;
  // RFC 8446 §5.4: padding counts, too.
  if (opened->size() > kRecordInnerSizeMax)
    return abort_with(Alert::record_overflow, "more than 2^14 bytes in a record");
  size_t size = opened->size();
  while (size > 0 && (*opened)[size - 1] == 0) size--;
  if (size == 0) return abort_with(Alert::unexpected_message, "a record without a content type");
  return OpenedRecord{static_cast<ContentType>((*opened)[size - 1]), opened->first(size - 1)};
}

}  // namespace quoll::tls
