// qpack_interop: QPACK's offline interoperability tests (files: tests/qpack/offline.h).
//
//   qpack_interop encode QIF CAPACITY BLOCKED ACK        writes what our encoder makes of it to stdout
//   qpack_interop decode FILE CAPACITY BLOCKED [INITIAL] writes the lists as a .qif to stdout
//   qpack_interop table FOLDER                           compares our encoder's sizes with those of the encoders in FOLDER
//
// FOLDER holds qifs/NAME.qif and encoded/ENCODER/NAME.out.CAPACITY.BLOCKED.ACK. Exit codes: 0; 1 when something does not
// decode, or when a row of the table is above the best of the others; 2 for a wrong call.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "tests/qpack/offline.h"

namespace {

namespace fs = std::filesystem;
using namespace quoll;
using namespace quoll::qpack::tests;

std::optional<std::vector<uint8_t>> read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return {};
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(stream), {});
}

std::vector<uint8_t> need_file(const fs::path& path) {
  auto bytes = read_file(path);
  if (!bytes) {
    std::fprintf(stderr, "qpack_interop: %s cannot be read\n", path.c_str());
    std::exit(1);
  }
  return std::move(*bytes);
}

int fail(const std::string& what, const char* reason) {
  std::fprintf(stderr, "qpack_interop: %s: %s\n", what.c_str(), reason);
  return 1;
}

OfflineSettings settings_of(char** arguments) {
  return {.capacity = std::strtoull(arguments[0], nullptr, 10),
          .blocked_streams = std::strtoull(arguments[1], nullptr, 10),
          .acknowledged = arguments[2] && std::strtoull(arguments[2], nullptr, 10) != 0};
}

int encode(const char* path, OfflineSettings settings) {
  const auto text = need_file(path);
  const OfflineResult result = encode_offline(parse_qif(as_text(text)), settings);
  if (result.error) return fail(path, result.error);
  std::fwrite(result.file.data(), 1, result.file.size(), stdout);
  return 0;
}

int decode(const char* path, OfflineSettings settings, uint64_t initial_capacity) {
  const auto file = need_file(path);
  const OfflineDecoded result = decode_offline(file, settings, initial_capacity);
  if (result.error) return fail(path, result.error);
  for (const http::FieldSection& list : result.lists) {
    for (const http::FieldLine line : list) {
      std::printf("%.*s\t%.*s\n", static_cast<int>(line.name.size()), line.name.data(),
                  static_cast<int>(line.value.size()), line.value.data());
    }
    std::printf("\n");
  }
  return 0;
}

using Setting = std::tuple<std::string, uint64_t, uint64_t, uint64_t>;  // name of the lists, capacity, blocked, ack

/// Bytes of QPACK in a file, which has 12 more for each block. `keeps_limit`: false for an encoder that had more streams at
/// risk of blocking than it was allowed (RFC 9204 §2.1.2), which shows where nothing is acknowledged.
struct Size {
  uint64_t bytes = 0;
  bool keeps_limit = true;
};
using Sizes = std::map<std::string, Size>;  // by encoder

Size size_of(Bytes file, const Setting& setting) {
  const auto& [name, capacity, blocked, ack] = setting;
  Size size;
  uint64_t referencing = 0;
  bool any_instruction = false;
  for (const Block& block : parse_blocks(file).value_or(std::vector<Block>())) {
    size.bytes += block.bytes.size();
    if (block.stream_id != 0) {
      referencing += !block.bytes.empty() && block.bytes[0] != 0 ? 1 : 0;
    } else if (!block.bytes.empty() && !std::exchange(any_instruction, true) && block.bytes[0] >> 5 != 1) {
      // Some take the capacity for granted. RFC 9204 §3.2.2 does not; the instruction is added to be fair to the others.
      size.bytes += quoll::qpack::prefix_integer_size(5, capacity);
    }
  }
  size.keeps_limit = ack != 0 || referencing <= blocked;
  return size;
}

