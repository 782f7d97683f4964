// The input drives both owners of connection ids with frames of a peer that may lie, and with what paths and recovery
// do; maps that remember everything say what is right.
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/reader.h"
#include "quic/path/local_connection_ids.h"
#include "quic/path/remote_connection_ids.h"
#include "quic/wire/frame_reader.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

/// Counts: ids are unpredictable to nobody, and never repeat.
class CountingRng final : public Rng {
 public:
  void fill(MutBytes out) override {
    for (uint8_t& byte : out) byte = 0;
    for (size_t i = 0; i < 4 && i < out.size(); i++) out[i] = static_cast<uint8_t>(count_ >> (24 - 8 * i));
    count_++;
  }

 private:
  uint32_t count_ = 1;
};

class Tokens final : public ResetTokenSource {
 public:
  StatelessResetToken token_of(const ConnectionId& id) const override {
    StatelessResetToken token{};
    copy_bytes(token.data(), id.bytes());
    return token;
  }
};

/// What was written, read again.
struct Frames {
  std::vector<NewConnectionIdFrame> announced;
  std::vector<RetireConnectionIdFrame> retired;

  Result<void> on_frame(const NewConnectionIdFrame& frame) {
    announced.push_back(frame);
    return {};
  }
  Result<void> on_frame(const RetireConnectionIdFrame& frame) {
    retired.push_back(frame);
    return {};
  }
  template <class Frame>
  Result<void> on_frame(const Frame&) {
    check_failed(__FILE__, __LINE__, "a frame of another owner");
  }
};

template <class Owner>
Frames write(Owner& owner, size_t room, std::vector<FrameToken>& flight) {
  FrameTokens tokens(kFrameTokensMax);
  std::vector<Gap> gaps;
  std::vector<uint8_t> memory(room);
  PacketBuilder builder(PacketType::one_rtt, memory, tokens, gaps, false);
  owner.write_frames(builder);
  Frames frames;
  if (!builder.empty()) QUOLL_CHECK(parse_frames(PlainPayload{.frames = builder.written()}, frames));
  const TokenRange range = tokens.take();
  QUOLL_CHECK(range.count == frames.announced.size() + frames.retired.size());
  for (uint64_t i = range.begin; i < range.end(); i++) flight.push_back(tokens[i]);
  return frames;
}

/// Takes the token of some frame in flight and tells the owner what became of it; true when it was acknowledged.
template <class Owner>
std::optional<std::pair<FrameToken, bool>> resolve(Owner& owner, uint8_t choice, std::vector<FrameToken>& flight) {
  if (flight.empty()) return {};
  const size_t i = (choice >> 1) % flight.size();
  const FrameToken token = flight[i];
  flight.erase(flight.begin() + static_cast<ptrdiff_t>(i));
  const bool acked = (choice & 1) != 0;
  acked ? owner.on_acked(token) : owner.on_lost(token);
  return std::pair(token, acked);
}

bool is_error(const Result<void>& result, TransportError code) {
  return !result && result.error().domain == ErrorDomain::transport &&
         result.error().code == static_cast<uint64_t>(code);
}

class RemoteRun {
 public:
  explicit RemoteRun(uint8_t options) : ids_(initial_) {
    known_[0] = {.id = initial_};
    if (options & 1) {
      ids_.set_initial_reset_token(token(0xf0));
      known_[0].token = token(0xf0);
    }
    if (options & 2) {
      QUOLL_CHECK(ids_.add_preferred(id(0xf1), token(0xf1)));
      known_[1] = {.id = id(0xf1), .token = token(0xf1)};
    }
  }

  /// False when the peer was found out.
  bool step(Reader& program) {
    const uint8_t kind = program.u8();
    const uint8_t choice = program.u8();
    bool goes_on = true;
    switch (kind % 8) {
      case 0:
      case 1:
      case 2:
        goes_on = frame(kind, choice, program);
        break;
      case 3:
        take();
        break;
      case 4:
        release(choice % 64);
        break;
      case 5:
        write_frames(choice);
        break;
      case 6:
        if (const auto fate = resolve(ids_, choice, flight_)) {
          if (fate->second) pending_.erase(fate->first.id);
          // A loss that is told late says nothing of what was sent since.
          else if (pending_.contains(fate->first.id))
            pending_[fate->first.id] = true;
        }
        break;
      case 7:
        if (choice == 0) {
          ids_.forget_all_tokens();
          forgotten_ = true;
        }
        break;
    }
    if (goes_on) validate();
    return goes_on;
  }

