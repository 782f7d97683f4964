// What an encoder puts into the dynamic table: lines that are likely to come again, as far as what came before tells.
//
// The measure is a Worth: bytes that references saved or would have saved, where what is long ago counts less. Entries of
// the table carry one; lines that are in no table are remembered by their hashes, with one each. What a line is worth that
// was never seen depends on its name: whether it is the first line of it, and else how many new lines of it came again.
// While the last one that was inserted unseen did not, the next has to come twice: a name whose values change fills no
// table. Names that everybody knows begin with a prejudice. Memory grows with what came, to a fixed size, and nothing is
// exact: a collision of hashes costs compression, no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "qpack/encoder_table.h"

namespace quoll::qpack {

/// Fields that are not put into the table, whatever comes: credentials that a stranger who sees lengths might guess by
/// probing the table (RFC 9204 §7.1). Others are marked by who makes them: http::FieldLine::never_indexed.
bool is_credential(std::string_view name);

class IndexingPolicy {
 public:
  explicit IndexingPolicy(uint64_t table_capacity);

  struct Line {
    std::string_view name;
    LineHash hash;
    uint64_t saved = 0;     // by a reference instead of a literal
    bool pays_now = false;  // the section itself may reference what is inserted for it
    uint32_t now = 0;       // in sections
  };
  /// A line comes that is in no table. Its worth if it should be inserted.
  std::optional<uint64_t> on_new(const Line& line);
  /// A line comes that is in the table.
  void on_repeated(std::string_view name, LineHash hash);

 private:
  /// Of so many lines so many came again.
  struct Share {
    uint16_t again = 0;
    uint16_t lines = 1;
    uint64_t of(uint64_t bytes) const { return bytes * again / lines; }
  };
  struct Remembered {
    uint32_t hash = 0;
    bool is_counted = false;  // its coming again counts for its name
    Worth worth;
  };
  struct Name {
    uint32_t hash = 0;
    bool is_known = false;      // a line of it came
    bool is_changing = false;   // by prejudice
    bool on_probation = false;  // a line of it was inserted unseen, and none came again since
    uint32_t inserted_at = 0;   // when that was, in sections
    Share first;                // what its first line is judged by: a prejudice
    Share later;                // and all after it: what came, at first a prejudice too

    void count_line();
    void count_again(Remembered& remembered);
  };
  Name& name_of(std::string_view name, uint32_t hash);
  std::span<Name> set_of(uint32_t hash);
  void grow_names();
  Remembered& remembered(uint32_t hash);
  void make_room_for_line();
  bool wants_unseen(Name& name, const Line& line, bool is_first, uint64_t worth);

  uint32_t half_life_;
  size_t remembered_max_;
  size_t lines_ = 0;                    // places in use of remembered_
  std::vector<Remembered> remembered_;  // a power of two of them, after the first line
  std::vector<Name> names_;             // in sets, those used last first
};

}  // namespace quoll::qpack
