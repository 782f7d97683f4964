// qpack/qifs and qpack/encoded: header lists, and what encoders made of them (formats: tests/qpack/offline.h). What an
// encoder made must decode to its list; and a list must survive our encoder and our decoder under all settings.
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/qpack/offline.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {

namespace {

namespace fs = std::filesystem;
using namespace quoll::qpack::tests;

std::vector<uint8_t> read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error(path.string() + " cannot be opened");
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(stream), {});
}

/// NAME.out.CAPACITY.BLOCKED.ACK
struct EncodedName {
  std::string lists;
  OfflineSettings settings;
};
std::optional<EncodedName> parse_name(const std::string& name) {
  const size_t dot = name.find(".out.");
  if (dot == std::string::npos) return {};
  unsigned long long capacity = 0, blocked = 0, ack = 0;
  if (std::sscanf(name.c_str() + dot, ".out.%llu.%llu.%llu", &capacity, &blocked, &ack) != 3) return {};
  return EncodedName{.lists = name.substr(0, dot),
                     .settings = {.capacity = capacity, .blocked_streams = blocked, .acknowledged = ack != 0}};
}

/// The capacity that the encoder took for granted, as the index beside the folder says; empty when there is no index.
std::optional<uint64_t> initial_capacity(const fs::path& path) {
  const fs::path folder = path.parent_path().parent_path().parent_path();
  std::ifstream stream(folder / "index.json");
  if (!stream) return {};
  const std::string file = fs::relative(path, folder).generic_string();
  for (const json& entry : json::parse(stream)) {
    if (entry.at("file").get<std::string>() == file) return entry.at("initial_capacity").get<uint64_t>();
  }
  return {};
}

void run_encoded(const fs::path& path, Report& report) {
  const EncodedName name = parse_name(path.filename().string()).value();
  const std::vector<uint8_t> file = read_file(path);
  const fs::path folder = path.parent_path().parent_path().parent_path();
  const std::vector<uint8_t> text = read_file(folder / "qifs" / (name.lists + ".qif"));
  const std::vector<http::FieldSection> lists = parse_qif(as_text(text));
  const auto initial = initial_capacity(path);
  OfflineDecoded decoded = decode_offline(file, name.settings, initial.value_or(0));
  if (decoded.error && !initial) decoded = decode_offline(file, name.settings, name.settings.capacity);
  report.check(!decoded.error, decoded.error ? decoded.error : "");
  report.check(decoded.lists.size() == lists.size(), "number of lists");
  for (size_t i = 0; i < std::min(lists.size(), decoded.lists.size()); i++) {
    report.check(decoded.lists[i] == lists[i], "list " + std::to_string(i + 1));
  }
}

void run_qif(const fs::path& path, Report& report) {
  const std::vector<uint8_t> text = read_file(path);
  const std::vector<http::FieldSection> lists = parse_qif(as_text(text));
  for (const uint64_t capacity : {0, 31, 220, 256, 512, 4096, 65536}) {
    for (const uint64_t blocked : {0, 1, 100}) {
      for (const bool acknowledged : {false, true}) {
        const OfflineSettings settings = {capacity, blocked, acknowledged};
        const OfflineResult encoded = encode_offline(lists, settings);
        const OfflineDecoded decoded = decode_offline(encoded.file, settings, 0);
        const bool same = !encoded.error && !decoded.error && decoded.lists == lists;
        report.check(same, "encoded and decoded with " + std::to_string(capacity) + "." + std::to_string(blocked) +
                               (acknowledged ? ".1" : ".0"));
      }
    }
  }
}

}  // namespace

bool is_qpack_file(const fs::path& path) {
  return path.extension() == ".qif" || parse_name(path.filename().string()).has_value();
}

void run_qpack_file(const fs::path& path, Report& report) {
  path.extension() == ".qif" ? run_qif(path, report) : run_encoded(path, report);
}

bool is_qpack_index(const json& file) {
  return file.is_array() && !file.empty() && file.front().is_object() && file.front().contains("file") &&
         file.front().contains("initial_capacity");
}

void run_qpack_index(const fs::path& path, const json& file, Report& report) {
  for (const json& entry : file) {
    const auto name = entry.at("file").get<std::string>();
    std::error_code error;
    const auto size = fs::file_size(path.parent_path() / name, error);
    report.check(!error && size == entry.at("bytes").get<uint64_t>(), name);
  }
}

}  // namespace quoll::vectors
