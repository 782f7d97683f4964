// The parsers of handshake messages over any bytes: the first byte is the message's type, the rest its body. What is
// accepted is written again, to the same bytes (tests/support/message_round_trip.h), and every refusal is an alert about
// syntax. The views of an accepted ClientHello lie within its body.
#include "tests/support/message_round_trip.h"
#include "tls/alert.h"

using namespace quoll;

namespace {

void check_lists(const tls::ClientHello& hello) {
  if (hello.key_shares) {
    tls::KeyShareList rest = *hello.key_shares;
    while (const auto entry = rest.next()) {
      QUOLL_CHECK(!entry->key_exchange.empty());
      QUOLL_CHECK(hello.key_shares->find(entry->group)->data() == entry->key_exchange.data());
    }
  }
  if (hello.application_protocols) {
    tls::ProtocolNameList rest = *hello.application_protocols;
    while (const auto name = rest.next()) QUOLL_CHECK(!name->empty() && hello.application_protocols->contains(*name));
  }
}

void check_psk_offer(const tls::PskOffer& offer, Bytes body) {
  QUOLL_CHECK(offer.count > 0);
  QUOLL_CHECK(offer.binders_offset + 2 + offer.binders.size() == body.size());
  size_t identities = 0, binders = 0;
  const size_t looked_at = std::min<size_t>(offer.count, 50);  // identity() walks the list
  for (size_t i = 0; i < looked_at; i++) {
    identities += 2 + offer.identity(i).identity.size() + 4;
    binders += 1 + offer.binder(i).size();
    QUOLL_CHECK(!offer.identity(i).identity.empty() && offer.binder(i).size() >= 32);
  }
  if (looked_at == offer.count) QUOLL_CHECK(identities == offer.identities.size() && binders == offer.binders.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size - 1 >= size_t{1} << 24) return 0;
  const size_t body_size = size - 1;
  tests::Buffer whole = {data[0], static_cast<uint8_t>(body_size >> 16), static_cast<uint8_t>(body_size >> 8),
                         static_cast<uint8_t>(body_size)};
  whole.insert(whole.end(), data + 1, data + size);
  const auto type = tls::HandshakeType{data[0]};
  if (type == tls::HandshakeType::end_of_early_data || type == tls::HandshakeType::finished) return 0;  // no parser

  const tests::RoundTrip result = tests::round_trip(whole);
  QUOLL_CHECK(!result.parsed || result.complaint.empty());
  if (!result.parsed && result.complaint.empty()) {
    QUOLL_CHECK(result.error.domain == ErrorDomain::tls);
    const auto alert = static_cast<tls::Alert>(result.error.code);
    QUOLL_CHECK(alert == tls::Alert::decode_error || alert == tls::Alert::illegal_parameter);
  }
  if (result.parsed && type == tls::HandshakeType::client_hello) {
    const Bytes body = Bytes(whole).subspan(tls::kHandshakeHeaderSize);
    const auto hello = tls::parse_client_hello(body);
    check_lists(*hello);
    if (hello->pre_shared_key) check_psk_offer(*hello->pre_shared_key, body);
  }
  return 0;
}
