// *.pcap, *.pcapng: every QUIC packet of a capture is opened as far as NAME.keys reaches (Initial packets need none) and
// its frames are parsed; NAME.tshark.txt, a decode by tshark, has to agree. It shows the last packet of each datagram: type,
// connection ids, packet number, key phase, frames in order. index.json: how many frames each capture has.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "quic/wire/frame.h"
#include "tests/vectors/families.h"
#include "tests/vectors/quic_capture.h"

namespace quoll::vectors {
namespace {

namespace fs = std::filesystem;
using Kind = DecodedPacket::Kind;

/// What tshark says of a datagram.
struct Line {
  bool is_quic = false;
  std::string type{};
  std::optional<std::string> destination{};
  std::optional<std::string> source{};
  std::optional<uint64_t> number{};
  std::vector<std::string> frames{};
};

/// HTTP/3 frames stand among those of QUIC.
bool is_http3_frame(const std::string& word) {
  return word == "SETTINGS" || word == "HEADERS" || word == "DATA" || word == "PRIORITY_UPDATE" || word == "GOAWAY";
}

Line parse_line(const std::string& text) {
  Line line;
  const size_t http3 = text.find(" HTTP3 ");
  const size_t quic = http3 != std::string::npos ? http3 : text.find(" QUIC ");
  if (quic == std::string::npos) return line;
  line.is_quic = true;
  std::istringstream words(text.substr(quic + 1));
  std::string word;
  words >> word >> word >> std::ws;  // protocol, size
  for (bool first = true; std::getline(words, word, ','); words >> std::ws, first = false) {
    if (first) {
      line.type = word;
    } else if (word.starts_with("DCID=")) {
      line.destination = word.substr(5);
    } else if (word.starts_with("SCID=")) {
      line.source = word.substr(5);
    } else if (word.starts_with("PKN: ")) {
      line.number = std::stoull(word.substr(5));
    } else if (!is_http3_frame(word)) {
      line.frames.push_back(word);
    }
  }
  return line;
}

std::map<size_t, Line> read_lines(const fs::path& path) {
  std::map<size_t, Line> lines;
  std::ifstream stream(path);
  std::string text;
  while (std::getline(stream, text)) {
    const size_t number = std::strtoul(text.c_str(), nullptr, 10);
    if (number != 0) lines[number] = parse_line(text);
  }
  return lines;
}

std::string type_of(const DecodedPacket& packet) {
  switch (packet.kind) {
    case Kind::initial:
      return "Initial";
    case Kind::zero_rtt:
      return "0-RTT";
    case Kind::handshake:
      return "Handshake";
    case Kind::one_rtt:
      return packet.key_phase ? "Protected Payload (KP1)" : "Protected Payload (KP0)";
    case Kind::retry:
      return "Retry";
    case Kind::version_negotiation:
      return "Version Negotiation";
    case Kind::unknown_version:
      return "unknown version";
    case Kind::dropped:
      break;
  }
  return "dropped";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string text_of(const DecodedPacket& packet) {
  return type_of(packet) + " DCID=" + packet.destination + " SCID=" + packet.source +
         (packet.opened ? " PKN " + std::to_string(packet.number) + " " + joined(packet.frames) : " not opened");
}

std::string text_of(const Line& line) {
  return line.type + " DCID=" + line.destination.value_or("") + " SCID=" + line.source.value_or("") +
         (line.number ? " PKN " + std::to_string(*line.number) + " " + joined(line.frames) : " not opened");
}

/// Frames of drafts, at which parsing ends (RFC 9000 §12.4); tshark goes on.
bool is_of_a_draft(uint64_t frame_type) { return !quic::traits_of(quic::FrameType{frame_type}).known; }

bool agrees(const DecodedPacket& packet, const Line& line) {
  if (type_of(packet) != line.type) return false;
  const bool ids_agree = !packet.destination_known || (packet.destination == line.destination.value_or("") &&
                                                       packet.source == line.source.value_or(""));
  if (!line.number) return ids_agree;  // we may know more
  if (!ids_agree || !packet.opened || packet.number != *line.number) return false;
  if (!packet.wrong_frame) return packet.frames == line.frames;
  return packet.frames.size() < line.frames.size() &&
         std::equal(packet.frames.begin(), packet.frames.end(), line.frames.begin());
}

/// A packet by itself: what we have keys for opens, and its frames are right.
void check_packet(const DecodedPacket& packet, const std::string& what, Report& report) {
  if (packet.kind == Kind::retry) report.check(!packet.tag_is_wrong, what + " Retry integrity tag");
  if (!packet.has_keys) return;
  report.check(packet.opened, what + " is opened: " + text_of(packet));
  if (!packet.opened) return;
  if (packet.wrong_frame && is_of_a_draft(*packet.wrong_frame)) {
    report.differ(what, "holds a frame of a draft");
  } else {
    report.check(!packet.wrong_frame, what + " has frames as they should be: " + text_of(packet));
  }
}

/// Where tshark is wrong, by capture and frame.
const char* known_difference(const std::string& capture, size_t frame) {
  // The datagram ends in a short header, a packet number of at most four bytes and a tag: as little as there can be.
  if (capture == "spicy-interop-quicgo-zerortt.pcap" && frame == 79)
    return "tshark leaves out the last, shortest packet";
  return nullptr;
}

/// Why there is nothing to compare; null if there is.
const char* difference(const DecodedPacket& last, const Line& line) {
  if (last.kind == Kind::unknown_version)
    return "a version that is neither 1 nor 2, of which nothing more may be assumed";
  // It shows a number although the packet did not open: that of its guess about the keys.
  if (line.number && line.frames.empty() && last.opened && !last.frames.empty()) return "tshark did not open it";
  return nullptr;
}

void check_datagram(const std::vector<DecodedPacket>& packets, const Line& line, const std::string& what,
                    Report& report) {
  for (const DecodedPacket& packet : packets) check_packet(packet, what, report);
  if (!line.is_quic) return;
  if (packets.empty()) return report.check(false, what + " has no packet, not " + text_of(line));
  // Bytes behind the last packet may be padding of the datagram (RFC 9000 §12.2 ignores them), which tshark skips, too.
  const auto dropped = [](const DecodedPacket& packet) { return packet.kind == Kind::dropped; };
  const auto found = std::find_if_not(packets.rbegin(), packets.rend(), dropped);
  const DecodedPacket& last = found == packets.rend() ? packets.back() : *found;
  if (const char* reason = difference(last, line)) {
    const bool ids_agree =
        last.destination == line.destination.value_or("") && last.source == line.source.value_or(last.source);
    report.check(ids_agree, what + ": " + text_of(last) + ", not " + text_of(line));
    return report.differ(what, reason);
  }
  report.check(agrees(last, line), what + ": " + text_of(last) + ", not " + text_of(line));
}

}  // namespace

bool is_capture(const fs::path& path) { return path.extension() == ".pcap" || path.extension() == ".pcapng"; }

bool belongs_to_capture(const fs::path& path) {
  const std::string name = path.string();
  for (const std::string ending : {".keys", ".tshark.txt"}) {
    if (!name.ends_with(ending)) continue;
    const std::string stem = name.substr(0, name.size() - ending.size());
    if (fs::exists(stem + ".pcap") || fs::exists(stem + ".pcapng")) return true;
  }
  return false;
}

void run_capture(const fs::path& path, Report& report) {
  const Capture capture = read_capture(path.string());
  const std::string stem = fs::path(path).replace_extension().string();
  const auto lines = read_lines(stem + ".tshark.txt");
  const auto decoded = decode_capture(capture, read_key_log(stem + ".keys"));
  if (!lines.empty()) report.check(lines.size() == capture.frames, "the number of frames");
  for (size_t i = 0; i < decoded.size(); i++) {
    const size_t number = capture.datagrams[i].number;
    const auto found = lines.find(number);
    const char* reason = known_difference(path.filename().string(), number);
    const Line line = found == lines.end() || reason ? Line{} : found->second;
    const std::string what = "frame " + std::to_string(number);
    check_datagram(decoded[i], line, what, report);
    if (reason) report.differ(what, reason);
  }
}

bool is_capture_index(const json& file) {
  return file.is_array() && !file.empty() && file.front().is_object() && file.front().contains("file") &&
         file.front().contains("packets");
}

void run_capture_index(const fs::path& path, const json& file, Report& report) {
  for (const json& entry : file) {
    const auto name = entry.at("file").get<std::string>();
    const Capture capture = read_capture((path.parent_path() / name).string());
    report.check(capture.frames == entry.at("packets").get<size_t>(), name + " has all its frames");
  }
}

}  // namespace quoll::vectors
