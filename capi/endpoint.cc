#include "capi/endpoint.h"

#include "crypto/ct.h"
#include "quic/endpoint/resumption_state.h"

using namespace quoll;

quoll_endpoint::quoll_endpoint(capi::EndpointSetup given) : setup(std::move(given)) {
  quic::EndpointConfig config = setup.endpoint;
  config.wall_clock = [this](Instant at) { return clock.at(at); };
  endpoint = std::make_unique<quic::Endpoint>(std::move(config), crypto::best(), rng);
}

quoll_endpoint::~quoll_endpoint() { crypto::ct::wipe(event_data.data(), event_data.size()); }

capi::H3Connection* quoll_endpoint::find_h3(quoll_connection connection) {
  const auto at = sessions.find(connection);
  return at == sessions.end() || at->second->closed ? nullptr : at->second.get();
}

capi::H3Connection& quoll_endpoint::add_h3(quic::ConnectionHandle handle, h3::Role role,
                                           const h3::SessionOptions& options) {
  auto& session = sessions[capi::name_of(handle)];
  session = std::make_unique<capi::H3Connection>(handle, role, options, rng);
  return *session;
}

void quoll_endpoint::note_used(capi::H3Connection& session) {
  if (!std::exchange(session.noted, true)) used.push_back(&session);
}

h3::Session& quoll_endpoint::use(capi::H3Connection& session, quic::Connection& connection) {
  note_used(session);
  return session.over_quic.use(connection);
}

bool quoll_endpoint::has_events() {
  while (std::optional<quic::EndpointEvent> event = endpoint->poll_event()) waiting.push_back(std::move(*event));
  return !waiting.empty() || !used.empty();
}

int quoll_endpoint_new(const quoll_endpoint_config* config, quoll_endpoint** endpoint) {
  if (!endpoint) return capi::invalid("no place for the endpoint");
  capi::EndpointSetup setup;
  if (const int status = capi::read_config(config, setup); status != QUOLL_OK) return status;
  *endpoint = new quoll_endpoint(std::move(setup));
  return QUOLL_OK;
}

void quoll_endpoint_free(quoll_endpoint* endpoint) { delete endpoint; }

namespace {

/// The same address without an IP where it is a wildcard: whoever gives a socket's own address means any of its.
SocketAddress without_wildcard(SocketAddress address) {
  const Bytes octets = address.ip.octets();
  if (std::ranges::all_of(octets, [](uint8_t octet) { return octet == 0; })) address.ip = {};
  return address;
}

}  // namespace

int quoll_endpoint_connect(quoll_endpoint* endpoint, uint64_t now, const quoll_connect_options* options,
                           quoll_connection* connection) {
  const auto given = capi::read_struct(options);
  const std::optional<Instant> at = capi::instant_of(now);
  if (!endpoint || !given || !connection || !at) return capi::invalid("an endpoint, a time and options are wanted");
  const auto remote = capi::address_of(given->remote);
  const auto local = capi::address_of(given->local);
  if (!remote || !local || remote->ip.family() == IpAddress::Family::none || remote->port == 0) {
    return capi::invalid("the server has no address or port");
  }
  if (!given->server_name) return capi::invalid("no server name");
  if (given->resumption_size > 0 && !given->resumption) return capi::invalid("no resumption data");

  quic::Endpoint::ConnectOptions connect{.server_name = given->server_name};
  h3::SessionOptions session = endpoint->setup.session;
  auto state = quic::decode_resumption_state(
      given->resumption_size > 0 ? Bytes(given->resumption, given->resumption_size) : Bytes());
  if (state) connect.resumption = std::move(*state);
  const bool has_ticket = connect.resumption && connect.resumption->ticket;
  connect.early_data = has_ticket && given->early_data != 0;
  if (endpoint->setup.http3 && connect.early_data) {
    // RFC 9114 §7.2.4.2: requests in 0-RTT go by the settings that the server had.
    const auto& remembered = connect.resumption->ticket->application_settings;
    Result<h3::Settings> settings = h3::Settings::parse(remembered);
    connect.early_data = settings && !remembered.empty();
    if (connect.early_data) session.remembered = *settings;
  }
  const bool early = connect.early_data;
  const Result<quic::ConnectionHandle> handle = endpoint->endpoint->connect(
      *at, endpoint->setup.client, {.local = without_wildcard(*local), .remote = *remote}, std::move(connect));
  if (!handle) return capi::fail(handle.error());
  if (endpoint->setup.http3) endpoint->add_h3(*handle, h3::Role::client, session).usable = early;
  *connection = capi::name_of(*handle);
  return QUOLL_OK;
}

