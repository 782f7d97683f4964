#include "quic/endpoint/resumption_state.h"

#include <algorithm>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/ct.h"
#include "crypto/failure.h"
#include "quic/wire/transport_parameters.h"

namespace quoll::quic {
namespace {

constexpr uint8_t kForm = 1;
constexpr uint8_t kHasTicket = 1;

template <Sink S>
void write_state(S& sink, const ResumptionState& state, Bytes ticket) {
  sink.u8(kForm);
  sink.u32(static_cast<uint32_t>(state.version));
  sink.u8(state.ticket ? kHasTicket : 0);
  {
    const LengthPrefix length(sink, Prefix::u24);
    sink.bytes(ticket);
  }
  {
    const LengthPrefix length(sink, Prefix::u16);
    write_transport_parameters(sink, state.parameters);
  }
  const LengthPrefix length(sink, Prefix::u16);
  sink.bytes(state.token);
}

std::unexpected<Error> malformed() {
  return crypto::refuse(crypto::Failure::malformed, "not an encoded resumption state");
}

}  // namespace

std::vector<uint8_t> encode_resumption_state(const ResumptionState& state) {
  // RFC 9000 §7.4.1: the others belong to the connection in which they came.
  if (!is_supported(state.version) || remembered_parameters(state.parameters) != state.parameters) return {};
  std::vector<uint8_t> ticket;
  if (state.ticket) {
    ticket = state.ticket->encode();
    if (ticket.empty()) return {};
  }
  Counter counter;
  write_state(counter, state, ticket);
  std::vector<uint8_t> encoded;
  if (counter.ok()) {
    encoded.resize(counter.size());
    Writer writer(encoded);
    write_state(writer, state, ticket);
    QUOLL_CHECK(writer.ok() && writer.size() == encoded.size());
  }
  crypto::ct::wipe(ticket.data(), ticket.size());
  return encoded;
}

Result<ResumptionState> decode_resumption_state(Bytes encoded) {
  Reader reader(encoded);
  const uint8_t form = reader.u8();
  ResumptionState state;
  state.version = Version{reader.u32()};
  const uint8_t flags = reader.u8();
  const Bytes ticket = reader.prefixed_u24().rest();
  const Bytes parameters = reader.prefixed_u16().rest();
  const Bytes token = reader.prefixed_u16().rest();
  if (!reader.finished() || form != kForm || flags > kHasTicket || !is_supported(state.version)) return malformed();
  if ((flags == kHasTicket) == ticket.empty()) return malformed();
  if (!ticket.empty()) {
    Result<tls::ClientTicket> decoded = tls::ClientTicket::decode(ticket);
    if (!decoded) return std::unexpected(decoded.error());
    state.ticket = std::move(*decoded);
  }
  const Result<TransportParameters> parsed = parse_transport_parameters(parameters, Role::server);
  if (!parsed) return malformed();
  state.parameters = *parsed;
  state.token.assign(token.begin(), token.end());
  // One form: no unknown parameters, no other order, nothing that is not to be remembered.
  std::vector<uint8_t> again = encode_resumption_state(state);
  const bool same = std::ranges::equal(again, encoded);
  crypto::ct::wipe(again.data(), again.size());
  if (!same) return malformed();
  return state;
}

}  // namespace quoll::quic
