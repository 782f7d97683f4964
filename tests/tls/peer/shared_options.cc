#include "tests/tls/peer/shared_options.h"

#include "base/hex.h"

namespace quoll::tls::peer {

std::set<std::string_view> with_shared_options(std::set<std::string_view> own) {
  own.insert({"--suites", "--groups", "--signatures", "--alpn", "--cert", "--key", "--psk-identity", "--psk",
              "--keylog", "--export", "--send", "--send-size", "--records-per-key", "--padding", "--time-limit"});
  return own;
}

StreamOptions stream_options(const Arguments& arguments) {
  return {.records_per_key = arguments.number("--records-per-key", kRecordsPerKey),
          .padding_multiple = arguments.number("--padding", 1)};
}

std::chrono::seconds time_limit(const Arguments& arguments) {
  return std::chrono::seconds(arguments.number("--time-limit", 20));
}

std::vector<uint8_t> data_to_send(const Arguments& arguments) {
  const std::string text = arguments.text("--send");
  std::vector<uint8_t> data(text.begin(), text.end());
  const uint64_t size = arguments.number("--send-size", 0);
  data.reserve(data.size() + size);
  for (uint64_t i = 0; i < size; i++) data.push_back(static_cast<uint8_t>('a' + (i * 7 + i / 1000) % 26));
  return data;
}

void report_export(const Arguments& arguments, const Stream& stream) {
  if (!arguments.has("--export")) return;
  const std::string wanted = arguments.text("--export");
  const size_t colon = wanted.rfind(':');
  if (colon == std::string::npos) usage_failure("--export wants LABEL:SIZE");
  std::vector<uint8_t> keying_material(std::stoul(wanted.substr(colon + 1)));
  const auto exported = stream.export_keying_material(wanted.substr(0, colon), {}, keying_material);
  print("export", exported ? to_hex(keying_material) : "refused");
}

}  // namespace quoll::tls::peer
