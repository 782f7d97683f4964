// h3::CapsuleReader: the first byte chooses how the rest is cut, and the limit of a value. However that is, the capsules are
// the same; each is written again and reads the same. The rest is taken as a datagram, too.
#include "h3/capsule.h"

#include "h3/error.h"

using namespace quoll;
using namespace quoll::h3;

namespace {

using Capsules = std::vector<std::pair<CapsuleType, std::vector<uint8_t>>>;

struct Outcome {
  Capsules capsules;
  bool at_boundary = false;
  uint64_t dropped = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read_all(Bytes stream, size_t step, size_t limit) {
  CapsuleReader reader(limit);
  Outcome outcome;
  while (!stream.empty()) {
    Bytes piece = stream.first(std::min(step, stream.size()));
    stream = stream.subspan(piece.size());
    while (const std::optional<Capsule> capsule = reader.read(piece)) {
      QUOLL_CHECK(capsule->value.size() <= limit);
      outcome.capsules.push_back({capsule->type, {capsule->value.begin(), capsule->value.end()}});
    }
    QUOLL_CHECK(piece.empty());
  }
  outcome.at_boundary = reader.is_at_boundary();
  outcome.dropped = reader.dropped();
  return outcome;
}

void check_datagram(Bytes input) {
  const Result<DatagramHeader> header = parse_datagram(input);
  if (!header) {
    QUOLL_CHECK(header.error().code == static_cast<uint64_t>(ErrorCode::datagram_error));
    return;
  }
  QUOLL_CHECK(header->stream % 4 == 0 && header->stream <= kVarintMax && header->size <= input.size());
  uint8_t room[kVarintMaxSize];
  write_datagram_header(room, header->stream);
  const Result<DatagramHeader> again = parse_datagram(Bytes(room).first(datagram_header_size(header->stream)));
  QUOLL_CHECK(again && again->stream == header->stream && again->size <= header->size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes stream = Bytes(data, size).subspan(1);
  const size_t limit = (data[0] & 1) != 0 ? 4 : 64;
  const Outcome whole = read_all(stream, size, limit);
  QUOLL_CHECK(read_all(stream, 1 + data[0] / 8, limit) == whole);
  std::vector<uint8_t> written;
  for (const auto& [type, value] : whole.capsules) write_capsule(written, type, value);
  const Outcome again = read_all(written, size, limit);
  QUOLL_CHECK(again.capsules == whole.capsules && again.at_boundary && again.dropped == 0);
  check_datagram(stream);
  return 0;
}
