#include "base/bytes.h"
#include "http/characters.h"
#include "http/structured_fields.h"
#include "http/text_codecs.h"

namespace quoll::http::sf {
namespace {

constexpr int64_t kIntegerMax = 999'999'999'999'999;

/// One function for each type of RFC 9651 §4.1: appends, or answers false for what cannot be written.
class Serialiser {
 public:
  bool list(const List& list);
  bool dictionary(const Dictionary& dictionary);
  bool item(const Item& item) { return bare_item(item.value) && parameters(item.parameters); }
  std::string take() { return std::move(out_); }

 private:
  bool member(const Member& member);
  bool inner_list(const InnerList& list);
  bool parameters(const Parameters& parameters);
  bool key(std::string_view key);
  bool bare_item(const BareItem& item) {
    return std::visit([&](const auto& value) { return write(value); }, item);
  }

  bool write(int64_t value);
  bool write(Decimal value);
  bool write(const std::string& text);
  bool write(const Token& token);
  bool write(const ByteSequence& sequence);
  bool write(bool value);
  bool write(Date date);
  bool write(const DisplayString& string);

  std::string out_;
};

bool is_true(const Member& member) {
  const Item* item = std::get_if<Item>(&member);
  return item && item->value == BareItem(true);
}

bool Serialiser::list(const List& list) {
  for (const Member& each : list) {
    if (&each != &list.front()) out_.append(", ");
    if (!member(each)) return false;
  }
  return true;
}

bool Serialiser::dictionary(const Dictionary& dictionary) {
  for (const auto& entry : dictionary) {
    if (&entry != &dictionary.front()) out_.append(", ");
    if (!key(entry.first)) return false;
    if (is_true(entry.second)) {
      if (!parameters(std::get<Item>(entry.second).parameters)) return false;
    } else {
      out_.push_back('=');
      if (!member(entry.second)) return false;
    }
  }
  return true;
}

bool Serialiser::member(const Member& member) {
  if (const Item* single = std::get_if<Item>(&member)) return item(*single);
  return inner_list(std::get<InnerList>(member));
}

bool Serialiser::inner_list(const InnerList& list) {
  out_.push_back('(');
  for (const Item& each : list.items) {
    if (&each != &list.items.front()) out_.push_back(' ');
    if (!item(each)) return false;
  }
  out_.push_back(')');
  return parameters(list.parameters);
}

bool Serialiser::parameters(const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    out_.push_back(';');
    if (!key(name)) return false;
    if (value == BareItem(true)) continue;
    out_.push_back('=');
    if (!bare_item(value)) return false;
  }
  return true;
}

bool Serialiser::key(std::string_view key) {
  if (key.empty() || (!is_lower(key[0]) && key[0] != '*')) return false;
  for (const char c : key) {
    if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-' && c != '.' && c != '*') return false;
  }
  out_.append(key);
  return true;
}

bool Serialiser::write(int64_t value) {
  if (value < -kIntegerMax || value > kIntegerMax) return false;
  out_.append(std::to_string(value));
  return true;
}

bool Serialiser::write(Decimal value) {
  // RFC 9651 §4.1.5: twelve digits before the point and three after it are as many as an integer has.
  if (value.thousandths < -kIntegerMax || value.thousandths > kIntegerMax) return false;
  const int64_t magnitude = value.thousandths < 0 ? -value.thousandths : value.thousandths;
  if (value.thousandths < 0) out_.push_back('-');
  out_.append(std::to_string(magnitude / 1000)).push_back('.');
  std::string places = std::to_string(1000 + magnitude % 1000).substr(1);
  while (places.size() > 1 && places.back() == '0') places.pop_back();
  out_.append(places);
  return true;
}

bool Serialiser::write(const std::string& text) {
  out_.push_back('"');
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
    if (c == '"' || c == '\\') out_.push_back('\\');
    out_.push_back(c);
  }
  out_.push_back('"');
  return true;
}

bool Serialiser::write(const Token& token) {
  if (token.text.empty() || (!is_alpha(token.text[0]) && token.text[0] != '*')) return false;
  for (const char c : token.text) {
    if (!is_token_char(c) && c != ':' && c != '/') return false;
  }
  out_.append(token.text);
  return true;
}

bool Serialiser::write(const ByteSequence& sequence) {
  out_.push_back(':');
  base64_encode(sequence.bytes, out_);
  out_.push_back(':');
  return true;
}

bool Serialiser::write(bool value) {
  out_.append(value ? "?1" : "?0");
  return true;
}

bool Serialiser::write(Date date) {
  out_.push_back('@');
  return write(date.seconds);
}

bool Serialiser::write(const DisplayString& string) {
  if (!is_utf8(string.text)) return false;
  out_.append("%\"");
  for (const char c : string.text) {
    if (c >= 0x20 && c <= 0x7e && c != '%' && c != '"') {
      out_.push_back(c);
      continue;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    out_.push_back('%');
    out_.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    out_.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
  }
  out_.push_back('"');
  return true;
}

}  // namespace

std::optional<std::string> serialise(const Item& item) {
  Serialiser serialiser;
  if (!serialiser.item(item)) return {};
  return serialiser.take();
}

std::optional<std::string> serialise(const List& list) {
  Serialiser serialiser;
  if (!serialiser.list(list)) return {};
  return serialiser.take();
}

std::optional<std::string> serialise(const Dictionary& dictionary) {
  Serialiser serialiser;
  if (!serialiser.dictionary(dictionary)) return {};
  return serialiser.take();
}

}  // namespace quoll::http::sf
