#include "quic/protect/seal_train.h"

#include "quic/wire/error_code.h"
#include "tests/quic/protect/support.h"
#include "tests/support/heap.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::quic;
using tests::Draft;
using tests::SeededRng;

namespace {

struct Keys {
  Keys(const crypto::Provider& provider, tls::CipherSuite suite, uint64_t seed)
      : packet(provider, suite, Version::v1, tests::secret_of(suite, seed)),
        header(header_key(provider, suite, Version::v1, tests::secret_of(suite, seed))) {}
  SealKeys seal() { return {&packet, &header}; }

  PacketKeys packet;
  crypto::HeaderProtectionKey header;
};

/// A packet whose payload lies in place, and the same with gaps.
struct Twins {
  Draft whole;
  Draft with_gaps;
  std::vector<std::vector<uint8_t>> elsewhere;
  std::vector<Gap> gaps;

  void cut(size_t offset, size_t size) {
    const size_t begin = whole.payload_offset() + offset;
    elsewhere.emplace_back(whole.bytes.begin() + static_cast<ptrdiff_t>(begin),
                           whole.bytes.begin() + static_cast<ptrdiff_t>(begin + size));
    std::fill_n(with_gaps.bytes.begin() + static_cast<ptrdiff_t>(begin), size, uint8_t{0xee});
    gaps.push_back({.offset = offset, .data = elsewhere.back()});
  }
  void add_to(SealTrain& train, const SealKeys& keys) {
    SealTrain::Packet packet = with_gaps.packet(keys);
    packet.gaps_begin = train.gaps().size();
    packet.gaps_count = gaps.size();
    train.gaps().insert(train.gaps().end(), gaps.begin(), gaps.end());
    train.add(packet);
  }
};

Twins twins_of(SeededRng& rng, PacketNumber number, size_t payload_size) {
  const SizedPacketNumber sized{number, 1 + rng.below(4)};
  const auto payload = rng.bytes(std::max(payload_size, 4 - sized.size));
  const auto id = rng.bytes(rng.below(21));
  Twins twins;
  twins.whole = rng.below(2) == 0 ? tests::short_draft({.destination = id}, sized, payload)
                                  : tests::long_draft({.destination = id, .source = id}, sized, payload);
  twins.with_gaps = twins.whole;
  return twins;
}

void cut_at_random(SeededRng& rng, Twins& twins) {
  const size_t size = twins.whole.bytes.size() - twins.whole.payload_offset() - crypto::kAeadTagSize;
  for (size_t position = 0; position < size && twins.gaps.size() < 5;) {
    const size_t begin = position + rng.below(size - position + 1);
    const size_t length = rng.below(size - begin + 1);
    twins.cut(begin, length);
    position = begin + length + rng.below(3);
  }
}

void check_cut(size_t payload_size, size_t offset, size_t size, size_t number_size) {
  CAPTURE(offset);
  CAPTURE(size);
  Keys keys(crypto::best(), tests::kSuites[0], 1);
  SeededRng rng(payload_size);
  Twins twins;
  twins.whole = tests::short_draft({}, {5, number_size}, rng.bytes(payload_size));
  twins.with_gaps = twins.whole;
  twins.cut(offset, size);
  SealTrain train;
  twins.add_to(train, keys.seal());
  REQUIRE(train.seal());
  REQUIRE(tests::seal(twins.whole, keys.seal()));
  CHECK_EQ(to_hex(twins.with_gaps.bytes), to_hex(twins.whole.bytes));
}

}  // namespace