 private:
  enum class State : uint8_t { unused, used, retired };
  struct Known {
    ConnectionId id{};
    std::optional<StatelessResetToken> token{};
    State state = State::unused;
  };

  static ConnectionId id(uint8_t number) { return ConnectionId(std::array<uint8_t, 4>{1, 2, 3, number}); }
  static StatelessResetToken token(uint8_t number) { return {9, number}; }

  bool frame(uint8_t kind, uint8_t choice, Reader& program) {
    // Mostly what an honest peer sends, now and then with something changed.
    NewConnectionIdFrame frame{.sequence_number = choice};
    const uint8_t lie = program.u8();
    frame.connection_id = id(lie % 16 == 1 ? lie / 16 : frame.sequence_number == 1 ? 0xf1 : choice);
    frame.stateless_reset_token = token(lie % 16 == 2 ? lie / 16 : frame.sequence_number == 1 ? 0xf1 : choice);
    if (choice == 0) frame.connection_id = initial_;
    if (choice == 0) frame.stateless_reset_token = token(0xf0);
    frame.retire_prior_to = kind % 8 == 2 ? std::min<uint64_t>(choice, program.u8()) : 0;
    return answer_is(ids_.on_frame(frame), expect(frame));
  }

  /// The model takes the frame; the error that it calls for.
  std::optional<TransportError> expect(const NewConnectionIdFrame& frame) {
    for (const auto& [number, known] : known_) {
      if (known.state == State::retired) continue;
      const bool same_number = number == frame.sequence_number;
      const bool same_id = known.id == frame.connection_id;
      const bool other_token = known.token && *known.token != frame.stateless_reset_token;
      const bool same_token = known.token && *known.token == frame.stateless_reset_token;
      if (same_number && (!same_id || other_token)) return TransportError::protocol_violation;
      if (!same_number && (same_id || same_token)) return TransportError::protocol_violation;
    }
    if (frame.retire_prior_to > retire_prior_to_) {
      retire_prior_to_ = frame.retire_prior_to;
      for (auto& [number, known] : known_) {
        if (number < retire_prior_to_ && known.state == State::unused) retire(number, known);
      }
    }
    if (!known_.contains(frame.sequence_number)) {
      if (runs() + held() >= kRetiredRunsMax) return TransportError::protocol_violation;
      Known& known = known_[frame.sequence_number];
      known = {.id = frame.connection_id, .token = frame.stateless_reset_token};
      if (frame.sequence_number < retire_prior_to_) retire(frame.sequence_number, known);
    }
    if (active() > kRemoteIdsMax) return TransportError::connection_id_limit_error;
    if (pending_.size() + (held() - active()) > kRetirementsMax) return TransportError::connection_id_limit_error;
    return {};
  }
  static bool answer_is(const Result<void>& answer, std::optional<TransportError> expected) {
    QUOLL_CHECK(expected ? is_error(answer, *expected) : answer.has_value());
    return !expected;
  }

  void take() {
    const auto taken = ids_.take();
    const auto first = std::ranges::find_if(known_, [](const auto& k) { return k.second.state == State::unused; });
    QUOLL_CHECK(taken.has_value() == (first != known_.end()));
    if (!taken) return;
    QUOLL_CHECK(taken->sequence_number == first->first && taken->id == first->second.id);
    QUOLL_CHECK(taken->reset_token == first->second.token);
    first->second.state = State::used;
  }
  void release(uint64_t number) {
    ids_.release(number);
    const auto known = known_.find(number);
    if (known != known_.end() && known->second.state == State::used) retire(number, known->second);
  }
  void retire(uint64_t number, Known& known) {
    known.state = State::retired;
    pending_[number] = true;
  }

  void write_frames(size_t room) {
    for (const auto& frame : write(ids_, room, flight_).retired) {
      QUOLL_CHECK(pending_.contains(frame.sequence_number) && pending_[frame.sequence_number]);
      pending_[frame.sequence_number] = false;
    }
  }

