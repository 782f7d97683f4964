// What every AEAD implementation must do, run over all that the processor can run.
#include "crypto/aead.h"

#include <vector>

#include "crypto/failure.h"
#include "crypto/provider.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::crypto {
namespace {

using tests::SeededRng;
using Buffer = std::vector<uint8_t>;

/// Every AEAD table of every provider, with the portable table of the same algorithm.
template <class F>
void for_each_aead(F body) {
  for (const Provider& provider : all()) {
    for (const auto slot : {&Provider::aes_128_gcm, &Provider::aes_256_gcm, &Provider::chacha20_poly1305}) {
      CAPTURE(provider.name);
      const Aead* aead = provider.*slot;
      REQUIRE(aead);
      CAPTURE(aead->name);
      CAPTURE(aead->implementation);
      body(*aead, *(portable().*slot));
    }
  }
}

AeadKey key_of(const Aead& aead, Bytes material) {
  return std::move(AeadKey::create(aead, material.first(aead.key_size))).value();
}

Nonce nonce_of(SeededRng& rng) {
  Nonce nonce;
  rng.fill(nonce);
  return nonce;
}

Buffer seal_whole(AeadKey& key, const Nonce& nonce, Bytes aad, Bytes plaintext) {
  Buffer sealed(plaintext.size() + kAeadTagSize);
  REQUIRE(key.seal(nonce, aad, plaintext, sealed));
  return sealed;
}

/// Cuts `whole` at random places into 1 to 6 pieces, some of them empty.
std::vector<Bytes> random_pieces(SeededRng& rng, Bytes whole) {
  std::vector<Bytes> pieces;
  const size_t cuts = rng.below(6);
  for (size_t i = 0; i < cuts; i++) {
    const size_t size = rng.below(whole.size() + 1);
    pieces.push_back(whole.first(size));
    whole = whole.subspan(size);
  }
  pieces.push_back(whole);
  return pieces;
}

TEST_CASE("an AEAD opens what it sealed and agrees with the portable one at every length from 0 to 4096") {
  const uint64_t seed = tests::test_seed(1);
  CAPTURE(seed);
  for_each_aead([&](const Aead& aead, const Aead& reference) {
    SeededRng rng(seed);
    const Buffer material = rng.bytes(kAeadKeySizeMax);
    AeadKey ours = key_of(aead, material), theirs = key_of(reference, material);
    const Buffer text = rng.bytes(4096), associated = rng.bytes(200);
    for (size_t size = 0; size <= 4096; size++) {
      CAPTURE(size);
      const Nonce nonce = nonce_of(rng);
      const Bytes aad = Bytes(associated).first(size % 201);
      const Bytes plaintext = Bytes(text).first(size);
      Buffer sealed = seal_whole(ours, nonce, aad, plaintext);
      if (&aead != &reference) REQUIRE(sealed == seal_whole(theirs, nonce, aad, plaintext));
      const auto opened = ours.open(nonce, aad, sealed);
      REQUIRE(opened);
      REQUIRE(std::equal(opened->begin(), opened->end(), plaintext.begin(), plaintext.end()));
    }
  });
}

TEST_CASE("an AEAD gathers pieces at any boundary") {
  const uint64_t seed = tests::test_seed(2);
  CAPTURE(seed);
  for_each_aead([&](const Aead& aead, const Aead&) {
    SeededRng rng(seed);
    AeadKey key = key_of(aead, rng.bytes(kAeadKeySizeMax));
    for (int round = 0; round < 400; round++) {
      CAPTURE(round);
      const Buffer plaintext = rng.bytes(rng.below(round % 8 == 0 ? 4097 : 600));
      const Buffer aad = rng.bytes(rng.below(64));
      const Nonce nonce = nonce_of(rng);
      const std::vector<Bytes> pieces = random_pieces(rng, plaintext);
      Buffer gathered(plaintext.size() + kAeadTagSize);
      const SealJob job{.nonce = nonce, .aad = aad, .plaintext = pieces, .out = gathered.data()};
      REQUIRE(key.seal({&job, 1}));
      REQUIRE(gathered == seal_whole(key, nonce, aad, plaintext));
    }
  });
}

TEST_CASE("an AEAD gathers pieces of which some lie in place") {
  for_each_aead([&](const Aead& aead, const Aead&) {
    SeededRng rng(3);
    AeadKey key = key_of(aead, rng.bytes(kAeadKeySizeMax));
    for (const size_t header : {1, 7, 16, 33, 300}) {
      const Buffer plaintext = rng.bytes(1200), aad = rng.bytes(20);
      const Nonce nonce = nonce_of(rng);
      Buffer out(plaintext.size() + kAeadTagSize);
      copy_bytes(out.data(), Bytes(plaintext).first(header));  // frame headers written in place, data elsewhere
      const Bytes pieces[] = {Bytes(out).first(header), Bytes(plaintext).subspan(header)};
      const SealJob job{.nonce = nonce, .aad = aad, .plaintext = pieces, .out = out.data()};
      REQUIRE(key.seal({&job, 1}));
      REQUIRE(out == seal_whole(key, nonce, aad, plaintext));
    }
  });
}

TEST_CASE("a batch gives what its packets give alone, whatever their sizes") {
  const uint64_t seed = tests::test_seed(4);
  CAPTURE(seed);
  for_each_aead([&](const Aead& aead, const Aead&) {
    SeededRng rng(seed);
    AeadKey key = key_of(aead, rng.bytes(kAeadKeySizeMax));
    for (const size_t count : {0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 40, 64}) {
      for (int round = 0; round < 6; round++) {
        CAPTURE(count);
        std::vector<Buffer> texts, aads, outs;
        std::vector<std::vector<Bytes>> pieces;
        const bool equal_sizes = round < 2;
        for (size_t i = 0; i < count; i++) {
          texts.push_back(rng.bytes(equal_sizes && i + 1 < count ? 1350 : rng.below(1500)));
          aads.push_back(rng.bytes(rng.below(40)));
          outs.emplace_back(texts.back().size() + kAeadTagSize);
          pieces.push_back(round % 2 ? random_pieces(rng, texts.back()) : std::vector<Bytes>{Bytes(texts.back())});
        }
        std::vector<SealJob> jobs;
        for (size_t i = 0; i < count; i++) {
          jobs.push_back({.nonce = nonce_of(rng), .aad = aads[i], .plaintext = pieces[i], .out = outs[i].data()});
        }
        REQUIRE(key.seal(jobs));
        for (size_t i = 0; i < count; i++) REQUIRE(outs[i] == seal_whole(key, jobs[i].nonce, aads[i], texts[i]));

        // Opening the batch: one packet in three has been tampered with, the others must not notice.
        std::vector<OpenJob> open_jobs;
        for (size_t i = 0; i < count; i++) {
          if (i % 3 == 1) outs[i][rng.below(outs[i].size())] ^= 1;
          open_jobs.push_back({.nonce = jobs[i].nonce, .aad = aads[i], .data = outs[i]});
        }
        REQUIRE(key.open(open_jobs));
        for (size_t i = 0; i < count; i++) {
          CAPTURE(i);
          REQUIRE(open_jobs[i].authentic == (i % 3 != 1));
          const Bytes body = Bytes(outs[i]).first(texts[i].size());
          const Buffer expected = i % 3 == 1 ? Buffer(texts[i].size(), 0) : texts[i];
          REQUIRE(std::equal(body.begin(), body.end(), expected.begin(), expected.end()));
        }
      }
    }
  });
}

TEST_CASE("a flipped bit anywhere is refused, the plaintext is wiped and the tag is left as it came") {
  for_each_aead([&](const Aead& aead, const Aead&) {
    SeededRng rng(5);
    AeadKey key = key_of(aead, rng.bytes(kAeadKeySizeMax));
    for (const size_t size : {0, 1, 15, 16, 17, 63, 64, 65, 130, 257, 700}) {
      const Buffer plaintext = rng.bytes(size), aad = rng.bytes(21);
      const Nonce nonce = nonce_of(rng);
      const Buffer sealed = seal_whole(key, nonce, aad, plaintext);
      for (size_t byte = 0; byte < sealed.size(); byte += (size > 100 ? 5 : 1)) {
        CAPTURE(byte);
        Buffer bad = sealed;
        bad[byte] ^= static_cast<uint8_t>(1u << (byte % 8));
        const Buffer sent = bad;
        const auto opened = key.open(nonce, aad, bad);
        REQUIRE(!opened);
        REQUIRE(opened.error().code == static_cast<uint64_t>(Failure::authentication));
        REQUIRE(Buffer(bad.begin(), bad.end() - kAeadTagSize) == Buffer(size, 0));
        REQUIRE(Buffer(bad.end() - kAeadTagSize, bad.end()) == Buffer(sent.end() - kAeadTagSize, sent.end()));
      }
      for (size_t byte = 0; byte < aad.size(); byte++) {
        Buffer bad_aad = aad, copy = sealed;
        bad_aad[byte] ^= 0x80;
        REQUIRE(!key.open(nonce, bad_aad, copy));
      }
      for (size_t byte = 0; byte < nonce.size(); byte++) {
        Nonce bad_nonce = nonce;
        Buffer copy = sealed;
        bad_nonce[byte] ^= 0x10;
        REQUIRE(!key.open(bad_nonce, aad, copy));
      }
    }
  });
}

TEST_CASE("an AEAD works at any alignment and touches nothing beyond its output") {
  for_each_aead([&](const Aead& aead, const Aead&) {
    SeededRng rng(6);
    AeadKey key = key_of(aead, rng.bytes(kAeadKeySizeMax));
    for (size_t offset = 0; offset < 33; offset++) {
      for (const size_t size : {0, 5, 31, 64, 129, 515}) {
        const Buffer memory = rng.bytes(offset + size);
        const Bytes plaintext = Bytes(memory).subspan(offset);
        const Nonce nonce = nonce_of(rng);
        Buffer frame(64 + offset + size + kAeadTagSize + 64, 0xa5);
        const MutBytes out = MutBytes(frame).subspan(64 + offset, size + kAeadTagSize);
        REQUIRE(key.seal(nonce, {}, plaintext, out));
        REQUIRE(Buffer(out.begin(), out.end()) == seal_whole(key, nonce, {}, plaintext));
        REQUIRE(key.open(nonce, {}, out));
        for (size_t i = 0; i < 64 + offset; i++) REQUIRE(frame[i] == 0xa5);
        for (size_t i = 64 + offset + size + kAeadTagSize; i < frame.size(); i++) REQUIRE(frame[i] == 0xa5);
      }
    }
  });
}

TEST_CASE("an AEAD key refuses wrong lengths") {
  for_each_aead([&](const Aead& aead, const Aead&) {
    const Buffer material(64, 1);
    for (size_t size = 0; size <= 64; size++) {
      CHECK(AeadKey::create(aead, Bytes(material).first(size)).has_value() == (size == aead.key_size));
    }
    AeadKey key = key_of(aead, material);
    Buffer buffer(40);
    CHECK(!key.seal(Nonce{}, {}, Bytes(material).first(10), MutBytes(buffer).first(25)));
    CHECK(!key.seal(Nonce{}, {}, Bytes(material).first(10), MutBytes(buffer).first(27)));
    CHECK(!key.seal(Nonce{}, {}, Bytes(buffer).subspan(1, 10), MutBytes(buffer).first(26)));  // overlaps, not in place
    CHECK(key.sealed() == 0);
    for (size_t size = 0; size < kAeadTagSize; size++) {
      const auto opened = key.open(Nonce{}, {}, MutBytes(buffer).first(size));
      REQUIRE(!opened);
      CHECK(opened.error().code == static_cast<uint64_t>(Failure::length));
    }
    CHECK(key.failed() == 0);
  });
}

// RFC 9001 §6.6: "Endpoints MUST count the number of encrypted packets for each set of keys", and the same for those
// that fail to open.
TEST_CASE("an AEAD key refuses to go beyond its confidentiality and integrity limits") {
  Aead limited = *portable().aes_128_gcm;
  limited.confidentiality_limit = 3;
  limited.integrity_limit = 2;
  AeadKey key = key_of(limited, Buffer(16, 9));
  Buffer out(kAeadTagSize);
  const SealJob two[] = {{.nonce = {}, .aad = {}, .plaintext = {}, .out = out.data()},
                         {.nonce = {}, .aad = {}, .plaintext = {}, .out = out.data()}};
  CHECK(key.seal(two));
  const auto beyond = key.seal(two);
  REQUIRE(!beyond);
  CHECK(beyond.error().code == static_cast<uint64_t>(Failure::limit));
  CHECK(key.sealed() == 2);
  CHECK(key.seal(Nonce{}, {}, {}, out));
  CHECK(!key.seal(Nonce{}, {}, {}, out));
  CHECK(key.sealed() == 3);

  const Buffer good = out;
  for (int i = 0; i < 2; i++) {
    Buffer bad = good;
    bad[0] ^= 1;
    const auto opened = key.open(Nonce{}, {}, bad);
    REQUIRE(!opened);
    CHECK(opened.error().code == static_cast<uint64_t>(Failure::authentication));
  }
  CHECK(key.failed() == 2);
  Buffer copy = good;
  const auto opened = key.open(Nonce{}, {}, copy);
  REQUIRE(!opened);
  CHECK(opened.error().code == static_cast<uint64_t>(Failure::limit));
}

TEST_CASE("the limits are those of RFC 9001 section 6.6") {
  for_each_aead([&](const Aead& aead, const Aead&) {
    if (aead.id == AeadId::chacha20_poly1305) {
      CHECK(aead.confidentiality_limit >= uint64_t{1} << 62);
      CHECK(aead.integrity_limit == uint64_t{1} << 36);
    } else {
      CHECK(aead.confidentiality_limit == uint64_t{1} << 23);
      CHECK(aead.integrity_limit == uint64_t{1} << 52);
    }
  });
}

TEST_CASE("a moved AEAD key goes on counting and works in its new place") {
  for_each_aead([&](const Aead& aead, const Aead&) {
    AeadKey key = key_of(aead, Buffer(32, 7));
    const Buffer before = seal_whole(key, Nonce{}, {}, Buffer(100, 1));
    AeadKey moved = std::move(key);
    CHECK(moved.sealed() == 1);
    CHECK(seal_whole(moved, Nonce{}, {}, Buffer(100, 1)) == before);
    AeadKey other = key_of(aead, Buffer(32, 8));
    other = std::move(moved);
    CHECK(other.sealed() == 2);
    CHECK(seal_whole(other, Nonce{}, {}, Buffer(100, 1)) == before);
  });
}

// RFC 9001 §5.4: the mask is the same however many samples are taken at a time.
TEST_CASE("header masks of a batch are those of single samples, and agree with the portable ones") {
  const uint64_t seed = tests::test_seed(7);
  CAPTURE(seed);
  for (const Provider& provider : all()) {
    for (const auto slot : {&Provider::header_aes_128, &Provider::header_aes_256, &Provider::header_chacha20}) {
      CAPTURE(provider.name);
      REQUIRE(provider.*slot);
      const HeaderProtection& algorithm = *(provider.*slot);
      CAPTURE(algorithm.implementation);
      SeededRng rng(seed);
      const Buffer material = rng.bytes(algorithm.key_size);
      const auto key = HeaderProtectionKey::create(algorithm, material);
      const auto reference = HeaderProtectionKey::create(*(portable().*slot), material);
      REQUIRE(key);
      CHECK(!HeaderProtectionKey::create(algorithm, Bytes(material).first(material.size() - 1)));
      for (size_t count = 0; count <= 70; count++) {
        const Buffer memory = rng.bytes(count * 23 + kSampleSize);
        std::vector<const uint8_t*> samples;
        for (size_t i = 0; i < count; i++) samples.push_back(memory.data() + i * 23);
        std::vector<HeaderMask> masks(count), expected(count);
        key->masks(samples, masks);
        for (size_t i = 0; i < count; i++) {
          expected[i] = reference->mask(std::span<const uint8_t, kSampleSize>(samples[i], kSampleSize));
        }
        REQUIRE(masks == expected);
      }
    }
  }
}

}  // namespace
}  // namespace quoll::crypto
