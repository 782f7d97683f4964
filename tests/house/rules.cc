#include "tests/house/rules.h"

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

namespace quoll::house {
namespace {

using Modules = std::set<std::string_view>;

// Who may include whom: one direction (docs/architecture.md). A module may always include itself.
const std::map<std::string_view, Modules>& allowed() {
  static const std::map<std::string_view, Modules> table{
      {"base", {}},
      {"crypto", {"base"}},
      {"tls/x509", {"base", "crypto"}},
      {"tls", {"base", "crypto", "tls/x509"}},
      {"quic", {"base", "crypto", "tls", "tls/x509"}},
      {"qlog", {"base", "crypto", "tls", "tls/x509", "quic"}},
      {"http", {"base"}},
      {"qpack", {"base", "http"}},
      {"h3", {"base", "http", "qpack"}},
      {"h3/over_quic", {"base", "http", "qpack", "h3", "quic", "tls", "tls/x509", "crypto"}},
      {"web",
       {"base", "crypto", "tls", "tls/x509", "quic", "qlog", "http", "qpack", "h3", "h3/over_quic", "os", "udp"}},
      {"os", {"base", "crypto", "tls/x509"}},
      {"udp", {"base"}},
  };
  return table;
}

// The same within quic/: a folder may include those on lines above its own.
const std::vector<Modules>& quic_layers() {
  static const std::vector<Modules> table{
      {"quic/wire"},       {"quic/protect"},  {"quic/recovery"},
      {"quic/congestion"}, {"quic/trace"},    {"quic/stream", "quic/path"},
      {"quic/connection"}, {"quic/endpoint"},
  };
  return table;
}

const Modules kCore = {"base", "crypto", "tls/x509", "tls", "quic", "http", "qpack", "h3", "h3/over_quic"};

/// Files longer than 600 lines, each with its reason.
const std::map<std::string_view, std::string_view>& long_file_reasons() {
  static const std::map<std::string_view, std::string_view> table{
      {"crypto/portable/edwards25519_table.cc", "a generated table"},
      {"crypto/x86/p256_base_table.cc", "a generated table"},
      {"crypto/x86/p384_base_table.cc", "a generated table"},
  };
  return table;
}

std::string_view folder_of(std::string_view path) { return path.substr(0, path.find('/')); }

/// The module of a product file or header; empty for what sits on top (app, tests, ...).
std::string_view module_of(std::string_view path) {
  for (const std::string_view inner : {"h3/over_quic", "tls/x509"}) {
    if (path.starts_with(inner)) return inner;
  }
  const std::string_view folder = folder_of(path);
  return allowed().contains(folder) ? folder : std::string_view{};
}

std::string breach(const SourceFile& file, size_t line, const std::string& what) {
  return file.path + ":" + std::to_string(line) + ": " + what;
}

template <class F>
void for_each_line(const std::string& text, F body) {
  std::istringstream stream(text);
  std::string line;
  for (size_t number = 1; std::getline(stream, line); number++) body(number, line);
}

Breaches lines_matching(const SourceFile& file, const std::regex& pattern, const std::string& what) {
  Breaches breaches;
  for_each_line(code_only(file.text), [&](size_t number, const std::string& line) {
    std::smatch match;
    if (std::regex_search(line, match, pattern)) breaches.push_back(breach(file, number, what + ": " + match.str()));
  });
  return breaches;
}

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return path.ends_with(ending); });
}

/// How many layers of quic/ lie below that of a file; empty for files that lie in none of its folders.
std::optional<size_t> quic_layer_of(std::string_view path) {
  const std::string_view folder = path.substr(0, path.rfind('/'));
  for (size_t layer = 0; layer < quic_layers().size(); layer++) {
    if (quic_layers()[layer].contains(folder)) return layer;
  }
  return std::nullopt;
}

}  // namespace

