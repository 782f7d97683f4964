// The traces of RFC 8448, {"sections": [{"title", "steps": [{"actor", "step", "fields"}]}]}: every step is carried out by
// our own code, from the messages and private keys of the trace, and gives the trace's bytes.
//
// Checked: key pairs, and both sides of the key exchange with the trace's private keys as random numbers; every message,
// parsed and written again (tests/support/message_round_trip.h); every secret of the key schedule from the shared
// secret, the PSK and the transcript of the messages; binders and Finished; traffic keys; every record, plain or
// protected, opened and sealed again.
#include <map>
#include <optional>

#include "tests/support/message_round_trip.h"
#include "tests/vectors/families.h"
#include "tls/cipher_suite.h"
#include "tls/key_exchange.h"
#include "tls/key_schedule.h"
#include "tls/transcript.h"

namespace quoll::vectors {
namespace {

using namespace tls;
using Buffer = std::vector<uint8_t>;

const crypto::Provider& provider() { return crypto::best(); }

Buffer expand_label(const crypto::HashAlgorithm& hash, Bytes secret, std::string_view label, size_t size) {
  Buffer out(size);
  if (!crypto::hkdf_expand_label(hash, secret, label, {}, out)) throw std::invalid_argument("a length of HKDF");
  return out;
}

bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

/// Gives the private keys of a trace in place of random numbers.
class ScriptedRng final : public Rng {
 public:
  explicit ScriptedRng(Bytes bytes) : bytes_(bytes) {}
  void fill(MutBytes out) override {
    if (out.size() != bytes_.size()) throw std::invalid_argument("a private key of another size");
    copy_bytes(out.data(), bytes_);
  }

 private:
  Bytes bytes_;
};

/// The record protection of one sender (RFC 8446 §5.2), as short as can be.
struct RecordKeys {
  Buffer key, iv;
  uint64_t sequence = 0;

  crypto::Nonce nonce() const {
    uint8_t number[8];
    store_be(number, sequence);
    crypto::Nonce nonce;
    std::ranges::copy(iv, nonce.begin());
    for (size_t i = 0; i < 8; i++) nonce[4 + i] ^= number[i];
    return nonce;
  }
};

/// What one actor has: key pairs, messages that are not sent yet, the keys it writes with.
struct Actor {
  struct KeyPair {
    Buffer private_key, public_key;
  };
  std::vector<KeyPair> pairs;
  Buffer unsent;
  std::optional<RecordKeys> write;

  const KeyPair* pair_of(Bytes public_key) const {
    for (const KeyPair& pair : pairs) {
      if (same(pair.public_key, public_key)) return &pair;
    }
    return nullptr;
  }
};

/// PSKs by ticket: the second trace resumes the first.
using Tickets = std::map<std::string, Buffer>;

class Trace {
 public:
  Trace(const json& section, Tickets& tickets, Report& report) : tickets_(tickets), report_(report) {
    label_ = section.at("title").get<std::string>();
    for (const json& step : section.at("steps")) find_suite(step);
    if (!is_supported(suite_)) throw std::invalid_argument("a trace without a ServerHello of a suite that we have");
    hash_ = &hash_of(provider(), suite_);
  }

  void run(const json& step) {
    const auto name = step.at("step").get<std::string>();
    const auto has = [&](std::string_view prefix) { return name.starts_with(prefix); };
    name_ = name;
    fields_ = &step.at("fields");
    actor_ = step.at("actor").get<std::string>();
    if (has("create an ephemeral")) return create_key_pair();
    if (has("construct a")) return construct();
    if (has("send ")) return send();
    if (name.find("traffic keys for") != std::string::npos) return traffic_keys();
    if (fields_->empty()) return;  // "(same as server)"
    if (has("extract secret")) return extract();
    if (has("derive secret")) return derive();
    if (has("calculate finished")) return finished();
    if (has("calculate PSK binder")) return binder();
    if (has("generate resumption secret")) return resumption();
    throw std::invalid_argument("a step that is not known: " + name);
  }

 private:
  void check(bool passed, const char* what) {
    report_.check(passed, label_ + ": " + actor_ + ", " + name_ + ": " + what);
  }
  Buffer field(const char* name) const { return bytes_of(*fields_, name); }
  Actor& me() { return actors_[actor_]; }
  Actor& peer() { return actors_[actor_ == "client" ? "server" : "client"]; }
  bool says(std::string_view words) const { return name_.find(words) != std::string::npos; }

