// FieldSection: the field lines of a header or trailer section in their order, pseudo-header fields first (RFC 9110 §5,
// RFC 9114 §4.3), in one piece of memory.
//
// Names are kept as they are given; HTTP/3 wants them in lower case (RFC 9114 §4.2), and what checks messages checks that.
// Views of lines are good until the section changes. It bounds nothing: who fills it from a peer's bytes knows the limit,
// which counts decoded_size() (RFC 9114 §4.2.2).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quoll::http {

/// A name with a value. `never_indexed`: compression must not put it into any table, here or at an intermediary (RFC 9204
/// §7.1.3): secrets that could be guessed.
struct FieldLine {
  std::string_view name;
  std::string_view value;
  bool never_indexed = false;
  friend bool operator==(const FieldLine&, const FieldLine&) = default;
};

class FieldSection {
 public:
  FieldSection() = default;
  FieldSection(std::initializer_list<FieldLine> lines);

  void add(std::string_view name, std::string_view value, bool never_indexed = false);
  void add(const FieldLine& line) { add(line.name, line.value, line.never_indexed); }
  /// All lines of another section, after ours.
  void append(const FieldSection& other);
  void clear();
  /// Keeps the first `lines` of them, no more than there are.
  void truncate(size_t lines);

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  FieldLine operator[](size_t index) const;
  /// The value of the first line of that name; names are compared byte by byte.
  std::optional<std::string_view> find(std::string_view name) const;
  size_t count(std::string_view name) const;
  /// The values of all lines of that name, joined by ", " (RFC 9110 §5.2); empty when there is none.
  std::optional<std::string> combined(std::string_view name) const;
  /// RFC 9114 §4.2.2: names and values, and 32 bytes for each line.
  uint64_t decoded_size() const { return text_.size() + 32 * entries_.size(); }

  class Iterator {
   public:
    Iterator(const FieldSection& section, size_t index) : section_(&section), index_(index) {}
    FieldLine operator*() const { return (*section_)[index_]; }
    Iterator& operator++() {
      index_++;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    const FieldSection* section_;
    size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, entries_.size()}; }
  friend bool operator==(const FieldSection& a, const FieldSection& b);

 private:
  struct Entry {
    uint32_t offset = 0;
    uint32_t name_size = 0;
    uint32_t value_size = 0;
    bool never_indexed = false;
  };
  std::string text_;  // name and value of each line, one after the other
  std::vector<Entry> entries_;
};

}  // namespace quoll::http
