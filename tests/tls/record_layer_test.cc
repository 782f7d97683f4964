// The record layer: RFC 8448's records byte for byte, and every rule that a stream of records has.
#include "tls/record_layer.h"

#include <algorithm>
#include <string>

#include "base/hex.h"
#include "crypto/hkdf.h"
#include "crypto/provider.h"
#include "tests/support/random.h"
#include "tests/tls/rfc8448_records.h"
#include "tls/alert.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using Buffer = std::vector<uint8_t>;

const Buffer kSecret(32, 0x17);

RecordProtection protection(Bytes secret = kSecret) {
  const crypto::Provider& provider = crypto::best();
  return RecordProtection::create(*provider.aes_128_gcm, *provider.sha256, secret).value();
}

Buffer hex(std::string_view text) { return from_hex(text).value(); }
Buffer to_buffer(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

Buffer plain_record(ContentType type, Bytes content) {
  Buffer record{static_cast<uint8_t>(type), 3, 3, static_cast<uint8_t>(content.size() >> 8),
                static_cast<uint8_t>(content.size())};
  record.insert(record.end(), content.begin(), content.end());
  return record;
}

/// Header and TLSInnerPlaintext of one's own choice, under a key and sequence number.
Buffer sealed_record(Bytes inner, uint64_t sequence_number, Bytes secret = kSecret) {
  const crypto::Provider& provider = crypto::best();
  Buffer key(16), iv(12);
  REQUIRE(crypto::hkdf_expand_label(*provider.sha256, secret, "key", {}, key));
  REQUIRE(crypto::hkdf_expand_label(*provider.sha256, secret, "iv", {}, iv));
  crypto::Nonce nonce;
  std::copy(iv.begin(), iv.end(), nonce.begin());
  nonce[11] ^= static_cast<uint8_t>(sequence_number);
  Buffer record(kRecordHeaderSize + inner.size() + crypto::kAeadTagSize);
  record[0] = 23;
  store_be<uint16_t>(record.data() + 1, 0x0303);
  store_be(record.data() + 3, static_cast<uint16_t>(inner.size() + crypto::kAeadTagSize));
  auto aead = crypto::AeadKey::create(*provider.aes_128_gcm, key).value();
  REQUIRE(aead.seal(nonce, Bytes(record).first(kRecordHeaderSize), inner, MutBytes(record).subspan(kRecordHeaderSize)));
  return record;
}

struct Taken {
  ContentType type;
  Buffer content;
  bool was_protected;
  bool operator==(const Taken&) const = default;
};

/// All records that are ready; stops at an alert and returns it.
std::optional<Alert> take_all(RecordReader& reader, std::vector<Taken>& taken) {
  for (;;) {
    auto record = reader.next();
    if (!record) {
      CHECK(record.error().domain == ErrorDomain::tls);
      return static_cast<Alert>(record.error().code);
    }
    if (!*record) return std::nullopt;
    taken.push_back({(*record)->type, to_buffer((*record)->content), (*record)->was_protected});
  }
}

std::optional<Alert> feed(RecordReader& reader, Bytes bytes) {
  std::vector<Taken> taken;
  reader.receive(bytes);
  return take_all(reader, taken);
}

RecordReader protected_reader() {
  RecordReader reader;
  REQUIRE(reader.set_protection(protection()));
  return reader;
}

TEST_SUITE("record layer") {
  TEST_CASE("the records of RFC 8448 are written and read byte for byte") {
    int protected_count = 0;
    for (const tests::TraceRecord& trace : tests::kRfc8448Records) {
      INFO("section ", trace.section, ", record ", trace.record.substr(0, 30));
      RecordWriter writer;
      RecordReader reader;
      if (!trace.secret.empty()) {
        protected_count++;
        RecordProtection sealing = protection(hex(trace.secret)), opening = protection(hex(trace.secret));
        for (uint64_t i = 0; i < trace.sequence_number; i++) {
          // Brings the numbers to where the trace has them.
          Buffer other(kRecordOverhead);
          const RecordToSeal job{.type = ContentType::application_data, .content = {}, .out = other.data()};
          REQUIRE(sealing.seal({&job, 1}));
          REQUIRE(opening.open(other));
        }
        CHECK(sealing.sequence_number() == trace.sequence_number);
        writer.set_protection(std::move(sealing));
        REQUIRE(reader.set_protection(std::move(opening)));
      } else if (trace.record.substr(2, 4) == "0301") {
        writer.set_legacy_version(0x0301);
      }
      Buffer record;
      REQUIRE(writer.write(trace.type, hex(trace.content), record));
      CHECK(to_hex(record) == trace.record);
      std::vector<Taken> taken;
      reader.receive(record);
      CHECK_FALSE(take_all(reader, taken));
      REQUIRE(taken.size() == 1);
      CHECK(taken[0] == Taken{trace.type, hex(trace.content), !trace.secret.empty()});
    }
    CHECK(protected_count == 27);
  }

  TEST_CASE("all suites write what they read, however the bytes are cut") {
    const uint64_t seed = quoll::tests::test_seed(81);
    INFO("QUOLL_TEST_SEED=", seed);
    quoll::tests::SeededRng rng(seed);
    const crypto::Provider& provider = crypto::best();
    const std::pair<const crypto::Aead*, const crypto::HashAlgorithm*> suites[] = {
        {provider.aes_128_gcm, provider.sha256},
        {provider.aes_256_gcm, provider.sha384},
        {provider.chacha20_poly1305, provider.sha256}};
    for (const auto& [aead, hash] : suites) {
      const Buffer secret = rng.bytes(hash->digest_size);
      RecordWriter writer;
      RecordReader reader;
      writer.set_protection(RecordProtection::create(*aead, *hash, secret).value());
      REQUIRE(reader.set_protection(RecordProtection::create(*aead, *hash, secret).value()));
      for (const size_t multiple : {size_t{1}, size_t{256}, size_t{1000}}) {
        writer.set_padding_multiple(multiple);
        for (const size_t size : {size_t{1}, size_t{255}, size_t{256}, kRecordContentSizeMax - 1, kRecordContentSizeMax,
                                  kRecordContentSizeMax + 1, size_t{200'000}}) {
          const Buffer data = rng.bytes(size);
          Buffer wire, back;
          REQUIRE(writer.write(ContentType::application_data, data, wire));
          if (size < 1000) CHECK((wire.size() - kRecordHeaderSize - crypto::kAeadTagSize) % multiple == 0);
          while (!wire.empty()) {
            const size_t cut = std::min<size_t>(wire.size(), 1 + rng.below(40'000));
            reader.receive(Bytes(wire).first(cut));
            wire.erase(wire.begin(), wire.begin() + static_cast<ptrdiff_t>(cut));
            std::vector<Taken> taken;
            REQUIRE_FALSE(take_all(reader, taken));
            for (const Taken& record : taken) {
              CHECK(record.content.size() <= kRecordContentSizeMax);
              back.insert(back.end(), record.content.begin(), record.content.end());
            }
          }
          CHECK(back == data);
          CHECK_FALSE(reader.inside_record());
        }
      }
      CHECK(writer.records_written() == 3 * (6 + 2 + 13 - 1));
    }
  }

  TEST_CASE("a traffic secret of the wrong size makes no key") {
    const crypto::Provider& provider = crypto::best();
    CHECK_FALSE(RecordProtection::create(*provider.aes_128_gcm, *provider.sha384, kSecret));
  }

  // RFC 8446 §5.1, §5.2
  TEST_CASE("lengths beyond the format are record_overflow, as soon as the header is there") {
    RecordReader plain;
    CHECK(feed(plain, hex("1603034001")) == Alert::record_overflow);
    RecordReader plain_largest;
    CHECK_FALSE(feed(plain_largest, hex("1603034000")));
    RecordReader alert;
    CHECK(feed(alert, hex("1503034001")) == Alert::record_overflow);
    RecordReader reader = protected_reader();
    CHECK(feed(reader, hex("1703034101")) == Alert::record_overflow);
    RecordReader largest = protected_reader();
    CHECK_FALSE(feed(largest, hex("1703034100")));
    // The same while early data is skipped, before there is a key.
    RecordReader skipping;
    skipping.skip_early_data(100'000);
    CHECK(feed(skipping, hex("1703034101")) == Alert::record_overflow);
  }

  // RFC 8446 §5.4: padding does not make room for more.
  TEST_CASE("an inner plaintext of over 2^14 + 1 bytes is record_overflow") {
    for (const size_t extra : {size_t{0}, size_t{1}, size_t{239}}) {
      Buffer inner(kRecordInnerSizeMax + extra);
      inner[0] = 23;  // content type, and the rest is padding
      RecordReader reader = protected_reader();
      const auto alert = feed(reader, sealed_record(inner, 0));
      CHECK(alert == (extra == 0 ? std::nullopt : std::optional(Alert::record_overflow)));
    }
  }

  TEST_CASE("a record that was changed, repeated, left out or cut down is bad_record_mac") {
    const Buffer first = sealed_record(hex("616217"), 0);
    for (size_t at = 0; at < first.size(); at++) {
      if (at == 0 || at == 3 || at == 4) continue;  // another type or length
      Buffer changed = first;
      changed[at] ^= 0x40;
      RecordReader reader = protected_reader();
      CHECK(feed(reader, changed) == Alert::bad_record_mac);
    }
    RecordReader repeated = protected_reader();
    CHECK_FALSE(feed(repeated, first));
    CHECK(feed(repeated, first) == Alert::bad_record_mac);
    RecordReader left_out = protected_reader();
    CHECK(feed(left_out, sealed_record(hex("6117"), 1)) == Alert::bad_record_mac);
    for (uint8_t size = 0; size < 16; size++) {
      Buffer short_record{23, 3, 3, 0, size};
      short_record.resize(kRecordHeaderSize + size);
      RecordReader reader = protected_reader();
      CHECK(feed(reader, short_record) == Alert::bad_record_mac);
    }
  }

  // RFC 8446 §5.4
  TEST_CASE("a record of zeros has no content type: unexpected_message") {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{500}}) {
      RecordReader reader = protected_reader();
      CHECK(feed(reader, sealed_record(Buffer(size), 0)) == Alert::unexpected_message);
    }
  }

  TEST_CASE("content types that are not due are unexpected_message") {
    for (int type = 0; type < 256; type++) {
      INFO("type ", type);
      const auto content_type = static_cast<ContentType>(type);
      RecordReader plain;
      const bool plain_taken = content_type == ContentType::handshake || content_type == ContentType::alert;
      const auto plain_alert = feed(plain, plain_record(content_type, Buffer{1}));
      CHECK(plain_alert == (plain_taken ? std::nullopt : std::optional(Alert::unexpected_message)));
      if (type != 23) {
        RecordReader reader = protected_reader();  // what is not protected, where all must be
        CHECK(feed(reader, plain_record(content_type, Buffer{1})) == Alert::unexpected_message);
      }
      RecordReader inner = protected_reader();
      inner.allow_change_cipher_spec(true);  // allowed, but not inside
      const bool inner_taken = plain_taken || content_type == ContentType::application_data;
      const auto inner_alert = feed(inner, sealed_record(Buffer{1, static_cast<uint8_t>(type)}, 0));
      CHECK(inner_alert == (inner_taken ? std::nullopt : std::optional(Alert::unexpected_message)));
    }
  }

  // RFC 8446 §5.1, §5.4
  TEST_CASE("handshake and alert records are not empty; application data may be") {
    for (const uint8_t type : {uint8_t{21}, uint8_t{22}}) {
      RecordReader plain;
      CHECK(feed(plain, Buffer{type, 3, 3, 0, 0}) == Alert::unexpected_message);
      RecordReader reader = protected_reader();
      CHECK(feed(reader, sealed_record(Buffer{type, 0, 0}, 0)) == Alert::unexpected_message);
    }
    RecordReader reader = protected_reader();
    std::vector<Taken> taken;
    reader.receive(sealed_record(Buffer{23, 0, 0}, 0));
    CHECK_FALSE(take_all(reader, taken));
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].content.empty());
  }

  // RFC 8446 §5, appendix D.4
  TEST_CASE("change_cipher_spec is dropped where it may stand, and nowhere else") {
    const Buffer good{20, 3, 3, 0, 1, 1};
    for (const bool is_protected : {false, true}) {
      const auto reader_with = [&](bool allowed) {
        RecordReader reader = is_protected ? protected_reader() : RecordReader();
        reader.allow_change_cipher_spec(allowed);
        return reader;
      };
      RecordReader allowed = reader_with(true);
      CHECK_FALSE(feed(allowed, good));
      CHECK_FALSE(feed(allowed, good));
      allowed.allow_change_cipher_spec(false);
      CHECK(feed(allowed, good) == Alert::unexpected_message);
      RecordReader forbidden = reader_with(false);
      CHECK(feed(forbidden, good) == Alert::unexpected_message);
      for (const Buffer& bad : {Buffer{20, 3, 3, 0, 1, 2}, Buffer{20, 3, 3, 0, 1, 0}, Buffer{20, 3, 3, 0, 2, 1, 1},
                                Buffer{20, 3, 3, 0, 0}}) {
        RecordReader reader = reader_with(true);
        CHECK(feed(reader, bad) == Alert::unexpected_message);
      }
    }
  }

  TEST_CASE("change_cipher_spec takes no sequence number") {
    RecordReader reader = protected_reader();
    reader.allow_change_cipher_spec(true);
    CHECK_FALSE(feed(reader, sealed_record(hex("6117"), 0)));
    CHECK_FALSE(feed(reader, hex("140303000101")));
    CHECK_FALSE(feed(reader, sealed_record(hex("6217"), 1)));
  }

  TEST_CASE("handshake messages may be cut and joined; what they hold comes through unchanged") {
    const Buffer message = hex("0800000401020304");
    Buffer two = message;
    two.insert(two.end(), message.begin(), message.end());
    for (size_t cut = 1; cut < two.size(); cut++) {
      RecordReader reader;
      std::vector<Taken> taken;
      reader.receive(plain_record(ContentType::handshake, Bytes(two).first(cut)));
      CHECK_FALSE(take_all(reader, taken));
      CHECK(reader.inside_message() == (cut != message.size()));
      reader.receive(plain_record(ContentType::handshake, Bytes(two).subspan(cut)));
      CHECK_FALSE(take_all(reader, taken));
      CHECK_FALSE(reader.inside_message());
      REQUIRE(taken.size() == 2);
      CHECK(taken[0].content.size() == cut);
      CHECK(taken[1].content == to_buffer(Bytes(two).subspan(cut)));
    }
  }

  // RFC 8446 §5.1
  TEST_CASE("application data amid a handshake message is unexpected_message") {
    const Buffer message = hex("1800000101");
    for (size_t cut = 1; cut <= message.size(); cut++) {
      Buffer inner = to_buffer(Bytes(message).first(cut));
      inner.push_back(22);
      RecordReader reader = protected_reader();
      CHECK_FALSE(feed(reader, sealed_record(inner, 0)));
      const auto alert = feed(reader, sealed_record(hex("6117"), 1));
      CHECK(alert == (cut == message.size() ? std::nullopt : std::optional(Alert::unexpected_message)));
    }
  }

  // RFC 8446 §5.1
  TEST_CASE("a handshake message that spans a key change is unexpected_message") {
    RecordReader reader;
    CHECK_FALSE(feed(reader, plain_record(ContentType::handshake, hex("0800000401"))));
    const auto changed = reader.set_protection(protection());
    REQUIRE_FALSE(changed);
    CHECK(changed.error().code == static_cast<uint64_t>(Alert::unexpected_message));
    CHECK_FALSE(feed(reader, plain_record(ContentType::handshake, hex("020304"))));
    CHECK(reader.set_protection(protection()));
  }

  TEST_CASE("an unprotected alert passes only before the first protected record, where it is allowed") {
    const Buffer alert = hex("15030300020228");
    RecordReader reader = protected_reader();
    reader.allow_plaintext_alert(true);
    CHECK_FALSE(feed(reader, alert));
    CHECK_FALSE(feed(reader, sealed_record(hex("6117"), 0)));
    CHECK(feed(reader, alert) == Alert::unexpected_message);
    RecordReader strict = protected_reader();
    CHECK(feed(strict, alert) == Alert::unexpected_message);
  }

  // RFC 8446 §4.2.10
  TEST_CASE("rejected early data is skipped up to its limit, until a record opens") {
    const Buffer other_secret(32, 0x44);
    const Buffer early = sealed_record(Buffer(101, 23), 0, other_secret);  // 100 bytes of content
    for (const bool after_retry : {false, true}) {
      INFO("after a HelloRetryRequest: ", after_retry);
      const auto skipping = [&](uint32_t size_max) {
        RecordReader reader = after_retry ? RecordReader() : protected_reader();
        reader.skip_early_data(size_max);
        return reader;
      };
      const Buffer due =
          after_retry ? plain_record(ContentType::handshake, hex("01000000")) : sealed_record(hex("0100000016"), 0);
      RecordReader reader = skipping(300);
      for (int i = 0; i < 3; i++) CHECK_FALSE(feed(reader, early));
      std::vector<Taken> taken;
      reader.receive(due);
      CHECK_FALSE(take_all(reader, taken));
      REQUIRE(taken.size() == 1);
      CHECK(taken[0].content == hex("01000000"));
      CHECK(feed(reader, early) == (after_retry ? Alert::unexpected_message : Alert::bad_record_mac));

      RecordReader limited = skipping(299);
      CHECK_FALSE(feed(limited, early));
      CHECK_FALSE(feed(limited, early));
      CHECK(feed(limited, early) == Alert::unexpected_message);

      // Records without content cost as much as a byte.
      RecordReader empty = skipping(2);
      const Buffer nothing = sealed_record(hex("17"), 0, other_secret);
      CHECK_FALSE(feed(empty, nothing));
      CHECK_FALSE(feed(empty, nothing));
      CHECK(feed(empty, nothing) == Alert::unexpected_message);
    }
  }

  TEST_CASE("without early data to skip, protected records before the keys are unexpected_message") {
    RecordReader reader;
    CHECK(feed(reader, sealed_record(hex("6117"), 0)) == Alert::unexpected_message);
  }

  TEST_CASE("a first byte that begins no record is refused at once") {
    RecordReader reader;
    CHECK(feed(reader, as_bytes("GET / HTTP/1.1\r\n")) == Alert::unexpected_message);
  }

  TEST_CASE("a writer can go back to unprotected records, and change_cipher_spec always is one") {
    RecordWriter writer;
    writer.set_protection(protection());
    CHECK(writer.is_protected());
    writer.set_protection(std::nullopt);
    Buffer out;
    REQUIRE(writer.write(ContentType::handshake, hex("01000000"), out));
    RecordWriter::write_change_cipher_spec(out);
    CHECK(to_hex(out) == "160303000401000000140303000101");
    CHECK(writer.records_written() == 0);
  }
}

}  // namespace
}  // namespace quoll::tls
