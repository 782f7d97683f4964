// LocalConnectionIds of one side and RemoteConnectionIds of the other, with a pipe between them that loses, delays,
// reorders, and reports packets as lost that arrive after all. Two correct sides must never find fault with each other.
#include <algorithm>
#include <map>
#include <set>

#include "quic/path/remote_connection_ids.h"
#include "tests/quic/path/support.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::read_packet;
using tests::SeededRng;
using tests::write_packet;
using tests::WrittenPacket;

namespace {

struct Flight {
  WrittenPacket packet;
  uint64_t arrives = 0;  // 0: never
  uint64_t resolved = 0;
  bool acked = false;
  bool from_issuer = false;
};

std::vector<uint8_t> key(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

class Pair {
 public:
  Pair(uint64_t seed, uint64_t limit, bool preferred)
      : rng_(seed), limit_(limit), issuer_(source(), generator_.generate(rng_)), user_(issuer_.initial()) {
    issuer_.add_original_destination(tests::id_of(77));
    if (preferred) {
      StatelessResetToken token{};
      const ConnectionId id = issuer_.issue_for_preferred_address(token);
      REQUIRE(user_.add_preferred(id, token));
    }
    user_.set_initial_reset_token(tokens_.token_of(issuer_.initial()));
    issuer_.set_peer_limit(limit);
    take();
  }

  void step(unsigned loss_percent) {
    now_++;
    deliver();
    switch (rng_.below(12)) {
      case 0:
        if (paths_.size() < 4) take();
        break;
      case 1:
        // A path ends; the last one only when another id is there.
        if (paths_.size() > 1 || (!paths_.empty() && user_.has_unused())) {
          if (paths_.size() == 1) take();
          release(rng_.below(paths_.size()));
        }
        break;
      case 2:
        if (rng_.below(6) == 0) issuer_.rotate();
        break;
      case 3:
        issuer_.remove_original_destination();
        break;
      default:
        if (rng_.below(2) == 0) {
          send(issuer_, true, loss_percent);
        } else {
          send(user_, false, loss_percent);
        }
    }
    check();
  }

  /// Without loss, until nothing is left to say.
  void settle() {
    for (int round = 0; round < 400; round++) {
      now_++;
      deliver();
      send(issuer_, true, 0);
      send(user_, false, 0);
      check();
    }
    CHECK(flights_.empty());
    CHECK_FALSE(issuer_.wants_to_send());
    CHECK_FALSE(user_.wants_to_send());
    CHECK_EQ(user_.retirement_count(), 0);
    CHECK_EQ(issuer_.active_count(), std::min<uint64_t>(limit_, kLocalIdsMax));
    CHECK_EQ(issuer_.remembered_count(), issuer_.active_count());
    CHECK_EQ(user_.active_count(), issuer_.active_count());
    issuer_.for_each([&](const ConnectionId& id) {
      if (const auto number = issuer_.sequence_of(id)) CHECK(user_.find(*number)->id == id);
    });
  }

  uint64_t taken() const { return taken_; }

 private:
  LocalConnectionIds::Source source() { return {.generator = &generator_, .reset_tokens = &tokens_, .rng = &rng_}; }

  void take() {
    const auto id = user_.take();
    if (!id) return;
    // RFC 9000 §9.5: no two paths share an id, and none comes back.
    CHECK(ever_taken_.insert(id->sequence_number).second);
    CHECK_FALSE(user_.must_replace(id->sequence_number));
    CHECK_EQ(*id->reset_token, tokens_.token_of(id->id));
    paths_.push_back(*id);
    taken_++;
  }
  void release(size_t path) {
    user_.release(paths_[path].sequence_number);
    paths_.erase(paths_.begin() + static_cast<ptrdiff_t>(path));
  }

  template <class Owner>
  void send(Owner& owner, bool from_issuer, unsigned loss_percent) {
    // A user without a path cannot send.
    if (!owner.wants_to_send() || (!from_issuer && paths_.empty())) return;
    Flight flight{.packet = write_packet(owner, 40 + rng_.below(200)), .from_issuer = from_issuer};
    if (flight.packet.tokens.empty()) return;
    const bool lost = rng_.below(100) < loss_percent;
    const bool spurious = !lost && rng_.below(100) < loss_percent;
    flight.arrives = lost ? 0 : now_ + 1 + rng_.below(20);
    flight.acked = !lost && !spurious;
    flight.resolved = lost ? now_ + 20 : spurious ? now_ + 1 : flight.arrives + 1 + rng_.below(5);
    flights_.push_back(std::move(flight));
  }

  void deliver() {
    for (Flight& flight : flights_) {
      if (flight.arrives == now_) receive(flight);
      if (flight.resolved == now_) resolve(flight);
    }
    std::erase_if(flights_, [&](const Flight& flight) { return flight.arrives <= now_ && flight.resolved <= now_; });
  }
  void receive(const Flight& flight) {
    if (flight.from_issuer) {
      const auto read = read_packet<NewConnectionIdFrame>(flight.packet, [&](const NewConnectionIdFrame& frame) {
        const Result<void> result = user_.on_frame(frame);
        obey();
        return result;
      });
      INFO((read ? "" : read.error().reason));
      CHECK(read);
    } else {
      const ConnectionId destination = paths_.empty() ? tests::id_of(0) : paths_[0].id;
      const auto read = read_packet<RetireConnectionIdFrame>(
          flight.packet, [&](const RetireConnectionIdFrame& frame) { return issuer_.on_frame(frame, destination); });
      INFO((read ? "" : read.error().reason));
      CHECK(read);
    }
  }
  void resolve(const Flight& flight) {
    for (const FrameToken& token : flight.packet.tokens) {
      if (flight.from_issuer) {
        flight.acked ? issuer_.on_acked(token) : issuer_.on_lost(token);
      } else {
        flight.acked ? user_.on_acked(token) : user_.on_lost(token);
      }
    }
  }
  /// Each path whose id must be replaced takes another, or ends.
  void obey() {
    for (size_t i = 0; i < paths_.size();) {
      if (!user_.must_replace(paths_[i].sequence_number)) {
        i++;
        continue;
      }
      take();
      release(i);
    }
    // RFC 9000 §5.1.2: the issuer's rotation always leaves an id to go on with.
    CHECK_FALSE(paths_.empty());
  }

  void check() {
    while (const auto change = issuer_.poll_change()) {
      if (change->kind == ConnectionIdChange::Kind::added) {
        CHECK(routes_.insert(key(change->id)).second);
      } else {
        CHECK_EQ(routes_.erase(key(change->id)), 1);
      }
    }
    size_t visited = 0;
    issuer_.for_each([&](const ConnectionId& id) {
      visited++;
      CHECK_EQ(routes_.count(key(id)), 1);
    });
    CHECK_EQ(visited, routes_.size());
    // RFC 9000 §5.1.1: whatever the user sends with is accepted, and it never has more than its limit.
    for (const auto& path : paths_) CHECK_EQ(issuer_.sequence_of(path.id), path.sequence_number);
    CHECK_LE(user_.active_count(), limit_);
    CHECK_LE(issuer_.active_count(), 2 * kLocalIdsMax);
    CHECK_LE(issuer_.remembered_count(), 2 * kLocalIdsMax + kLocalIdsIssuedUnackedMax);

    while (const auto change = user_.poll_token_change()) {
      if (change->added) {
        CHECK(reset_tokens_.insert(change->token).second);
      } else {
        CHECK_EQ(reset_tokens_.erase(change->token), 1);
      }
    }
    CHECK_EQ(reset_tokens_.size(), paths_.size());
    for (const auto& path : paths_) {
      CHECK_EQ(reset_tokens_.count(*path.reset_token), 1);
      CHECK(user_.is_reset_token(*path.reset_token));
    }
  }

  SeededRng rng_;
  uint64_t limit_;
  RandomConnectionIds generator_;
  tests::PlainResetTokens tokens_;
  LocalConnectionIds issuer_;
  RemoteConnectionIds user_;
  uint64_t now_ = 0;
  uint64_t taken_ = 0;
  std::vector<RemoteConnectionIds::Id> paths_;
  std::vector<Flight> flights_;
  std::set<std::vector<uint8_t>> routes_;
  std::set<StatelessResetToken> reset_tokens_;
  std::set<uint64_t> ever_taken_;
};

}  // namespace

TEST_SUITE("quic connection ids, both sides") {
  // RFC 9000 §5.1.1, §5.1.2, §9.5, §10.3.1, §13.3, §19.15, §19.16
  TEST_CASE("two sides agree at all times, whatever the network does") {
    const uint64_t first = tests::test_seed(1);
    uint64_t taken = 0;
    for (uint64_t seed = first; seed < first + 60; seed++) {
      INFO("seed " << seed);
      Pair pair(seed, 2 + seed % 7, seed % 3 == 0);
      for (int i = 0; i < 600; i++) pair.step(static_cast<unsigned>(seed % 4 * 15));
      pair.settle();
      taken += pair.taken();
    }
    CHECK_GT(taken, 500);
  }
}
