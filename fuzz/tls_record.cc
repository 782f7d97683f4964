// The record layer between a writer and a reader: a program of writes, key changes and cuts, which must come out as it went
// in; then bytes of anybody's, which the reader must take or refuse with an alert, holding less than a record of them.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "base/reader.h"
#include "crypto/provider.h"
#include "tls/alert.h"
#include "tls/record_layer.h"

using namespace quoll;
using namespace quoll::tls;

namespace {

enum class Step : uint8_t {
  write_data,
  write_handshake,
  change_keys,
  padding,
  change_cipher_spec,
  foreign,
  skip,
  count
};

RecordProtection protection(uint8_t seed) {
  const crypto::Provider& provider = crypto::best();
  const std::vector<uint8_t> secret(provider.sha256->digest_size, seed);
  const crypto::Aead& aead = seed & 1 ? *provider.chacha20_poly1305 : *provider.aes_128_gcm;
  auto made = RecordProtection::create(aead, *provider.sha256, secret);
  QUOLL_CHECK(made.has_value());
  return std::move(*made);
}

/// A handshake message around a body.
std::vector<uint8_t> message(Bytes body) {
  std::vector<uint8_t> whole{4, static_cast<uint8_t>(body.size() >> 16), static_cast<uint8_t>(body.size() >> 8),
                             static_cast<uint8_t>(body.size())};
  whole.insert(whole.end(), body.begin(), body.end());
  return whole;
}

class Line {
 public:
  explicit Line(Reader& program) : program_(program) { reader_.allow_change_cipher_spec(true); }

  void run() {
    while (program_.remaining() > 0 && step()) {
    }
  }

 private:
  /// One step of the program; false when the reader has refused what was foreign.
  bool step() {
    switch (static_cast<Step>(program_.u8() % static_cast<uint8_t>(Step::count))) {
      case Step::write_data:
        if (writer_.is_protected()) write(ContentType::application_data, stretched());
        return true;
      case Step::write_handshake:
        write(ContentType::handshake, message(stretched()));
        return true;
      case Step::change_keys: {
        const uint8_t seed = program_.u8();
        writer_.set_protection(protection(seed));
        QUOLL_CHECK(reader_.set_protection(protection(seed)));  // all messages were whole
        return true;
      }
      case Step::padding:
        writer_.set_padding_multiple(1 + program_.u16() % RecordProtection::kPaddingMax);
        return true;
      case Step::change_cipher_spec: {
        std::vector<uint8_t> wire;
        RecordWriter::write_change_cipher_spec(wire);
        carry(wire, ContentType::invalid, {});
        return true;
      }
      case Step::foreign:
        return foreign(program_.bytes(std::min<uint64_t>(program_.u16(), program_.remaining())));
      case Step::skip:
        reader_.skip_early_data(program_.u16());
        return true;
      case Step::count:
        break;
    }
    return false;
  }

  /// Bytes of the program, some of them repeated to fill more than one record.
  std::vector<uint8_t> stretched() {
    const size_t repeat = 1 + program_.u8() % 4 * 700;
    const Bytes seed = program_.bytes(std::min<uint64_t>(program_.u8() % 16, program_.remaining()));
    std::vector<uint8_t> result;
    for (size_t i = 0; i < repeat; i++) result.insert(result.end(), seed.begin(), seed.end());
    return result;
  }

  void write(ContentType type, const std::vector<uint8_t>& content) {
    std::vector<uint8_t> wire;
    QUOLL_CHECK(writer_.write(type, content, wire));
    carry(wire, type, content);
  }

  /// Hands the wire's bytes over in pieces; what comes out must be the content, of the type.
  void carry(Bytes wire, ContentType type, Bytes content) {
    std::vector<uint8_t> out;
    const size_t cut = 1 + program_.u16();
    while (!wire.empty()) {
      const Bytes piece = wire.first(std::min(cut, wire.size()));
      reader_.receive(piece);
      wire = wire.subspan(piece.size());
      for (;;) {
        const auto record = reader_.next();
        QUOLL_CHECK(record.has_value());
        if (!*record) break;
        QUOLL_CHECK((*record)->type == type && (*record)->was_protected == writer_.is_protected());
        QUOLL_CHECK((*record)->content.size() <= kRecordContentSizeMax);
        out.insert(out.end(), (*record)->content.begin(), (*record)->content.end());
      }
    }
    QUOLL_CHECK(std::ranges::equal(out, content));
    QUOLL_CHECK(!reader_.inside_record() && !reader_.inside_message());
  }

  /// Ends the program: the reader may be anywhere after this.
  bool foreign(Bytes bytes) {
    reader_.receive(bytes);
    for (;;) {
      const auto record = reader_.next();
      if (!record) {
        QUOLL_CHECK(record.error().domain == ErrorDomain::tls &&
                    alert_name(static_cast<uint8_t>(record.error().code)) != "unknown");
        return false;
      }
      if (!*record) return false;
      // Nobody has the keys but the writer.
      QUOLL_CHECK(!(*record)->was_protected && !writer_.is_protected());
      QUOLL_CHECK((*record)->type == ContentType::handshake || (*record)->type == ContentType::alert);
      QUOLL_CHECK(!(*record)->content.empty());
    }
  }

  Reader& program_;
  RecordWriter writer_;
  RecordReader reader_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, size));
  Line(program).run();
  return 0;
}
