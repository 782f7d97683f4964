// HTTP datagrams (RFC 9297 §2): in QUIC's datagrams, behind a quarter of the stream's number.
#include "h3/capsule.h"
#include "h3/state.h"

namespace quoll::h3 {

std::optional<size_t> Session::State::max_datagram_size(uint64_t stream) const {
  // RFC 9297 §2.1.1: when both have said so.
  const Settings* settings = known_settings();
  if (!is_open() || !options.datagrams || !settings || !settings->h3_datagram) return {};
  const std::optional<size_t> whole = transport.max_datagram_size();
  const size_t header = datagram_header_size(stream);
  if (!whole || *whole < header) return {};
  return *whole - header;
}

Result<bool> Session::State::send_datagram(Exchange& exchange, Bytes payload) {
  // RFC 9297 §2: requests that have a meaning for them, which CONNECT and its extensions may have.
  if (exchange.method != Method::connect) return usage_error("a datagram of a request that has none");
  // RFC 9297 §2.1: while our part of the stream is open.
  if (exchange.send == Exchange::Send::finished || exchange.send == Exchange::Send::over) {
    return usage_error("a datagram after the end");
  }
  const std::optional<size_t> room = max_datagram_size(exchange.stream);
  if (!room) return usage_error("the peer takes no datagrams");
  if (payload.size() > *room) return usage_error("a datagram that is too large");
  const size_t header = datagram_header_size(exchange.stream);
  Buffer datagram = Buffer::allocate(header + payload.size());
  write_datagram_header(datagram.bytes(), exchange.stream);
  copy_bytes(datagram.bytes().data() + header, payload);
  return transport.send_datagram(datagram.slice());
}

std::optional<Slice> Session::State::receive_datagram(Exchange& exchange) {
  if (!exchange.datagrams || exchange.datagrams->empty()) {
    exchange.datagram_told = false;
    return {};
  }
  Slice data = std::move(exchange.datagrams->front());
  exchange.datagrams->pop();
  datagrams_waiting--;
  return data;
}

void Session::State::on_datagram(Slice data) {
  const Result<DatagramHeader> header = parse_datagram(data.bytes());
  if (!header) return fail(header.error());
  data.drop_front(header->size);
  if (Exchange* exchange = exchanges.find(header->stream)) return take_datagram(*exchange, std::move(data));
  // RFC 9297 §2.1: of a stream that the client may not open.
  if (header->stream >= transport.request_limit()) {
    return fail(ErrorCode::id_error, "a datagram of a stream beyond the limit");
  }
  const bool is_early = role == Role::server && header->stream >= next_request;
  // RFC 9297 §2.1: late ones are dropped, early ones may wait for their request a little.
  if (!is_early || !options.datagrams) {
    statistics.datagrams_dropped++;
    return;
  }
  if (early_datagrams.size() >= kEarlyDatagramsMax) {
    early_datagrams.erase(early_datagrams.begin());
    statistics.datagrams_dropped++;
  }
  early_datagrams.emplace_back(header->stream, Slice::copy_of(data.bytes()));
}

void Session::State::take_datagram(Exchange& exchange, Slice payload) {
  // RFC 9297 §2.1: after the end of the peer's part.
  const bool is_late = exchange.receive == Exchange::Receive::over;
  if (is_late || !options.datagrams || datagrams_waiting >= options.datagrams_waiting_max) {
    statistics.datagrams_dropped++;
    return;
  }
  // RFC 9297 §2: a request without a meaning for them ends. Before a head nobody knows.
  if (exchange.method != Method::connect && (role == Role::client || exchange.told)) {
    return on_malformed(exchange, ErrorCode::datagram_error);
  }
  if (!exchange.datagrams) exchange.datagrams = std::make_unique<Ring<Slice>>(SIZE_MAX);
  (void)exchange.datagrams->emplace(std::move(payload));
  datagrams_waiting++;
  if (exchange.told && !std::exchange(exchange.datagram_told, true)) tell(DatagramReceived{.stream = exchange.stream});
}

/// Server: the request is there. What came between its opening and its head waits in the exchange already.
void Session::State::take_early_datagrams(Exchange& exchange) {
  std::vector<Slice> waiting;
  while (exchange.datagrams && !exchange.datagrams->empty()) {
    waiting.push_back(std::move(exchange.datagrams->front()));
    exchange.datagrams->pop();
    datagrams_waiting--;
  }
  for (auto& [stream, data] : early_datagrams) {
    if (stream == exchange.stream) waiting.push_back(std::move(data));
  }
  for (Slice& data : waiting) take_datagram(exchange, std::move(data));
  std::erase_if(early_datagrams, [&](const auto& each) { return each.first == exchange.stream; });
}

void Session::State::drop_datagrams(Exchange& exchange) {
  if (!exchange.datagrams) return;
  datagrams_waiting -= exchange.datagrams->size();
  exchange.datagrams.reset();
}

}  // namespace quoll::h3
