#include "h3/over_quic.h"

namespace quoll::h3 {
namespace {

quic::StreamId id_of(uint64_t stream) { return quic::StreamId(stream); }
quic::ApplicationErrorCode code_of(uint64_t code) { return quic::ApplicationErrorCode{code}; }

}  // namespace

/// A Transport over the connection that is lent. Errors of the streams are left out where they say that a stream is over
/// meanwhile: its end has an event of its own.
class OverQuic::Below final : public Transport {
 public:
  void lend(quic::Connection* connection) { connection_ = connection; }

  std::optional<uint64_t> open(bool unidirectional) override {
    if (!connection_) return {};
    const std::optional<quic::StreamId> id = connection_->streams().open(unidirectional);
    return id ? std::optional(id->value()) : std::nullopt;
  }

  uint64_t request_limit() const override {
    return connection_ ? connection_->streams().stream_limit(quic::Role::client, false) * 4 : UINT64_MAX;
  }

  uint64_t credit(uint64_t stream) const override {
    return connection_ ? connection_->streams().send_credit(id_of(stream)) : 0;
  }

  void write(uint64_t stream, Slice& data) override {
    if (!connection_ || !connection_->streams().write(id_of(stream), data)) data = {};
  }

  size_t write_copy(uint64_t stream, Bytes data) override {
    if (!connection_) return data.size();
    return connection_->streams().write(id_of(stream), data).value_or(data.size());
  }

  void finish(uint64_t stream) override {
    if (connection_) (void)connection_->streams().finish(id_of(stream));
  }

  void reset(uint64_t stream, uint64_t code) override {
    if (connection_) (void)connection_->streams().reset(id_of(stream), code_of(code));
  }

  void stop(uint64_t stream, uint64_t code) override {
    if (connection_) (void)connection_->streams().stop(id_of(stream), code_of(code));
  }

  void set_priority(uint64_t stream, http::Priority priority) override {
    if (!connection_) return;
    (void)connection_->streams().set_priority(id_of(stream),
                                              {.urgency = priority.urgency, .incremental = priority.incremental});
  }

  Result<std::optional<Chunk>> read(uint64_t stream, size_t max) override {
    if (!connection_) return std::nullopt;
    Result<std::optional<quic::Chunk>> chunk = connection_->streams().read(id_of(stream), max);
    if (!chunk && chunk.error().domain == ErrorDomain::application) return std::unexpected(chunk.error());
    if (!chunk || !*chunk) return std::nullopt;
    return Chunk{.data = std::move((*chunk)->data), .fin = (*chunk)->fin};
  }

  std::optional<size_t> max_datagram_size() const override {
    return connection_ ? connection_->max_datagram_size() : std::nullopt;
  }

  bool send_datagram(Slice data) override {
    return connection_ && connection_->send_datagram(std::move(data)).value_or(false);
  }

  void close(uint64_t code, std::string_view reason) override {
    if (connection_) connection_->close(code_of(code), reason);
  }

 private:
  quic::Connection* connection_ = nullptr;
};

OverQuic::OverQuic(Role role, const SessionOptions& options, Rng& rng)
    : below_(std::make_unique<Below>()), session_(std::make_unique<Session>(role, options, *below_, rng)) {}

OverQuic::~OverQuic() = default;

Session& OverQuic::use(quic::Connection& connection) {
  below_->lend(&connection);
  // With 0-RTT a client uses streams before any event.
  session_->start();
  return *session_;
}

void OverQuic::on_event(quic::Connection& connection, const quic::Event& event) {
  below_->lend(&connection);
  const auto handle = [&]<class Kind>(const Kind& kind) {
    if constexpr (std::is_same_v<Kind, quic::Connected>) {
      session_->start();
    } else if constexpr (std::is_same_v<Kind, quic::EarlyDataRejected>) {
      session_->on_early_data_rejected();
    } else if constexpr (std::is_same_v<Kind, quic::StreamOpened>) {
      session_->start();  // a server is to answer early data
      session_->on_opened(kind.stream_id.value());
    } else if constexpr (std::is_same_v<Kind, quic::StreamReadable>) {
      session_->on_readable(kind.stream_id.value());
    } else if constexpr (std::is_same_v<Kind, quic::StreamWritable>) {
      session_->on_writable(kind.stream_id.value());
    } else if constexpr (std::is_same_v<Kind, quic::StreamDelivered>) {
      session_->on_delivered(kind.stream_id.value());
    } else if constexpr (std::is_same_v<Kind, quic::StreamStopped>) {
      session_->on_stopped(kind.stream_id.value(), static_cast<uint64_t>(kind.error));
    } else if constexpr (std::is_same_v<Kind, quic::StreamReset>) {
      session_->on_reset(kind.stream_id.value(), static_cast<uint64_t>(kind.error));
    } else if constexpr (std::is_same_v<Kind, quic::StreamsAvailable>) {
      session_->on_streams_available(kind.unidirectional);
    } else if constexpr (std::is_same_v<Kind, quic::DatagramReceived>) {
      while (std::optional<Slice> datagram = connection.receive_datagram()) session_->on_datagram(std::move(*datagram));
    } else if constexpr (std::is_same_v<Kind, quic::Closed>) {
      session_->on_closed();
    } else {
      static_assert(std::is_same_v<Kind, quic::Confirmed> || std::is_same_v<Kind, quic::ResumptionReceived> ||
                    std::is_same_v<Kind, quic::Migrated> || std::is_same_v<Kind, quic::MigrationFailed>);
    }
  };
  std::visit(handle, event);
}

void OverQuic::on_gone() {
  below_->lend(nullptr);
  session_->on_closed();
}

std::optional<Event> OverQuic::poll_event() { return session_->poll_event(); }

void prepare(quic::TransportConfig& transport, const SessionOptions& options) {
  // RFC 9114 §6.2: control, QPACK's two; some to spare for pushes and for what we do not know.
  const uint64_t needed = 8 + options.pushes_max;
  transport.streams.max_unidirectional_streams = std::max(transport.streams.max_unidirectional_streams, needed);
  // RFC 9114 §6.1
  transport.streams.max_bidirectional_streams = std::max<uint64_t>(transport.streams.max_bidirectional_streams, 100);
  // RFC 9297 §2.1.1: the largest frame that RFC 9221 §3 recommends, when datagrams are welcome.
  if (options.datagrams && transport.max_datagram_frame_size == 0) transport.max_datagram_frame_size = 65'535;
}

std::vector<uint8_t> early_data_context(const SessionOptions& options) {
  const Settings settings{.qpack_max_table_capacity = options.decoder.max_table_capacity,
                          .qpack_blocked_streams = options.decoder.blocked_streams,
                          .max_field_section_size = options.decoder.max_field_section_size,
                          .enable_connect_protocol = options.enable_connect_protocol,
                          .h3_datagram = options.datagrams};
  std::vector<uint8_t> context;
  settings.write(context);
  return context;
}

}  // namespace quoll::h3
