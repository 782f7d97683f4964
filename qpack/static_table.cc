#include "qpack/static_table.h"

#include <array>

namespace quoll::qpack {

namespace {

/// RFC 9204 appendix A.
constexpr std::array<StaticEntry, kStaticEntries> kEntries = {{
    {.name = ":authority", .value = ""},                                                                    // 0
    {.name = ":path", .value = "/"},                                                                        // 1
    {.name = "age", .value = "0"},                                                                          // 2
    {.name = "content-disposition", .value = ""},                                                           // 3
    {.name = "content-length", .value = "0"},                                                               // 4
    {.name = "cookie", .value = ""},                                                                        // 5
    {.name = "date", .value = ""},                                                                          // 6
    {.name = "etag", .value = ""},                                                                          // 7
    {.name = "if-modified-since", .value = ""},                                                             // 8
    {.name = "if-none-match", .value = ""},                                                                 // 9
    {.name = "last-modified", .value = ""},                                                                 // 10
    {.name = "link", .value = ""},                                                                          // 11
    {.name = "location", .value = ""},                                                                      // 12
    {.name = "referer", .value = ""},                                                                       // 13
    {.name = "set-cookie", .value = ""},                                                                    // 14
    {.name = ":method", .value = "CONNECT"},                                                                // 15
    {.name = ":method", .value = "DELETE"},                                                                 // 16
    {.name = ":method", .value = "GET"},                                                                    // 17
    {.name = ":method", .value = "HEAD"},                                                                   // 18
    {.name = ":method", .value = "OPTIONS"},                                                                // 19
    {.name = ":method", .value = "POST"},                                                                   // 20
    {.name = ":method", .value = "PUT"},                                                                    // 21
    {.name = ":scheme", .value = "http"},                                                                   // 22
    {.name = ":scheme", .value = "https"},                                                                  // 23
    {.name = ":status", .value = "103"},                                                                    // 24
    {.name = ":status", .value = "200"},                                                                    // 25
    {.name = ":status", .value = "304"},                                                                    // 26
    {.name = ":status", .value = "404"},                                                                    // 27
    {.name = ":status", .value = "503"},                                                                    // 28
    {.name = "accept", .value = "*/*"},                                                                     // 29
    {.name = "accept", .value = "application/dns-message"},                                                 // 30
    {.name = "accept-encoding", .value = "gzip, deflate, br"},                                              // 31
    {.name = "accept-ranges", .value = "bytes"},                                                            // 32
    {.name = "access-control-allow-headers", .value = "cache-control"},                                     // 33
    {.name = "access-control-allow-headers", .value = "content-type"},                                      // 34
    {.name = "access-control-allow-origin", .value = "*"},                                                  // 35
    {.name = "cache-control", .value = "max-age=0"},                                                        // 36
    {.name = "cache-control", .value = "max-age=2592000"},                                                  // 37
    {.name = "cache-control", .value = "max-age=604800"},                                                   // 38
    {.name = "cache-control", .value = "no-cache"},                                                         // 39
    {.name = "cache-control", .value = "no-store"},                                                         // 40
    {.name = "cache-control", .value = "public, max-age=31536000"},                                         // 41
    {.name = "content-encoding", .value = "br"},                                                            // 42
    {.name = "content-encoding", .value = "gzip"},                                                          // 43
    {.name = "content-type", .value = "application/dns-message"},                                           // 44
    {.name = "content-type", .value = "application/javascript"},                                            // 45
    {.name = "content-type", .value = "application/json"},                                                  // 46
    {.name = "content-type", .value = "application/x-www-form-urlencoded"},                                 // 47
    {.name = "content-type", .value = "image/gif"},                                                         // 48
    {.name = "content-type", .value = "image/jpeg"},                                                        // 49
    {.name = "content-type", .value = "image/png"},                                                         // 50
    {.name = "content-type", .value = "text/css"},                                                          // 51
    {.name = "content-type", .value = "text/html; charset=utf-8"},                                          // 52
    {.name = "content-type", .value = "text/plain"},                                                        // 53
    {.name = "content-type", .value = "text/plain;charset=utf-8"},                                          // 54
    {.name = "range", .value = "bytes=0-"},                                                                 // 55
    {.name = "strict-transport-security", .value = "max-age=31536000"},                                     // 56
    {.name = "strict-transport-security", .value = "max-age=31536000; includesubdomains"},                  // 57
    {.name = "strict-transport-security", .value = "max-age=31536000; includesubdomains; preload"},         // 58
    {.name = "vary", .value = "accept-encoding"},                                                           // 59
    {.name = "vary", .value = "origin"},                                                                    // 60
    {.name = "x-content-type-options", .value = "nosniff"},                                                 // 61
    {.name = "x-xss-protection", .value = "1; mode=block"},                                                 // 62
    {.name = ":status", .value = "100"},                                                                    // 63
    {.name = ":status", .value = "204"},                                                                    // 64
    {.name = ":status", .value = "206"},                                                                    // 65
    {.name = ":status", .value = "302"},                                                                    // 66
    {.name = ":status", .value = "400"},                                                                    // 67
    {.name = ":status", .value = "403"},                                                                    // 68
    {.name = ":status", .value = "421"},                                                                    // 69
    {.name = ":status", .value = "425"},                                                                    // 70
    {.name = ":status", .value = "500"},                                                                    // 71
    {.name = "accept-language", .value = ""},                                                               // 72
    {.name = "access-control-allow-credentials", .value = "FALSE"},                                         // 73
    {.name = "access-control-allow-credentials", .value = "TRUE"},                                          // 74
    {.name = "access-control-allow-headers", .value = "*"},                                                 // 75
    {.name = "access-control-allow-methods", .value = "get"},                                               // 76
    {.name = "access-control-allow-methods", .value = "get, post, options"},                                // 77
    {.name = "access-control-allow-methods", .value = "options"},                                           // 78
    {.name = "access-control-expose-headers", .value = "content-length"},                                   // 79
    {.name = "access-control-request-headers", .value = "content-type"},                                    // 80
    {.name = "access-control-request-method", .value = "get"},                                              // 81
    {.name = "access-control-request-method", .value = "post"},                                             // 82
    {.name = "alt-svc", .value = "clear"},                                                                  // 83
    {.name = "authorization", .value = ""},                                                                 // 84
    {.name = "content-security-policy", .value = "script-src 'none'; object-src 'none'; base-uri 'none'"},  // 85
    {.name = "early-data", .value = "1"},                                                                   // 86
    {.name = "expect-ct", .value = ""},                                                                     // 87
    {.name = "forwarded", .value = ""},                                                                     // 88
    {.name = "if-range", .value = ""},                                                                      // 89
    {.name = "origin", .value = ""},                                                                        // 90
    {.name = "purpose", .value = "prefetch"},                                                               // 91
    {.name = "server", .value = ""},                                                                        // 92
    {.name = "timing-allow-origin", .value = "*"},                                                          // 93
    {.name = "upgrade-insecure-requests", .value = "1"},                                                    // 94
    {.name = "user-agent", .value = ""},                                                                    // 95
    {.name = "x-forwarded-for", .value = ""},                                                               // 96
    {.name = "x-frame-options", .value = "deny"},                                                           // 97
    {.name = "x-frame-options", .value = "sameorigin"},                                                     // 98
}};

constexpr uint8_t kNone = 0xff;
constexpr size_t kSlots = 256;

/// Length and three characters tell nearly all the names apart; a wrong guess costs one comparison.
constexpr size_t slot_of(std::string_view name) {
  const size_t size = name.size();
  const auto at = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(name[i])); };
  return (size * 37 + at(0) * 5 + at(size / 2) * 59 + at(size - 1) * 23) % kSlots;
}

