#include "tls/record_layer.h"

#include <algorithm>

#include "base/check.h"
#include "tls/alert.h"
#include "tls/codepoints.h"
#include "tls/messages.h"

namespace quoll::tls {

// RecordWriter

void RecordWriter::set_padding_multiple(size_t multiple) {
  QUOLL_CHECK(multiple >= 1 && multiple <= RecordProtection::kPaddingMax);
  padding_multiple_ = multiple;
}

Result<void> RecordWriter::write(ContentType type, Bytes content, std::vector<uint8_t>& out) {
  if (!protection_) {
    // RFC 8446 §5.1: application data is never written unprotected.
    QUOLL_CHECK(type != ContentType::application_data);
    write_plaintext(type, content, out);
    return {};
  }
  constexpr size_t kBatchContentMax = RecordProtection::kBatchMax * kRecordContentSizeMax;
  while (!content.empty()) {
    const size_t size = std::min(content.size(), kBatchContentMax);
    if (const auto written = write_batch(type, content.first(size), out); !written) return written;
    content = content.subspan(size);
  }
  return {};
}

void RecordWriter::write_change_cipher_spec(std::vector<uint8_t>& out) {
  out.insert(out.end(), {static_cast<uint8_t>(ContentType::change_cipher_spec), 3, 3, 0, 1, 1});
}

void RecordWriter::write_plaintext(ContentType type, Bytes content, std::vector<uint8_t>& out) const {
  while (!content.empty()) {
    const Bytes fragment = content.first(std::min(content.size(), kRecordContentSizeMax));
    uint8_t header[kRecordHeaderSize] = {static_cast<uint8_t>(type)};
    store_be(header + 1, legacy_version_);
    store_be(header + 3, static_cast<uint16_t>(fragment.size()));
    out.insert(out.end(), header, header + sizeof header);
    out.insert(out.end(), fragment.begin(), fragment.end());
    content = content.subspan(fragment.size());
  }
}

Result<void> RecordWriter::write_batch(ContentType type, Bytes content, std::vector<uint8_t>& out) {
  std::array<RecordToSeal, RecordProtection::kBatchMax> records;
  size_t count = 0, sealed_size = 0;
  while (!content.empty()) {
    const Bytes fragment = content.first(std::min(content.size(), kRecordContentSizeMax));
    records[count] = {.type = type, .content = fragment, .padding = padding(type, fragment.size())};
    sealed_size += kRecordOverhead + fragment.size() + records[count].padding;
    content = content.subspan(fragment.size());
    count++;
  }
  const size_t begin = out.size();
  out.resize(begin + sealed_size);
  uint8_t* to = out.data() + begin;
  for (RecordToSeal& record : std::span(records).first(count)) {
    record.out = to;
    to += kRecordOverhead + record.content.size() + record.padding;
  }
  auto sealed = protection_->seal(std::span(records).first(count));
  if (!sealed) out.resize(begin);
  return sealed;
}

size_t RecordWriter::padding(ContentType type, size_t content_size) const {
  if (type != ContentType::application_data) return 0;
  const size_t over = (content_size + 1) % padding_multiple_;
  return over == 0 ? 0 : std::min(padding_multiple_ - over, kRecordContentSizeMax - content_size);
}

// HandshakeBoundary

void HandshakeBoundary::pass(Bytes content) {
  while (!content.empty()) {
    if (header_size_ < kHandshakeHeaderSize) {
      if (header_size_ > 0) length_ = length_ << 8 | content[0];  // the length follows the message's type
      content = content.subspan(1);
      if (++header_size_ < kHandshakeHeaderSize) continue;
      body_left_ = length_;
    } else {
      const size_t size = std::min<size_t>(content.size(), body_left_);
      body_left_ -= static_cast<uint32_t>(size);
      content = content.subspan(size);
    }
    if (body_left_ == 0) *this = {};
  }
}

// RecordReader

void RecordReader::receive(Bytes bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(begin_));
  begin_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

Result<std::optional<Record>> RecordReader::next() {
  for (;;) {
    const MutBytes rest = MutBytes(buffer_).subspan(begin_);
    if (rest.size() < kRecordHeaderSize) return std::nullopt;
    const size_t length = load_be<uint16_t>(rest.data() + 3);
    if (const auto checked = check_header(static_cast<ContentType>(rest[0]), length); !checked) {
      return std::unexpected(checked.error());
    }
    if (rest.size() < kRecordHeaderSize + length) return std::nullopt;
    begin_ += kRecordHeaderSize + length;
    auto record = accept(rest.first(kRecordHeaderSize + length));
    if (!record || *record) return record;
  }
}

Result<void> RecordReader::set_protection(RecordProtection protection) {
  // RFC 8446 §5.1: messages do not span key changes.
  if (inside_message()) return abort_with(Alert::unexpected_message, "a handshake message spans a key change");
  protection_ = std::move(protection);
  return {};
}

/// What can be said before the record is complete, so that nobody waits for the end of what cannot become one.
Result<void> RecordReader::check_header(ContentType type, size_t length) const {
  switch (type) {
    case ContentType::change_cipher_spec:
      if (!change_cipher_spec_allowed_ || length != 1) break;
      return {};
    case ContentType::application_data:
      if (!protection_ && !skip_left_) break;
      if (length > kRecordCiphertextSizeMax) return abort_with(Alert::record_overflow, "a record of over 2^14 + 256");
      return {};
    case ContentType::alert:
      if (protection_ && !(plaintext_alert_allowed_ && protection_->sequence_number() == 0)) break;
      if (length > kRecordContentSizeMax) return abort_with(Alert::record_overflow, "a record of over 2^14 bytes");
      return {};
    case ContentType::handshake:
      if (protection_) break;
      if (length > kRecordContentSizeMax) return abort_with(Alert::record_overflow, "a record of over 2^14 bytes");
      return {};
    case ContentType::invalid:
      break;
  }
  return abort_with(Alert::unexpected_message, "a record that is not due");
}

/// A whole record; empty when it is to be dropped.
Result<std::optional<Record>> RecordReader::accept(MutBytes record) {
  const auto type = static_cast<ContentType>(record[0]);
  const MutBytes fragment = record.subspan(kRecordHeaderSize);
  if (type == ContentType::change_cipher_spec) {
    // RFC 8446 §5: dropped without further processing, if it is the one byte.
    if (fragment[0] != 1) return abort_with(Alert::unexpected_message, "a change_cipher_spec other than 1");
    return std::nullopt;
  }
  if (type != ContentType::application_data) return accept_plaintext(type, fragment);
  if (protection_) return accept_protected(record);
  if (const auto skipped = skip(fragment.size()); !skipped) return std::unexpected(skipped.error());
  return std::nullopt;
}

Result<std::optional<Record>> RecordReader::accept_plaintext(ContentType type, Bytes content) {
  if (type == ContentType::handshake) skip_left_.reset();
  return deliver({.type = type, .content = content, .was_protected = false});
}

Result<std::optional<Record>> RecordReader::accept_protected(MutBytes record) {
  const auto opened = protection_->open(record);
  if (!opened) {
    const bool did_not_open = opened.error().code == static_cast<uint64_t>(Alert::bad_record_mac);
    if (!skip_left_ || !did_not_open) return std::unexpected(opened.error());
    if (const auto skipped = skip(record.size() - kRecordHeaderSize); !skipped) {
      return std::unexpected(skipped.error());
    }
    return std::nullopt;
  }
  skip_left_.reset();
  return deliver({.type = opened->type, .content = opened->content, .was_protected = true});
}

/// The rules for content that is no longer a secret of the record layer.
Result<std::optional<Record>> RecordReader::deliver(const Record& record) {
  switch (record.type) {
    case ContentType::handshake:
      if (record.content.empty()) break;  // RFC 8446 §5.1, §5.4
      boundary_.pass(record.content);
      return record;
    case ContentType::alert:
      if (record.content.empty()) break;
      return record;
    case ContentType::application_data:
      // RFC 8446 §5.1: no other record between the fragments of a handshake message.
      if (inside_message()) return abort_with(Alert::unexpected_message, "data amid a handshake message");
      return record;
    case ContentType::change_cipher_spec:
    case ContentType::invalid:
      break;
  }
  return abort_with(Alert::unexpected_message, "a record whose content is not due");
}

Result<void> RecordReader::skip(size_t ciphertext_size) {
  // RFC 8446 §4.6.1: content counts, the rest does not; but an empty record is not for nothing.
  constexpr size_t kOverhead = 1 + crypto::kAeadTagSize;
  const size_t size = ciphertext_size > kOverhead ? ciphertext_size - kOverhead : 1;
  if (size > *skip_left_) return abort_with(Alert::unexpected_message, "more early data than max_early_data_size");
  *skip_left_ -= static_cast<uint32_t>(size);
  return {};
}

}  // namespace quoll::tls
