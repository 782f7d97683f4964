// Malformed handshake messages get the alert of RFC 8446: decode_error for broken syntax (§6.2), illegal_parameter for
// extensions that stand twice, at the wrong place, or in the wrong message (§4.2).
#include <string>

#include "tests/tls/message_support.h"
#include "tls/extension_reader.h"
#include "tls/messages.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using enum ExtensionType;

struct Contents {
  ExtensionType type;
  std::string_view hex;
  std::optional<Alert> alert;  // empty: accepted
};

constexpr std::optional<Alert> kAccepted{};

template <class Build>
void check_contents(std::span<const Contents> cases, Build build) {
  for (const Contents& each : cases) {
    INFO("extension " << static_cast<int>(each.type) << ": " << std::string(each.hex));
    CHECK(alert_of(build(HexExtensions{{each.type, each.hex}})) == each.alert);
  }
}

TEST_SUITE("message syntax") {
  TEST_CASE("a ClientHello's fixed fields have their sizes") {
    const Buffer good = client_hello_with({});
    CHECK_FALSE(alert_of(good));
    const auto altered = [&](auto alter) {
      ClientHello hello = plain_client_hello();
      alter(hello);
      return alert_of(message_of([&](auto& sink) { write_client_hello(sink, hello); }));
    };
    const Buffer long_id(33, 1), odd = {0x13, 0x01, 0x13};
    CHECK(altered([&](ClientHello& hello) { hello.legacy_session_id = long_id; }) == Alert::decode_error);
    CHECK(altered([&](ClientHello& hello) { hello.legacy_session_id = Bytes(long_id).first(32); }) == kAccepted);
    CHECK(altered([&](ClientHello& hello) { hello.cipher_suites = {}; }) == Alert::decode_error);
    CHECK(altered([&](ClientHello& hello) { hello.cipher_suites = CodeList<CipherSuite>(odd); }) ==
          Alert::decode_error);
    CHECK(altered([&](ClientHello& hello) { hello.legacy_compression_methods = {}; }) == Alert::decode_error);
    Buffer trailing = good;
    trailing.push_back(0);
    CHECK(alert_of(trailing) == Alert::decode_error);
  }

  // RFC 8446 §4.1.2, appendix D: a client of TLS 1.2 is to be told protocol_version, so its hello parses.
  TEST_CASE("a ClientHello of TLS 1.2 may end before its extensions") {
    ClientHello hello = plain_client_hello();
    hello.has_extensions = false;
    const Buffer message = message_of([&](auto& sink) { write_client_hello(sink, hello); });
    const auto read = parse_client_hello(body_of(message));
    REQUIRE(read);
    CHECK_FALSE(read->has_extensions);
    CHECK_FALSE(read->supported_versions);
    // ec_point_formats, session_ticket, renegotiation_info, extended_master_secret.
    CHECK_FALSE(alert_of(client_hello_with({{ExtensionType{11}, "0100"},
                                            {ExtensionType{35}, ""},
                                            {ExtensionType{0xff01}, "00"},
                                            {ExtensionType{23}, ""}})));
  }

  TEST_CASE("a ClientHello's extensions have the syntax of their RFCs") {
    const std::string zeros32(64, '0');
    const std::string one_psk = "0007 0001aa 00000000 0021 20" + zeros32;
    const std::string two_binders = "0007 0001aa 00000000 0042 20" + zeros32 + "20" + zeros32;
    const std::string two_identities = "000e 0001aa00000000 0001bb00000000 0021 20" + zeros32;
    const std::string short_binder = "0007 0001aa 00000000 0020 1f" + zeros32.substr(2);
    const std::string empty_identity = "0006 0000 00000000 0021 20" + zeros32;
    const std::string no_identity = "0000 0021 20" + zeros32;
    const std::string cut_age = "0006 0001aa 000000 0021 20" + zeros32;
    const std::string cut_list = one_psk.substr(0, 18);
    const std::string long_name = "0102 00 00ff" + std::string(2 * 255, '6');
    const std::string too_long_name = "0103 00 0100" + std::string(2 * 256, '6');
    const Contents cases[] = {
        {server_name, "0004 00 0001 61", kAccepted},
        {server_name, "0009 00 0006 612e5f2d3a39", kAccepted},
        {server_name, long_name, kAccepted},
        {server_name, too_long_name, Alert::decode_error},
        {server_name, "", Alert::decode_error},
        {server_name, "0000", Alert::decode_error},
        {server_name, "0003 00 0000", Alert::decode_error},                // an empty name
        {server_name, "0004 01 0001 61", Alert::decode_error},             // another type
        {server_name, "0008 00 0001 61 00 0001 62", Alert::decode_error},  // two names
        {server_name, "0005 00 0002 6100", Alert::decode_error},           // NUL
        {server_name, "0005 00 0002 6120", Alert::decode_error},
        {server_name, "0005 00 0002 61c3", Alert::decode_error},
        {server_name, "0004 00 0001 61 00", Alert::decode_error},  // trailing
        {server_name, "0005 00 0001 61", Alert::decode_error},     // cut
        {status_request, "01 0000 0000", kAccepted},
        {status_request, "01 0003 000130 0002 3000", kAccepted},
        {status_request, "02 ffff", kAccepted},  // of another type, with whatever it says
        {status_request, "01 0000", Alert::decode_error},
        {status_request, "01 0002 0000 0000", Alert::decode_error},  // an empty responder
        {status_request, "01 0000 0000 00", Alert::decode_error},
        {status_request, "", Alert::decode_error},
        {supported_groups, "0002 001d", kAccepted},
        {supported_groups, "0000", Alert::decode_error},
        {supported_groups, "0003 001d00", Alert::decode_error},
        {supported_groups, "0002 001d 00", Alert::decode_error},
        {supported_groups, "0004 001d", Alert::decode_error},
        {signature_algorithms, "0002 0403", kAccepted},
        {signature_algorithms, "0000", Alert::decode_error},
        {signature_algorithms_cert, "0001 04", Alert::decode_error},
        {application_layer_protocol_negotiation, "0003 02 6833", kAccepted},
        {application_layer_protocol_negotiation, "0000", Alert::decode_error},
        {application_layer_protocol_negotiation, "0001 00", Alert::decode_error},  // an empty name
        {application_layer_protocol_negotiation, "0004 02 6833 00", Alert::decode_error},
        {application_layer_protocol_negotiation, "0003 03 6833", Alert::decode_error},
        {supported_versions, "02 0304", kAccepted},
        {supported_versions, "00", Alert::decode_error},
        {supported_versions, "03 030403", Alert::decode_error},
        {supported_versions, "0304", Alert::decode_error},
        {cookie, "0001 aa", kAccepted},
        {cookie, "0000", Alert::decode_error},
        {psk_key_exchange_modes, "01 01", kAccepted},
        {psk_key_exchange_modes, "00", Alert::decode_error},
        {early_data, "", kAccepted},
        {early_data, "00", Alert::decode_error},
        {post_handshake_auth, "", kAccepted},
        {post_handshake_auth, "00", Alert::decode_error},
        {certificate_authorities, "0003 0001 30", kAccepted},
        {certificate_authorities, "0000", Alert::decode_error},
        {certificate_authorities, "0002 0000", Alert::decode_error},
        {certificate_authorities, "0004 0001 30 00", Alert::decode_error},
        {key_share, "0000", kAccepted},  // asks for a HelloRetryRequest
        {key_share, "0005 001d 0001 aa", kAccepted},
        {key_share, "0004 001d 0000", Alert::decode_error},  // an empty share
        {key_share, "0005 001d 0002 aa", Alert::decode_error},
        {key_share, "000a 001d 0001 aa 0017 0001 bb", kAccepted},
        {key_share, "000a 001d 0001 aa 001d 0001 bb", Alert::illegal_parameter},  // RFC 8446 §4.2.8
        {key_share, "000a 11ec 0001 aa 11ec 0001 bb", Alert::illegal_parameter},
        {quic_transport_parameters, "", kAccepted},
        {quic_transport_parameters, "0102", kAccepted},
        {pre_shared_key, one_psk, kAccepted},
        {pre_shared_key, two_binders, Alert::illegal_parameter},
        {pre_shared_key, two_identities, Alert::illegal_parameter},
        {pre_shared_key, short_binder, Alert::decode_error},
        {pre_shared_key, empty_identity, Alert::decode_error},
        {pre_shared_key, no_identity, Alert::decode_error},
        {pre_shared_key, cut_age, Alert::decode_error},
        {pre_shared_key, cut_list, Alert::decode_error},
        {pre_shared_key, "0007 0001aa 00000000 0000", Alert::decode_error},
        {ExtensionType{0x0a0a}, "00112233", kAccepted},  // RFC 8701
        {max_fragment_length, "ff", kAccepted},          // not read
    };
    check_contents(cases, client_hello_with);
  }

  TEST_CASE("a server's messages have the syntax of their RFCs") {
    const Contents server_hello_cases[] = {
        {supported_versions, "0304", kAccepted},     {supported_versions, "020304", Alert::decode_error},
        {key_share, "001d 0001 aa", kAccepted},      {key_share, "001d 0000", Alert::decode_error},
        {key_share, "001d", Alert::decode_error},    {pre_shared_key, "0000", kAccepted},
        {pre_shared_key, "00", Alert::decode_error},
    };
    check_contents(server_hello_cases, server_hello_with);
    const Contents retry_cases[] = {
        {key_share, "001d", kAccepted},
        {key_share, "001d 0001 aa", Alert::decode_error},
        {cookie, "0001 aa", kAccepted},
        {cookie, "0000", Alert::decode_error},
    };
    check_contents(retry_cases, retry_with);
    const Contents encrypted_extensions_cases[] = {
        {server_name, "", kAccepted},
        {server_name, "0000", Alert::decode_error},
        {application_layer_protocol_negotiation, "0003 02 6833", kAccepted},
        {application_layer_protocol_negotiation, "0006 02 6833 02 6834", Alert::decode_error},  // RFC 7301 §3.1
        {application_layer_protocol_negotiation, "0000", Alert::decode_error},
        {supported_groups, "0000", Alert::decode_error},
        {early_data, "00000000", Alert::decode_error},
        {quic_transport_parameters, "aa", kAccepted},
    };
    check_contents(encrypted_extensions_cases, encrypted_extensions_with);
    const Contents request_cases[] = {
        {signature_algorithms, "0000", Alert::decode_error},
        {certificate_authorities, "0002 0000", Alert::decode_error},
        {status_request, "", kAccepted},
        {status_request, "0100000000", Alert::decode_error},
    };
    check_contents(request_cases, certificate_request_with);
    const Contents certificate_cases[] = {
        {status_request, "01 000001 30", kAccepted},
        {status_request, "02 000001 30", Alert::decode_error},
        {status_request, "01 000000", Alert::decode_error},
        {status_request, "01 000001 30 00", Alert::decode_error},
    };
    check_contents(certificate_cases, certificate_with);
    const Contents ticket_cases[] = {
        {early_data, "ffffffff", kAccepted},
        {early_data, "", Alert::decode_error},
        {early_data, "ffffffff00", Alert::decode_error},
    };
    check_contents(ticket_cases, new_session_ticket_with);
  }

  TEST_CASE("an extension that comes twice is illegal in every message") {
    for (const ExtensionType type : {ExtensionType{0x1a1a}, ExtensionType{60}}) {
      const HexExtensions twice = {{type, ""}, {type, ""}};
      CHECK(alert_of(client_hello_with(twice)) == Alert::illegal_parameter);
      CHECK(alert_of(server_hello_with(twice)) == Alert::illegal_parameter);
      CHECK(alert_of(retry_with(twice)) == Alert::illegal_parameter);
      CHECK(alert_of(encrypted_extensions_with(twice)) == Alert::illegal_parameter);
      CHECK(alert_of(certificate_request_with(twice)) == Alert::illegal_parameter);
      CHECK(alert_of(certificate_with(twice)) == Alert::illegal_parameter);
      CHECK(alert_of(new_session_ticket_with(twice)) == Alert::illegal_parameter);
    }
    CHECK(alert_of(client_hello_with({{early_data, ""}, {cookie, "000100"}, {early_data, ""}})) ==
          Alert::illegal_parameter);
  }

  TEST_CASE("an extension that comes twice is found among thousands") {
    for (const size_t count : {2U, 24U, 25U, 26U, 100U, 4000U}) {
      std::vector<RawExtension> extensions;
      for (size_t i = 0; i < count; i++) extensions.push_back({ExtensionType(static_cast<uint16_t>(100 + 13 * i)), {}});
      const auto hello_with = [](std::span<const RawExtension> all) {
        return message_of([&](auto& sink) { write_client_hello(sink, plain_client_hello(), all); });
      };
      CHECK(parse_client_hello(body_of(hello_with(extensions))));
      for (const size_t repeated : {size_t{0}, count / 2, count - 1}) {
        extensions.push_back(extensions[repeated]);
        CHECK(alert_of(hello_with(extensions)) == Alert::illegal_parameter);
        extensions.pop_back();
      }
    }
  }

  // RFC 8446 §4.2.11.
  TEST_CASE("pre_shared_key is the last extension of a ClientHello, and anywhere in a ServerHello") {
    const std::string psk = "0007 0001aa 00000000 0021 20" + std::string(64, '0');
    CHECK(alert_of(client_hello_with({{early_data, ""}, {pre_shared_key, psk}})) == kAccepted);
    CHECK(alert_of(client_hello_with({{pre_shared_key, psk}, {early_data, ""}})) == Alert::illegal_parameter);
    CHECK(alert_of(client_hello_with({{pre_shared_key, psk}, {ExtensionType{0x0a0a}, ""}})) ==
          Alert::illegal_parameter);
    CHECK(alert_of(server_hello_with({{pre_shared_key, "0000"}, {supported_versions, "0304"}})) == kAccepted);
  }

  // RFC 8446 §4.2's table, and RFC 9001 §8.2 for quic_transport_parameters. What is read has contents that are right where
  // it may stand.
  TEST_CASE("an extension in a message that it does not belong to is illegal") {
    struct Row {
      ExtensionType type;
      std::string_view places;  // of "CSHETRN": ClientHello, ServerHello, HelloRetryRequest, EncryptedExtensions,
                                // Certificate (T), CertificateRequest (R), NewSessionTicket
    };
    constexpr Row table[] = {
        {server_name, "CER"},
        {max_fragment_length, "CE"},
        {status_request, "CRT"},
        {supported_groups, "CE"},
        {signature_algorithms, "CR"},
        {use_srtp, "CE"},
        {heartbeat, "CE"},
        {application_layer_protocol_negotiation, "CE"},
        {signed_certificate_timestamp, "CRT"},
        {client_certificate_type, "CE"},
        {server_certificate_type, "CE"},
        {padding, "C"},
        {compress_certificate, "CR"},
        {record_size_limit, "CE"},
        {key_share, "CSH"},
        {pre_shared_key, "CS"},
        {psk_key_exchange_modes, "C"},
        {early_data, "CEN"},
        {cookie, "CH"},
        {supported_versions, "CSH"},
        {certificate_authorities, "CR"},
        {oid_filters, "R"},
        {post_handshake_auth, "C"},
        {signature_algorithms_cert, "CR"},
        {quic_transport_parameters, "CE"},
        {encrypted_client_hello, "CHE"},
    };
    // With supported_versions, so that it is TLS 1.3 that answers.
    const auto server_hello_of = [](auto build, ExtensionType type) {
      return type == supported_versions ? build({{type, ""}}) : build({{supported_versions, "0304"}, {type, ""}});
    };
    for (const Row& row : table) {
      INFO(static_cast<int>(row.type));
      const auto belongs = [&](char place) { return row.places.find(place) != std::string_view::npos; };
      const HexExtensions extension = {{row.type, ""}};
      CHECK((alert_of(client_hello_with(extension)) == Alert::illegal_parameter) == !belongs('C'));
      CHECK((alert_of(server_hello_of(server_hello_with, row.type)) == Alert::illegal_parameter) == !belongs('S'));
      CHECK((alert_of(server_hello_of(retry_with, row.type)) == Alert::illegal_parameter) == !belongs('H'));
      CHECK((alert_of(encrypted_extensions_with(extension)) == Alert::illegal_parameter) == !belongs('E'));
      CHECK((alert_of(certificate_with(extension)) == Alert::illegal_parameter) == !belongs('T'));
      CHECK((alert_of(certificate_request_with(extension)) == Alert::illegal_parameter) == !belongs('R'));
      CHECK((alert_of(new_session_ticket_with(extension)) == Alert::illegal_parameter) == !belongs('N'));
    }
  }

  TEST_CASE("a ServerHello of TLS 1.2 parses, whatever it answers") {
    const Buffer message = server_hello_with(
        {{application_layer_protocol_negotiation, "0003026832"}, {ExtensionType{0xff01}, "00"}, {server_name, ""}});
    const auto hello = parse_server_hello(body_of(message));
    REQUIRE(hello);
    CHECK_FALSE(hello->supported_version);
    ServerHello bare = plain_server_hello();
    bare.has_extensions = false;
    CHECK(parse_server_hello(body_of(message_of([&](auto& sink) { write_server_hello(sink, bare); }))));
  }

  TEST_CASE("what a client cannot have asked for is flagged") {
    const ExtensionType unknown{0x3039};
    CHECK(parse_server_hello(body_of(server_hello_with({{unknown, ""}})))->has_unknown_extension);
    CHECK(parse_server_hello(body_of(retry_with({{encrypted_client_hello, ""}})))->has_unknown_extension);
    CHECK(parse_encrypted_extensions(body_of(encrypted_extensions_with({{unknown, ""}})))->has_unknown_extension);
    CHECK(parse_encrypted_extensions(body_of(encrypted_extensions_with({{use_srtp, ""}})))->has_unknown_extension);
    for (const ExtensionType type : {unknown, signed_certificate_timestamp}) {
      const Buffer message = certificate_with({{type, "00"}});
      auto certificate = parse_certificate(body_of(message));
      REQUIRE(certificate);
      CHECK(certificate->next()->has_unknown_extension);
    }
  }

  TEST_CASE("bytes that are missing or left over are decode_error") {
    const Buffer whole[] = {
        server_hello_with({{supported_versions, "0304"}}),
        encrypted_extensions_with({{server_name, ""}}),
        certificate_request_with({{signature_algorithms, "00020403"}}),
        certificate_with({{status_request, "0100000130"}}),
        new_session_ticket_with({{early_data, "00000000"}}),
        unhex("0f0000060403000201ff"),
        unhex("1800000100"),
    };
    for (const Buffer& message : whole) {
      INFO(to_hex(message));
      CHECK_FALSE(alert_of(message));
      const bool is_server_hello = message[0] == 2;
      for (size_t size = kHandshakeHeaderSize; size < message.size(); size++) {
        const Buffer cut(message.begin(), message.begin() + static_cast<ptrdiff_t>(size));
        const bool ends_before_extensions = is_server_hello && size == kHandshakeHeaderSize + 2 + 32 + 1 + 2 + 1;
        if (!ends_before_extensions) CHECK(alert_of(cut) == Alert::decode_error);
      }
      Buffer longer = message;
      longer.push_back(0);
      CHECK(alert_of(longer) == Alert::decode_error);
    }
  }

  TEST_CASE("empty certificates, empty tickets and unknown KeyUpdates are refused") {
    CHECK(alert_of(unhex("0b000009 00 000005 000000 0000")) == Alert::decode_error);
    CHECK(alert_of(unhex("0400000d 00000001 00000002 00 0000 0000")) == Alert::decode_error);
    CHECK(alert_of(unhex("18000001 02")) == Alert::illegal_parameter);  // RFC 8446 §4.6.3
    CHECK(alert_of(unhex("18000000")) == Alert::decode_error);
  }
}

}  // namespace
}  // namespace quoll::tls
