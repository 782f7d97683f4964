// A program of others over quoll::quic: begins a connection and shows its first datagram.
#define CHECK(x) this name belongs to the program
#define DCHECK(x) and this one too

#include <quoll/quic/endpoint/endpoint.h>

#include <cstdio>
#include <cstring>

struct CountingRng final : quoll::Rng {
  uint8_t next = 0;
  void fill(quoll::MutBytes out) override {
    for (uint8_t& byte : out) byte = next++;
  }
};

int main() {
  using namespace quoll;
  auto tls = std::make_shared<tls::ClientConfig>();
  tls->application_protocols = {"test"};
  tls->verification = tls::PeerVerification::none;
  auto client = std::make_shared<quic::ClientConfig>();
  client->tls = tls;
  quic::EndpointConfig config;
  config.wall_clock = [](Instant) { return UnixTime::from_seconds(1'800'000'000); };
  CountingRng rng;
  quic::Endpoint endpoint(config, crypto::best(), rng);
  const Path path{.local = {}, .remote = *SocketAddress::parse("192.0.2.1:443")};
  if (!endpoint.connect(Instant(), client, path, {.server_name = "example.com"})) return 1;
  uint8_t memory[1500];
  const auto transmit = endpoint.poll_transmit(Instant(), memory);
  if (!transmit) return 1;
  std::printf("%zu bytes\n", transmit->bytes.size());
  return transmit->bytes.size() >= 1200 ? 0 : 1;
}
