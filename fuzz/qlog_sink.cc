// qlog::QlogSink: the input is a list of events that a peer can fill: kind, size, bytes. Whatever they are, each record of
// the log must be read back by qlog::LogReader as an event, as strict JSON in valid UTF-8.
#include "qlog/qlog_sink.h"

#include "base/reader.h"
#include "qlog/log_reader.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

struct StringOutput : qlog::Output {
  std::string text;
  bool write(std::string_view more) override {
    text += more;
    return true;
  }
};

/// One event made of bytes of a stranger.
TraceEvent event_of(uint8_t kind, Bytes bytes) {
  const auto type = PacketType{static_cast<uint8_t>(kind >> 4 & 3)};
  const Bytes id = bytes.first(std::min(bytes.size(), kConnectionIdSizeMax));
  const std::string_view text = as_text(bytes);
  switch (kind & 15) {
    case 0:
      return trace::PacketSent{.header = {.type = type, .destination = id}, .size = bytes.size(), .frames = bytes};
    case 1:
      return trace::ConnectionClosed{.error_code = kind, .reason = text};
    case 2:
      return trace::AlpnInformation{.chosen = text};
    case 3:
      return trace::RetryReceived{.destination = id, .source = id, .token = bytes};
    case 4:
      return trace::VersionNegotiationReceived{.versions = bytes};
    case 5:
      return trace::PacketDropped{.reason = static_cast<trace::DropReason>(bytes.size()), .destination = bytes};
    case 6:
      return trace::CongestionStateUpdated{.trigger = text};
    case 7:
      return trace::DatagramsReceived{.size = bytes.size() * kind, .segment_size = kind};
  }
  return trace::PacketReceived{.header = {.type = type, .token = bytes}, .size = bytes.size(), .frames = bytes};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader reader{Bytes(data, size)};
  const uint8_t options = reader.u8();
  const Role role = (options & 1) != 0 ? Role::server : Role::client;
  StringOutput output;
  size_t written = 0;
  {
    qlog::Log log(output, {.role = role}, {.size_max = uint64_t{1} << (10 + (options >> 1 & 7)), .buffer_size = 100});
    qlog::QlogSink sink(log, role);
    for (; reader.remaining() != 0 && !log.is_closed(); written++) {
      const uint8_t kind = reader.u8();
      const size_t length = std::min<size_t>(reader.varint(), reader.remaining());
      sink.on_event(Instant::from_nanoseconds(static_cast<int64_t>(written)), event_of(kind, reader.bytes(length)));
    }
  }
  QUOLL_CHECK(qlog::is_utf8(output.text));
  qlog::LogReader log(output.text);
  size_t read = 0;
  while (log.next()) read++;
  QUOLL_CHECK(!log.failure());
  QUOLL_CHECK(read == written);
  return 0;
}
