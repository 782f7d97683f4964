#include "tls/server_resumption.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "tests/support/random.h"
#include "tests/tls/hello_draft.h"
#include "tls/alert.h"
#include "tls/cipher_suite.h"
#include "tls/server_handshake.h"
#include "tls/x509/certificate_maker.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using tests::Buffer;
using tests::HelloDraft;
using tests::SeededRng;
using tests::wire;

constexpr CipherSuite kSuite = CipherSuite::aes_128_gcm_sha256;
const UnixTime kNow = UnixTime::from_seconds(1'790'000'000);

/// Admits each binder once, and counts how often it is asked.
class CountingRegister final : public AntiReplay {
 public:
  bool admit(Bytes unique, UnixTime) override {
    asked++;
    return seen_.emplace(as_text(unique)).second;
  }
  Duration window() const override { return Duration::seconds(10); }

  int asked = 0;

 private:
  std::set<std::string> seen_;
};

std::shared_ptr<TicketKeys> ticket_keys(uint8_t seed = 1) {
  TicketKeys::Secret secret;
  std::fill_n(secret.data(), secret.size(), seed);
  auto keys = TicketKeys::from_secrets(crypto::best(), std::span(&secret, 1));
  REQUIRE(keys);
  return *keys;
}

crypto::Digest psk_of(size_t size, uint8_t fill) {
  crypto::Digest psk(size);
  std::fill_n(psk.data(), size, fill);
  return psk;
}

ServerTicket ordinary_ticket() {
  ServerTicket ticket;
  ticket.cipher_suite = kSuite;
  ticket.psk = psk_of(32, 5);
  ticket.issued = ticket.authenticated = kNow - Duration::seconds(100);
  ticket.lifetime_seconds = 3'600;
  ticket.age_add = 0xfffffff0;
  ticket.max_early_data_size = kQuicEarlyDataMark;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.resumption_context = {3, 4};
  ticket.early_data_context = {1, 2};
  return ticket;
}

Buffer client_certificate(UnixTime not_before, UnixTime not_after) {
  SeededRng rng(3);
  const auto key = x509::PrivateKey::generate(crypto::best(), x509::KeyType::ed25519, rng);
  REQUIRE(key);
  const auto der = x509::make_certificate({.common_name = "client",
                                           .names = {"client.example"},
                                           .not_before = not_before,
                                           .not_after = not_after,
                                           .client_auth = true},
                                          key->public_key_info(), nullptr, *key, rng);
  REQUIRE(der);
  return *der;
}

/// A server that is offered PSKs.
struct Offered {
  Offered() {
    config.ticket_keys = ticket_keys();
    config.application_protocols = {"h3"};
    draft.psk_modes = Buffer{1};
  }

  Buffer seal(const ServerTicket& ticket) { return config.ticket_keys->seal(ticket, rng, kNow); }

  /// Adds an identity whose age is what the ticket's real one is, plus `off`.
  void offer(const ServerTicket& ticket, Duration off = {}) {
    const int64_t age = (kNow - ticket.issued + off).as_milliseconds();
    draft.psks.push_back({.identity = seal(ticket),
                          .obfuscated_ticket_age = static_cast<uint32_t>(age) + ticket.age_add,
                          .binder = rng.bytes(32)});
  }

  std::optional<ServerPsk> find(CipherSuite suite = kSuite, bool is_retried = false) {
    hello = draft.view();
    return find_psk({.provider = crypto::best(),
                     .config = config,
                     .hello = hello,
                     .server_name = *draft.server_name,
                     .policy = policy,
                     .resumption_context = resumption_context,
                     .cipher_suite = suite,
                     .is_retried = is_retried},
                    kNow);
  }

  bool accepts(const ServerPsk& psk, Mode mode = Mode::quic) {
    hello = draft.view();
    const Buffer context = {1, 2};
    return accept_early_data({.config = config,
                              .mode = mode,
                              .hello = hello,
                              .psk = psk,
                              .cipher_suite = kSuite,
                              .application_protocol = "h3",
                              .early_data_context = context},
                             kNow);
  }

  SeededRng rng{1};
  ServerConfig config;
  ClientPolicy policy;
  HelloDraft draft;
  ClientHello hello;
  Buffer resumption_context = {3, 4};
};

bool resumes(const ServerTicket& ticket) {
  Offered offered;
  offered.offer(ticket);
  return offered.find().has_value();
}

TEST_CASE("a ticket of ours is found and gives its PSK") {
  Offered offered;
  offered.offer(ordinary_ticket());
  const auto psk = offered.find();
  REQUIRE(psk);
  CHECK(psk->index == 0);
  CHECK(psk->kind == PskKind::resumption);
  CHECK(psk->key == ordinary_ticket().psk);
  CHECK(psk->cipher_suite == kSuite);
  REQUIRE(psk->ticket);
  CHECK(*psk->ticket == ordinary_ticket());
}

// RFC 8446 §4.2.9
TEST_CASE("PSKs are left alone without psk_dhe_ke") {
  Offered offered;
  offered.offer(ordinary_ticket());
  offered.draft.psk_modes = Buffer{0};
  CHECK_FALSE(offered.find());
}

TEST_CASE("unknown identities are passed over, but only so many are tried") {
  Offered offered;
  offered.draft.psks = {{.identity = {1}}, {.identity = Buffer(200, 2)}, {.identity = Buffer(3, 3)}};
  offered.offer(ordinary_ticket());
  const auto psk = offered.find();
  REQUIRE(psk);
  CHECK(psk->index == kPskIdentitiesTriedMax - 1);
  offered.draft.psks.insert(offered.draft.psks.begin(), HelloDraft::Psk{.identity = {9}});
  CHECK_FALSE(offered.find());
}

TEST_CASE("a ticket resumes within its lifetime and within the longest one") {
  ServerTicket ticket = ordinary_ticket();
  ticket.issued = kNow - Duration::seconds(3'600);
  CHECK(resumes(ticket));
  ticket.issued = kNow - Duration::seconds(3'601);
  CHECK_FALSE(resumes(ticket));
  ticket.lifetime_seconds = 2 * kTicketLifetimeMax;
  ticket.issued = ticket.authenticated = kNow - Duration::seconds(kTicketLifetimeMax);
  CHECK(resumes(ticket));
  ticket.issued = ticket.authenticated = kNow - Duration::seconds(kTicketLifetimeMax + 1);
  CHECK_FALSE(resumes(ticket));
}

TEST_CASE("a ticket from the future resumes within the clocks' skew") {
  ServerTicket ticket = ordinary_ticket();
  ticket.issued = kNow + kTicketClockSkewMax;
  CHECK(resumes(ticket));
  ticket.issued = kNow + kTicketClockSkewMax + Duration::seconds(1);
  CHECK_FALSE(resumes(ticket));
}

// RFC 8446 §4.6.1
TEST_CASE("resumption after resumption ends seven days after the full handshake") {
  ServerTicket ticket = ordinary_ticket();
  ticket.authenticated = kNow - Duration::seconds(kTicketLifetimeMax);
  CHECK(resumes(ticket));
  ticket.authenticated = kNow - Duration::seconds(kTicketLifetimeMax + 1);
  CHECK_FALSE(resumes(ticket));
}

TEST_CASE("a ticket resumes for its own server name only") {
  ServerTicket ticket = ordinary_ticket();
  ticket.server_name = "example.org";
  CHECK_FALSE(resumes(ticket));
  ticket.server_name.clear();
  CHECK_FALSE(resumes(ticket));
}

// RFC 9369 §5
TEST_CASE("a ticket resumes in its own context only, and another one may follow it") {
  ServerTicket ticket = ordinary_ticket();
  for (const Buffer& other : {Buffer{}, Buffer{3}, Buffer{3, 5}, Buffer{3, 4, 0}}) {
    ticket.resumption_context = other;
    CHECK_FALSE(resumes(ticket));
  }
  Offered offered;
  offered.offer(ticket);
  offered.offer(ordinary_ticket());
  const auto psk = offered.find();
  REQUIRE(psk);
  CHECK(psk->index == 1);
  offered.resumption_context.clear();
  CHECK_FALSE(offered.find());
}

// RFC 8446 §4.6.1
TEST_CASE("a ticket resumes with any suite of its hash, and with no other") {
  Offered offered;
  offered.offer(ordinary_ticket());
  const auto psk = offered.find(CipherSuite::chacha20_poly1305_sha256);
  REQUIRE(psk);
  CHECK(psk->cipher_suite == CipherSuite::chacha20_poly1305_sha256);
  CHECK_FALSE(offered.find(CipherSuite::aes_256_gcm_sha384));
}

TEST_CASE("a policy that requires a certificate resumes only tickets with one that holds") {
  const UnixTime day_ago = kNow - Duration::seconds(86'400);
  const UnixTime day_ahead = kNow + Duration::seconds(86'400);
  Offered offered;
  offered.policy.authentication = ClientAuthentication::required;
  ServerTicket ticket = ordinary_ticket();
  const auto found = [&] {
    offered.draft.psks.clear();
    offered.offer(ticket);
    return offered.find();
  };
  CHECK_FALSE(found());
  ticket.client_certificate = client_certificate(day_ago, day_ahead);
  const auto psk = found();
  REQUIRE(psk);
  REQUIRE(psk->client_certificate);
  CHECK(std::ranges::equal(psk->client_certificate->der(), ticket.client_certificate));
  ticket.client_certificate = client_certificate(day_ago, kNow - Duration::seconds(1));
  CHECK_FALSE(found());
  ticket.client_certificate = client_certificate(kNow + Duration::seconds(1), day_ahead);
  CHECK_FALSE(found());
  ticket.client_certificate = {0x30, 0};
  CHECK_FALSE(found());
}

TEST_CASE("an optional certificate may be missing, and one that nobody asks for is not resumed") {
  const UnixTime day_ago = kNow - Duration::seconds(86'400);
  const UnixTime day_ahead = kNow + Duration::seconds(86'400);
  Offered offered;
  offered.offer(ordinary_ticket());
  offered.policy.authentication = ClientAuthentication::optional;
  CHECK(offered.find());
  ServerTicket ticket = ordinary_ticket();
  ticket.client_certificate = client_certificate(day_ago, day_ahead);
  offered.draft.psks.clear();
  offered.offer(ticket);
  CHECK(offered.find());
  offered.policy.authentication = ClientAuthentication::none;
  CHECK_FALSE(offered.find());
}

TEST_CASE("an external PSK is found by its identity, and its hash influences the suite until that is settled") {
  ExternalPsk external{.identity = {7, 7}, .key = psk_of(48, 1), .hash = crypto::HashId::sha384};
  Offered offered;
  offered.config.find_external_psk = [&external](Bytes identity) {
    return std::ranges::equal(identity, external.identity) ? &external : nullptr;
  };
  offered.draft.psks = {{.identity = {7}}, {.identity = {7, 7}}};
  auto psk = offered.find();
  REQUIRE(psk);
  CHECK(psk->index == 1);
  CHECK(psk->kind == PskKind::external);
  CHECK(psk->cipher_suite == CipherSuite::aes_256_gcm_sha384);
  CHECK_FALSE(psk->ticket);
  CHECK_FALSE(offered.find(kSuite, true));
  CHECK(offered.find(CipherSuite::aes_256_gcm_sha384, true));

  offered.draft.cipher_suites = wire({kSuite});
  CHECK_FALSE(offered.find());
  external.hash = crypto::HashId::sha256;
  CHECK(offered.find());
  // The key schedule takes zeros for an empty key: any client could make that binder.
  const Digest key = std::exchange(external.key, Digest());
  CHECK_FALSE(offered.find());
  external.key = key;
  offered.policy.authentication = ClientAuthentication::required;
  CHECK_FALSE(offered.find());
}

TEST_CASE("a binder is checked with the key of its kind") {
  const crypto::HashAlgorithm& hash = hash_of(crypto::best(), kSuite);
  const KeySchedule schedule(hash, psk_of(32, 5));
  const Digest transcript = psk_of(32, 8);
  const Digest binder = finished_mac(hash, schedule.binder_key(PskKind::resumption), transcript);
  CHECK(check_binder(schedule, PskKind::resumption, transcript, binder));
  for (const Result<void>& result :
       {check_binder(schedule, PskKind::external, transcript, binder),
        check_binder(schedule, PskKind::resumption, psk_of(32, 9), binder),
        check_binder(KeySchedule(hash, psk_of(32, 6)), PskKind::resumption, transcript, binder),
        check_binder(schedule, PskKind::resumption, transcript, binder.bytes().first(31))}) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == static_cast<uint64_t>(Alert::decrypt_error));
  }
}

/// A server that accepts early data under the one ticket that is offered.
struct EarlyOffered : Offered {
  explicit EarlyOffered(const ServerTicket& ticket = ordinary_ticket(), Duration off = {}) {
    config.anti_replay = anti_replay;
    draft.early_data = true;
    offer(ticket, off);
  }

  bool accepted(Mode mode = Mode::quic) {
    const auto psk = find();
    REQUIRE(psk);
    return accepts(*psk, mode);
  }

  std::shared_ptr<CountingRegister> anti_replay = std::make_shared<CountingRegister>();
};

TEST_CASE("early data is accepted once") {
  EarlyOffered offered;
  CHECK(offered.accepted());
  CHECK_FALSE(offered.accepted());
  CHECK(offered.anti_replay->asked == 2);
}

TEST_CASE("early data needs anti-replay, and to be announced") {
  EarlyOffered offered;
  offered.config.anti_replay = nullptr;
  CHECK_FALSE(offered.accepted());
  offered.config.anti_replay = offered.anti_replay;
  offered.draft.early_data = false;
  CHECK_FALSE(offered.accepted());
  CHECK(offered.anti_replay->asked == 0);
}

// RFC 8446 §4.2.10, RFC 9001 §4.6.3
TEST_CASE("early data under other circumstances than the ticket's is refused, and nothing is admitted") {
  ServerTicket other_suite = ordinary_ticket(), other_protocol = ordinary_ticket(), other_context = ordinary_ticket(),
               without = ordinary_ticket(), of_stream = ordinary_ticket();
  other_suite.cipher_suite = CipherSuite::chacha20_poly1305_sha256;
  other_protocol.application_protocol = "h2";
  other_context.early_data_context = {1};
  without.max_early_data_size = 0;
  of_stream.max_early_data_size = 100;
  for (const ServerTicket& ticket : {other_suite, other_protocol, other_context, without, of_stream}) {
    EarlyOffered offered(ticket);
    CHECK_FALSE(offered.accepted());
    CHECK(offered.anti_replay->asked == 0);
  }
}

TEST_CASE("over a stream the ticket's size has to be within today's") {
  ServerTicket ticket = ordinary_ticket();
  CHECK_FALSE(EarlyOffered(ticket).accepted(Mode::stream));
  ticket.max_early_data_size = ServerConfig().max_early_data_size;
  CHECK(EarlyOffered(ticket).accepted(Mode::stream));
  ticket.max_early_data_size++;
  CHECK_FALSE(EarlyOffered(ticket).accepted(Mode::stream));
}

// RFC 8446 §8.3
TEST_CASE("early data is fresh within the window, on both sides") {
  const Duration window = Duration::seconds(10), more = window + Duration::milliseconds(1);
  CHECK(EarlyOffered(ordinary_ticket(), window).accepted());
  CHECK(EarlyOffered(ordinary_ticket(), Duration() - window).accepted());
  EarlyOffered late(ordinary_ticket(), more), early(ordinary_ticket(), Duration() - more);
  CHECK_FALSE(late.accepted());
  CHECK_FALSE(early.accepted());
  CHECK(late.anti_replay->asked + early.anti_replay->asked == 0);
}

// RFC 8446 §4.2.10
TEST_CASE("early data under another PSK than the first is refused") {
  EarlyOffered offered;
  const uint32_t fresh = offered.draft.psks[0].obfuscated_ticket_age;
  offered.draft.psks.insert(offered.draft.psks.begin(),
                            HelloDraft::Psk{.identity = {1}, .obfuscated_ticket_age = fresh});
  const auto psk = offered.find();
  REQUIRE(psk);
  CHECK(psk->index == 1);
  CHECK_FALSE(offered.accepts(*psk));
}

TEST_CASE("early data under an external PSK is refused") {
  EarlyOffered offered;
  ServerPsk psk;
  psk.kind = PskKind::external;
  CHECK_FALSE(offered.accepts(psk));
}

/// What issue_ticket() writes, parsed.
struct Issued {
  explicit Issued(const ServerConfig& from) : config(from) {
    established.cipher_suite = kSuite;
    established.resumption_master = psk_of(32, 4);
    established.takes_tickets = true;
  }

  /// The ticket, or nothing when none was sent.
  std::optional<NewSessionTicket> issue(uint64_t number = 0) {
    const TicketIssue what{.config = config,
                           .established = established,
                           .server_name = "example.com",
                           .application_protocol = "h3",
                           .resumption_context = resumption_context,
                           .early_data_context = context,
                           .client_certificate = certificate,
                           .authenticated = authenticated,
                           .number = number};
    const Result<void> result = issue_ticket(what, rng, out, kNow);
    REQUIRE(result);
    std::optional<Output> output = out.poll();
    if (!output) return {};
    Send* send = std::get_if<Send>(&*output);
    REQUIRE(send);
    CHECK(send->level == Level::application);
    bytes = std::move(send->bytes);
    CHECK(bytes[0] == static_cast<uint8_t>(HandshakeType::new_session_ticket));
    const auto ticket = parse_new_session_ticket(Bytes(bytes).subspan(kHandshakeHeaderSize));
    REQUIRE(ticket);
    return *ticket;
  }

  ServerConfig config;
  SeededRng rng{2};
  Established established;
  Outbox out;
  UnixTime authenticated = kNow;
  Buffer resumption_context = {7}, context = {1, 2}, certificate, bytes;
};

ServerConfig issuing_config() {
  ServerConfig config;
  config.ticket_keys = ticket_keys();
  config.anti_replay = std::make_shared<CountingRegister>();
  return config;
}

TEST_CASE("an issued ticket opens to what the session settled, with a PSK and an age of its own") {
  Issued issued(issuing_config());
  const auto first = issued.issue(0);
  REQUIRE(first);
  CHECK(first->lifetime_seconds == issued.config.ticket_lifetime_seconds);
  CHECK(first->max_early_data_size == kQuicEarlyDataMark);
  const auto opened = issued.config.ticket_keys->open(first->ticket, kNow);
  REQUIRE(opened);
  CHECK(opened->psk ==
        resumption_psk(hash_of(crypto::best(), kSuite), issued.established.resumption_master, first->nonce));
  CHECK(opened->age_add == first->age_add);
  CHECK(opened->issued == kNow);
  CHECK(opened->server_name == "example.com");
  CHECK(opened->application_protocol == "h3");
  CHECK(opened->resumption_context == issued.resumption_context);
  CHECK(opened->early_data_context == issued.context);

  const Buffer first_nonce(first->nonce.begin(), first->nonce.end());
  const uint32_t first_age_add = first->age_add;
  const auto second = issued.issue(1);
  REQUIRE(second);
  CHECK_FALSE(std::ranges::equal(second->nonce, first_nonce));
  CHECK(second->age_add != first_age_add);
  const auto other = issued.config.ticket_keys->open(second->ticket, kNow);
  REQUIRE(other);
  CHECK_FALSE(other->psk == opened->psk);
}

// RFC 8701 §4.1
TEST_CASE("an issued ticket carries a GREASE extension if configured") {
  Issued issued(issuing_config());
  auto ticket = issued.issue();
  REQUIRE(ticket);
  CHECK(ticket->extensions.size() == 4 + 4 + 4);  // early_data with its size, and the empty one
  issued.config.grease = false;
  ticket = issued.issue();
  REQUIRE(ticket);
  CHECK(ticket->extensions.size() == 4 + 4);
}

TEST_CASE("an issued ticket allows early data only with anti-replay, over a stream with a size") {
  Issued issued(issuing_config());
  issued.config.mode = Mode::stream;
  CHECK(issued.issue()->max_early_data_size == issued.config.max_early_data_size);
  issued.config.anti_replay = nullptr;
  CHECK_FALSE(issued.issue()->max_early_data_size);
}

// RFC 8446 §4.6.1
TEST_CASE("a ticket does not outlive seven days after the full handshake") {
  Issued issued(issuing_config());
  issued.authenticated = kNow - Duration::seconds(kTicketLifetimeMax - 60);
  const auto ticket = issued.issue();
  REQUIRE(ticket);
  CHECK(ticket->lifetime_seconds == 60);
  issued.authenticated = kNow - Duration::seconds(kTicketLifetimeMax);
  CHECK_FALSE(issued.issue());
}

TEST_CASE("no ticket is sent that could not be used") {
  Issued issued(issuing_config());
  issued.certificate = Buffer(ServerTicket::kClientCertificateSizeMax + 1, 1);
  CHECK_FALSE(issued.issue());
  issued.certificate.pop_back();
  CHECK(issued.issue());
  issued.established.takes_tickets = false;
  CHECK_FALSE(issued.issue());
}

TEST_CASE("without ticket keys, issuing one is a usage error") {
  Issued issued{ServerConfig()};
  const TicketIssue what{.config = issued.config,
                         .established = issued.established,
                         .server_name = {},
                         .application_protocol = {},
                         .resumption_context = {},
                         .early_data_context = {},
                         .client_certificate = {},
                         .authenticated = kNow,
                         .number = 0};
  const Result<void> result = issue_ticket(what, issued.rng, issued.out, kNow);
  REQUIRE_FALSE(result);
  CHECK(result.error().domain == ErrorDomain::usage);
}

}  // namespace
}  // namespace quoll::tls
