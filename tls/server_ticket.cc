#include "tls/server_ticket.h"

#include "crypto/failure.h"
#include "tls/ticket_codec.h"

namespace quoll::tls {
namespace {

using namespace ticket_codec;

constexpr uint8_t kVersion = 2;
constexpr size_t kNameSizeMax = 255;

template <Sink S>
void write(S& sink, const ServerTicket& ticket) {
  sink.u8(kVersion);
  write_psk(sink, ticket.cipher_suite, ticket.psk);
  write_time(sink, ticket.issued);
  write_time(sink, ticket.authenticated);
  sink.u32(ticket.lifetime_seconds);
  sink.u32(ticket.age_add);
  sink.u32(ticket.max_early_data_size);
  write_field(sink, Prefix::u8, as_bytes(ticket.server_name), kNameSizeMax);
  write_field(sink, Prefix::u8, as_bytes(ticket.application_protocol), kNameSizeMax);
  write_field(sink, Prefix::u16, ticket.resumption_context, ServerTicket::kResumptionContextSizeMax);
  write_field(sink, Prefix::u16, ticket.early_data_context, ServerTicket::kEarlyDataContextSizeMax);
  write_field(sink, Prefix::u16, ticket.client_certificate, ServerTicket::kClientCertificateSizeMax);
}

}  // namespace

std::vector<uint8_t> ServerTicket::encode() const {
  return encoded([this](auto& sink) { write(sink, *this); });
}

Result<ServerTicket> ServerTicket::decode(Bytes encoded) {
  Reader reader(encoded);
  ServerTicket ticket;
  if (reader.u8() != kVersion) reader.fail();
  read_psk(reader, ticket.cipher_suite, ticket.psk);
  ticket.issued = read_time(reader);
  ticket.authenticated = read_time(reader);
  ticket.lifetime_seconds = reader.u32();
  ticket.age_add = reader.u32();
  ticket.max_early_data_size = reader.u32();
  ticket.server_name = read_text(reader);
  ticket.application_protocol = read_text(reader);
  ticket.resumption_context = read_bytes(reader, kResumptionContextSizeMax);
  ticket.early_data_context = read_bytes(reader, kEarlyDataContextSizeMax);
  ticket.client_certificate = read_bytes(reader, kClientCertificateSizeMax);
  if (!reader.finished()) return crypto::refuse(crypto::Failure::malformed, "not an encoded server ticket");
  return ticket;
}

}  // namespace quoll::tls
