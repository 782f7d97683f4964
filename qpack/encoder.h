// Encoder: field sections to bytes with QPACK (RFC 9204), and the state of the dynamic table that it fills at the peer.
//
// Sans-IO. encode() gives the bytes of a HEADERS or PUSH_PROMISE frame; inserts that it made wait in encoder_stream() and
// have to be sent on the encoder stream, in order. It never references an entry that the peer may have to wait for when
// blocked streams are used up or options forbid it, and never evicts an entry that an unacknowledged section references
// (§2.1.1).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/field_section.h"

namespace quoll::qpack {

class Encoder {
 public:
  struct Options {
    /// What we use of the capacity that the peer allows; it is our memory too.
    uint64_t table_capacity_max = 4096;
    /// Streams that may be blocked, at most as many as the peer allows; 0: never blocks.
    uint64_t blocked_streams_max = 100;
    /// Huffman where it is shorter.
    bool huffman = true;
  };
  explicit Encoder(const Options& options);
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  /// The peer's SETTINGS_QPACK_MAX_TABLE_CAPACITY and SETTINGS_QPACK_BLOCKED_STREAMS (§5); before it, or with a capacity of
  /// 0, only the static table is used. For 0-RTT: the remembered ones, then the real ones. An Error of
  /// ErrorDomain::application with QPACK_DECODER_STREAM_ERROR when a capacity that was not 0 has changed (§3.2.3).
  Result<void> set_peer_settings(uint64_t max_table_capacity, uint64_t blocked_streams);

  /// Bytes that may wait in encoder_stream(): inserts beyond that are not made (§2.1.3). At first there is no such limit.
  void set_room(uint64_t bytes);
  /// Appends the encoded section to `out`.
  void encode(uint64_t stream_id, const http::FieldSection& section, std::vector<uint8_t>& out);

  /// Bytes for the encoder stream.
  Bytes encoder_stream() const;
  /// The first `size` of them were sent.
  void sent(size_t size);

  /// Bytes of the peer's decoder stream. An Error of ErrorDomain::application with QPACK_DECODER_STREAM_ERROR.
  [[nodiscard]] Result<void> on_decoder_stream(Bytes bytes);

  struct Statistics {
    uint64_t sections = 0, inserts = 0, duplicates = 0, evictions = 0;
    uint64_t table_size = 0, blocked_streams = 0;
  };
  Statistics statistics() const;
  void check_invariants() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quoll::qpack
