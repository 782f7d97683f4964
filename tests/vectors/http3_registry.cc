// tables/http3_registry.json: our numbers of HTTP/3 by the registry's names, and what is reserved.
#include <cstdlib>

#include "h3/capsule.h"
#include "h3/error.h"
#include "h3/frame.h"
#include "h3/settings.h"
#include "h3/stream_type.h"
#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

/// "0x0c (RFC 9412)" is 12.
uint64_t number_of(const json& value) { return std::strtoull(value.get<std::string>().c_str(), nullptr, 16); }

void check_number(const json& table, const char* name, uint64_t ours, Report& report) {
  report.check(number_of(table.at(name)) == ours, std::string(name) + " has our number");
}

void run_frames(const json& table, Report& report) {
  using h3::FrameType;
  for (const FrameType type : {FrameType::data, FrameType::headers, FrameType::cancel_push, FrameType::settings,
                               FrameType::push_promise, FrameType::goaway, FrameType::max_push_id}) {
    const std::string name(h3::name_of(type));
    check_number(table, name.c_str(), static_cast<uint64_t>(type), report);
  }
  check_number(table, "PRIORITY_UPDATE_request", static_cast<uint64_t>(FrameType::priority_update_request), report);
  check_number(table, "PRIORITY_UPDATE_push", static_cast<uint64_t>(FrameType::priority_update_push), report);
  for (const json& reserved : table.at("reserved_h2")) {
    const FrameType type{number_of(reserved)};
    bool refused = true;
    for (const h3::Role receiver : {h3::Role::client, h3::Role::server}) {
      refused &= !h3::check_frame(type, h3::StreamKind::control, receiver);
      refused &= !h3::check_frame(type, h3::StreamKind::request, receiver);
      refused &= !h3::check_frame(type, h3::StreamKind::push, receiver);
    }
    report.check(refused, "frame type " + reserved.get<std::string>() + " of HTTP/2 is refused everywhere");
  }
}

void run_settings(const json& table, Report& report) {
  using h3::SettingId;
  check_number(table, "SETTINGS_QPACK_MAX_TABLE_CAPACITY", static_cast<uint64_t>(SettingId::qpack_max_table_capacity),
               report);
  check_number(table, "SETTINGS_MAX_FIELD_SECTION_SIZE", static_cast<uint64_t>(SettingId::max_field_section_size),
               report);
  check_number(table, "SETTINGS_QPACK_BLOCKED_STREAMS", static_cast<uint64_t>(SettingId::qpack_blocked_streams),
               report);
  check_number(table, "SETTINGS_ENABLE_CONNECT_PROTOCOL", static_cast<uint64_t>(SettingId::enable_connect_protocol),
               report);
  check_number(table, "SETTINGS_H3_DATAGRAM", static_cast<uint64_t>(SettingId::h3_datagram), report);
  for (const json& reserved : table.at("reserved_h2 (error H3_SETTINGS_ERROR)")) {
    const uint8_t payload[] = {static_cast<uint8_t>(number_of(reserved)), 0};
    const Result<h3::Settings> parsed = h3::Settings::parse(payload);
    report.check(!parsed && parsed.error().code == static_cast<uint64_t>(h3::ErrorCode::settings_error),
                 "setting " + reserved.get<std::string>() + " of HTTP/2 is refused");
  }
}

void run_registry(const json& file, Report& report) {
  run_frames(file.at("frames"), report);
  run_settings(file.at("settings"), report);
  const json& types = file.at("stream_types");
  check_number(types, "control", static_cast<uint64_t>(h3::StreamType::control), report);
  check_number(types, "push", static_cast<uint64_t>(h3::StreamType::push), report);
  check_number(types, "qpack_encoder", static_cast<uint64_t>(h3::StreamType::qpack_encoder), report);
  check_number(types, "qpack_decoder", static_cast<uint64_t>(h3::StreamType::qpack_decoder), report);
  check_number(file.at("capsules"), "DATAGRAM", static_cast<uint64_t>(h3::CapsuleType::datagram), report);
  for (const auto& [name, number] : file.at("errors").items()) {
    report.check(h3::name_of(number_of(number)) == name, name + " is the name of its number");
  }
}

}  // namespace

Handler http3_registry_handler(const json& file) {
  return file.is_object() && file.contains("stream_types") && file.contains("capsules") ? run_registry : nullptr;
}

}  // namespace quoll::vectors