  void find_suite(const json& step) {
    if (!step.at("fields").contains("ServerHello")) return;
    const Buffer whole = bytes_of(step.at("fields"), "ServerHello");
    const auto hello = parse_server_hello(Bytes(whole).subspan(kHandshakeHeaderSize));
    if (hello) suite_ = hello->cipher_suite;
  }

  void create_key_pair() {
    const Buffer private_key = field("private key"), public_key = field("public key");
    const crypto::Group& group = says("x25519") ? *provider().x25519 : *provider().p256;
    Buffer ours(group.public_key_size);
    check(crypto::derive_public(group, private_key, ours).has_value() && ours == public_key, "public key");
    me().pairs.push_back({private_key, public_key});
  }

  // Messages.

  void construct() {
    const Buffer whole = bytes_of(*fields_, fields_->begin().key().c_str());
    if (says("ClientHello") && !tests::has_right_header(whole)) {
      hello_prefix_ = whole;  // its binders follow
      return;
    }
    take_message(whole);
  }

  void take_message(const Buffer& whole) {
    check(tests::has_right_header(whole), "header");
    const tests::RoundTrip result = tests::round_trip(whole);
    check(result.parsed, result.error.reason);
    check(result.complaint.empty(), result.complaint.c_str());
    me().unsent.insert(me().unsent.end(), whole.begin(), whole.end());
    if (!result.parsed) return;
    const Bytes body = Bytes(whole).subspan(kHandshakeHeaderSize);
    switch (HandshakeType{whole[0]}) {
      case HandshakeType::new_session_ticket:
        return take_ticket(body);
      case HandshakeType::finished:
        check(same(body, verify_data_), "verify_data");
        break;
      case HandshakeType::client_hello:
        client_hello_ = whole;
        break;
      case HandshakeType::server_hello:
        return take_server_hello(whole);
      default:
        break;
    }
    transcript_.add(whole);
  }

  void take_server_hello(const Buffer& whole) {
    const ServerHello hello = *parse_server_hello(Bytes(whole).subspan(kHandshakeHeaderSize));
    transcript_.choose(*hash_);
    if (hello.is_hello_retry_request()) {
      transcript_.replace_with_message_hash();
      transcript_.add(whole);
      check(hello.selected_group.has_value() && !hello.key_share, "a HelloRetryRequest's key_share");
      return;
    }
    transcript_.add(whole);
    check(hello.key_share.has_value(), "key share");
    if (hello.key_share) exchange_keys(*hello.key_share);
  }

  /// Both sides, with the trace's private keys.
  void exchange_keys(const KeyShareEntry& server_share) {
    const ClientHello hello = *parse_client_hello(Bytes(client_hello_).subspan(kHandshakeHeaderSize));
    const NamedGroup group = server_share.group;
    const auto client_share = hello.key_shares->find(group);
    check(client_share.has_value(), "the client's share of the group");
    if (!client_share) return;
    const Actor::KeyPair* client_pair = peer().pair_of(*client_share);
    const Actor::KeyPair* server_pair = me().pair_of(server_share.key_exchange);
    check(client_pair && server_pair, "key shares are public keys of the trace");
    if (!client_pair || !server_pair) return;

    ScriptedRng server_rng(server_pair->private_key);
    Buffer our_share(server_share_size(group));
    const auto answered = answer(provider(), server_rng, group, *client_share, our_share);
    check(answered && same(our_share, server_share.key_exchange), "the server's share");
    ScriptedRng client_rng(client_pair->private_key);
    Buffer entries;
    const auto offered = KeyExchange::offer(provider(), client_rng, std::span(&group, 1), entries);
    const auto our_client_share = KeyShareList(entries).find(group);
    check(offered && our_client_share && same(*our_client_share, *client_share), "the client's share");
    const auto agreed = offered->agree(group, server_share.key_exchange);
    check(agreed && answered && same(*agreed, *answered), "both agree");
    if (agreed) shared_secret_ = tests::to_buffer(*agreed);
  }

  void take_ticket(Bytes body) {
    const NewSessionTicket ticket = *parse_new_session_ticket(body);
    check(resumption_master_.has_value(), "there is a resumption master secret");
    if (!resumption_master_) return;
    check(same(ticket.nonce, nonce_), "nonce");
    tickets_[std::string(as_text(ticket.ticket))] =
        tests::to_buffer(resumption_psk(*hash_, *resumption_master_, ticket.nonce));
  }

