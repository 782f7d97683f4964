// quic::AddressTokens with tokens from outside. The first byte chooses: bytes of a stranger, as they are and behind the
// mark and salt of a real token; or a real token with one change. Only what was made is taken, from whom it was made for.
#include "quic/endpoint/address_token.h"

#include <algorithm>

#include "base/check.h"

using namespace quoll;
using namespace quoll::quic;

namespace {

using Kind = AddressTokens::Verdict::Kind;

constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

/// The salts of tokens, without any randomness.
class FixedRng final : public Rng {
 public:
  void fill(MutBytes out) override { std::ranges::fill(out, uint8_t{0x5a}); }
};

struct Server {
  FixedRng rng;
  AddressTokens tokens{crypto::best(), FleetKeys(crypto::best(), FleetSecret()), rng, {}};
  SocketAddress client{.ip = IpAddress::v4({192, 0, 2, 1}), .port = 4433};
  ConnectionId original = ConnectionId(as_bytes("original")), source = ConnectionId(as_bytes("of retry"));

  std::vector<uint8_t> make(bool retry) {
    if (!retry) return tokens.new_token(kNow, client.ip, Version::v1);
    return tokens.retry_token(
        kNow, {.client = client, .version = Version::v1, .original_destination = original, .retry_source = source});
  }
  AddressTokens::Verdict judge(Bytes token) {
    return tokens.judge(kNow, {.client = client, .version = Version::v1, .destination = source, .token = token});
  }
};

void refuses(Server& server, Bytes token) {
  const Kind kind = server.judge(token).kind;
  QUOLL_CHECK(kind == Kind::none || kind == Kind::invalid_retry);
}

void stranger(Server& server, Bytes input) {
  refuses(server, input);
  for (const bool retry : {false, true}) {
    const std::vector<uint8_t> real = server.make(retry);
    if (std::ranges::equal(real, input)) return;
    // Its beginning, and the input instead of its end.
    std::vector<uint8_t> mixed = real;
    const size_t size = std::min(input.size(), real.size() - 1);
    copy_bytes(mixed.data() + mixed.size() - size, input.first(size));
    if (mixed != real) refuses(server, mixed);
    mixed.insert(mixed.end(), input.begin(), input.end());
    if (mixed != real) refuses(server, mixed);
  }
}

/// input: position, what to XOR there; nothing or zero leaves the token good.
void changed(Server& server, bool retry, Bytes input) {
  std::vector<uint8_t> token = server.make(retry);
  const std::vector<uint8_t> real = token;
  for (size_t i = 0; i + 1 < input.size(); i += 2) token[input[i] % token.size()] ^= input[i + 1];
  if (token != real) {
    refuses(server, token);
    return;
  }
  const AddressTokens::Verdict verdict = server.judge(token);
  QUOLL_CHECK(verdict.kind == (retry ? Kind::retry : Kind::new_token));
  QUOLL_CHECK(!retry || verdict.original_destination == server.original);
  QUOLL_CHECK((server.judge(token).kind == Kind::retry) == retry);  // the other kind is good once
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Server server;
  const Bytes input = Bytes(data, size).subspan(1);
  switch (data[0] % 3) {
    case 0:
      stranger(server, input);
      break;
    case 1:
      changed(server, false, input);
      break;
    default:
      changed(server, true, input);
      break;
  }
  return 0;
}