/// NAME.out.CAPACITY.BLOCKED.ACK
std::optional<Setting> parse_name(const std::string& name) {
  const size_t dot = name.find(".out.");
  unsigned long long capacity = 0, blocked = 0, ack = 0;
  if (dot == std::string::npos) return {};
  if (std::sscanf(name.c_str() + dot, ".out.%llu.%llu.%llu", &capacity, &blocked, &ack) != 3) return {};
  return Setting{name.substr(0, dot), capacity, blocked, ack};
}

std::string row(const Setting& setting, const Sizes& sizes, const std::set<std::string>& encoders, uint64_t ours,
                double& share) {
  std::string line = "| " + std::get<0>(setting) + " | " + std::to_string(std::get<1>(setting)) + " | " +
                     std::to_string(std::get<2>(setting)) + " | " + std::to_string(std::get<3>(setting)) + " | " +
                     std::to_string(ours) + " |";
  uint64_t best = UINT64_MAX;
  for (const std::string& encoder : encoders) {
    const auto found = sizes.find(encoder);
    if (found == sizes.end()) {
      line += " – |";
      continue;
    }
    const Size& size = found->second;
    line += " " + std::to_string(size.bytes) + (size.keeps_limit ? " |" : "\\* |");
    if (size.keeps_limit) best = std::min(best, size.bytes);
  }
  share = static_cast<double>(ours) / static_cast<double>(best);
  char ratio[32];
  std::snprintf(ratio, sizeof ratio, " %.3f |", share);
  return line + ratio;
}

int table(const fs::path& folder) {
  std::map<Setting, Sizes> rows;
  std::set<std::string> encoders;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "encoded")) {
    const auto setting = parse_name(entry.path().filename().string());
    if (!entry.is_regular_file() || !setting) continue;
    const std::string encoder = entry.path().parent_path().filename().string();
    encoders.insert(encoder);
    rows[*setting][encoder] = size_of(need_file(entry.path()), *setting);
  }
  std::printf("| lists | capacity | blocked | ack | Quoll |");
  for (const std::string& encoder : encoders) std::printf(" %s |", encoder.c_str());
  std::printf(" Quoll / best |\n|---|---|---|---|---|");
  for (size_t i = 0; i < encoders.size() + 1; i++) std::printf("---|");
  std::printf("\n");
  size_t behind = 0;
  for (const auto& [setting, sizes] : rows) {
    const auto& [name, capacity, blocked, ack] = setting;
    const auto text = need_file(folder / "qifs" / (name + ".qif"));
    const OfflineResult result = encode_offline(
        parse_qif(as_text(text)), {.capacity = capacity, .blocked_streams = blocked, .acknowledged = ack != 0});
    if (result.error) return fail(name, result.error);
    const uint64_t ours = result.encoder_stream_size + result.sections_size;
    double share = 0;
    std::printf("%s\n", row(setting, sizes, encoders, ours, share).c_str());
    behind += share > 1 ? 1 : 0;
  }
  if (behind != 0) std::fprintf(stderr, "qpack_interop: %zu of %zu rows are behind\n", behind, rows.size());
  return behind == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "encode" && argc == 6) return encode(argv[2], settings_of(argv + 3));
  if (command == "decode" && (argc == 5 || argc == 6)) {
    char* arguments[] = {argv[3], argv[4], nullptr};
    return decode(argv[2], settings_of(arguments), argc == 6 ? std::strtoull(argv[5], nullptr, 10) : 0);
  }
  if (command == "table" && argc == 3) return table(argv[2]);
  std::fprintf(stderr,
               "usage: qpack_interop encode QIF CAPACITY BLOCKED ACK\n"
               "       qpack_interop decode FILE CAPACITY BLOCKED [INITIAL_CAPACITY]\n"
               "       qpack_interop table FOLDER\n");
  return 2;
}
