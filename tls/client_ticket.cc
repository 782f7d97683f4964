#include "tls/client_ticket.h"

#include <algorithm>

#include "crypto/failure.h"
#include "tls/ticket_codec.h"

namespace quoll::tls {
namespace {

using namespace ticket_codec;

constexpr uint8_t kVersion = 1;
constexpr size_t kNameSizeMax = 255;
constexpr size_t kFieldSizeMax = 65'535;

template <Sink S>
void write(S& sink, const ClientTicket& ticket) {
  if (ticket.ticket.empty()) sink.fail();
  sink.u8(kVersion);
  write_psk(sink, ticket.cipher_suite, ticket.psk);
  sink.u32(ticket.lifetime_seconds);
  sink.u32(ticket.age_add);
  sink.u32(ticket.max_early_data_size);
  write_time(sink, ticket.received);
  write_time(sink, ticket.authenticated_until);
  write_field(sink, Prefix::u8, as_bytes(ticket.server_name), kNameSizeMax);
  write_field(sink, Prefix::u8, as_bytes(ticket.application_protocol), kNameSizeMax);
  write_field(sink, Prefix::u16, ticket.ticket, kFieldSizeMax);
  write_field(sink, Prefix::u16, ticket.transport_parameters, kFieldSizeMax);
  write_field(sink, Prefix::u16, ticket.application_settings, kFieldSizeMax);
}

/// Milliseconds since the ticket came; 0 before that.
uint64_t age(const ClientTicket& ticket, UnixTime now) {
  if (now <= ticket.received) return 0;
  return static_cast<uint64_t>(now.as_milliseconds()) - static_cast<uint64_t>(ticket.received.as_milliseconds());
}

}  // namespace

bool ClientTicket::is_usable(UnixTime now) const {
  if (now < received || now > authenticated_until) return false;
  // RFC 8446 §4.6.1: a lifetime of zero means that the ticket is to be discarded at once, and no client keeps one for
  // more than seven days, whatever the lifetime says.
  return age(*this, now) < uint64_t{1'000} * std::min(lifetime_seconds, kTicketLifetimeMax);
}

uint32_t ClientTicket::obfuscated_age(UnixTime now) const {
  return static_cast<uint32_t>(age(*this, now)) + age_add;  // RFC 8446 §4.2.11.1: modulo 2^32
}

std::vector<uint8_t> ClientTicket::encode() const {
  return encoded([this](auto& sink) { write(sink, *this); });
}

Result<ClientTicket> ClientTicket::decode(Bytes encoded) {
  Reader reader(encoded);
  ClientTicket ticket;
  if (reader.u8() != kVersion) reader.fail();
  read_psk(reader, ticket.cipher_suite, ticket.psk);
  ticket.lifetime_seconds = reader.u32();
  ticket.age_add = reader.u32();
  ticket.max_early_data_size = reader.u32();
  ticket.received = read_time(reader);
  ticket.authenticated_until = read_time(reader);
  ticket.server_name = read_text(reader);
  ticket.application_protocol = read_text(reader);
  ticket.ticket = read_bytes(reader, kFieldSizeMax);
  ticket.transport_parameters = read_bytes(reader, kFieldSizeMax);
  ticket.application_settings = read_bytes(reader, kFieldSizeMax);
  if (!reader.finished() || ticket.ticket.empty()) {
    return crypto::refuse(crypto::Failure::malformed, "not an encoded client ticket");
  }
  return ticket;
}

void ClientTicketStore::put(ClientTicket ticket) {
  if (servers_max_ == 0 || tickets_per_server_max_ == 0) return;
  auto server = by_server_.find(ticket.server_name);
  if (server == by_server_.end()) {
    if (by_server_.size() == servers_max_) remove(order_.front());
    server = by_server_.try_emplace(ticket.server_name).first;
    server->second.place = order_.insert(order_.end(), server);
  } else {
    order_.splice(order_.end(), order_, server->second.place);
  }
  std::deque<ClientTicket>& tickets = server->second.tickets;
  if (tickets.size() == tickets_per_server_max_) {
    tickets.pop_front();
    size_--;
  }
  tickets.push_back(std::move(ticket));
  size_++;
}

std::optional<ClientTicket> ClientTicketStore::take(std::string_view server_name, UnixTime now) {
  const auto server = by_server_.find(server_name);
  if (server == by_server_.end()) return {};
  std::optional<ClientTicket> taken;
  std::deque<ClientTicket>& tickets = server->second.tickets;
  while (!taken && !tickets.empty()) {
    if (tickets.back().is_usable(now)) taken = std::move(tickets.back());
    tickets.pop_back();
    size_--;
  }
  if (tickets.empty()) remove(server);
  return taken;
}

void ClientTicketStore::remove(Servers::iterator server) {
  size_ -= server->second.tickets.size();
  order_.erase(server->second.place);
  by_server_.erase(server);
}

}  // namespace quoll::tls
