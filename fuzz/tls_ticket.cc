// Tickets from outside: a client's from a file, a server's from a ClientHello, and the text of ticket secrets. What
// decodes encodes to the same bytes; what was sealed opens, and nothing else does. The first byte chooses.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "crypto/provider.h"
#include "tls/client_ticket.h"
#include "tls/server_ticket.h"

using namespace quoll;
using namespace quoll::tls;

namespace {

constexpr UnixTime kOrigin = UnixTime::from_seconds(1'700'000'000);

/// The salts of tickets, without any randomness.
class FixedRng final : public Rng {
 public:
  void fill(MutBytes out) override { std::ranges::fill(out, uint8_t{0x5a}); }
};

TicketKeys& ring() {
  static const std::shared_ptr<TicketKeys> keys =
      TicketKeys::ratcheted(crypto::best(), TicketKeys::Secret(), {.origin = kOrigin});
  return *keys;
}

void client_ticket(Bytes input) {
  const Result<ClientTicket> ticket = ClientTicket::decode(input);
  if (!ticket) return;
  QUOLL_CHECK(std::ranges::equal(ticket->encode(), input));
  const bool usable = ticket->is_usable(kOrigin);
  const int64_t age = kOrigin.as_milliseconds() - ticket->received.as_milliseconds();
  QUOLL_CHECK(!usable ||
              (age >= 0 && age < int64_t{kTicketLifetimeMax} * 1'000 && kOrigin <= ticket->authenticated_until));
  QUOLL_CHECK(!usable || ticket->obfuscated_age(kOrigin) - ticket->age_add == static_cast<uint32_t>(age));
}

void server_ticket(Bytes input) {
  const Result<ServerTicket> ticket = ServerTicket::decode(input);
  if (!ticket) return;
  QUOLL_CHECK(std::ranges::equal(ticket->encode(), input));
  FixedRng rng;
  const std::vector<uint8_t> sealed = ring().seal(*ticket, rng, kOrigin);
  QUOLL_CHECK(!sealed.empty() && sealed.size() <= kSealedTicketSizeMax);
  QUOLL_CHECK(ring().open(sealed, kOrigin) == *ticket);
}

/// The input, as it is and behind the name of a key that the ring has. Nobody forges a tag.
void open(Bytes input) {
  QUOLL_CHECK(!ring().open(input, kOrigin));
  ServerTicket ticket;
  ticket.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  ticket.psk = crypto::Digest(32);
  FixedRng rng;
  std::vector<uint8_t> named = ring().seal(ticket, rng, kOrigin);
  named.resize(16);
  named.insert(named.end(), input.begin(), input.end());
  QUOLL_CHECK(!ring().open(named, kOrigin));
}

void text(Bytes input) {
  const auto keys = TicketKeys::from_text(crypto::best(), as_text(input));
  if (!keys) {
    QUOLL_CHECK(keys.error().domain == ErrorDomain::usage);
    return;
  }
  ServerTicket ticket;
  ticket.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  ticket.psk = crypto::Digest(32);
  FixedRng rng;
  QUOLL_CHECK((*keys)->open((*keys)->seal(ticket, rng, kOrigin), kOrigin) == ticket);
  // Another form of the same text.
  std::string other = "# secrets\r\n";
  for (const uint8_t byte : input) other += byte == '\n' ? "\t\r\n\n" : std::string(1, static_cast<char>(byte));
  QUOLL_CHECK(TicketKeys::from_text(crypto::best(), other).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input = Bytes(data, size).subspan(1);
  switch (data[0] % 4) {
    case 0:
      client_ticket(input);
      break;
    case 1:
      server_ticket(input);
      break;
    case 2:
      open(input);
      break;
    case 3:
      text(input);
      break;
  }
  return 0;
}