  size_t held() const {
    return static_cast<size_t>(
        std::ranges::count_if(known_, [](const auto& k) { return k.second.state != State::retired; }));
  }
  size_t active() const {
    return static_cast<size_t>(std::ranges::count_if(
        known_, [&](const auto& k) { return k.second.state != State::retired && k.first >= retire_prior_to_; }));
  }
  /// Runs of retired sequence numbers.
  size_t runs() const {
    size_t count = 0;
    for (const auto& [number, known] : known_) {
      const auto before = known_.find(number - 1);
      const bool goes_on = before != known_.end() && before->second.state == State::retired;
      count += known.state == State::retired && !goes_on;
    }
    return count;
  }

  void validate() {
    while (const auto change = ids_.poll_token_change()) {
      QUOLL_CHECK(change->added ? table_.insert(change->token).second : table_.erase(change->token) == 1);
    }
    std::set<StatelessResetToken> live;
    bool wants = false;
    for (const auto& [number, known] : known_) {
      if (known.state == State::used && known.token && !forgotten_) live.insert(*known.token);
      const auto found = ids_.find(number);
      QUOLL_CHECK(found.has_value() == (known.state != State::retired));
      QUOLL_CHECK(ids_.must_replace(number) == (number < retire_prior_to_));
    }
    for (const auto& [number, known] : known_) {
      if (known.token) QUOLL_CHECK(ids_.is_reset_token(*known.token) == live.contains(*known.token));
    }
    for (const auto& [number, unsent] : pending_) wants |= unsent;
    QUOLL_CHECK(table_ == live);
    QUOLL_CHECK(ids_.wants_to_send() == wants);
    QUOLL_CHECK(ids_.active_count() == active());
    QUOLL_CHECK(ids_.retirement_count() == pending_.size());
  }

  const ConnectionId initial_ = id(0xf0);
  RemoteConnectionIds ids_;
  std::map<uint64_t, Known> known_;
  std::map<uint64_t, bool> pending_;  // retirements: whether a frame is to be sent
  std::vector<FrameToken> flight_;
  std::set<StatelessResetToken> table_;
  uint64_t retire_prior_to_ = 0;
  bool forgotten_ = false;
};

class LocalRun {
 public:
  explicit LocalRun(uint8_t options)
      : generator_(options & 1 ? 0 : 8), ids_(source(), generator_.generate(rng_)), empty_(generator_.size() == 0) {
    if ((options & 2) != 0 && !empty_) {
      StatelessResetToken token{};
      announced_[1] = {.id = ids_.issue_for_preferred_address(token)};
      QUOLL_CHECK(token == tokens_.token_of(announced_[1].id));
    }
    announced_[0] = {.id = ids_.initial()};
    validate();
  }

  /// False when the peer was found out.
  bool step(Reader& program) {
    const uint8_t kind = program.u8();
    const uint8_t choice = program.u8();
    bool goes_on = true;
    switch (kind % 8) {
      case 0:
      case 1:
        goes_on = retire(choice % 128, program.u8());
        break;
      case 2:
        if (!ended_) ids_.rotate();
        break;
      case 3:
      case 4:
        write_frames(choice);
        break;
      case 5:
        (void)resolve(ids_, choice, flight_);
        break;
      case 6:
        limit_ = std::max<uint64_t>(limit_, 2 + choice % 16);
        ids_.set_peer_limit(limit_);
        break;
      case 7:
        rarely(choice);
        break;
    }
    if (goes_on) validate();
    return goes_on;
  }

 private:
  struct Announced {
    ConnectionId id{};
    uint64_t retire_prior_to = 0;
    bool retired = false;
  };

  LocalConnectionIds::Source source() { return {.generator = &generator_, .reset_tokens = &tokens_, .rng = &rng_}; }

  bool retire(uint64_t number, uint8_t destination) {
    // A packet comes by an id that the peer has.
    const auto by = announced_.find(destination % announced_.size());
    const Result<void> answer =
        ids_.on_frame({.sequence_number = number}, by == announced_.end() ? Bytes() : Bytes(by->second.id));
    const auto known = announced_.find(number);
    const bool wrong = empty_ || known == announced_.end() ||
                       (!known->second.retired && !ended_ && by != announced_.end() && by->first == number);
    QUOLL_CHECK(wrong ? is_error(answer, TransportError::protocol_violation) : answer.has_value());
    if (!wrong) known->second.retired = true;
    return !wrong;
  }

