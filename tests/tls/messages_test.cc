// Handshake messages: what is written is read back, and the views say what the bytes say.
#include "tls/messages.h"

#include "tests/tls/message_support.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

// RFC 8448 §3.
constexpr std::string_view kClientHello =
    "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b00"
    "09000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381d"
    "e560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408050806"
    "04010501060102010402050206020202002d00020101001c00024001";
constexpr std::string_view kServerHello =
    "020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876"
    "112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

TEST_SUITE("messages") {
  TEST_CASE("the ClientHello of RFC 8448 is read") {
    const Buffer message = unhex(kClientHello);
    const auto hello = parse_client_hello(body_of(message));
    REQUIRE(hello);
    CHECK(hello->legacy_version == kLegacyVersion);
    CHECK(hello->random[0] == 0xcb);
    CHECK(hello->random[31] == 0xe7);
    CHECK(hello->legacy_session_id.empty());
    REQUIRE(hello->cipher_suites.size() == 3);
    CHECK(hello->cipher_suites[1] == CipherSuite::chacha20_poly1305_sha256);
    CHECK(hello->cipher_suites.contains(CipherSuite::aes_256_gcm_sha384));
    CHECK(to_buffer(hello->legacy_compression_methods) == Buffer{0});
    CHECK(as_text(hello->server_name.value()) == "server");
    CHECK(hello->supported_groups->size() == 9);
    CHECK(hello->supported_groups->contains(NamedGroup::secp384r1));
    CHECK_FALSE(hello->supported_groups->contains(NamedGroup::x25519_mlkem768));
    CHECK(hello->signature_algorithms->contains(SignatureScheme::rsa_pss_rsae_sha256));
    CHECK(hello->supported_versions->size() == 1);
    CHECK((*hello->supported_versions)[0] == kTls13);
    CHECK(to_buffer(*hello->psk_key_exchange_modes) == Buffer{1});
    CHECK(hello->key_shares->find(NamedGroup::x25519)->size() == 32);
    CHECK_FALSE(hello->key_shares->find(NamedGroup::secp256r1));
    CHECK_FALSE(hello->application_protocols);
    CHECK_FALSE(hello->quic_transport_parameters);
    CHECK_FALSE(hello->pre_shared_key);
    CHECK_FALSE(hello->early_data);
    CHECK_FALSE(hello->status_request);
    CHECK(hello->has_extensions);
    CHECK(tests::round_trip(message).complaint.empty());
  }

  TEST_CASE("the ServerHello of RFC 8448 is read") {
    const Buffer message = unhex(kServerHello);
    const auto hello = parse_server_hello(body_of(message));
    REQUIRE(hello);
    CHECK_FALSE(hello->is_hello_retry_request());
    CHECK(hello->cipher_suite == CipherSuite::aes_128_gcm_sha256);
    CHECK(hello->supported_version == kTls13);
    CHECK(hello->key_share->group == NamedGroup::x25519);
    CHECK(hello->key_share->key_exchange.size() == 32);
    CHECK_FALSE(hello->selected_group);
    CHECK_FALSE(hello->has_unknown_extension);
    CHECK(tests::round_trip(message).complaint.empty());
  }

  TEST_CASE("every member of a ClientHello comes back") {
    const Buffer session_id(32, 1), codes = unhex("001d0017"), schemes = unhex("04030807"),
                                    versions = unhex("0a0a0304");
    const Buffer names = unhex("02683303687562"), cookie(300, 2), modes = {1, 0}, authorities = unhex("00023000000130");
    const Buffer shares = unhex("0a0a000100001d000201ff"), parameters = {1, 2, 3},
                 identities = unhex("0002aabb000000050001cc01020304");
    Buffer binders(1 + 32 + 1 + 48, 7);
    binders[0] = 32;
    binders[33] = 48;
    ClientHello hello = plain_client_hello();
    hello.legacy_session_id = session_id;
    hello.server_name = as_bytes("a_b-c.example");
    hello.status_request = true;
    hello.supported_groups.emplace(codes);
    hello.signature_algorithms.emplace(schemes);
    hello.signature_algorithms_cert.emplace(schemes);
    hello.application_protocols.emplace(names);
    hello.supported_versions.emplace(versions);
    hello.cookie = cookie;
    hello.psk_key_exchange_modes = modes;
    hello.early_data = true;
    hello.post_handshake_auth = true;
    hello.certificate_authorities = authorities;
    hello.key_shares.emplace(shares);
    hello.quic_transport_parameters = parameters;
    hello.pre_shared_key = PskOffer{.identities = identities, .binders = binders};
    const RawExtension extra[] = {{ExtensionType{0x1a1a}, {}}};
    const Buffer message = message_of([&](auto& sink) { write_client_hello(sink, hello, extra); });

    const auto read = parse_client_hello(body_of(message));
    REQUIRE(read);
    CHECK(to_buffer(read->legacy_session_id) == session_id);
    CHECK(as_text(*read->server_name) == "a_b-c.example");
    CHECK(read->status_request);
    CHECK(to_buffer(read->supported_groups->raw()) == codes);
    CHECK(to_buffer(read->signature_algorithms->raw()) == schemes);
    CHECK(to_buffer(read->signature_algorithms_cert->raw()) == schemes);
    CHECK(read->application_protocols->contains(as_bytes("h3")));
    CHECK(read->application_protocols->contains(as_bytes("hub")));
    CHECK_FALSE(read->application_protocols->contains(as_bytes("h")));
    CHECK(to_buffer(read->supported_versions->raw()) == versions);
    CHECK(to_buffer(*read->cookie) == cookie);
    CHECK(to_buffer(*read->psk_key_exchange_modes) == modes);
    CHECK(read->early_data);
    CHECK(read->post_handshake_auth);
    CHECK(to_buffer(*read->certificate_authorities) == authorities);
    CHECK(to_buffer(read->key_shares->find(NamedGroup::x25519).value()) == unhex("01ff"));
    CHECK(to_buffer(*read->quic_transport_parameters) == parameters);
    const PskOffer& offer = read->pre_shared_key.value();
    REQUIRE(offer.count == 2);
    CHECK(to_buffer(offer.identity(0).identity) == unhex("aabb"));
    CHECK(offer.identity(0).obfuscated_ticket_age == 5);
    CHECK(to_buffer(offer.identity(1).identity) == unhex("cc"));
    CHECK(offer.identity(1).obfuscated_ticket_age == 0x01020304);
    CHECK(offer.binder(0).size() == 32);
    CHECK(offer.binder(1).size() == 48);
    // The binders and their length are the end of the message, which the hash for them leaves out.
    CHECK(offer.binders_offset == body_of(message).size() - binders.size() - 2);
    CHECK(tests::round_trip(message).complaint.empty());
  }

  TEST_CASE("extensions follow the order of the members, extra ones before pre_shared_key") {
    ClientHello hello = plain_client_hello();
    hello.early_data = true;
    hello.server_name = as_bytes("a");
    const Buffer identities = unhex("0001aa00000000");
    const Buffer binders(33, 32);
    hello.pre_shared_key = PskOffer{.identities = identities, .binders = binders};
    const RawExtension extra[] = {{ExtensionType::padding, {}}};
    const Buffer message = message_of([&](auto& sink) { write_client_hello(sink, hello, extra); });
    const auto all = tests::extensions_of(parse_client_hello(body_of(message))->extensions);
    REQUIRE(all.size() == 4);
    CHECK(all[0].type == ExtensionType::server_name);
    CHECK(all[1].type == ExtensionType::early_data);
    CHECK(all[2].type == ExtensionType::padding);
    CHECK(all[3].type == ExtensionType::pre_shared_key);
  }

  TEST_CASE("a HelloRetryRequest is a ServerHello with a known random") {
    ServerHello hello = plain_server_hello();
    hello.random = kHelloRetryRequestRandom;
    hello.supported_version = kTls13;
    hello.selected_group = NamedGroup::secp256r1;
    const Buffer cookie = {1, 2, 3};
    hello.cookie = cookie;
    const Buffer message = message_of([&](auto& sink) { write_server_hello(sink, hello); });
    const auto read = parse_server_hello(body_of(message));
    REQUIRE(read);
    CHECK(read->is_hello_retry_request());
    CHECK(read->selected_group == NamedGroup::secp256r1);
    CHECK_FALSE(read->key_share);
    CHECK(to_buffer(*read->cookie) == cookie);
    // RFC 8446 §4.1.3: the SHA-256 of "HelloRetryRequest".
    CHECK(to_hex(kHelloRetryRequestRandom) == "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
  }

  TEST_CASE("EncryptedExtensions come back") {
    const Buffer groups = unhex("001d"), parameters(70, 3);
    EncryptedExtensions extensions;
    extensions.server_name = true;
    extensions.supported_groups.emplace(groups);
    extensions.application_protocol = as_bytes("h3");
    extensions.early_data = true;
    extensions.quic_transport_parameters = parameters;
    const Buffer message = message_of([&](auto& sink) { write_encrypted_extensions(sink, extensions); });
    const auto read = parse_encrypted_extensions(body_of(message));
    REQUIRE(read);
    CHECK(read->server_name);
    CHECK(to_buffer(read->supported_groups->raw()) == groups);
    CHECK(as_text(*read->application_protocol) == "h3");
    CHECK(read->early_data);
    CHECK(to_buffer(*read->quic_transport_parameters) == parameters);
    CHECK_FALSE(read->has_unknown_extension);
    const auto none = parse_encrypted_extensions(Buffer{0, 0});
    REQUIRE(none);
    CHECK_FALSE(none->server_name);
    CHECK_FALSE(none->application_protocol);
  }

  TEST_CASE("a CertificateRequest comes back, and what is unknown in it is ignored") {
    const Buffer schemes = unhex("0804"), authorities = unhex("000130"), context = {9};
    CertificateRequest request;
    request.context = context;
    request.signature_algorithms.emplace(schemes);
    request.signature_algorithms_cert.emplace(schemes);
    request.certificate_authorities = authorities;
    request.status_request = true;
    const HexExtensions extra = {{ExtensionType{0x2a2a}, "00"}, {ExtensionType::oid_filters, "0000"}};
    const Buffer message = message_of([&](auto& sink) { write_certificate_request(sink, request, extra); });
    const auto read = parse_certificate_request(body_of(message));
    REQUIRE(read);
    CHECK(to_buffer(read->context) == context);
    CHECK(to_buffer(read->signature_algorithms->raw()) == schemes);
    CHECK(to_buffer(read->signature_algorithms_cert->raw()) == schemes);
    CHECK(to_buffer(*read->certificate_authorities) == authorities);
    CHECK(read->status_request);
  }

  TEST_CASE("a Certificate message gives its entries in order") {
    const Buffer leaf(1000, 1), issuer(70'000, 2), ocsp(40, 3), context = {4, 5};
    const CertificateEntry entries[] = {{.certificate = leaf, .ocsp_response = ocsp}, {.certificate = issuer}};
    const Buffer message = message_of([&](auto& sink) { write_certificate(sink, context, entries); });
    auto read = parse_certificate(body_of(message));
    REQUIRE(read);
    CHECK(to_buffer(read->context) == context);
    CHECK(read->count == 2);
    const auto first = read->next(), second = read->next();
    CHECK(to_buffer(first->certificate) == leaf);
    CHECK(to_buffer(*first->ocsp_response) == ocsp);
    CHECK(to_buffer(second->certificate) == issuer);
    CHECK_FALSE(second->ocsp_response);
    CHECK_FALSE(read->next());
    const auto empty = parse_certificate(Buffer{0, 0, 0, 0});  // a client without a certificate
    REQUIRE(empty);
    CHECK(empty->count == 0);
  }

  TEST_CASE("CertificateVerify, Finished, KeyUpdate and EndOfEarlyData have their bytes") {
    const Buffer signature = {1, 2, 3};
    const Buffer verify = message_of([&](auto& sink) {
      write_certificate_verify(sink, {.scheme = SignatureScheme::ed25519, .signature = signature});
    });
    CHECK(to_hex(verify) == "0f00000708070003010203");
    const auto read = parse_certificate_verify(body_of(verify));
    REQUIRE(read);
    CHECK(read->scheme == SignatureScheme::ed25519);
    CHECK(to_buffer(read->signature) == signature);
    CHECK(to_hex(message_of([&](auto& sink) { write_finished(sink, signature); })) == "14000003010203");
    CHECK(to_hex(message_of([](auto& sink) { write_key_update(sink, true); })) == "1800000101");
    CHECK(to_hex(message_of([](auto& sink) { write_key_update(sink, false); })) == "1800000100");
    CHECK(to_hex(message_of([](auto& sink) { write_end_of_early_data(sink); })) == "05000000");
    CHECK(parse_key_update(Buffer{1}) == true);
    CHECK(parse_key_update(Buffer{0}) == false);
  }

  TEST_CASE("a NewSessionTicket comes back, and what is unknown in it is ignored") {
    const Buffer nonce = {0, 1}, ticket(200, 6);
    const NewSessionTicket sent = {.lifetime_seconds = 7200,
                                   .age_add = 0xfedcba98,
                                   .nonce = nonce,
                                   .ticket = ticket,
                                   .max_early_data_size = 0xffffffff};
    const HexExtensions extra = {{ExtensionType{0x3a3a}, "00"}};
    const Buffer message = message_of([&](auto& sink) { write_new_session_ticket(sink, sent, extra); });
    const auto read = parse_new_session_ticket(body_of(message));
    REQUIRE(read);
    CHECK(read->lifetime_seconds == 7200);
    CHECK(read->age_add == 0xfedcba98);
    CHECK(to_buffer(read->nonce) == nonce);
    CHECK(to_buffer(read->ticket) == ticket);
    CHECK(read->max_early_data_size == 0xffffffff);
  }

  TEST_CASE("a message is appended behind what was there") {
    Buffer out = {1, 2, 3};
    CHECK(append_message(out, [](auto& sink) { write_key_update(sink, true); }) == 3);
    CHECK(append_message(out, [](auto& sink) { write_end_of_early_data(sink); }) == 8);
    CHECK(to_hex(out) == "010203180000010105000000");
  }

  TEST_CASE("GREASE values are recognised") {
    CHECK(is_grease(0x0a0a));
    CHECK(is_grease(0xfafa));
    CHECK_FALSE(is_grease(0x0a1a));
    CHECK_FALSE(is_grease(0x1301));
  }
}

}  // namespace
}  // namespace quoll::tls
