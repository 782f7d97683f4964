// Conversation: what an application does on one connection, at one side: opens, writes, reads, resets, stops, sends
// datagrams, updates keys, migrates, as the options say, and checks everything that comes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "tests/sim/features.h"
#include "tests/sim/host.h"
#include "tests/sim/stream_plan.h"

namespace quoll::sim {

class Conversation {
 public:
  Conversation(World& world, const ScenarioOptions& options, Features& features, Host& host,
               quic::ConnectionHandle handle, quic::Role role, uint32_t index);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// Streams are opened from now on: as soon as the handshake is complete, or before with 0-RTT.
  void begin(Instant now);
  void on_event(Instant now, const quic::Event& event);
  Instant next_timeout() const { return timers_.empty() ? Instant::never() : timers_.begin()->first; }
  void on_timeout(Instant now);
  void close(Instant now, uint64_t code);
  void ping();

  quic::Role role() const { return role_; }
  uint32_t index() const { return index_; }
  quic::ConnectionHandle handle() const { return handle_; }
  quic::Connection* connection() { return abandoned_ ? nullptr : host_.endpoint().find(handle_); }
  /// All streams have ended as planned, and everything else was done.
  bool is_done() const { return connected_.has_value() && halves_left_ == 0 && errands_left_ == 0; }
  uint64_t halves_left() const { return halves_left_; }
  /// What is unfinished, for messages: the first few streams, and how many were never opened.
  std::string describe() const;

  // What has happened.
  std::optional<Instant> connected_at() const { return connected_; }
  bool is_confirmed() const { return confirmed_; }
  bool was_early_data_accepted() const { return early_data_accepted_; }
  const std::optional<quic::Closed>& closed() const { return closed_; }
  Instant closed_at() const { return closed_at_; }
  Instant close_called_at() const { return close_called_at_; }
  bool closed_while_unestablished() const { return closed_while_unestablished_; }
  uint64_t close_code() const { return close_code_; }
  Instant started_at() const { return started_at_; }
  const std::optional<quic::ResumptionState>& resumption() const { return resumption_; }
  /// The last statistics that could be had.
  const quic::Statistics& statistics();

  /// Facts of the server's process that died: nothing more is expected of this side.
  void abandon() { abandoned_ = true; }
  bool is_abandoned() const { return abandoned_; }

 private:
  struct Half {
    bool exists = false;
    bool begun = false;
    bool done = false;
    bool finished = false;  // sending: finish() was called
    bool paused = false;    // reading: the pause is over or going on
    bool waiting = false;   // reading: a timer will go on
    uint64_t offset = 0;
  };
  struct Stream {
    StreamPlan plan;
    bool ours = false;
    Half send, receive;
  };

  template <class Kind>
  void on(Instant now, const Kind& event);
  void at(Instant when, std::function<void(Instant)> action) { timers_.emplace(when, std::move(action)); }
  void fail(const std::string& what);
  void fail(quic::StreamId id, const std::string& what);
  /// A call was refused: a failure, unless the peer has ended the stream or the connection and we are yet to be told.
  void refused(quic::StreamId id, bool peer_may_have_ended, const char* call, const Error& error);

  void open_streams(Instant now);
  bool open_one(Instant now, bool unidirectional);
  Stream* peers_stream(Instant now, quic::StreamId id);
  Stream* find(quic::StreamId id);
  Stream& add_stream(quic::StreamId id, bool ours);
  void write_some(Instant now, quic::StreamId id);
  void after_writing(Instant now, quic::StreamId id, Stream& stream);
  Result<size_t> write_piece(quic::StreamId id, Stream& stream, size_t size);
  void read_some(Instant now, quic::StreamId id);
  bool read_later(Instant now, quic::StreamId id, Stream& stream);
  void on_read_error(Instant now, quic::StreamId id, const Error& error);
  bool take_chunk(Instant now, quic::StreamId id, const quic::Chunk& chunk);
  void end_of_receiving(Instant now, quic::StreamId id, Stream& stream);
  void finish_half(Half& half);
  void maybe_begin_gap(Instant now);

  void start_errands(Instant now);
  void update_keys(Instant now, int tries);
  void migrate(Instant now, uint32_t number, int tries);
  void send_datagram(Instant now, uint32_t number);
  void receive_datagrams();

  World& world_;
  const ScenarioOptions& options_;
  Features& features_;
  Host& host_;
  quic::ConnectionHandle handle_;
  quic::Role role_;
  uint32_t index_;
  tests::SeededRng dice_;

  std::map<uint64_t, Stream> streams_;
  std::multimap<Instant, std::function<void(Instant)>> timers_;
  uint64_t opened_[2] = {};  // bidirectional, unidirectional
  uint64_t halves_left_ = 0;
  uint64_t errands_left_ = 0;
  bool begun_ = false;
  bool gap_begun_ = false, gap_over_ = false;
  std::set<uint32_t> datagrams_seen_;

  Instant started_at_;
  std::optional<Instant> connected_;
  bool confirmed_ = false;
  bool early_data_accepted_ = false;
  bool abandoned_ = false;
  std::optional<quic::Closed> closed_;
  Instant closed_at_ = Instant::never();
  Instant close_called_at_ = Instant::never();
  bool closed_while_unestablished_ = false;
  uint64_t close_code_ = 0;
  std::optional<quic::ResumptionState> resumption_;
  quic::Statistics statistics_;
};

}  // namespace quoll::sim
