// Decoding the QUIC packets of a capture from outside: whoever observes both directions, has a key log and learns the
// rest (connection ids, versions, cipher suites) from the packets.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quic/wire/packet_header.h"
#include "quic/wire/types.h"
#include "tests/vectors/capture.h"

namespace quoll::vectors {

/// Secrets of a connection by their labels; connections by client random, in hexadecimal.
using SecretsByLabel = std::map<std::string, std::vector<uint8_t>>;
using KeyLog = std::map<std::string, SecretsByLabel>;

/// Empty when there is no such file.
KeyLog read_key_log(const std::string& path);

struct DecodedPacket {
  enum class Kind : uint8_t {
    initial,
    zero_rtt,
    handshake,
    one_rtt,
    retry,
    version_negotiation,
    unknown_version,
    dropped,
  };
  Kind kind = Kind::dropped;
  bool has_keys = false;  // so it has to be opened
  bool opened = false;
  bool tag_is_wrong = false;  // of a Retry
  bool key_phase = false;
  bool destination_known = true;  // a short header's
  quic::PacketNumber number = 0;
  std::string destination{};  // hexadecimal
  std::string source{};
  std::vector<std::string> frames{};      // in the abbreviations of tshark
  std::optional<uint64_t> wrong_frame{};  // the type of the frame at which parsing ended
};

/// The packets of each datagram, in order.
std::vector<std::vector<DecodedPacket>> decode_capture(const Capture& capture, const KeyLog& keys);

}  // namespace quoll::vectors
