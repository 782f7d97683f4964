// The definitions of draft-ietf-quic-qlog-main-schema and draft-ietf-quic-qlog-quic-events, copied by hand from their CDDL
// into tables, and a checker of JSON against them: members that must be there, members that may, and nothing else.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace quoll::tests {

/// What is wrong with the header of a QlogFileSeq; empty when it is right.
std::vector<std::string> wrong_in_header(const nlohmann::json& record);

/// What is wrong with an event, its data included; empty when it is right.
std::vector<std::string> wrong_in_event(const nlohmann::json& record);

/// The names of all events of the draft's namespace "quic".
std::vector<std::string> quic_event_names();

/// The values of an enumeration of the drafts, such as "PacketType".
std::vector<std::string> values_of(std::string_view enumeration);

}  // namespace quoll::tests
