// quic/rfc9001_appendix_a.json, rfc9369_appendix_a.json: the samples of the RFCs. packet_protection_generated.json:
// packets of every type and cipher suite, and chains of key updates. retry_initial_generated.json: Retry integrity tags
// and Initial keys.
#include <stdexcept>

#include "quic/protect/packet_protection.h"
#include "quic/wire/packet_header_writer.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

using namespace quic;
using crypto::Provider;
using Buffer = std::vector<uint8_t>;

constexpr auto kAes128 = tls::CipherSuite::aes_128_gcm_sha256;
constexpr auto kChaCha20 = tls::CipherSuite::chacha20_poly1305_sha256;

Version version_of(const json& object) {
  return Version{static_cast<uint32_t>(std::stoul(object.at("version").get<std::string>(), nullptr, 16))};
}

tls::CipherSuite suite_of(const json& object) {
  const auto name = object.at("suite").get<std::string>();
  if (name == "TLS_AES_128_GCM_SHA256") return kAes128;
  if (name == "TLS_AES_256_GCM_SHA384") return tls::CipherSuite::aes_256_gcm_sha384;
  if (name == "TLS_CHACHA20_POLY1305_SHA256") return kChaCha20;
  throw std::invalid_argument("unknown cipher suite " + name);
}

crypto::Digest digest_of(const json& object, const char* member) {
  const Buffer bytes = bytes_of(object, member);
  crypto::Digest digest(bytes.size());
  copy_bytes(digest.data(), bytes);
  return digest;
}

bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

/// Whether an expanded key is made of these bytes: it seals alike.
bool is_key(crypto::AeadKey& key, const Buffer& bytes) {
  auto expected = crypto::AeadKey::create(key.aead(), bytes);
  std::array<uint8_t, 32> a{}, b{};
  const std::array<uint8_t, 16> plaintext{};
  return expected && key.seal({}, {}, plaintext, a) && expected->seal({}, {}, plaintext, b) && a == b;
}

bool is_header_key(const crypto::HeaderProtectionKey& key, const Buffer& bytes) {
  const auto expected = crypto::HeaderProtectionKey::create(key.algorithm(), bytes);
  const std::array<uint8_t, crypto::kSampleSize> sample{1, 2, 3};
  return expected && key.mask(sample) == expected->mask(sample);
}

/// The keys of one secret.
struct Keys {
  Keys(const Provider& provider, tls::CipherSuite suite, Version version, const crypto::Digest& secret)
      : packet(provider, suite, version, secret), header(header_key(provider, suite, version, secret)) {}
  SealKeys seal() { return {&packet, &header}; }

  PacketKeys packet;
  crypto::HeaderProtectionKey header;
};

void check_keys(Keys& keys, const json& expected, const std::string& what, Report& report) {
  report.check(is_key(keys.packet.aead(), bytes_of(expected, "key")), what + " key");
  report.check(same(keys.packet.nonce(0), bytes_of(expected, "iv")), what + " iv");
  if (expected.contains("hp")) report.check(is_header_key(keys.header, bytes_of(expected, "hp")), what + " hp");
}

void check_mask(const Keys& keys, const json& expected, const std::string& what, Report& report) {
  const Buffer sample = bytes_of(expected, "sample");
  const auto mask = keys.header.mask(std::span<const uint8_t, crypto::kSampleSize>(sample));
  report.check(same(Bytes(mask).first(5), bytes_of(expected, "mask")), what + " mask");
}

struct Plain {
  Buffer header;
  Buffer payload;
  SizedPacketNumber number;
};

void check_sealed(Keys& keys, const Plain& plain, const Buffer& expected, const std::string& what, Report& report) {
  Buffer bytes = plain.header;
  bytes.insert(bytes.end(), plain.payload.begin(), plain.payload.end());
  bytes.resize(bytes.size() + crypto::kAeadTagSize);
  SealTrain train;
  train.add({.keys = keys.seal(),
             .number = plain.number.number,
             .bytes = bytes,
             .packet_number_offset = plain.header.size() - plain.number.size,
             .packet_number_size = plain.number.size});
  report.check(train.seal() && bytes == expected, what + " sealed");
}

