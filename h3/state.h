// Session::State: what a session holds, and the work on it, cut by idea: unidirectional.cc (stream types, QPACK's streams,
// what goes out on ours), control.cc (the peer's control stream), exchanges.cc (they come and go), receive.cc (messages
// that come), send.cc (messages that go), push.cc, priorities.cc, datagrams.cc, shutdown.cc, check.cc.
//
// Functions that work on an exchange may find it closed when they return: it is over then, and its memory stays until the
// next call from outside. After fail() nothing more is done: is_open() is asked after whatever may have failed.
#pragma once

#include <map>

#include "base/interval_set.h"
#include "h3/exchange.h"
#include "h3/limits.h"
#include "h3/session.h"
#include "h3/stream_type.h"

namespace quoll::h3 {

inline bool is_unidirectional(uint64_t stream) { return (stream & 2) != 0; }
inline Role opener(uint64_t stream) { return (stream & 1) != 0 ? Role::server : Role::client; }

struct Session::State {
  State(Role of, const SessionOptions& with, Transport& below, Rng& random);

  // ---- Common (session.cc)

  bool is_open() const { return phase == Phase::open; }
  /// A connection error (RFC 9114 §8).
  void fail(uint64_t code, const char* reason);
  void fail(ErrorCode code, const char* reason) { fail(static_cast<uint64_t>(code), reason); }
  void fail(const Error& error);
  /// An error of the peer's, or none. False: the session has failed.
  bool check(const Result<void>& result);
  void tell(Event event);
  std::optional<Event> poll_event();
  /// False: it is not news any more.
  bool is_news(Event& event);
  void count_useless();
  void count_useful() { useless -= std::min(useless, kUsefulWorth); }
  /// The peer's settings, or those that stand for them in 0-RTT; null: the initial ones.
  const Settings* known_settings() const;
  Settings own_settings() const;

  // ---- Unidirectional streams (unidirectional.cc)

  struct Outgoing {
    std::optional<uint64_t> stream = {};
    std::vector<uint8_t> waiting = {};
  };
  struct Untyped {
    uint64_t stream = 0;
    uint8_t size = 0;
    std::array<uint8_t, 2 * kVarintMaxSize> bytes = {};
  };

  void open_own_streams();
  void open_grease_stream();
  void flush(Outgoing& out);
  /// What QPACK has to say, and what waits on the control stream.
  void flush_own_streams();
  bool is_own_stream(uint64_t stream) const;
  void read_untyped(uint64_t stream);
  /// The header's end is reached: what the stream is. Empty: more is needed.
  struct StreamHeader {
    StreamType type = StreamType::control;
    uint64_t push_id = 0;
  };
  std::optional<StreamHeader> take_stream_header(Untyped& untyped, Slice& input) const;
  void begin_stream(uint64_t stream, const StreamHeader& header, Chunk rest);
  void begin_critical(uint64_t stream, StreamType type, Chunk rest);
  std::optional<uint64_t>& peer_stream(StreamType type);
  /// Whether the stream is one of the peer's three.
  std::optional<StreamType> critical_type(uint64_t stream) const;
  void read_critical(uint64_t stream, StreamType type);
  void take_critical(StreamType type, Slice data);
  void forget_untyped(uint64_t stream);
  void unblock();

  // ---- The peer's control stream (control.cc)

  void take_control(Slice data);
  bool begin_control_frame(const FrameHeader& header);
  void on_control_frame(FrameType type, Bytes payload);
  void on_settings(Bytes payload);
  void use_peer_table();

  // ---- Exchanges come and go (exchanges.cc)

  Result<Exchange*> find(uint64_t stream);
  void on_request_opened(uint64_t stream);
  /// By the application.
  void give_up(Exchange& exchange, ErrorCode code);
  /// Both parts end here, by us.
  void abandon(Exchange& exchange, ErrorCode code);
  /// A message that is malformed (RFC 9114 §4.1.2): a stream error.
  void on_malformed(Exchange& exchange, ErrorCode code = ErrorCode::message_error);
  void stop_receiving(Exchange& exchange, std::optional<ErrorCode> code);
  void stop_sending(Exchange& exchange, std::optional<ErrorCode> code);
  /// Forgets it when it is over.
  void release(Exchange& exchange);
  void on_exchange_reset(Exchange& exchange, uint64_t code);

  // ---- Messages that come (receive.cc)

  /// Reads and works until the head is there.
  void read_head(Exchange& exchange);
  bool pull(Exchange& exchange, size_t max);
  void work(Exchange& exchange);
  bool read_header(Exchange& exchange);
  void begin_frame(Exchange& exchange, const FrameHeader& header);
  void begin_data(Exchange& exchange, uint64_t length);
  void begin_section(Exchange& exchange, const FrameHeader& header);
  void gather(Exchange& exchange);
  void on_section(Exchange& exchange, Bytes payload);
  void keep_blocked(Exchange& exchange, Bytes payload);
  void on_fields(Exchange& exchange, http::FieldSection fields);
  void on_request(Exchange& exchange, http::FieldSection fields);
  void on_response(Exchange& exchange, http::FieldSection fields);
  void on_interim(Exchange& exchange, unsigned status, http::FieldSection fields);
  void on_trailers(Exchange& exchange, http::FieldSection fields);
  void on_too_large(Exchange& exchange);
  /// The stream ended without a whole head.
  void on_early_end(Exchange& exchange);
  /// The head is there. Whether the message goes on; empty: it has failed.
  std::optional<bool> has_body(Exchange& exchange);
  void look_ahead(Exchange& exchange);
  void peek(Exchange& exchange);
  static void keep_small(Slice& rest);
  bool end_is_good(Exchange& exchange);
  /// To the application; what is not wanted is dropped instead.
  void tell_readable(Exchange& exchange);
  Result<std::optional<Chunk>> read_body(Exchange& exchange, size_t max);
  Chunk take_body(Exchange& exchange, size_t max);
  void drain(Exchange& exchange);
  void stop_draining(Exchange& exchange);
  bool end_message(Exchange& exchange);

