// Attackers, as elements of a link: they see what passes and add datagrams of their own, which no endpoint may believe.
// They never hold back what they see (a link's losses do that), so a scenario with attackers must end like one without.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/elements.h"

namespace quoll::sim {

/// Keeps what passed and sends it again later, as it was or from another address (RFC 9000 §21.3, §9.3.3).
class Replayer final : public Element {
 public:
  static constexpr size_t kKept = 64;

  Replayer(uint64_t seed, uint32_t ppm) : chance_(seed, ppm) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;
  uint64_t replayed() const { return replayed_; }

 private:
  Chance chance_;
  std::vector<Datagram> kept_;
  uint64_t replayed_ = 0;
};

/// What an attacker on the path has read in the client's first packets.
struct Eavesdropped {
  std::vector<uint8_t> client_id, server_id;  // connection ids of the client's last Initial: source, destination
  uint32_t version = 0;
};

/// Notes the connection ids that pass towards the server.
class Eavesdropper final : public Element {
 public:
  explicit Eavesdropper(std::shared_ptr<Eavesdropped> heard) : heard_(std::move(heard)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;

 private:
  std::shared_ptr<Eavesdropped> heard_;
};

/// Forges datagrams like those that pass: garbage behind a true header, a Retry with a wrong tag, Version Negotiation that
/// cannot be true, a reset with a wrong token, noise.
class Forger final : public Element {
 public:
  Forger(uint64_t seed, uint32_t ppm, std::shared_ptr<const Eavesdropped> heard)
      : chance_(seed, ppm), heard_(std::move(heard)) {}
  void pass(Instant now, Datagram datagram, Exit& exit) override;
  uint64_t forged() const { return forged_; }

 private:
  std::vector<uint8_t> forge(const Datagram& like);
  std::vector<uint8_t> random_bytes(size_t size);
  std::vector<uint8_t> retry();
  std::vector<uint8_t> version_negotiation(bool true_ids);

  Chance chance_;
  std::shared_ptr<const Eavesdropped> heard_;
  uint64_t forged_ = 0;
};

}  // namespace quoll::sim
