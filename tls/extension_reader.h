// Walks a block of extensions (RFC 8446 §4.2) for the parsers of messages: what holds for every extension is checked
// here, what each one says is read by the message's own function.
//
// Checked: no type comes twice (illegal_parameter: the block parses, but contradicts itself), none that this
// implementation knows stands in a message that it does not belong to (illegal_parameter), and nothing is left over
// behind an extension's contents (decode_error). Linear in the size of the block, without allocation.
#pragma once

#include <array>
#include <cstdint>

#include "base/reader.h"
#include "tls/alert.h"
#include "tls/codepoints.h"

namespace quoll::tls {

/// Where an extension may stand: the columns of RFC 8446 §4.2's table, as bits.
enum Place : uint8_t {
  kInClientHello = 1,
  kInServerHello = 2,
  kInHelloRetryRequest = 4,
  kInEncryptedExtensions = 8,
  kInCertificate = 16,
  kInCertificateRequest = 32,
  kInNewSessionTicket = 64,
};

/// The Places of a type; 0 for one that is not known.
uint8_t places_of(ExtensionType type);

/// Which 16-bit code points were seen. Numbers below 64 (nearly all that exist) are bits of one word; a few others are
/// listed; only when there are many is a bit set for all numbers filled in, so that any block costs linear time.
class CodePointSet {
 public:
  /// False when it was there already.
  bool insert(uint16_t value);

 private:
  static constexpr size_t kListed = 24;
  bool insert_in_all(uint16_t value);

  uint64_t low_ = 0;
  size_t others_ = 0;  // of at least 64
  std::array<uint16_t, kListed> listed_;
  std::array<uint64_t, 1024> all_;  // in use once others_ exceeds kListed; not initialized before
};

inline std::unexpected<Error> decode_error(const char* reason) { return abort_with(Alert::decode_error, reason); }

/// What a walk over a block found besides what `read` was given.
struct WalkedExtensions {
  bool has_misplaced = false;  // one that is known, but does not belong here; it was not read
};

/// Calls read(type, contents) for each extension of `block` but the misplaced; it reads all of `contents`, a Reader&, and
/// returns Result<void>.
template <class Read>
Result<WalkedExtensions> walk_extensions(Reader block, Place place, Read read) {
  WalkedExtensions walked;
  CodePointSet seen;
  while (block.remaining() > 0) {
    const uint16_t number = block.u16();
    Reader contents = block.prefixed_u16();
    if (!block.ok()) break;
    if (!seen.insert(number)) return abort_with(Alert::illegal_parameter, "an extension that comes twice");
    const ExtensionType type{number};
    const uint8_t places = places_of(type);
    if (places != 0 && (places & place) == 0) {
      walked.has_misplaced = true;
      continue;
    }
    if (const Result<void> done = read(type, contents); !done) return std::unexpected(done.error());
    if (!contents.finished()) return decode_error("an extension whose contents are malformed");
  }
  if (!block.ok()) return decode_error("a block of extensions that is cut short");
  return walked;
}

/// The walk of a message in which misplaced extensions are always wrong.
template <class Read>
Result<void> read_extensions(Reader block, Place place, Read read) {
  const Result<WalkedExtensions> walked = walk_extensions(block, place, read);
  if (!walked) return std::unexpected(walked.error());
  if (walked->has_misplaced) return abort_with(Alert::illegal_parameter, "an extension that does not belong here");
  return {};
}

// Contents that several messages share. They fail the reader when the syntax is wrong.

/// A list of 16-bit numbers behind a 16-bit length: at least one, and no half one.
Bytes read_code_list(Reader& contents);
/// The authorities of certificate_authorities (RFC 8446 §4.2.4): a list of names, none empty, at least one.
Bytes read_certificate_authorities(Reader& contents);
/// ProtocolNameList (RFC 7301 §3.1): at least one name, none empty.
Bytes read_protocol_names(Reader& contents);

inline void skip_rest(Reader& contents) { contents.skip(contents.remaining()); }

}  // namespace quoll::tls
