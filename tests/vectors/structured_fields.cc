// The parsing and serialisation tests of structured-field-tests (RFC 9651): each case is a field's lines with the value that
// they mean, or the word that they mean none, and the canonical text of that value.
#include "http/structured_fields.h"

#include <cmath>
#include <optional>

#include "tests/vectors/families.h"

namespace quoll::vectors {
namespace {

namespace sf = http::sf;

/// RFC 4648 §6, with padding.
std::vector<uint8_t> base32_decode(const std::string& text) {
  std::vector<uint8_t> bytes;
  uint64_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const size_t value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").find(c);
    if (value == std::string_view::npos) throw std::invalid_argument("no base32");
    bits = (bits << 5 | value) & 0xffff;
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<uint8_t>(bits >> count));
    }
  }
  return bytes;
}

sf::BareItem bare_item_of(const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return sf::Decimal{std::llround(value.get<double>() * 1000)};
  if (value.is_string()) return value.get<std::string>();
  const std::string type = value.at("__type").get<std::string>();
  if (type == "token") return sf::Token{value.at("value").get<std::string>()};
  if (type == "binary") return sf::ByteSequence{base32_decode(value.at("value").get<std::string>())};
  if (type == "date") return sf::Date{value.at("value").get<int64_t>()};
  if (type == "displaystring") return sf::DisplayString{value.at("value").get<std::string>()};
  throw std::invalid_argument("a value of type " + type);
}

sf::Parameters parameters_of(const json& value) {
  sf::Parameters parameters;
  for (const json& pair : value) parameters.emplace_back(pair.at(0).get<std::string>(), bare_item_of(pair.at(1)));
  return parameters;
}

sf::Item item_of(const json& value) {
  return {.value = bare_item_of(value.at(0)), .parameters = parameters_of(value.at(1))};
}

sf::Member member_of(const json& value) {
  if (!value.at(0).is_array()) return item_of(value);
  sf::InnerList list{.items = {}, .parameters = parameters_of(value.at(1))};
  for (const json& item : value.at(0)) list.items.push_back(item_of(item));
  return list;
}

sf::List list_of(const json& value) {
  sf::List list;
  for (const json& member : value) list.push_back(member_of(member));
  return list;
}

sf::Dictionary dictionary_of(const json& value) {
  sf::Dictionary dictionary;
  for (const json& pair : value) dictionary.emplace_back(pair.at(0).get<std::string>(), member_of(pair.at(1)));
  return dictionary;
}

std::string joined(const json& lines) {
  std::string text;
  for (const json& line : lines) text.append(&line == &lines.front() ? "" : ", ").append(line.get<std::string>());
  return text;
}

struct Case {
  const json& entry;
  std::string name = entry.at("name").get<std::string>();
  bool must_fail = entry.value("must_fail", false);
  bool can_fail = entry.value("can_fail", false);
  /// Absent where it is the text itself; an empty list where there is nothing to write.
  std::string canonical() const { return joined(entry.at(entry.contains("canonical") ? "canonical" : "raw")); }
};

template <class T>
void check_parsing(const Case& each, const std::optional<T>& parsed, T (*value_of)(const json&), Report& report) {
  if (each.must_fail) return report.check(!parsed, each.name + " is refused");
  if (each.can_fail && !parsed) return report.differ(each.name, "may be refused");
  report.check(parsed && *parsed == value_of(each.entry.at("expected")), each.name + " parsed");
}

template <class T>
void check_serialising(const Case& each, T (*value_of)(const json&), Report& report) {
  if (!each.entry.contains("expected")) {
    if (each.must_fail) return;
    throw std::invalid_argument("a case without an expected value");
  }
  const std::optional<std::string> written = sf::serialise(value_of(each.entry.at("expected")));
  if (each.must_fail) return report.check(!written, each.name + " is not written");
  report.check(written && *written == each.canonical(), each.name + " written");
}

template <class T>
void run_case(const Case& each, std::optional<T> (*parse)(std::string_view), T (*value_of)(const json&),
              Report& report) {
  if (each.entry.contains("raw")) check_parsing(each, parse(joined(each.entry.at("raw"))), value_of, report);
  check_serialising(each, value_of, report);
}

void run_structured_fields(const json& file, Report& report) {
  for (const json& entry : file) {
    const Case each{entry};
    const std::string type = entry.at("header_type").get<std::string>();
    if (type == "item") {
      run_case(each, sf::parse_item, item_of, report);
    } else if (type == "list") {
      run_case(each, sf::parse_list, list_of, report);
    } else if (type == "dictionary") {
      run_case(each, sf::parse_dictionary, dictionary_of, report);
    } else {
      throw std::invalid_argument("a header type " + type);
    }
  }
}

}  // namespace

Handler structured_fields_handler(const json& file) {
  const bool recognised = file.is_array() && !file.empty() && file.front().is_object() &&
                          file.front().contains("header_type") && file.front().contains("name");
  return recognised ? run_structured_fields : nullptr;
}

}  // namespace quoll::vectors
