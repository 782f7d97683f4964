#include "tests/vectors/capture.h"

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>

#include "base/reader.h"

namespace quoll::vectors {
namespace {

constexpr uint16_t kIpv4 = 0x0800;
constexpr uint16_t kIpv6 = 0x86dd;
constexpr uint16_t kVlan = 0x8100;
constexpr uint8_t kUdp = 17;

/// Link types of both formats.
enum class Link : uint32_t { null = 0, ethernet = 1, ppp = 9, raw_12 = 12, raw = 101, linux_cooked = 113 };

/// Integers of a file whose byte order it says itself.
class FileReader {
 public:
  FileReader(Bytes bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}
  size_t remaining() const { return bytes_.size() - position_; }
  uint16_t u16() { return integer<uint16_t>(); }
  uint32_t u32() { return integer<uint32_t>(); }
  Bytes take(size_t size) {
    if (size > remaining()) throw std::runtime_error("a capture that is cut short");
    position_ += size;
    return bytes_.subspan(position_ - size, size);
  }

 private:
  template <class T>
  T integer() {
    const Bytes bytes = take(sizeof(T));
    return big_endian_ ? load_be<T>(bytes.data()) : load_le<T>(bytes.data());
  }

  Bytes bytes_;
  bool big_endian_;
  size_t position_ = 0;
};

UdpEndpoint endpoint_of(Bytes address, Bytes port) {
  UdpEndpoint endpoint(address.begin(), address.end());
  endpoint.insert(endpoint.end(), port.begin(), port.end());
  return endpoint;
}

std::optional<CapturedDatagram> parse_udp(Bytes source, Bytes destination, Bytes packet) {
  Reader reader(packet);
  const Bytes source_port = reader.bytes(2);
  const Bytes destination_port = reader.bytes(2);
  const size_t size = reader.u16();
  reader.skip(2);
  const Bytes payload = reader.bytes(size < 8 ? 0 : size - 8);
  if (!reader.ok()) return {};  // cut short by the capture
  return CapturedDatagram{.source = endpoint_of(source, source_port),
                          .destination = endpoint_of(destination, destination_port),
                          .payload = {payload.begin(), payload.end()}};
}

std::optional<CapturedDatagram> parse_ip(Bytes packet) {
  if (packet.empty()) return {};
  Reader reader(packet);
  if (packet[0] >> 4 == 4) {
    const size_t header_size = size_t{4} * (packet[0] & 0x0f);
    reader.skip(6);
    const uint16_t fragment = reader.u16();
    reader.skip(1);
    const uint8_t protocol = reader.u8();
    reader.skip(2);
    const Bytes source = reader.bytes(4);
    const Bytes destination = reader.bytes(4);
    reader.skip(header_size < 20 ? 0 : header_size - 20);
    if (!reader.ok() || protocol != kUdp || (fragment & 0x3fff) != 0) return {};
    return parse_udp(source, destination, reader.rest());
  }
  if (packet[0] >> 4 != 6) return {};
  reader.skip(6);
  const uint8_t protocol = reader.u8();
  reader.skip(1);
  const Bytes source = reader.bytes(16);
  const Bytes destination = reader.bytes(16);
  if (!reader.ok() || protocol != kUdp) return {};
  return parse_udp(source, destination, reader.rest());
}

std::optional<CapturedDatagram> parse_frame(Link link, Bytes frame) {
  Reader reader(frame);
  switch (link) {
    case Link::linux_cooked:
    case Link::ethernet: {
      reader.skip(link == Link::ethernet ? 12 : 14);
      uint16_t type = reader.u16();
      if (type == kVlan) {
        reader.skip(2);
        type = reader.u16();
      }
      return reader.ok() && (type == kIpv4 || type == kIpv6) ? parse_ip(reader.rest()) : std::nullopt;
    }
    case Link::ppp:
      if (frame.size() > 1 && frame[0] == 0xff && frame[1] == 0x03) reader.skip(2);
      reader.skip(2);
      return reader.ok() ? parse_ip(reader.rest()) : std::nullopt;
    case Link::null:
      reader.skip(4);
      return reader.ok() ? parse_ip(reader.rest()) : std::nullopt;
    case Link::raw_12:
    case Link::raw:
      return parse_ip(frame);
  }
  throw std::runtime_error("a capture of a link type that is not known");
}

void add_frame(Capture& capture, Link link, Bytes frame) {
  capture.frames++;
  auto datagram = parse_frame(link, frame);
  if (!datagram) return;
  datagram->number = capture.frames;
  capture.datagrams.push_back(std::move(*datagram));
}

Capture read_pcap(Bytes file, bool big_endian) {
  FileReader reader(file, big_endian);
  reader.take(20);
  const Link link{reader.u32() & 0xffff};
  Capture capture;
  while (reader.remaining() != 0) {
    reader.take(8);
    const size_t size = reader.u32();
    reader.take(4);
    add_frame(capture, link, reader.take(size));
  }
  return capture;
}

Capture read_pcapng(Bytes file) {
  constexpr uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kEnhancedPacket = 6;
  FileReader reader(file, /*big_endian=*/false);
  Capture capture;
  std::vector<Link> links;
  while (reader.remaining() != 0) {
    const uint32_t type = reader.u32();
    const uint32_t size = reader.u32();
    if (size < 12 || size % 4 != 0) throw std::runtime_error("a pcapng block of a wrong size");
    FileReader block(reader.take(size - 12), false);
    reader.take(4);
    if (type == kSection) {
      if (block.u32() != 0x1a2b3c4d) throw std::runtime_error("a pcapng file in big-endian order");
      links.clear();
    } else if (type == kInterface) {
      links.push_back(Link{block.u16()});
    } else if (type == kEnhancedPacket) {
      const uint32_t interface = block.u32();
      block.take(8);
      const size_t captured = block.u32();
      block.take(4);
      add_frame(capture, links.at(interface), block.take(captured));
    }
  }
  return capture;
}

}  // namespace

Capture read_capture(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot be opened");
  const std::vector<uint8_t> file(std::istreambuf_iterator<char>(stream), {});
  if (file.size() < 24) throw std::runtime_error("no capture");
  switch (load_le<uint32_t>(file.data())) {
    case 0xa1b2c3d4:
    case 0xa1b23c4d:
      return read_pcap(file, false);
    case 0xd4c3b2a1:
    case 0x4d3cb2a1:
      return read_pcap(file, true);
    case 0x0a0d0d0a:
      return read_pcapng(file);
    default:
      throw std::runtime_error("no capture");
  }
}

}  // namespace quoll::vectors
