// h3::Settings: a payload that is taken is written again and reads the same, alone and with a reserved setting beside it; it
// stays taken without its last setting, and is refused with that setting twice. Errors are the three that there are.
#include "h3/settings.h"

#include "base/reader.h"
#include "h3/error.h"
#include "h3/stream_type.h"

using namespace quoll;
using namespace quoll::h3;

namespace {

bool has_code(const Result<Settings>& settings, ErrorCode code) {
  return !settings && settings.error().domain == ErrorDomain::application &&
         settings.error().code == static_cast<uint64_t>(code);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes payload(data, size);
  const Result<Settings> settings = Settings::parse(payload);
  if (!settings) {
    QUOLL_CHECK(has_code(settings, ErrorCode::settings_error) || has_code(settings, ErrorCode::frame_error) ||
                has_code(settings, ErrorCode::excessive_load));
    return 0;
  }
  std::vector<uint8_t> written;
  settings->write(written);
  QUOLL_CHECK(Settings::parse(written) == *settings);
  written.clear();
  settings->write(written, std::pair(reserved_id(size), kVarintMax));
  QUOLL_CHECK(Settings::parse(written) == *settings);
  QUOLL_CHECK(check_compatible(*settings, *settings));

  Reader reader(payload);
  size_t last = 0;
  while (reader.remaining() != 0) {
    last = reader.position();
    reader.varint();
    reader.varint();
  }
  QUOLL_CHECK(reader.finished());
  if (payload.empty()) return 0;
  QUOLL_CHECK(Settings::parse(payload.first(last)));
  std::vector<uint8_t> twice(payload.begin(), payload.end());
  twice.insert(twice.end(), payload.begin() + last, payload.end());
  const Result<Settings> refused = Settings::parse(twice);
  QUOLL_CHECK(has_code(refused, ErrorCode::settings_error) || has_code(refused, ErrorCode::excessive_load));
  return 0;
}