/// Opens `packet` at `receiver`, whose role is `role`.
void check_opened(PacketProtection& receiver, const HeaderOptions& options, const Plain& plain, Buffer packet,
                  const std::string& what, Report& report) {
  DatagramReader reader(packet, options);
  const auto next = reader.next();
  const auto* parsed = next && *next ? std::get_if<ProtectedPacket>(&**next) : nullptr;
  if (parsed == nullptr) return report.check(false, what + " read");
  // Whatever is expected next, the number has to lie near it.
  const auto opened = receiver.open({}, *parsed, plain.number.number);
  report.check(opened && opened->status == OpenedPacket::Status::opened && opened->number == plain.number.number &&
                   same(opened->payload, plain.payload) && same(Bytes(packet).first(plain.header.size()), plain.header),
               what + " opened");
}

tls::TrafficSecret traffic_secret(tls::Level level, tls::Direction direction, tls::CipherSuite suite,
                                  const crypto::Digest& secret) {
  return {.level = level, .direction = direction, .cipher_suite = suite, .secret = secret};
}

void run_sample_initials(const Provider& provider, const json& file, Report& report) {
  const Version version = version_of(file);
  const Buffer id = bytes_of(file, "client_initial_dcid");
  const InitialSecrets secrets = initial_secrets(provider, version, id);
  for (const Role sender : {Role::client, Role::server}) {
    const std::string side = sender == Role::client ? "client" : "server";
    const std::string what = side + " " + std::string(provider.name);
    const crypto::Digest& secret = sender == Role::client ? secrets.client : secrets.server;
    report.check(same(secret, bytes_of(file.at(side), "secret")), what + " secret");
    Keys keys(provider, kAes128, version, secret);
    check_keys(keys, file.at(side), what, report);

    const json& sample = file.at(side + "_initial");
    check_mask(keys, sample, what, report);
    Plain plain{.header = bytes_of(sample, "unprotected_header"),
                .payload = bytes_of(sample, sender == Role::client ? "crypto_frame" : "payload"),
                .number = {sample.at("packet_number").get<uint64_t>(), sample.at("pn_length").get<size_t>()}};
    if (sender == Role::client) plain.payload.resize(sample.at("payload_length").get<size_t>());
    check_sealed(keys, plain, bytes_of(sample, "protected_packet"), what, report);
    PacketProtection receiver(provider, other(sender));
    receiver.install_initial(version, id, PacketProtection::Initial::replace);
    check_opened(receiver, {.role = other(sender)}, plain, bytes_of(sample, "protected_packet"), what, report);
  }
}

void run_sample_short(const Provider& provider, const json& file, Report& report) {
  const json& sample = file.at("chacha20_short_header");
  const std::string what = "short header " + std::string(provider.name);
  const Version version = version_of(file);
  const crypto::Digest secret = digest_of(sample, "secret");
  Keys keys(provider, kChaCha20, version, secret);
  check_keys(keys, sample, what, report);
  check_mask(keys, sample, what, report);
  report.check(same(next_secret(provider, kChaCha20, version, secret), bytes_of(sample, "ku")), what + " ku");
  const Plain plain{.header = bytes_of(sample, "unprotected_header"),
                    .payload = bytes_of(sample, "payload"),
                    .number = {sample.at("pn").get<uint64_t>(), sample.at("pn_length").get<size_t>()}};
  report.check(same(keys.packet.nonce(plain.number.number), bytes_of(sample, "nonce")), what + " nonce");
  check_sealed(keys, plain, bytes_of(sample, "packet"), what, report);
  PacketProtection receiver(provider, Role::client);
  receiver.install(traffic_secret(tls::Level::application, tls::Direction::read, kChaCha20, secret), version);
  check_opened(receiver, {.role = Role::client}, plain, bytes_of(sample, "packet"), what, report);
}

bool is_tag_right(const Provider& provider, Version version, const Buffer& original, const Buffer& packet) {
  const Bytes bytes = packet;
  const auto tag = retry_integrity_tag(provider, version, original, bytes.first(bytes.size() - kRetryIntegrityTagSize));
  return same(tag, bytes.last(kRetryIntegrityTagSize));
}

void run_samples(const json& file, Report& report) {
  for (const Provider& provider : crypto::all()) {
    run_sample_initials(provider, file, report);
    run_sample_short(provider, file, report);
    const json& retry = file.at("retry");
    report.check(is_tag_right(provider, version_of(file), bytes_of(retry, "original_dcid"), bytes_of(retry, "packet")),
                 "Retry " + std::string(provider.name));
  }
}

