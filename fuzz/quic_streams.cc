// The input drives quic::Streams, in one of two ways. Two honest sides over a lossy pipe (tests/quic/stream/
// streams_model.h): the model knows what must arrive. Or one side against frames of a stranger: an oracle that knows only
// what was announced says which frames are errors, and which error.
#include <map>

#include "base/reader.h"
#include "tests/quic/stream/streams_model.h"

using namespace quoll;
using namespace quoll::quic;
using namespace quoll::tests;

namespace {

/// Numbers from the input; zeros once it is used up.
class InputChoices {
 public:
  explicit InputChoices(Reader& reader) : reader_(reader) {}
  uint64_t below(uint64_t bound) {
    const uint64_t value = bound <= 256 ? byte() : uint64_t{byte()} << 8 | byte();
    return value % bound;
  }
  bool done() const { return reader_.remaining() == 0; }

 private:
  uint8_t byte() { return done() ? 0 : reader_.u8(); }
  Reader& reader_;
};

StreamLimits limits_of(InputChoices& choices) {
  StreamLimits limits;
  limits.initial_stream_window = 1 + choices.below(3000);
  limits.max_stream_window = limits.initial_stream_window * (1 + choices.below(4));
  limits.initial_connection_window = 1 + choices.below(6000);
  limits.max_connection_window = limits.initial_connection_window * (1 + choices.below(4));
  limits.max_bidirectional_streams = choices.below(8);
  limits.max_unidirectional_streams = choices.below(8);
  limits.send_buffer_max = 1 + choices.below(20'000);
  limits.max_own_streams = 1 + choices.below(8);
  return limits;
}

void run_pair(InputChoices& choices) {
  StreamsModel model(choices, limits_of(choices));
  for (int i = 0; i < 2000 && !choices.done(); i++) model.step();
  model.finish();
}

/// What the peer may do, judged by what it was told.
class Oracle {
 public:
  Oracle(const Streams& streams, const StreamLimits& limits)
      : streams_(streams),
        initial_stream_window_(limits.initial_stream_window),
        max_data_(limits.initial_connection_window),
        max_streams_{limits.max_bidirectional_streams, limits.max_unidirectional_streams} {}

  void on_opened(StreamId id) { own_[id.is_unidirectional()]++; }
  void on_announced(const std::vector<CollectedFrame>& frames) {
    for (const CollectedFrame& frame : frames) {
      if (frame.type == FrameType::max_data) raise(max_data_, frame.numbers[0]);
      if (frame.type == FrameType::max_streams_bidi) raise(max_streams_[0], frame.numbers[0]);
      if (frame.type == FrameType::max_streams_uni) raise(max_streams_[1], frame.numbers[0]);
      if (frame.type == FrameType::max_stream_data) {
        raise(part(StreamId(frame.numbers[0])).max_stream_data, frame.numbers[1]);
      }
    }
  }

  /// What a frame that names a stream must lead to, apart from what it says.
  TransportError judge_id(StreamId id, bool for_receiving) const {
    const bool ours = id.initiator() == Role::server;
    if (id.is_unidirectional() && ours == for_receiving) return TransportError::stream_state_error;
    if (ours) {
      return id.index() < own_[id.is_unidirectional()] ? TransportError::no_error : TransportError::stream_state_error;
    }
    return id.index() < max_streams_[id.is_unidirectional()] ? TransportError::no_error
                                                             : TransportError::stream_limit_error;
  }

  struct Judgement {
    TransportError error = TransportError::no_error;
    uint64_t highest = 0;
    bool counts = false;
  };
  Judgement judge_data(StreamId id, uint64_t end, bool is_final) {
    Judgement judgement{.error = judge_id(id, true)};
    if (judgement.error != TransportError::no_error) return judgement;
    const bool is_new = id.initiator() == Role::client && id.index() >= opened_[id.is_unidirectional()];
    if (!is_new && !streams_.receive_state(id)) return judgement;  // forgotten
    const Part& stream = part(id);
    if (end > stream.final_size || (is_final && stream.final_size != UINT64_MAX && end != stream.final_size) ||
        (is_final && end < stream.highest)) {
      judgement.error = TransportError::final_size_error;
    } else if (end > stream.max_stream_data || std::max(end, stream.highest) - stream.highest > max_data_ - received_) {
      judgement.error = TransportError::flow_control_error;
    }
    judgement.counts = true;
    judgement.highest = std::max(end, stream.highest);
    return judgement;
  }
  void apply(StreamId id, const Judgement& judgement, bool is_final) {
    if (!judgement.counts) return;
    Part& stream = part(id);
    received_ += judgement.highest - stream.highest;
    stream.highest = judgement.highest;
    if (is_final) stream.final_size = judgement.highest;
  }
  void on_named(StreamId id) {
    if (id.initiator() == Role::client) raise(opened_[id.is_unidirectional()], id.index() + 1);
  }

 private:
  struct Part {
    uint64_t highest = 0;
    uint64_t final_size = UINT64_MAX;
    uint64_t max_stream_data = 0;
  };
  Part& part(StreamId id) {
    return parts_.try_emplace(id.value(), Part{.max_stream_data = initial_stream_window_}).first->second;
  }
  static void raise(uint64_t& limit, uint64_t to) { limit = std::max(limit, to); }

  const Streams& streams_;
  uint64_t initial_stream_window_;
  uint64_t max_data_;
  uint64_t received_ = 0;
  uint64_t max_streams_[2];
  uint64_t own_[2] = {};
  uint64_t opened_[2] = {};
  std::map<uint64_t, Part> parts_;
};

class Stranger {
 public:
  Stranger(InputChoices& choices, const StreamLimits& limits)
      : choices_(choices), limits_(limits), streams_(Role::server, limits), oracle_(streams_, limits) {
    streams_.set_peer_parameters({.initial_max_data = choices.below(5000),
                                  .initial_max_stream_data_bidi_local = choices.below(3000),
                                  .initial_max_stream_data_bidi_remote = choices.below(3000),
                                  .initial_max_stream_data_uni = choices.below(3000),
                                  .initial_max_streams_bidi = choices.below(5),
                                  .initial_max_streams_uni = choices.below(5)});
  }

  /// False when the peer was found out.
  bool step() {
    now_ += Duration::microseconds(static_cast<int64_t>(choices_.below(2000)));
    switch (choices_.below(16)) {
      case 0:
      case 1:
      case 2:
        return data();
      case 3:
        return reset();
      case 4:
        return named(StopSendingFrame{.stream_id = id(), .application_error_code = choices_.below(9)}, false);
      case 5:
        return named(MaxStreamDataFrame{.stream_id = id(), .maximum_stream_data = choices_.below(9000)}, false);
      case 6:
        return named(StreamDataBlockedFrame{.stream_id = id(), .maximum_stream_data = choices_.below(9000)}, true);
      case 7:
        return limits();
      case 8:
      case 9:
        application();
        break;
      case 10:
        read();
        break;
      case 11:
      case 12:
        send();
        break;
      case 13:
      case 14:
        resolve();
        break;
      case 15:
        poll();
        break;
    }
    streams_.check_invariants();
    return true;
  }

 private:
  StreamId id() { return StreamId(choices_.below(40)); }

  bool judge(const Result<void>& result, TransportError expected) {
    if (expected == TransportError::no_error) {
      QUOLL_CHECK(result.has_value());
      streams_.check_invariants();
      return true;
    }
    QUOLL_CHECK(!result && result.error().domain == ErrorDomain::transport);
    QUOLL_CHECK(result.error().code == static_cast<uint64_t>(expected) && result.error().frame_type != 0);
    return false;
  }

  bool data() {
    std::vector<uint8_t> bytes(choices_.below(600));
    const StreamFrame frame{
        .stream_id = id(), .offset = choices_.below(4000), .data = bytes, .fin = choices_.below(8) == 0};
    const Oracle::Judgement judgement = oracle_.judge_data(frame.stream_id, frame.offset + bytes.size(), frame.fin);
    const bool ok = judge(deliver_frame(streams_, frame, now_), judgement.error);
    if (ok) oracle_.on_named(frame.stream_id);
    if (ok && !streams_.take_refusal()) oracle_.apply(frame.stream_id, judgement, frame.fin);
    return ok;
  }
  bool reset() {
    const ResetStreamFrame frame{
        .stream_id = id(), .application_error_code = choices_.below(9), .final_size = choices_.below(4000)};
    const Oracle::Judgement judgement = oracle_.judge_data(frame.stream_id, frame.final_size, true);
    const bool ok = judge(deliver_frame(streams_, frame, now_), judgement.error);
    if (ok) oracle_.on_named(frame.stream_id);
    if (ok) oracle_.apply(frame.stream_id, judgement, true);
    return ok;
  }
  template <class Frame>
  bool named(const Frame& frame, bool for_receiving) {
    const TransportError expected = oracle_.judge_id(frame.stream_id, for_receiving);
    if (expected == TransportError::no_error) oracle_.on_named(frame.stream_id);
    return judge(deliver_frame(streams_, frame, now_), expected);
  }
  bool limits() {
    switch (choices_.below(4)) {
      case 0:
        return judge(deliver_frame(streams_, MaxDataFrame{.maximum_data = choices_.below(20'000)}),
                     TransportError::no_error);
      case 1:
        return judge(deliver_frame(streams_, MaxStreamsFrame{.unidirectional = choices_.below(2) == 1,
                                                             .maximum_streams = choices_.below(20)}),
                     TransportError::no_error);
      case 2:
        return judge(deliver_frame(streams_, DataBlockedFrame{}), TransportError::no_error);
      default:
        return judge(deliver_frame(streams_, StreamsBlockedFrame{.unidirectional = choices_.below(2) == 1}),
                     TransportError::no_error);
    }
  }

  void application() {
    const StreamId stream = id();
    const ApplicationErrorCode code{choices_.below(9)};
    switch (choices_.below(6)) {
      case 0:
        if (const auto opened = streams_.open(choices_.below(2) == 1)) oracle_.on_opened(*opened);
        break;
      case 1:
        (void)streams_.write(stream, Bytes(std::vector<uint8_t>(choices_.below(2000))));
        break;
      case 2:
        (void)streams_.finish(stream);
        break;
      case 3:
        (void)streams_.reset(stream, code);
        break;
      case 4:
        (void)streams_.stop(stream, code);
        break;
      case 5:
        (void)streams_.set_priority(
            stream, {.urgency = static_cast<uint8_t>(choices_.below(9)), .incremental = choices_.below(2) == 1});
        break;
    }
  }
  void read() { (void)streams_.read(id(), choices_.below(1000)); }

  void send() {
    const bool wanted = streams_.wants_to_send();
    StreamPacket packet = write_packet(streams_, 40 + choices_.below(1200));
    QUOLL_CHECK(wanted == !packet.bytes.empty());
    if (!wanted) return;
    oracle_.on_announced(frames_of(packet));
    sent_.push_back(std::move(packet));
  }
  void resolve() {
    if (sent_.empty()) return;
    const size_t index = choices_.below(sent_.size());
    const StreamPacket packet = std::move(sent_[index]);
    sent_.erase(sent_.begin() + static_cast<ptrdiff_t>(index));
    const uint64_t fate = choices_.below(4);
    if (fate <= 1) lose(streams_, packet);
    if (fate >= 1) acknowledge(streams_, packet);
  }
  void poll() {
    // Each stream tells each kind of news once.
    size_t count = 0;
    const size_t most = 6 * streams_.statistics().open + 2;
    while (streams_.poll_event()) count++;
    QUOLL_CHECK(count <= most);
  }

  InputChoices& choices_;
  StreamLimits limits_;
  Streams streams_;
  Oracle oracle_;
  Instant now_;
  std::vector<StreamPacket> sent_;
};

void run_stranger(InputChoices& choices) {
  const StreamLimits limits = limits_of(choices);
  Stranger stranger(choices, limits);
  for (int i = 0; i < 2000 && !choices.done(); i++) {
    if (!stranger.step()) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader reader(Bytes(data, size));
  InputChoices choices(reader);
  if (choices.below(2) == 0) {
    run_pair(choices);
  } else {
    run_stranger(choices);
  }
  return 0;
}