  // ---- Messages that go (send.cc)

  Result<std::optional<uint64_t>> request(const http::FieldSection& fields, bool end, http::Priority priority);
  Result<void> inform(Exchange& exchange, unsigned status, const http::FieldSection& fields);
  Result<void> respond(Exchange& exchange, unsigned status, const http::FieldSection& fields, bool end);
  Result<void> write_body(Exchange& exchange, Slice& data);
  Result<void> finish(Exchange& exchange, const http::FieldSection& trailers);
  bool is_too_large(const http::FieldSection& fields) const;
  const http::FieldSection& with_status(unsigned status, const http::FieldSection& fields);
  void write_section(Exchange& exchange, const http::FieldSection& fields, std::optional<uint64_t> push_id = {});
  void write(Exchange& exchange, Bytes bytes);
  void write(Exchange& exchange, Slice data);
  void end_sending(Exchange& exchange);
  void flush(Exchange& exchange);

  // ---- Push (push.cc)

  /// Client: what is known of a push that is not over.
  struct Push {
    std::optional<http::FieldSection> request = {};
    std::optional<uint64_t> stream = {};
    Method method = Method::other;
  };

  Result<std::optional<uint64_t>> push(Exchange& exchange, const http::FieldSection& request);
  void on_promise(Exchange& exchange, http::FieldSection request);
  void on_push_stream(uint64_t stream, uint64_t push_id, Chunk rest);
  void begin_push(Push& push, uint64_t push_id);
  void cancel_push(uint64_t push_id);
  void on_cancel_push(uint64_t push_id);
  void on_max_push_id(uint64_t push_id);
  void end_push(uint64_t push_id);
  void end_pushes_from(uint64_t push_id);
  void drop_unpromised_pushes();
  void announce_pushes();
  bool is_allowed_push(uint64_t push_id) const { return push_id < pushes_allowed; }

  // ---- Priorities (priorities.cc)

  void prioritize(Exchange& exchange, http::Priority priority);
  void set_priority(Exchange& exchange, http::Priority priority);
  void on_request_priority(Exchange& exchange, const http::FieldSection& fields);
  void on_priority_update(FrameType type, Bytes payload);

  // ---- Datagrams (datagrams.cc)

  std::optional<size_t> max_datagram_size(uint64_t stream) const;
  Result<bool> send_datagram(Exchange& exchange, Bytes payload);
  std::optional<Slice> receive_datagram(Exchange& exchange);
  void on_datagram(Slice data);
  void take_datagram(Exchange& exchange, Slice payload);
  void take_early_datagrams(Exchange& exchange);
  void drop_datagrams(Exchange& exchange);

  // ---- The end (shutdown.cc)

  void shutdown(bool final);
  void on_goaway(Bytes payload);
  void reject_requests_from(uint64_t stream);
  void close(ErrorCode code, std::string_view reason);
  void on_closed();

  void check_invariants() const;

  // ---- What it holds

  enum class Phase : uint8_t {
    open,
    closed,  // by us; the transport's end is to come
    ended,
  };

  const Role role;
  const SessionOptions options;
  Transport& transport;
  Rng& rng;
  Phase phase = Phase::open;
  bool started = false;
  qpack::Encoder encoder;
  qpack::Decoder decoder;
  SessionStatistics statistics;

  Ring<Event> events{kEventsMax};
  uint64_t event_bytes = 0;  // of field sections in them
  std::optional<SessionFailed> failure;
  uint32_t useless = 0;

  // The peer's streams.
  std::vector<Untyped> untyped;
  std::optional<uint64_t> peer_control, peer_encoder, peer_decoder;
  FrameReader control_frames;
  FrameHeader control_frame;
  bool in_control_frame = false;
  bool control_is_new = true;  // no frame of it has come
  std::vector<uint8_t> control_payload;
  std::optional<Settings> peer_settings;
  bool early_data_rejected = false;

  // Ours.
  Outgoing control, encoder_stream, decoder_stream;

  ExchangeTable exchanges;
  std::vector<std::unique_ptr<Exchange>> gone;  // closed within this call
  bool request_refused = false;                 // RequestsAvailable is awaited
  uint64_t next_request = 0;                    // server: the lowest request stream that has not come
  size_t blocked_bytes = 0;                     // sections that wait for the dynamic table
  std::vector<uint8_t> scratch;
  http::FieldSection scratch_fields;

  // Push. Ids below `pushes_allowed` may be used; the server counts in `next_push`.
  uint64_t pushes_allowed = 0;
  uint64_t next_push = 0;
  uint64_t promised_push = 0;                 // client: of the PUSH_PROMISE that is being read
  std::map<uint64_t, Push> pushes;            // client
  std::map<uint64_t, uint64_t> push_streams;  // server: id to stream
  // Client: pushes that are over, whose gaps are those that are not, and those whose stream has come.
  IntervalSet pushes_over{SIZE_MAX, IntervalSet::WhenFull::refuse};
  IntervalSet push_streams_seen{kPushGapsMax, IntervalSet::WhenFull::forget_lowest};
  uint64_t pushes_over_count = 0;

  std::vector<std::pair<uint64_t, http::Priority>> early_priorities;  // by stream, the oldest first
  std::vector<std::pair<uint64_t, Slice>> early_datagrams;
  size_t datagrams_waiting = 0;

  std::optional<uint64_t> goaway_sent, goaway_received;
};

}  // namespace quoll::h3
