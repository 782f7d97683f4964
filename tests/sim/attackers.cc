#include "tests/sim/attackers.h"

#include <algorithm>

#include "quic/wire/packet_header.h"

namespace quoll::sim {
namespace {

void append(std::vector<uint8_t>& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
void append_u32(std::vector<uint8_t>& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

SocketAddress someone_else(Rng& rng) {
  return {.ip = IpAddress::v4({203, 0, 113, static_cast<uint8_t>(rng.below(250) + 1)}),
          .port = static_cast<uint16_t>(1024 + rng.below(60'000))};
}

}  // namespace

void Replayer::pass(Instant now, Datagram datagram, Exit& exit) {
  if (datagram.origin == Origin::sent) {
    if (kept_.size() < kKept) {
      kept_.push_back(datagram);
    } else {
      kept_[chance_.below(kKept)] = datagram;
    }
  }
  exit.forward(now, std::move(datagram));
  if (kept_.empty() || !chance_.draw()) return;
  Datagram copy = kept_[chance_.below(kept_.size())];
  copy.origin = Origin::replayed;
  copy.sent = now;
  if (chance_.below(8) == 0) copy.source = someone_else(chance_.rng());
  replayed_++;
  exit.note(copy, "replayed");
  exit.forward(now + Duration::microseconds(static_cast<int64_t>(chance_.below(2'000'000))), std::move(copy));
}

void Eavesdropper::pass(Instant now, Datagram datagram, Exit& exit) {
  const auto header = quic::parse_invariant_header(datagram.bytes, 0);
  if (header && header->long_header && datagram.origin == Origin::sent && datagram.intact) {
    heard_->version = static_cast<uint32_t>(header->version);
    heard_->server_id.assign(header->destination.begin(), header->destination.end());
    heard_->client_id.assign(header->source.begin(), header->source.end());
  }
  exit.forward(now, std::move(datagram));
}

void Forger::pass(Instant now, Datagram datagram, Exit& exit) {
  std::optional<Datagram> forged;
  if (datagram.origin == Origin::sent && chance_.draw()) {
    forged = datagram;
    forged->bytes = forge(datagram);
    forged->origin = Origin::forged;
    forged->intact = false;
    if (chance_.below(4) == 0) forged->source = someone_else(chance_.rng());
    forged_++;
    exit.note(*forged, "forged");
  }
  const bool before = chance_.below(2) == 0;
  if (forged && before) exit.forward(now, std::move(*forged));
  exit.forward(now, std::move(datagram));
  if (forged && !before) exit.forward(now, std::move(*forged));
}

std::vector<uint8_t> Forger::random_bytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  chance_.rng().fill(bytes);
  return bytes;
}

std::vector<uint8_t> Forger::forge(const Datagram& like) {
  // Nothing protects Version Negotiation: a changed one would be believed, and rightly so.
  const bool unprotected =
      packet_name(Bytes(like.bytes).first(std::min<size_t>(5, like.bytes.size()))) == "Version Negotiation";
  switch (unprotected ? chance_.below(2) : chance_.below(7)) {
    case 0:
      return random_bytes(1 + chance_.below(1500));
    case 1: {  // noise of the right form, such as a stateless reset with a wrong token
      std::vector<uint8_t> noise = random_bytes(21 + chance_.below(40));
      noise[0] = static_cast<uint8_t>((noise[0] & 0x3f) | 0x40);
      return noise;
    }
    case 2: {  // a true header, and nothing true behind it
      std::vector<uint8_t> changed = like.bytes;
      for (size_t i = std::min<size_t>(changed.size(), 1 + chance_.below(64)); i < changed.size(); i++) {
        changed[i] = static_cast<uint8_t>(chance_.below(256));
      }
      return changed;
    }
    case 3: {  // the last bit only: everything is true but the tag
      std::vector<uint8_t> changed = like.bytes;
      if (!changed.empty()) changed.back() ^= 1;
      return changed;
    }
    case 4:
      return retry();
    case 5:
      return version_negotiation(true);
    case 6:
      return version_negotiation(false);
  }
  return {};
}

std::vector<uint8_t> Forger::retry() {
  const bool v2 = heard_->version == static_cast<uint32_t>(quic::Version::v2);
  std::vector<uint8_t> packet = {static_cast<uint8_t>(0xc0 | (v2 ? 0x00 : 0x30) | chance_.below(16))};
  append_u32(packet, heard_->version);
  packet.push_back(static_cast<uint8_t>(heard_->client_id.size()));
  append(packet, heard_->client_id);
  packet.push_back(8);
  append(packet, random_bytes(8 + 40 + 16));  // a connection id, a token, a tag
  return packet;
}

/// With true connection ids it lists the version in use, so it must be ignored (RFC 9000 §6.2); with others it may say
/// anything.
std::vector<uint8_t> Forger::version_negotiation(bool true_ids) {
  std::vector<uint8_t> packet = {static_cast<uint8_t>(0x80 | chance_.below(128)), 0, 0, 0, 0};
  const std::vector<uint8_t> destination = true_ids ? heard_->client_id : random_bytes(8);
  packet.push_back(static_cast<uint8_t>(destination.size()));
  append(packet, destination);
  const std::vector<uint8_t> source = true_ids ? heard_->server_id : random_bytes(8);
  packet.push_back(static_cast<uint8_t>(source.size()));
  append(packet, source);
  append_u32(packet, 0x1a2a3a4a);
  if (true_ids) append_u32(packet, heard_->version);
  append_u32(packet, 0xfaceb00c);
  return packet;
}

}  // namespace quoll::sim