  void write_frames(size_t room) {
    const bool wanted = ids_.wants_to_send();
    const Frames frames = write(ids_, room, flight_);
    QUOLL_CHECK(frames.announced.empty() || (wanted && !empty_ && !ended_));
    for (const auto& frame : frames.announced) {
      QUOLL_CHECK(frame.stateless_reset_token == tokens_.token_of(frame.connection_id));
      QUOLL_CHECK(frame.retire_prior_to <= frame.sequence_number);
      QUOLL_CHECK(ids_.sequence_of(frame.connection_id) == frame.sequence_number);
      const auto known = announced_.find(frame.sequence_number);
      if (known != announced_.end()) {
        QUOLL_CHECK(!known->second.retired && known->second.id == frame.connection_id);
        QUOLL_CHECK(known->second.retire_prior_to == frame.retire_prior_to);
        continue;
      }
      QUOLL_CHECK(frame.sequence_number == announced_.size());
      for (const auto& [number, other] : announced_) QUOLL_CHECK(!(other.id == frame.connection_id));
      if (frame.retire_prior_to > retire_prior_to_) {
        // RFC 9000 §5.1.2: what the previous value names has been retired.
        for (const auto& [number, other] : announced_) QUOLL_CHECK(number >= retire_prior_to_ || other.retired);
        retire_prior_to_ = frame.retire_prior_to;
      }
      announced_[frame.sequence_number] = {.id = frame.connection_id, .retire_prior_to = frame.retire_prior_to};
      // RFC 9000 §5.1.1: no more than the peer's limit, once Retire Prior To is obeyed.
      const auto active = std::ranges::count_if(
          announced_, [&](const auto& other) { return !other.second.retired && other.first >= retire_prior_to_; });
      QUOLL_CHECK(static_cast<uint64_t>(active) <= std::min<uint64_t>(limit_, kLocalIdsMax));
    }
  }

  void rarely(uint8_t choice) {
    const ConnectionId original(std::array<uint8_t, 5>{5, 5, 5, 5, 5});
    if (choice == 0) {
      ids_.retire_all();
      ended_ = true;
    } else if (choice == 1 && !ended_ && !original_) {
      ids_.add_original_destination(original);
      original_ = true;
    } else if (choice == 2) {
      ids_.remove_original_destination();
    }
  }

  void validate() {
    while (const auto change = ids_.poll_change()) {
      const std::vector<uint8_t> id(change->id.bytes().begin(), change->id.bytes().end());
      QUOLL_CHECK(change->kind == ConnectionIdChange::Kind::added ? table_.insert(id).second : table_.erase(id) == 1);
    }
    size_t visited = 0;
    ids_.for_each([&](const ConnectionId& id) {
      visited++;
      QUOLL_CHECK(id.empty() || table_.contains({id.bytes().begin(), id.bytes().end()}));
    });
    QUOLL_CHECK(visited == table_.size() + (empty_ && !ended_ ? 1 : 0));
    for (const auto& [number, known] : announced_) {
      const auto sequence = ids_.sequence_of(known.id);
      QUOLL_CHECK(sequence == (known.retired || ended_ ? std::nullopt : std::optional(number)));
    }
    QUOLL_CHECK(ids_.active_count() <= 2 * kLocalIdsMax);
    QUOLL_CHECK(ids_.remembered_count() <= 2 * kLocalIdsMax + kLocalIdsIssuedUnackedMax);
  }

  CountingRng rng_;
  Tokens tokens_;
  RandomConnectionIds generator_;
  LocalConnectionIds ids_;
  std::map<uint64_t, Announced> announced_;
  std::vector<FrameToken> flight_;
  std::set<std::vector<uint8_t>> table_;
  uint64_t limit_ = 0;
  uint64_t retire_prior_to_ = 0;
  bool empty_;
  bool ended_ = false;
  bool original_ = false;
};

template <class Run>
void run(uint8_t options, Reader& program) {
  Run run(options);
  while (program.remaining() != 0 && run.step(program)) continue;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, size));
  const uint8_t options = program.u8();
  if (options & 1) {
    run<RemoteRun>(options >> 1, program);
  } else {
    run<LocalRun>(options >> 1, program);
  }
  return 0;
}