  // The key schedule.

  void extract() {
    const Buffer secret = field("secret"), salt = field("salt"), input = field("IKM");
    check(same(crypto::hkdf_extract(*hash_, salt, input), secret), "HKDF-Extract");
    if (says("\"early\"")) {
      const Buffer zeros(hash_->digest_size);
      psk_ = input == zeros ? Buffer() : input;
      schedule_.emplace(*hash_, psk_);
    } else if (says("\"handshake\"")) {
      check(schedule_.has_value() && input == shared_secret_, "the shared secret");
      check(salt == derived_, "the salt is what was derived");
      if (schedule_) schedule_->enter_handshake(shared_secret_);
    } else if (says("\"master\"")) {
      check(salt == derived_, "the salt is what was derived");
      if (schedule_) schedule_->enter_master();
    } else {
      throw std::invalid_argument("a secret that is not known: " + name_);
    }
  }

  /// HKDF-Expand of the step's own inputs.
  void check_expansion() {
    const Buffer expected = field("expanded");
    Buffer out(expected.size());
    const bool done = crypto::hkdf_expand(*hash_, field("PRK"), field("info"), out).has_value();
    check(done && out == expected, "HKDF-Expand");
  }

  void derive() {
    check_expansion();
    const Buffer expected = field("expanded");
    if (says("tls13 derived")) {
      derived_ = expected;
      return;
    }
    const bool early = says("c e traffic") || says("e exp master");
    const Digest context = early ? transcript_.digest_with(*hash_, {}) : transcript_.digest();
    check(same(context, field("hash")), "transcript hash");
    check(schedule_.has_value(), "there is a key schedule");
    if (!schedule_) return;
    const Digest ours = derived_by_schedule(context);
    check(same(ours, expected), "secret");
    if (says("res master")) resumption_master_ = ours;
  }

  Digest derived_by_schedule(Bytes context) {
    if (says("c e traffic")) return secrets_["early application client"] = schedule_->client_early_traffic(context);
    if (says("e exp master")) return schedule_->early_exporter_master(context);
    if (says("c hs traffic")) return secrets_["handshake client"] = schedule_->client_handshake_traffic(context);
    if (says("s hs traffic")) return secrets_["handshake server"] = schedule_->server_handshake_traffic(context);
    if (says("c ap traffic")) return secrets_["application client"] = schedule_->client_application_traffic(context);
    if (says("s ap traffic")) return secrets_["application server"] = schedule_->server_application_traffic(context);
    if (says("exp master")) return schedule_->exporter_master(context);
    if (says("res master")) return schedule_->resumption_master(context);
    throw std::invalid_argument("a secret that is not known: " + name_);
  }

  void finished() {
    check_expansion();
    const Digest& base_key = secrets_["handshake " + actor_];
    check(same(base_key, field("PRK")), "base key");
    verify_data_ = tests::to_buffer(finished_mac(*hash_, base_key, transcript_.digest()));
    check(verify_data_ == field("finished"), "verify_data");
  }

  void binder() {
    check_expansion();
    const Buffer prefix = field("ClientHello prefix");
    check(prefix == hello_prefix_, "the ClientHello up to its binders");
    const Digest context = transcript_.digest_with(*hash_, prefix);
    check(same(context, field("binder hash")), "binder hash");
    check(schedule_.has_value(), "there is a key schedule");
    if (!schedule_) return;
    const Digest key = schedule_->binder_key(PskKind::resumption);
    check(same(key, field("PRK")), "binder key");
    binder_ = tests::to_buffer(finished_mac(*hash_, key, context));
    check(binder_ == field("finished"), "binder");
  }

  void resumption() {
    check_expansion();
    nonce_ = field("hash");
    check(resumption_master_ && same(*resumption_master_, field("PRK")), "resumption master secret");
    if (resumption_master_) check(same(resumption_psk(*hash_, *resumption_master_, nonce_), field("expanded")), "PSK");
  }

