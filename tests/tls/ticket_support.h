// A server's ticket as tests want it, and ticket secrets.
#pragma once

#include "tests/support/random.h"
#include "tls/server_ticket.h"

namespace quoll::tests {

inline tls::ServerTicket sample_server_ticket(SeededRng& rng, UnixTime issued) {
  tls::ServerTicket ticket;
  ticket.cipher_suite = tls::CipherSuite::aes_256_gcm_sha384;
  ticket.psk = crypto::Digest(48);
  rng.fill({ticket.psk.data(), 48});
  ticket.issued = issued;
  ticket.authenticated = issued - Duration::seconds(3'600);
  ticket.lifetime_seconds = 172'800;
  ticket.age_add = 0x01020304;
  ticket.max_early_data_size = 0xffffffff;
  ticket.server_name = "example.com";
  ticket.application_protocol = "h3";
  ticket.resumption_context = rng.bytes(4);
  ticket.early_data_context = rng.bytes(32);
  ticket.client_certificate = rng.bytes(600);
  return ticket;
}

inline tls::TicketKeys::Secret ticket_secret(uint8_t byte) {
  std::array<uint8_t, tls::TicketKeys::kSecretSize> bytes;
  bytes.fill(byte);
  return tls::TicketKeys::Secret(bytes);
}

}  // namespace quoll::tests
