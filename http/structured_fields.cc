#include "http/structured_fields.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/characters.h"
#include "http/text_codecs.h"

namespace quoll::http::sf {
namespace {

constexpr CharacterSet kKeyCharacters =
    characters_where([](char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*'; });
constexpr CharacterSet kTokenTail = characters_where([](char c) { return is_token_char(c) || c == ':' || c == '/'; });

bool is_printable(char c) { return c >= 0x20 && c <= 0x7e; }

/// Finds keys that come again in an ordered map. While there are few they are looked through; then an order by key is kept
/// beside, so that a stranger's thousand keys cost no million comparisons.
template <class Map>
class KeyIndex {
 public:
  explicit KeyIndex(Map& map) : map_(map) {}

  /// The place of the value of that key, which is new or takes a new value.
  auto& place(std::string_view key) {
    if (map_.size() < kFew) {
      for (auto& [known, value] : map_) {
        if (known == key) return value;
      }
      return append(key);
    }
    if (order_.empty()) index_all();
    const auto at =
        std::ranges::lower_bound(order_, key, {}, [&](size_t i) { return std::string_view(map_[i].first); });
    if (at != order_.end() && map_[*at].first == key) return map_[*at].second;
    order_.insert(at, map_.size());
    return append(key);
  }

 private:
  static constexpr size_t kFew = 16;

  auto& append(std::string_view key) {
    map_.emplace_back();
    map_.back().first = key;
    return map_.back().second;
  }
  void index_all() {
    for (size_t i = 0; i < map_.size(); i++) order_.push_back(i);
    std::ranges::sort(order_, {}, [&](size_t i) { return std::string_view(map_[i].first); });
  }

  Map& map_;
  std::vector<size_t> order_;
};

/// One function for each production of RFC 9651 §4.2: it takes its text off the front, or answers false.
class Parser {
 public:
  explicit Parser(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) { skip_spaces(); }

  /// RFC 9651 §4.2: nothing but spaces may follow.
  bool is_finished() {
    skip_spaces();
    return at_ == end_;
  }

  bool list(List& into);
  bool dictionary(Dictionary& into);
  bool item(Item& into) { return bare_item(into.value) && parameters(into.parameters); }

 private:
  bool member(Member& into);
  bool inner_list(InnerList& into);
  bool parameters(Parameters& into);
  bool key(std::string_view& into);
  bool bare_item(BareItem& into);
  bool number(BareItem& into);
  bool string(BareItem& into);
  bool token(BareItem& into);
  bool byte_sequence(BareItem& into);
  bool boolean(BareItem& into);
  bool date(BareItem& into);
  bool display_string(BareItem& into);
  bool comma();

  bool is_empty() const { return at_ == end_; }
  /// The next character; NUL, which is allowed nowhere, at the end.
  char peek() const { return at_ == end_ ? '\0' : *at_; }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    at_++;
    return true;
  }
  void skip_spaces() {
    while (peek() == ' ') at_++;
  }
  void skip_whitespace() {
    while (peek() == ' ' || peek() == '\t') at_++;
  }
  std::string_view take_all(const CharacterSet& set) {
    const char* begin = at_;
    while (at_ != end_ && contains(set, *at_)) at_++;
    return {begin, at_};
  }

  const char* at_;
  const char* end_;
};

/// RFC 9651 §4.2.1, §4.2.2: between members; a comma at the end is an error.
bool Parser::comma() {
  if (!take(',')) return false;
  skip_whitespace();
  return !is_empty();
}

bool Parser::list(List& into) {
  while (!is_empty()) {
    if (into.size() == kMembersMax || !member(into.emplace_back())) return false;
    skip_whitespace();
    if (!is_empty() && !comma()) return false;
  }
  return true;
}

bool Parser::dictionary(Dictionary& into) {
  KeyIndex index(into);
  while (!is_empty()) {
    std::string_view name;
    if (!key(name)) return false;
    Member& place = index.place(name);
    if (into.size() > kMembersMax) return false;
    place = Item{.value = true, .parameters = {}};
    if (take('=') ? !member(place) : !parameters(std::get<Item>(place).parameters)) return false;
    skip_whitespace();
    if (!is_empty() && !comma()) return false;
  }
  return true;
}

bool Parser::member(Member& into) {
  return peek() == '(' ? inner_list(into.emplace<InnerList>()) : item(into.emplace<Item>());
}

bool Parser::inner_list(InnerList& into) {
  take('(');
  while (true) {
    skip_spaces();
    if (take(')')) return parameters(into.parameters);
    if (into.items.size() == kInnerItemsMax || !item(into.items.emplace_back())) return false;
    if (peek() != ' ' && peek() != ')') return false;
  }
}

bool Parser::parameters(Parameters& into) {
  KeyIndex index(into);
  while (take(';')) {
    skip_spaces();
    std::string_view name;
    if (!key(name)) return false;
    BareItem& value = index.place(name);
    if (into.size() > kParametersMax) return false;
    value = true;
    if (take('=') && !bare_item(value)) return false;
  }
  return true;
}

bool Parser::key(std::string_view& into) {
  if (!is_lower(peek()) && peek() != '*') return false;
  into = take_all(kKeyCharacters);
  return true;
}

bool Parser::bare_item(BareItem& into) {
  const char first = peek();
  if (first == '-' || is_digit(first)) return number(into);
  if (first == '"') return string(into);
  if (first == '*' || is_alpha(first)) return token(into);
  if (first == ':') return byte_sequence(into);
  if (first == '?') return boolean(into);
  if (first == '@') return date(into);
  if (first == '%') return display_string(into);
  return false;
}

/// RFC 9651 §4.2.4: at most 15 digits, or 12 before the point and 3 after it; all of these fit.
bool Parser::number(BareItem& into) {
  const bool negative = take('-');
  int64_t value = 0;
  int digits = 0;
  for (; is_digit(peek()); at_++) {
    if (++digits > 15) return false;
    value = value * 10 + (*at_ - '0');
  }
  if (digits == 0) return false;
  if (!take('.')) {
    into = negative ? -value : value;
    return true;
  }
  if (digits > 12) return false;
  int places = 0;
  for (; is_digit(peek()); at_++) {
    if (++places > 3) return false;
    value = value * 10 + (*at_ - '0');
  }
  if (places == 0) return false;
  for (; places < 3; places++) value *= 10;
  into = Decimal{negative ? -value : value};
  return true;
}

bool Parser::string(BareItem& into) {
  at_++;
  std::string text;
  while (!is_empty()) {
    char c = *at_++;
    if (c == '"') {
      into = std::move(text);
      return true;
    }
    if (c == '\\') {
      if (peek() != '"' && peek() != '\\') return false;
      c = *at_++;
    } else if (!is_printable(c)) {
      return false;
    }
    text.push_back(c);
  }
  return false;
}

bool Parser::token(BareItem& into) {
  into = Token{std::string(take_all(kTokenTail))};
  return true;
}

bool Parser::byte_sequence(BareItem& into) {
  at_++;
  const char* close = std::find(at_, end_, ':');
  if (close == end_) return false;
  std::optional<std::vector<uint8_t>> bytes = base64_decode({at_, close});
  if (!bytes) return false;
  into = ByteSequence{std::move(*bytes)};
  at_ = close + 1;
  return true;
}

bool Parser::boolean(BareItem& into) {
  at_++;
  if (peek() != '0' && peek() != '1') return false;
  into = *at_++ == '1';
  return true;
}

bool Parser::date(BareItem& into) {
  at_++;
  BareItem seconds;
  if (!number(seconds) || !std::holds_alternative<int64_t>(seconds)) return false;
  into = Date{std::get<int64_t>(seconds)};
  return true;
}

bool Parser::display_string(BareItem& into) {
  at_++;
  if (!take('"')) return false;
  std::string text;
  while (!is_empty()) {
    char c = *at_++;
    if (c == '"') {
      if (!is_utf8(text)) return false;
      into = DisplayString{std::move(text)};
      return true;
    }
    if (!is_printable(c)) return false;
    if (c == '%') {
      // RFC 9651 §4.2.10: two digits, in lower case alone.
      if (end_ - at_ < 2 || hex_value(at_[0]) < 0 || hex_value(at_[1]) < 0 || is_upper(at_[0]) || is_upper(at_[1])) {
        return false;
      }
      c = static_cast<char>(hex_value(at_[0]) << 4 | hex_value(at_[1]));
      at_ += 2;
    }
    text.push_back(c);
  }
  return false;
}

}  // namespace

std::optional<Item> parse_item(std::string_view value) {
  Parser parser(value);
  std::optional<Item> item(std::in_place);
  if (!parser.item(*item) || !parser.is_finished()) item.reset();
  return item;
}

std::optional<List> parse_list(std::string_view value) {
  Parser parser(value);
  std::optional<List> list(std::in_place);
  if (!parser.list(*list) || !parser.is_finished()) list.reset();
  return list;
}

std::optional<Dictionary> parse_dictionary(std::string_view value) {
  Parser parser(value);
  std::optional<Dictionary> dictionary(std::in_place);
  if (!parser.dictionary(*dictionary) || !parser.is_finished()) dictionary.reset();
  return dictionary;
}

const Member* find(const Dictionary& dictionary, std::string_view key) {
  for (const auto& [name, member] : dictionary) {
    if (name == key) return &member;
  }
  return nullptr;
}

}  // namespace quoll::http::sf
