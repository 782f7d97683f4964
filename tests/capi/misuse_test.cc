// The C interface takes what cannot be as QUOLL_E_INVALID, and structs of older and newer headers as what they are.
#include <cstring>

#include "base/version.h"
#include "tests/capi/support.h"

#include <doctest/doctest.h>

extern "C" size_t c_sizeof_event(void);
extern "C" size_t c_sizeof_config(void);

namespace quoll::tests {
namespace {

TEST_CASE("C and C++ see the same structs, and the version is the library's") {
  CHECK(c_sizeof_event() == sizeof(quoll_event));
  CHECK(c_sizeof_config() == sizeof(quoll_endpoint_config));
  CHECK(std::string_view(quoll_version()) == kVersion);
}

TEST_CASE("every status has a text") {
  for (int status = QUOLL_E_RESOLVE; status <= QUOLL_OK; status++) {
    CHECK(std::string_view(quoll_status_text(status)) != "an unknown status");
  }
  CHECK(std::string_view(quoll_status_text(-1000)) == "an unknown status");
}

TEST_CASE("nothing crashes for want of an argument") {
  CHECK(quoll_endpoint_new(nullptr, nullptr) == QUOLL_E_INVALID);
  quoll_endpoint_free(nullptr);
  quoll_identity_free(nullptr);
  quoll_socket_free(nullptr);
  quoll_socket_wake(nullptr);
  CHECK(quoll_socket_fd(nullptr) == -1);
  CHECK(quoll_socket_open(nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_socket_address(nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_socket_turn(nullptr, nullptr, 0) == QUOLL_E_INVALID);
  CHECK(quoll_endpoint_connections(nullptr) == 0);
  CHECK(quoll_endpoint_next_timeout(nullptr) == QUOLL_NEVER);
  CHECK(quoll_endpoint_on_timeout(nullptr, 0) == QUOLL_E_INVALID);
  CHECK(quoll_endpoint_connect(nullptr, 0, nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_endpoint_close(nullptr, 0, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_endpoint_receive(nullptr, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_endpoint_poll_transmit(nullptr, 0, nullptr, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_endpoint_poll_event(nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_connection_close(nullptr, 0, 0, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_connection_get_info(nullptr, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_connection_migrate(nullptr, 0, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_connection_export_key(nullptr, 0, nullptr, nullptr, 0, nullptr, 0) == QUOLL_E_INVALID);
  CHECK(quoll_datagram_send(nullptr, 0, 0, nullptr, 1) == QUOLL_E_INVALID);
  CHECK(quoll_datagram_receive(nullptr, 0, 0, nullptr, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_stream_open(nullptr, 0, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_stream_write(nullptr, 0, 0, nullptr, 0, nullptr, nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_stream_finish(nullptr, 0, 0) == QUOLL_E_INVALID);
  CHECK(quoll_stream_read(nullptr, 0, 0, nullptr, 0, nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_stream_reset(nullptr, 0, 0, 0) == QUOLL_E_INVALID);
  CHECK(quoll_stream_stop(nullptr, 0, 0, 0) == QUOLL_E_INVALID);
  CHECK(quoll_stream_set_priority(nullptr, 0, 0, 0, 0) == QUOLL_E_INVALID);
  CHECK(quoll_h3_request(nullptr, 0, nullptr, 1, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_h3_respond(nullptr, 0, 0, 200, nullptr, 0, 0) == QUOLL_E_INVALID);
  CHECK(quoll_h3_finish_with_trailers(nullptr, 0, 0, nullptr, 0) == QUOLL_E_INVALID);
  CHECK(quoll_h3_shutdown(nullptr, 0, 0) == QUOLL_E_INVALID);
  CHECK(quoll_address_resolve(nullptr, 0, nullptr, 0) == QUOLL_E_INVALID);
  CHECK(quoll_address_format(nullptr, nullptr, 0) == QUOLL_E_INVALID);
  CHECK(quoll_identity_from_pem(nullptr, 0, nullptr, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_identity_from_files(nullptr, nullptr, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_identity_self_signed(nullptr, 1, nullptr, nullptr) == QUOLL_E_INVALID);
}

TEST_CASE("values out of range are told from those that are right") {
  const Identity identity;
  Pair pair(false, identity);
  pair.establish();
  Side& client = pair.client;
  uint64_t stream = 0;
  size_t written = 0;
  CHECK(quoll_stream_open(client.endpoint, 0, 0, &stream) == QUOLL_E_GONE);
  CHECK(quoll_stream_open(client.endpoint, client.connection, 0, &stream) == QUOLL_OK);
  CHECK(quoll_stream_write(client.endpoint, client.connection, stream, "", 0, nullptr, nullptr, &written) ==
        QUOLL_E_INVALID);
  CHECK(quoll_stream_write(client.endpoint, client.connection, 400, "a", 1, nullptr, nullptr, &written) ==
        QUOLL_E_STATE);
  CHECK(quoll_stream_write(client.endpoint, client.connection, UINT64_MAX, "a", 1, nullptr, nullptr, &written) ==
        QUOLL_E_INVALID);
  CHECK(quoll_stream_reset(client.endpoint, client.connection, stream, UINT64_MAX) == QUOLL_E_INVALID);
  CHECK(quoll_stream_set_priority(client.endpoint, client.connection, stream, 8, 0) == QUOLL_E_INVALID);
  CHECK(quoll_connection_close(client.endpoint, client.connection, QUOLL_NEVER, 0, nullptr) == QUOLL_E_INVALID);
  CHECK(quoll_h3_shutdown(client.endpoint, client.connection, 0) == QUOLL_E_STATE);
  uint8_t memory[100];
  auto packet = sized<quoll_packet>();
  CHECK(quoll_endpoint_poll_transmit(client.endpoint, pair.now, memory, sizeof memory, &packet) == QUOLL_E_SIZE);
  packet.data = memory;
  packet.size = sizeof memory;
  packet.remote = pair.server.where();
  packet.ecn = 4;
  CHECK(quoll_endpoint_receive(client.endpoint, pair.now, &packet) == QUOLL_E_INVALID);
  packet.ecn = 0;
  packet.remote.family = 5;
  CHECK(quoll_endpoint_receive(client.endpoint, pair.now, &packet) == QUOLL_E_INVALID);
  packet.remote = pair.server.where();
  CHECK(quoll_endpoint_receive(client.endpoint, pair.now, &packet) == QUOLL_OK);  // noise
}

TEST_CASE("configurations that cannot be") {
  const Identity identity;
  const quoll_endpoint_config good = server_config(identity, false);
  quoll_endpoint* endpoint = nullptr;
  const auto refused = [&](auto change, int status = QUOLL_E_INVALID) {
    quoll_endpoint_config config = good;
    change(config);
    CHECK(quoll_endpoint_new(&config, &endpoint) == status);
    CHECK(endpoint == nullptr);
  };
  refused([](auto& config) { config.struct_size = 0; });
  refused([](auto& config) { config.struct_size = SIZE_MAX; });
  refused([](auto& config) { config.protocol_count = 0; });
  refused([](auto& config) { config.protocols = nullptr; });
  refused([](auto& config) { config.http3 = 1; });
  refused([](auto& config) { config.congestion = 9; });
  refused([](auto& config) { config.retry = -1; });
  refused([](auto& config) { config.verify = 3; });
  refused([](auto& config) { config.verify = QUOLL_VERIFY_PIN; });
  refused([](auto& config) { config.pin_count = 1; });
  refused([](auto& config) { config.client_auth = QUOLL_CLIENT_AUTH_REQUIRED; });
  refused([](auto& config) { config.max_stream_window = UINT64_MAX; });
  refused([](auto& config) { config.max_connections = UINT64_MAX; });
  refused([](auto& config) { config.trust_file = "/absent/anchors.pem"; }, QUOLL_E_SYSTEM);
  refused([](auto& config) { config.key_log_file = "/absent/keys"; }, QUOLL_E_SYSTEM);
  for (const int congestion : {QUOLL_CONGESTION_DEFAULT, QUOLL_CONGESTION_NEW_RENO, QUOLL_CONGESTION_CUBIC,
                               QUOLL_CONGESTION_BBR2, QUOLL_CONGESTION_BBR3}) {
    quoll_endpoint_config config = good;
    config.congestion = congestion;
    CHECK(quoll_endpoint_new(&config, &endpoint) == QUOLL_OK);
    quoll_endpoint_free(std::exchange(endpoint, nullptr));
  }
}

TEST_CASE("a struct of an older header is taken, and one of a newer header when it asks for nothing new") {
  const Identity identity;
  struct Newer {
    quoll_endpoint_config known;
    uint64_t unknown;
  } config{.known = server_config(identity, false), .unknown = 0};
  config.known.struct_size = sizeof config;
  quoll_endpoint* endpoint = nullptr;
  CHECK(quoll_endpoint_new(&config.known, &endpoint) == QUOLL_OK);
  quoll_endpoint_free(std::exchange(endpoint, nullptr));
  config.unknown = 1;
  CHECK(quoll_endpoint_new(&config.known, &endpoint) == QUOLL_E_INVALID);

  // Of an older one nothing is read or written beyond its end.
  config.known.struct_size = offsetof(quoll_endpoint_config, congestion);
  config.known.congestion = 99;
  CHECK(quoll_endpoint_new(&config.known, &endpoint) == QUOLL_OK);
  quoll_endpoint_free(endpoint);

  Pair pair(false, identity);
  pair.establish();
  quoll_connection_info info;
  std::memset(&info, 0xee, sizeof info);
  info.struct_size = offsetof(quoll_connection_info, protocol);
  CHECK(quoll_connection_get_info(pair.client.endpoint, pair.client.connection, &info) == QUOLL_OK);
  CHECK(info.established == 1);
  CHECK(info.mtu == 0xeeeeeeee);
}

TEST_CASE("addresses are resolved and written") {
  quoll_address address;
  char text[64];
  CHECK(quoll_address_resolve("::1", 443, &address, 1) == 1);
  CHECK(address.family == QUOLL_FAMILY_IPV6);
  CHECK(quoll_address_format(&address, text, sizeof text) == QUOLL_OK);
  CHECK(std::string_view(text) == "[::1]:443");
  CHECK(quoll_address_format(&address, text, 9) == QUOLL_E_SIZE);
  CHECK(quoll_address_resolve("192.0.2.7", 80, &address, 1) == 1);
  CHECK(quoll_address_format(&address, text, sizeof text) == QUOLL_OK);
  CHECK(std::string_view(text) == "192.0.2.7:80");
  CHECK(quoll_address_resolve("no such name", 80, &address, 1) == QUOLL_E_RESOLVE);
}

TEST_CASE("identities that cannot be") {
  quoll_identity* identity = nullptr;
  CHECK(quoll_identity_from_pem("junk", 4, "junk", 4, &identity) == QUOLL_E_CRYPTO);
  CHECK(quoll_identity_from_files("/absent/chain", "/absent/key", &identity) == QUOLL_E_SYSTEM);
  CHECK(quoll_identity_self_signed("localhost", 0, nullptr, &identity) == QUOLL_E_INVALID);
  CHECK(quoll_identity_self_signed("not a name", 1, nullptr, &identity) == QUOLL_E_CRYPTO);
  CHECK(identity == nullptr);
}

}  // namespace
}  // namespace quoll::tests