int quoll_endpoint_close(quoll_endpoint* endpoint, uint64_t now, uint64_t error_code, const char* reason) {
  const std::optional<Instant> at = capi::instant_of(now);
  if (!endpoint || !at || !capi::is_varint(error_code))
    return capi::invalid("an endpoint, a time and a code are wanted");
  endpoint->endpoint->close(*at, quic::ApplicationErrorCode{error_code}, reason ? reason : "");
  return QUOLL_OK;
}

size_t quoll_endpoint_connections(const quoll_endpoint* endpoint) {
  return endpoint ? endpoint->endpoint->connections() : 0;
}

// --- Sans-IO

int quoll_endpoint_receive(quoll_endpoint* endpoint, uint64_t now, const quoll_packet* packet) {
  const auto given = capi::read_struct(packet);
  const std::optional<Instant> at = capi::instant_of(now);
  if (!endpoint || !given || !at) return capi::invalid("an endpoint, a time and a packet are wanted");
  const auto local = capi::address_of(given->local);
  const auto remote = capi::address_of(given->remote);
  if (!local || !remote || remote->ip.family() == IpAddress::Family::none) return capi::invalid("no address of a peer");
  if (!given->data || given->size == 0 || given->size > UINT16_MAX || given->ecn > 3) {
    return capi::invalid("a packet has 1 to 65535 bytes, and an ECN field from 0 to 3");
  }
  Received received{.path = {.local = *local, .remote = *remote},
                    .ecn = static_cast<Ecn>(given->ecn),
                    .data = Buffer::allocate(given->size),
                    .segment_size = given->segment_size < given->size ? given->segment_size : uint16_t{0}};
  std::memcpy(received.data.bytes().data(), given->data, given->size);
  endpoint->endpoint->receive(*at, std::move(received));
  return QUOLL_OK;
}

int quoll_endpoint_poll_transmit(quoll_endpoint* endpoint, uint64_t now, uint8_t* memory, size_t capacity,
                                 quoll_packet* packet) {
  const std::optional<Instant> at = capi::instant_of(now);
  if (!endpoint || !at || !memory || !capi::is_struct(packet)) {
    return capi::invalid("an endpoint, a time, memory and a packet are wanted");
  }
  if (capacity < QUOLL_TRANSMIT_SIZE_MIN) return capi::fail(QUOLL_E_SIZE, "less than QUOLL_TRANSMIT_SIZE_MIN");
  const auto transmit = endpoint->endpoint->poll_transmit(*at, MutBytes(memory, capacity));
  if (!transmit) return 0;
  capi::write_struct(packet, quoll_packet{.struct_size = 0,
                                          .local = capi::address_of(transmit->path.local),
                                          .remote = capi::address_of(transmit->path.remote),
                                          .data = transmit->bytes.data(),
                                          .size = transmit->bytes.size(),
                                          .segment_size = transmit->segment_size,
                                          .ecn = static_cast<uint16_t>(transmit->ecn)});
  return 1;
}

uint64_t quoll_endpoint_next_timeout(const quoll_endpoint* endpoint) {
  return endpoint ? capi::time_of(endpoint->endpoint->next_timeout()) : QUOLL_NEVER;
}

int quoll_endpoint_on_timeout(quoll_endpoint* endpoint, uint64_t now) {
  const std::optional<Instant> at = capi::instant_of(now);
  if (!endpoint || !at) return capi::invalid("an endpoint and a time are wanted");
  endpoint->endpoint->on_timeout(*at);
  return QUOLL_OK;
}
