#include "web/session_file.h"

#include <sys/stat.h>

#include "os/file.h"
#include "os/write_file.h"
#include "tests/os/temporary_folder.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::web {
namespace {

constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

quic::ResumptionState ticket_of(uint8_t name) {
  tls::ClientTicket ticket;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.cipher_suite = tls::CipherSuite::aes_128_gcm_sha256;
  ticket.psk = crypto::Digest(32);
  ticket.ticket = {1, 2, name};
  ticket.lifetime_seconds = 3600;
  ticket.received = kNow;
  ticket.authenticated_until = kNow + Duration::seconds(100'000);
  quic::ResumptionState state{.ticket = ticket, .version = quic::Version::v1, .token = {}};
  state.parameters.initial_max_data = 1'000'000;
  return state;
}

quic::ResumptionState token_of(std::vector<uint8_t> token) {
  return {.ticket = {}, .version = quic::Version::v1, .token = std::move(token)};
}

constexpr TrustDigest kTrust = {1, 2, 3};

void fill(quic::ResumptionStore& store) {
  store.put("b.example", ticket_of(1));
  store.put("a.example:4433", ticket_of(2));
  store.put("a.example:4433", ticket_of(3));
  store.put("a.example:4433", token_of({7, 7}));
}

}  // namespace

TEST_SUITE("web/session_file") {
  TEST_CASE("what is saved comes back in the same order") {
    quic::ResumptionStore store;
    fill(store);
    const auto encoded = encode_sessions(store, kTrust, kNow);
    CHECK_EQ(store.servers(), 0);
    quic::ResumptionStore again;
    REQUIRE(decode_sessions(encoded, kTrust, again));
    CHECK(again.names() == std::vector<std::string>{"b.example", "a.example:4433"});
    const auto newest = again.take("a.example:4433", kNow);
    REQUIRE(newest);
    CHECK(newest->ticket->ticket == std::vector<uint8_t>{1, 2, 3});
    CHECK(newest->token == std::vector<uint8_t>{7, 7});
    CHECK(again.take("a.example:4433", kNow)->ticket->ticket == std::vector<uint8_t>{1, 2, 2});
    CHECK(again.take("b.example", kNow));
    CHECK_EQ(again.servers(), 0);
  }

  TEST_CASE("tickets that are too old are not saved") {
    quic::ResumptionStore store;
    store.put("a.example", ticket_of(1));
    const auto encoded = encode_sessions(store, kTrust, kNow + Duration::seconds(4000));
    quic::ResumptionStore again;
    REQUIRE(decode_sessions(encoded, kTrust, again));
    CHECK_EQ(again.servers(), 0);
  }

  TEST_CASE("under another trust nothing is used") {
    quic::ResumptionStore store;
    fill(store);
    const auto encoded = encode_sessions(store, kTrust, kNow);
    quic::ResumptionStore again;
    REQUIRE(decode_sessions(encoded, TrustDigest{9}, again));
    CHECK_EQ(again.servers(), 0);
  }

  TEST_CASE("the trust is told by authorities, pins and their absence") {
    const x509::TrustStore none;
    const x509::SpkiPin one = {1}, two = {2};
    const std::vector<x509::SpkiPin> both = {one, two}, reversed = {two, one};
    const auto digests = {trust_digest(nullptr, {}), trust_digest(&none, {}), trust_digest(nullptr, both),
                          trust_digest(&none, both), trust_digest(nullptr, std::span(&one, 1))};
    for (auto a = digests.begin(); a != digests.end(); ++a) {
      for (auto b = std::next(a); b != digests.end(); ++b) CHECK(*a != *b);
    }
    CHECK(trust_digest(nullptr, both) == trust_digest(nullptr, reversed));
  }

  TEST_CASE("what is cut short, damaged or something else is refused") {
    quic::ResumptionStore store;
    fill(store);
    const auto encoded = encode_sessions(store, kTrust, kNow);
    std::vector<size_t> whole;
    for (size_t size = 0; size < encoded.size(); size++) {
      quic::ResumptionStore again;
      if (decode_sessions(Bytes(encoded).first(size), kTrust, again)) whole.push_back(size);
    }
    CHECK_EQ(whole.size(), 3);  // between entries: as if less had been saved
    quic::ResumptionStore again;
    CHECK_FALSE(decode_sessions(as_bytes("quoll sessions 2\n"), kTrust, again));
    CHECK_FALSE(decode_sessions(as_bytes("#!/bin/sh\n"), kTrust, again));
    std::vector<uint8_t> damaged = encoded;
    damaged[17 + 32 + 2 + 9 + 3] ^= 0xff;  // the form of the first state
    CHECK_FALSE(decode_sessions(damaged, kTrust, again));
  }

  TEST_CASE("whatever a file holds, it is loaded or refused") {
    const uint64_t seed = tests::test_seed(2);
    INFO("seed ", seed);
    tests::SeededRng rng(seed);
    quic::ResumptionStore store;
    fill(store);
    const auto encoded = encode_sessions(store, kTrust, kNow);
    for (int i = 0; i < 2'000; i++) {
      std::vector<uint8_t> damaged = encoded;
      for (uint64_t count = 1 + rng.below(4); count != 0; count--) {
        damaged[17 + rng.below(damaged.size() - 17)] = static_cast<uint8_t>(rng.below(256));
      }
      damaged.resize(damaged.size() - rng.below(3));
      quic::ResumptionStore again;
      (void)decode_sessions(damaged, kTrust, again);
      CHECK_LE(again.servers(), 3);
    }
  }

  TEST_CASE("the file is its owner's alone; none at all is no error") {
    const tests::TemporaryFolder folder;
    const std::string path = folder / "sessions";
    quic::ResumptionStore store;
    CHECK(load_sessions(path, kTrust, store));
    fill(store);
    REQUIRE(save_sessions(path, kTrust, store, kNow));
    struct stat status{};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    REQUIRE(load_sessions(path, kTrust, store));
    CHECK_EQ(store.servers(), 2);
    REQUIRE(os::write_file(path.c_str(), as_bytes("something else"), 0600, os::Existing::replace));
    const auto loaded = load_sessions(path, kTrust, store);
    REQUIRE_FALSE(loaded);
    CHECK_EQ(std::string(loaded.error().reason), "is no session file of quoll");
  }
}

}  // namespace quoll::web