  void traffic_keys() {
    const bool writes = says("derive write");
    const std::string sender = writes == (actor_ == "client") ? "client" : "server";
    const char* const kind = says("early application") ? "early application "
                             : says("handshake")       ? "handshake "
                                                       : "application ";
    const auto secret = secrets_.find(kind + sender);
    check(secret != secrets_.end(), "its secret is known");
    if (secret == secrets_.end()) return;
    RecordKeys keys{.key = expand_label(*hash_, secret->second, "key", aead_of(provider(), suite_).key_size),
                    .iv = expand_label(*hash_, secret->second, "iv", crypto::kAeadNonceSize)};
    if (!fields_->empty()) {
      check(same(secret->second, field("PRK")), "traffic secret");
      check(keys.key == field("key expanded"), "key");
      check(keys.iv == field("iv expanded"), "IV");
    }
    if (writes) me().write = keys;
  }

  // Records.

  void send() {
    const Buffer payload = field("payload"), record = field("complete record");
    if (says("handshake record")) {
      if (me().unsent.empty() && !hello_prefix_.empty()) complete_hello(payload);
      check(payload == me().unsent, "the messages");
      me().unsent.clear();
    }
    constexpr uint8_t kApplicationData = 23;
    constexpr size_t kRecordHeaderSize = 5;
    const uint8_t type = says("handshake record")     ? 22
                         : says("alert record")       ? 21
                         : says("change_cipher_spec") ? 20
                                                      : 23;
    check(record.size() >= kRecordHeaderSize && load_be<uint16_t>(&record[3]) == record.size() - kRecordHeaderSize,
          "record header");
    const Bytes header = Bytes(record).first(kRecordHeaderSize), contents = Bytes(record).subspan(kRecordHeaderSize);
    if (record[0] == kApplicationData) {
      check_protected(type, payload, header, contents);
    } else {
      check(record[0] == type && same(contents, payload), "plain record");
    }
  }

  void complete_hello(const Buffer& whole) {
    take_message(whole);
    const auto hello = parse_client_hello(Bytes(whole).subspan(kHandshakeHeaderSize));
    const bool offers = hello && hello->pre_shared_key;
    check(offers, "offers a PSK");
    if (!offers) return;
    const PskOffer& offer = *hello->pre_shared_key;
    check(same(Bytes(whole).first(kHandshakeHeaderSize + offer.binders_offset), hello_prefix_), "where binders begin");
    check(same(offer.binder(0), binder_), "binder");
    const auto ticket = tickets_.find(std::string(as_text(offer.identity(0).identity)));
    check(ticket == tickets_.end() || ticket->second == psk_, "the PSK of the ticket");
    hello_prefix_.clear();
  }

  void check_protected(uint8_t type, const Buffer& payload, Bytes header, Bytes contents) {
    check(me().write.has_value(), "there are keys");
    if (!me().write) return;
    auto key = crypto::AeadKey::create(aead_of(provider(), suite_), me().write->key);
    const crypto::Nonce nonce = me().write->nonce();
    me().write->sequence++;
    Buffer inner = payload;
    inner.push_back(type);
    Buffer opened = tests::to_buffer(contents);
    const auto plaintext = key->open(nonce, header, opened);
    check(plaintext && same(*plaintext, inner), "opened");
    Buffer sealed(inner.size() + crypto::kAeadTagSize);
    check(key->seal(nonce, header, inner, sealed).has_value() && same(sealed, contents), "sealed");
  }

  Tickets& tickets_;
  Report& report_;
  std::string label_, name_, actor_;
  const json* fields_ = nullptr;

  CipherSuite suite_{};
  const crypto::HashAlgorithm* hash_ = nullptr;
  std::map<std::string, Actor> actors_;
  Transcript transcript_;
  std::optional<KeySchedule> schedule_;
  std::map<std::string, Digest> secrets_;  // "handshake client"
  std::optional<Digest> resumption_master_;
  Buffer client_hello_, hello_prefix_, shared_secret_, psk_, derived_, verify_data_, binder_, nonce_;
};

void run_traces(const json& file, Report& report) {
  Tickets tickets;
  for (const json& section : file.at("sections")) {
    Trace trace(section, tickets, report);
    for (const json& step : section.at("steps")) trace.run(step);
  }
}

}  // namespace

Handler tls_trace_handler(const json& file) {
  if (!file.contains("sections")) return nullptr;
  const json& sections = file.at("sections");
  const bool fits =
      sections.is_array() && !sections.empty() && sections.front().is_object() && sections.front().contains("steps");
  return fits ? run_traces : nullptr;
}

}  // namespace quoll::vectors