std::string code_only(std::string_view text) {
  std::string code(text);
  enum { kCode, kLine, kBlock, kString, kChar } state = kCode;
  for (size_t i = 0; i < code.size(); i++) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : '\0';
    switch (state) {
      case kCode:
        if (c == '/' && next == '/') state = kLine;
        if (c == '/' && next == '*') state = kBlock;
        if (c == '"') state = kString;
        // A quote after a digit or letter separates digits (1'000), it opens no character.
        if (c == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1])))) state = kChar;
        if (state == kLine || state == kBlock) code[i] = ' ';
        break;
      case kLine:
        if (c == '\n')
          state = kCode;
        else
          code[i] = ' ';
        break;
      case kBlock:
        if (c != '\n') code[i] = ' ';
        if (c == '*' && next == '/') {
          code[++i] = ' ';
          state = kCode;
        }
        break;
      case kString:
      case kChar:
        if (c == (state == kString ? '"' : '\'') || c == '\n') {
          state = kCode;
        } else {
          code[i] = ' ';
          if (c == '\\' && i + 1 < code.size()) code[++i] = ' ';
        }
        break;
    }
  }
  return code;
}

Breaches wrong_includes(const SourceFile& file) {
  static const std::regex ours(R"re(^\s*#\s*include\s*"([^"]+)")re");
  static const std::regex foreign(R"re(^\s*#\s*include\s*<([^>]+)>)re");
  static const Modules top = {"app", "capi", "interop", "bench", "tests", "fuzz", "examples"};
  Breaches breaches;
  const std::string_view module = module_of(file.path);
  if (module.empty() && !top.contains(folder_of(file.path))) {
    breaches.push_back(breach(file, 1, "lies in no folder that docs/architecture.md names"));
  }
  const bool product = !module.empty() || folder_of(file.path) == "app" || folder_of(file.path) == "capi";
  for_each_line(file.text, [&](size_t number, const std::string& line) {
    std::smatch match;
    if (std::regex_search(line, match, ours)) {
      const std::string target = match[1];
      const std::string_view target_module = module_of(target);
      if (!module.empty() && target_module != module && !allowed().at(module).contains(target_module)) {
        breaches.push_back(breach(file, number, "may not include " + target));
      }
      if (product && (target.starts_with("tests/") || target.starts_with("bench/") || target.starts_with("fuzz/"))) {
        breaches.push_back(breach(file, number, "product code includes " + target));
      }
    } else if (product && std::regex_search(line, match, foreign)) {
      const std::string target = match[1];
      // Standard headers of C++ have neither a dot nor a slash; the rest is the kernel's and the C library's.
      const bool standard = target.find('.') == std::string::npos && target.find('/') == std::string::npos;
      const bool system =
          ends_with_any(target, {".h"}) &&
          (target.starts_with("sys/") || target.starts_with("linux/") || target.starts_with("netinet/") ||
           target.starts_with("arpa/") || target.find('/') == std::string::npos);
      static const Modules known_foreign = {"gmp.h", "sodium.h", "zlib.h"};
      const bool marked = file.path == "crypto/ct.h" && target == "valgrind/memcheck.h";  // the constant-time build's
      if (!marked && ((!standard && !system) || known_foreign.contains(target))) {
        breaches.push_back(breach(file, number, "product code includes the foreign header " + target));
      }
    }
  });
  return breaches;
}

Breaches wrong_layers(const SourceFile& file) {
  static const std::regex ours(R"re(^\s*#\s*include\s*"(quic/[^"]+)")re");
  if (module_of(file.path) != "quic") return {};
  const std::optional<size_t> layer = quic_layer_of(file.path);
  if (!layer) return {breach(file, 1, "lies in no folder of quic/ that docs/architecture.md names")};
  Breaches breaches;
  const std::string_view folder = std::string_view(file.path).substr(0, file.path.rfind('/'));
  for_each_line(file.text, [&](size_t number, const std::string& line) {
    std::smatch match;
    if (!std::regex_search(line, match, ours)) return;
    const std::string target = match[1];
    const bool inside = target.starts_with(folder) && target.rfind('/') == folder.size();
    const std::optional<size_t> below = quic_layer_of(target);
    if (!inside && (!below || *below >= *layer)) {
      breaches.push_back(breach(file, number, "may not include " + target));
    }
  });
  return breaches;
}

Breaches impure_core(const SourceFile& file) {
  if (!kCore.contains(module_of(file.path))) return {};
  static const std::regex forbidden(
      R"((\b(clock_gettime|gettimeofday|steady_clock|system_clock|high_resolution_clock|timespec_get|random_device|getrandom|getentropy|arc4random|rdrand|rdseed|_rdtsc|__rdtsc|mt19937(_64)?|sendto|recvfrom|sendmsg|recvmsg|sendmmsg|recvmmsg|epoll_\w+)\b)|\b(s?rand|time|socket|ioctl)\s*\(|<(random|chrono|thread|fstream|filesystem|sys/\w+\.h|netinet/\w+\.h|arpa/\w+\.h|unistd\.h|time\.h|ctime|netdb\.h)>)");
  return lines_matching(file, forbidden, "the core reads no clock, randomness, socket or file");
}

Breaches misplaced_intrinsics(const SourceFile& file) {
  // tests/emulate stands in for instructions that the processor lacks, so it speaks of them.
  for (const std::string_view home : {"crypto/x86/", "crypto/arm/", "tests/emulate/"}) {
    if (file.path.starts_with(home)) return {};
  }
  static const std::regex intrinsics(
      R"(\b_mm(256|512)?_\w+|\b__m(64|128|256|512)[id]?\b|__builtin_ia32_\w+|<(\w*intrin|arm_\w+|cpuid)\.h>|\bv\w+q_[usp]\d+\b|\btarget\s*\(\s*")");
  Breaches breaches = lines_matching(file, intrinsics, "intrinsics belong under crypto/x86 or crypto/arm");
  if (file.path == "crypto/ct.h" || file.path == "bench/harness.h" || file.path.starts_with("tests/")) return breaches;
  static const std::regex assembly(R"(\b(__asm__|asm)\b)");
  for (std::string& found : lines_matching(file, assembly, "assembly belongs under crypto/x86 or crypto/arm")) {
    breaches.push_back(std::move(found));
  }
  return breaches;
}

Breaches exceptions(const SourceFile& file) {
  if (module_of(file.path).empty()) return {};
  static const std::regex words(R"(\b(throw|try|catch|dynamic_cast|typeid)\b)");
  return lines_matching(file, words, "errors are values below app/");
}

Breaches bare_headers(const SourceFile& file) {
  if (!file.path.ends_with(".h")) return {};
  Breaches breaches;
  if (!file.text.starts_with("//"))
    breaches.push_back(breach(file, 1, "a header opens with a comment that says what it is"));
  if (!file.path.ends_with(".inc.h") && code_only(file.text).find("#pragma once") == std::string::npos) {
    breaches.push_back(breach(file, 1, "a header has #pragma once"));
  }
  return breaches;
}

Breaches bare_macros(const SourceFile& file) {
  const bool product = !module_of(file.path).empty() || folder_of(file.path) == "capi";
  if (!product || !file.path.ends_with(".h") || file.path.ends_with(".inc.h")) return {};
  static const std::regex bare(R"(^\s*#\s*define\s+(?!QUOLL_)\w+)");
  return lines_matching(file, bare, "a header of the library has a macro without the prefix QUOLL_");
}

Breaches long_files(const SourceFile& file) {
  const auto lines = std::count(file.text.begin(), file.text.end(), '\n');
  if (lines <= 600 || long_file_reasons().contains(file.path)) return {};
  return {breach(file, 600,
                 "over 600 lines (" + std::to_string(lines) + "): cut it by idea, or list its reason in rules.cc")};
}

}  // namespace quoll::house