TEST_SUITE("quic seal train") {
  // RFC 9001 §5.4.2
  TEST_CASE("a gap may lie anywhere: around the header protection sample, across it, within it, at either end") {
    for (size_t number_size = 1; number_size <= 4; number_size++) {
      for (size_t offset = 0; offset <= 40; offset++) {
        for (const size_t size : {0, 1, 2, 16, 17, 30}) {
          if (offset + size <= 40) check_cut(40, offset, size, number_size);
        }
      }
      check_cut(1300, 0, 1300, number_size);
    }
  }

  // RFC 9001 §5.3, §5.4.1
  TEST_CASE("a train seals as its packets would be sealed one by one, wherever data comes from") {
    const uint64_t seed = tests::test_seed(20260101);
    INFO("seed ", seed);
    for (const crypto::Provider& provider : crypto::all()) {
      for (const tls::CipherSuite suite : tests::kSuites) {
        SeededRng rng(seed);
        Keys first(provider, suite, 1);
        Keys second(provider, suite, 2);
        SealTrain train;
        for (int round = 0; round < 20; round++) {
          std::vector<Twins> packets;
          std::vector<SealKeys> keys;
          const size_t count = 1 + rng.below(40);
          for (size_t i = 0; i < count; i++) {
            packets.push_back(twins_of(rng, rng.below(uint64_t{1} << 40), rng.below(1400)));
            cut_at_random(rng, packets.back());
            keys.push_back(rng.below(4) == 0 ? second.seal() : first.seal());
          }
          for (size_t i = 0; i < count; i++) packets[i].add_to(train, keys[i]);
          CHECK_EQ(train.size(), count);
          REQUIRE(train.seal());
          CHECK(train.empty());
          CHECK(train.gaps().empty());
          for (size_t i = 0; i < count; i++) {
            REQUIRE(tests::seal(packets[i].whole, keys[i]));
            CHECK_EQ(to_hex(packets[i].with_gaps.bytes), to_hex(packets[i].whole.bytes));
          }
        }
      }
    }
  }

  TEST_CASE("nothing is sealed in an empty train, and clear() forgets packets") {
    Keys keys(crypto::best(), tests::kSuites[0], 1);
    SealTrain train;
    CHECK(train.empty());
    CHECK(train.seal());
    Draft draft = tests::short_draft({}, {1, 4}, std::vector<uint8_t>(10));
    const auto before = draft.bytes;
    train.add(draft.packet(keys.seal()));
    train.gaps().push_back({});
    train.clear();
    CHECK(train.empty());
    CHECK(train.gaps().empty());
    CHECK(train.seal());
    CHECK(draft.bytes == before);
    CHECK_EQ(keys.packet.aead().sealed(), 0);
  }

  // RFC 9001 §6.6
  TEST_CASE("a train that would pass the confidentiality limit is not sealed") {
    crypto::Aead limited = *crypto::best().aes_128_gcm;
    limited.confidentiality_limit = 3;
    crypto::Provider provider = crypto::best();
    provider.aes_128_gcm = &limited;
    Keys keys(provider, tests::kSuites[0], 1);
    std::vector<Draft> drafts;
    for (PacketNumber number = 0; number < 4; number++) {
      drafts.push_back(tests::short_draft({}, {number, 4}, std::vector<uint8_t>(10)));
    }
    SealTrain train;
    for (Draft& draft : drafts) train.add(draft.packet(keys.seal()));
    const auto sealed = train.seal();
    REQUIRE_FALSE(sealed);
    CHECK(sealed.error().domain == ErrorDomain::transport);
    CHECK_EQ(sealed.error().code, static_cast<uint64_t>(TransportError::aead_limit_reached));
    CHECK(train.empty());
    for (size_t i = 0; i < 3; i++) train.add(drafts[i].packet(keys.seal()));
    CHECK(train.seal());
    train.add(drafts[3].packet(keys.seal()));
    CHECK_FALSE(train.seal());
  }

  TEST_CASE("a warm train allocates nothing") {
    if (!tests::heap_is_counted()) return;
    Keys keys(crypto::best(), tests::kSuites[0], 1);
    SealTrain train;
    SeededRng rng(1);
    const auto data = rng.bytes(1000);
    std::vector<Draft> drafts;
    for (PacketNumber number = 0; number < 40; number++) {
      drafts.push_back(tests::short_draft({}, {number, 4}, rng.bytes(1200)));
    }
    const auto run = [&] {
      for (Draft& draft : drafts) {
        SealTrain::Packet packet = draft.packet(keys.seal());
        packet.gaps_begin = train.gaps().size();
        packet.gaps_count = 1;
        train.gaps().push_back({.offset = 20, .data = data});
        train.add(packet);
      }
      return train.seal().has_value();
    };
    CHECK(run());
    const size_t allocations = tests::heap_allocations();
    const bool sealed = run();
    CHECK_EQ(tests::heap_allocations(), allocations);
    CHECK(sealed);
  }
}
