// Transport: what HTTP/3 needs of a connection below it (RFC 9114 §2, §6; RFC 9000 §2): streams, datagrams, an end.
//
// Session calls it and never keeps what it gets. over_quic implements it over quic::Connection; tests and fuzz targets
// have one of their own. Streams are named by QUIC's numbers: bit 0 tells who opened it (1: the server), bit 1 whether it
// is unidirectional.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/slice.h"
#include "http/priority.h"

namespace quoll::h3 {

enum class Role : uint8_t { client, server };

/// Bytes of a stream, in order.
struct Chunk {
  Slice data;
  bool fin = false;  // nothing follows
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Empty when the peer allows no more streams now: Session::on_streams_available() follows.
  virtual std::optional<uint64_t> open(bool unidirectional) = 0;
  /// The lowest request stream that the client may not open yet.
  virtual uint64_t request_limit() const = 0;
  /// Bytes that could be written to a stream now and would not wait for flow control.
  virtual uint64_t credit(uint64_t stream) const = 0;
  /// Takes what there is room for, from the front of `data`, and leaves the rest in it; Session::on_writable() follows when
  /// some was left. What is written to a stream that is over or stopped is swallowed.
  virtual void write(uint64_t stream, Slice& data) = 0;
  /// The same for small things that are not worth a Slice: copies what there is room for, from the front, and gives how many
  /// bytes that were. All of them when the stream is over or stopped.
  [[nodiscard]] virtual size_t write_copy(uint64_t stream, Bytes data) = 0;
  virtual void finish(uint64_t stream) = 0;
  virtual void reset(uint64_t stream, uint64_t code) = 0;
  /// STOP_SENDING: nothing more is read.
  virtual void stop(uint64_t stream, uint64_t code) = 0;
  virtual void set_priority(uint64_t stream, http::Priority priority) = 0;
  /// The next bytes, at most `max`; empty: nothing now. An Error of ErrorDomain::application carries the code of a reset,
  /// and nothing follows; it is told once, here or by Session::on_reset().
  [[nodiscard]] virtual Result<std::optional<Chunk>> read(uint64_t stream, size_t max) = 0;
  /// Empty when datagrams are not negotiated.
  virtual std::optional<size_t> max_datagram_size() const = 0;
  /// False: dropped, there is no room.
  virtual bool send_datagram(Slice data) = 0;
  virtual void close(uint64_t code, std::string_view reason) = 0;
};

}  // namespace quoll::h3