/// The first entry of each name in a table with open addressing, and behind each entry the next one of its name.
struct NameTable {
  std::array<uint8_t, kSlots> slots{};
  std::array<uint8_t, kStaticEntries> next{};
};

constexpr NameTable make_names() {
  NameTable made;
  made.slots.fill(kNone);
  made.next.fill(kNone);
  for (uint8_t index = 0; index < kStaticEntries; index++) {
    size_t slot = slot_of(kEntries[index].name);
    while (made.slots[slot] != kNone && kEntries[made.slots[slot]].name != kEntries[index].name) {
      slot = (slot + 1) % kSlots;
    }
    if (made.slots[slot] == kNone) {
      made.slots[slot] = index;
      continue;
    }
    uint8_t last = made.slots[slot];
    while (made.next[last] != kNone) last = made.next[last];
    made.next[last] = index;
  }
  return made;
}

constexpr NameTable kNames = make_names();

}  // namespace

const StaticEntry* static_entry(uint64_t index) {
  return index < kStaticEntries ? &kEntries[static_cast<size_t>(index)] : nullptr;
}

std::optional<StaticMatch> find_static(std::string_view name, std::string_view value) {
  if (name.empty()) return {};
  for (size_t slot = slot_of(name);; slot = (slot + 1) % kSlots) {
    const uint8_t first = kNames.slots[slot];
    if (first == kNone) return {};
    if (kEntries[first].name != name) continue;
    StaticMatch match{.name_index = first, .exact_index = {}};
    for (uint8_t index = first; index != kNone; index = kNames.next[index]) {
      if (kEntries[index].value == value) {
        match.exact_index = index;
        break;
      }
    }
    return match;
  }
}

}  // namespace quoll::qpack
