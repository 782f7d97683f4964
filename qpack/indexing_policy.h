// What an encoder puts into the dynamic table: lines that are likely to come again, as far as what came before tells.
//
// The measure is a Worth: bytes that references saved or would have saved, where what is long ago counts less. Entries of
// the table carry one; lines that are in no table are remembered by their hashes, with one each; and of each field name is
// known how many of its lines came again, which is the best guess for a line that is new. Names that everybody knows begin
// with a prejudice. All memory is of fixed size and nothing is exact: a collision of hashes costs compression, no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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
  struct Remembered {
    uint32_t hash = 0;
    Worth worth;
  };
  struct Name {
    uint32_t hash = 0;
    uint16_t lines = 0;
    uint16_t repeated = 0;

    void count(bool again);
    uint64_t share_of(uint64_t bytes) const { return bytes * repeated / lines; }
  };
  Name& name_of(std::string_view name, uint32_t hash);

  uint32_t half_life_;
  std::vector<Remembered> remembered_;
  std::vector<Name> names_;
};

}  // namespace quoll::qpack