void run_generated_packet(const Provider& provider, const json& entry, Report& report) {
  const std::string what = "case " + entry.at("id").dump() + " " + std::string(provider.name);
  const Version version = version_of(entry);
  const tls::CipherSuite suite = suite_of(entry);
  const crypto::Digest secret = digest_of(entry, "secret");
  const auto type = entry.at("type").get<std::string>();
  Keys keys(provider, suite, version, secret);
  check_keys(keys, entry, what, report);
  check_mask(keys, entry, what, report);
  report.check(same(next_secret(provider, suite, version, secret), bytes_of(entry, "next_secret_ku")), what + " ku");
  const Plain plain{.header = bytes_of(entry, "unprotected_header"),
                    .payload = bytes_of(entry, "payload"),
                    .number = {entry.at("packet_number").get<uint64_t>(), entry.at("pn_length").get<size_t>()}};
  report.check(same(keys.packet.nonce(plain.number.number), bytes_of(entry, "nonce")), what + " nonce");
  check_sealed(keys, plain, bytes_of(entry, "protected_packet"), what, report);

  // The secret is that of either phase: a packet of phase 1 belongs to keys after an update, which `open` finds only when
  // it knows the secret before. It is opened by its keys alone.
  if (type == "1-RTT" && entry.at("key_phase").get<int>() != 0) return;
  const tls::Level level = type == "1-RTT"   ? tls::Level::application
                           : type == "0-RTT" ? tls::Level::early_data
                                             : tls::Level::handshake;
  PacketProtection receiver(provider, Role::server);
  receiver.install(traffic_secret(level, tls::Direction::read, suite, secret), version);
  check_opened(receiver, {.local_connection_id_size = bytes_of(entry, "dcid").size(), .role = Role::server}, plain,
               bytes_of(entry, "protected_packet"), what, report);
}

void run_update_chain(const Provider& provider, const json& chain, Report& report) {
  const Version version = version_of(chain);
  const tls::CipherSuite suite = suite_of(chain);
  const json& generations = chain.at("generations");
  crypto::Digest secret = digest_of(generations.at(0), "secret");
  report.check(is_header_key(header_key(provider, suite, version, secret), bytes_of(chain, "hp_key_unchanged")),
               "chain hp");
  for (const json& generation : generations) {
    const std::string what = "generation " + generation.at("generation").dump() + " " + std::string(provider.name);
    report.check(same(secret, bytes_of(generation, "secret")), what + " secret");
    Keys keys(provider, suite, version, secret);
    check_keys(keys, generation, what, report);
    secret = next_secret(provider, suite, version, secret);
  }
}

void run_generated(const json& file, Report& report) {
  for (const Provider& provider : crypto::all()) {
    for (const json& entry : file.at("cases")) run_generated_packet(provider, entry, report);
    for (const json& chain : file.at("key_update_chains")) run_update_chain(provider, chain, report);
  }
}

void run_retry_and_initial(const json& file, Report& report) {
  for (const Provider& provider : crypto::all()) {
    for (const json& entry : file.at("retry")) {
      const bool right =
          is_tag_right(provider, version_of(entry), bytes_of(entry, "original_dcid"), bytes_of(entry, "packet"));
      report.check(right == entry.at("valid").get<bool>(), "Retry " + entry.at("id").dump());
    }
    for (const json& entry : file.at("initial_keys")) {
      const Version version = version_of(entry);
      const InitialSecrets secrets = initial_secrets(provider, version, bytes_of(entry, "dcid"));
      for (const auto& [side, secret] : {std::pair{"client", &secrets.client}, std::pair{"server", &secrets.server}}) {
        const std::string what = "Initial keys " + entry.at("id").dump() + " " + side;
        report.check(same(*secret, bytes_of(entry.at(side), "secret")), what + " secret");
        Keys keys(provider, kAes128, version, *secret);
        check_keys(keys, entry.at(side), what, report);
      }
    }
  }
}

}  // namespace

Handler quic_protection_handler(const json& file) {
  if (!file.is_object()) return nullptr;
  if (file.contains("client_initial_dcid") && file.contains("chacha20_short_header")) return run_samples;
  if (file.contains("key_update_chains") && file.contains("cases")) return run_generated;
  return file.contains("retry") && file.contains("initial_keys") ? run_retry_and_initial : nullptr;
}

}  // namespace quoll::vectors
