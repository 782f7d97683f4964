// Decoder: bytes of QPACK (RFC 9204) to field sections, with the dynamic table that the peer's encoder fills.
//
// Sans-IO. A section that references entries still to come is blocked: its bytes are kept by the caller, who tries again
// when poll_unblocked() names its stream. Limits on the decoded size are kept while decoding (§4.5 of RFC 9204 has no say;
// RFC 9114 §4.2.2): nothing grows beyond them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "http/field_section.h"

namespace quoll::qpack {

enum class DecodeStatus : uint8_t {
  done,
  blocked,    // entries are missing; nothing was decoded
  too_large,  // over max_field_section_size: well-formed so far, but not given; acknowledged, the connection may go on
};

class Decoder {
 public:
  struct Options {
    uint64_t max_table_capacity = 4096;  // announced in SETTINGS
    uint64_t blocked_streams = 100;      // announced in SETTINGS
    /// RFC 9114 §4.2.2, announced in SETTINGS.
    uint64_t max_field_section_size = 64 * 1024;
  };
  explicit Decoder(const Options& options);
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  /// One whole encoded section. Lines are appended to `out`. An Error of ErrorDomain::application with
  /// QPACK_DECOMPRESSION_FAILED is a connection error, more blocked streams than allowed among them.
  [[nodiscard]] Result<DecodeStatus> decode(uint64_t stream_id, Bytes section, http::FieldSection& out);
  /// A stream whose section can be decoded now.
  std::optional<uint64_t> poll_unblocked();
  /// The stream was reset or is not read any more: its section, if it waits, is forgotten (§2.2.2.2).
  void cancel(uint64_t stream_id);

  /// Bytes of the peer's encoder stream. An Error of ErrorDomain::application with QPACK_ENCODER_STREAM_ERROR.
  [[nodiscard]] Result<void> on_encoder_stream(Bytes bytes);

  /// Bytes for the decoder stream. Asked for after what arrived was handled: inserts that no section acknowledged by then
  /// are acknowledged by one Insert Count Increment (§2.2.2.3).
  Bytes decoder_stream();
  /// The first `size` of them were sent.
  void sent(size_t size);

  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quoll::qpack
