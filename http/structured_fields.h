// Structured field values (RFC 9651): parsing of items, lists and dictionaries, and serialising them.
//
// Strict, as the RFC wants: a value that does not parse as a whole is no value. Limits are named below. The vectors of
// structured-field-tests run over it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace quoll::http::sf {

/// RFC 9651 §3.3.2: thousandths, so that nothing is rounded.
struct Decimal {
  int64_t thousandths = 0;
  friend bool operator==(Decimal, Decimal) = default;
};
struct Token {
  std::string text;
  friend bool operator==(const Token&, const Token&) = default;
};
struct ByteSequence {
  std::vector<uint8_t> bytes;
  friend bool operator==(const ByteSequence&, const ByteSequence&) = default;
};
struct Date {
  int64_t seconds = 0;  // since 1970
  friend bool operator==(Date, Date) = default;
};
struct DisplayString {
  std::string text;  // UTF-8
  friend bool operator==(const DisplayString&, const DisplayString&) = default;
};
using BareItem = std::variant<int64_t, Decimal, std::string, Token, ByteSequence, bool, Date, DisplayString>;

/// In order; of a key that was given twice the last value, at the place of the first (RFC 9651 §4.2.3.2).
using Parameters = std::vector<std::pair<std::string, BareItem>>;
struct Item {
  BareItem value = false;
  Parameters parameters;
  friend bool operator==(const Item&, const Item&) = default;
};
struct InnerList {
  std::vector<Item> items;
  Parameters parameters;
  friend bool operator==(const InnerList&, const InnerList&) = default;
};
using Member = std::variant<Item, InnerList>;
using List = std::vector<Member>;
using Dictionary = std::vector<std::pair<std::string, Member>>;

/// Members, parameters and items of inner lists in one value, each kind: the RFC asks for 1024, 256 and 256 at least.
inline constexpr size_t kMembersMax = 1024;
inline constexpr size_t kParametersMax = 256;
inline constexpr size_t kInnerItemsMax = 1024;

/// The combined value of all lines of a field (FieldSection::combined). Empty: it does not parse (RFC 9651 §4.2).
std::optional<Item> parse_item(std::string_view value);
std::optional<List> parse_list(std::string_view value);
std::optional<Dictionary> parse_dictionary(std::string_view value);
/// Empty: it cannot be written (RFC 9651 §4.1).
std::optional<std::string> serialise(const Item& item);
std::optional<std::string> serialise(const List& list);
std::optional<std::string> serialise(const Dictionary& dictionary);

/// The member of that key; null when there is none.
const Member* find(const Dictionary& dictionary, std::string_view key);

}  // namespace quoll::http::sf
