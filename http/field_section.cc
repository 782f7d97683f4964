#include "http/field_section.h"

#include "base/check.h"

namespace quoll::http {

FieldSection::FieldSection(std::initializer_list<FieldLine> lines) {
  entries_.reserve(lines.size());
  for (const FieldLine& line : lines) add(line);
}

void FieldSection::add(std::string_view name, std::string_view value, bool never_indexed) {
  QUOLL_CHECK(name.size() <= UINT32_MAX && value.size() <= UINT32_MAX && text_.size() <= UINT32_MAX);
  entries_.push_back({.offset = static_cast<uint32_t>(text_.size()),
                      .name_size = static_cast<uint32_t>(name.size()),
                      .value_size = static_cast<uint32_t>(value.size()),
                      .never_indexed = never_indexed});
  text_.append(name);
  text_.append(value);
}

void FieldSection::append(const FieldSection& other) {
  // By index, and reserved: a section may be appended to itself.
  const size_t count = other.size();
  text_.reserve(text_.size() + other.text_.size());
  for (size_t i = 0; i < count; i++) add(other[i]);
}

void FieldSection::clear() {
  text_.clear();
  entries_.clear();
}

void FieldSection::truncate(size_t lines) {
  if (lines >= entries_.size()) return;
  text_.resize(entries_[lines].offset);
  entries_.resize(lines);
}

FieldLine FieldSection::operator[](size_t index) const {
  QUOLL_DCHECK(index < entries_.size());
  const Entry& entry = entries_[index];
  const std::string_view text = text_;
  return {.name = text.substr(entry.offset, entry.name_size),
          .value = text.substr(entry.offset + entry.name_size, entry.value_size),
          .never_indexed = entry.never_indexed};
}

std::optional<std::string_view> FieldSection::find(std::string_view name) const {
  for (const FieldLine line : *this) {
    if (line.name == name) return line.value;
  }
  return {};
}

size_t FieldSection::count(std::string_view name) const {
  size_t found = 0;
  for (const FieldLine line : *this) found += line.name == name ? 1 : 0;
  return found;
}

std::optional<std::string> FieldSection::combined(std::string_view name) const {
  std::optional<std::string> all;
  for (const FieldLine line : *this) {
    if (line.name != name) continue;
    if (all) {
      all->append(", ").append(line.value);
    } else {
      all.emplace(line.value);
    }
  }
  return all;
}

bool operator==(const FieldSection& a, const FieldSection& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (!(a[i] == b[i])) return false;
  }
  return true;
}

}  // namespace quoll::http
