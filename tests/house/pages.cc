#include "tests/house/pages.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <sstream>

namespace quoll::house {
namespace {

/// The page with fenced code blanked out, line for line.
std::string prose_of(std::string_view page) {
  std::istringstream lines{std::string(page)};
  std::string out, line;
  bool is_fenced = false;
  while (std::getline(lines, line)) {
    const bool is_fence = line.starts_with("```");
    if (is_fence) is_fenced = !is_fenced;
    if (!is_fenced && !is_fence) out += line;
    out += '\n';
  }
  return out;
}

/// What a link names a heading by: small letters, without punctuation, hyphens for spaces.
std::string anchor_of(std::string_view heading) {
  std::string anchor;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      anchor += '-';
    } else if (std::isalnum(byte) || c == '-' || c == '_' || byte >= 0x80) {
      anchor += static_cast<char>(std::tolower(byte));
    }
  }
  return anchor;
}

bool has_anchor(std::string_view page, std::string_view anchor) {
  std::istringstream lines{prose_of(page)};
  for (std::string line; std::getline(lines, line);) {
    const size_t text = line.find_first_not_of('#');
    if (text == 0 || text == std::string::npos || line[text] != ' ') continue;
    if (anchor_of(std::string_view(line).substr(text + 1)) == anchor) return true;
  }
  return false;
}

/// A relative target from a page's folder, with "." and ".." gone; what leads out of the tree keeps its "..".
std::string resolved(std::string_view page, std::string_view target) {
  std::vector<std::string> parts;
  std::istringstream steps{std::string(page.substr(0, page.rfind('/') + 1)) + std::string(target)};
  if (page.find('/') == std::string_view::npos) steps.str(std::string(target));
  for (std::string step; std::getline(steps, step, '/');) {
    if (step.empty() || step == ".") continue;
    if (step == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else {
      parts.push_back(step);
    }
  }
  std::string path;
  for (const std::string& part : parts) path += (path.empty() ? "" : "/") + part;
  return path;
}

bool exists(const Tree& tree, const std::string& path) {
  return path.empty() || tree.files.contains(path) || tree.folders.contains(path);
}

template <class F>
void for_each_match(const SourceFile& page, const std::regex& pattern, F body) {
  std::istringstream lines{prose_of(page.text)};
  std::string line;
  for (size_t number = 1; std::getline(lines, line); number++) {
    for (std::sregex_iterator at(line.begin(), line.end(), pattern), end; at != end; ++at) body(number, (*at)[1].str());
  }
}

std::string breach(const SourceFile& page, size_t line, const std::string& what) {
  return page.path + ":" + std::to_string(line) + ": " + what;
}

bool is_there(const Tree& tree, const std::string& wanted) {
  const std::string anywhere = "*/" + wanted;
  const auto fits = [&](const std::string& path) {
    for (const char* ending : {"", ".h", ".cc"}) {
      if (fnmatch((wanted + ending).c_str(), path.c_str(), 0) == 0) return true;
      if (fnmatch((anywhere + ending).c_str(), path.c_str(), 0) == 0) return true;
    }
    return false;
  };
  return std::ranges::any_of(tree.files, fits) || std::ranges::any_of(tree.folders, fits);
}

}  // namespace

Breaches broken_links(const SourceFile& page, const Tree& tree) {
  static const std::regex links(R"re((?:\]\(|src="|href=")([^)"\s]+))re");
  Breaches breaches;
  for_each_match(page, links, [&](size_t line, const std::string& link) {
    if (link.find("://") != std::string::npos || link.starts_with("mailto:")) return;
    const size_t hash = std::min(link.find('#'), link.size());
    const std::string path = hash == 0 ? page.path : resolved(page.path, link.substr(0, hash));
    if (!exists(tree, path)) return breaches.push_back(breach(page, line, "leads nowhere: " + link));
    const auto target = tree.pages.find(path);
    if (hash < link.size() && (target == tree.pages.end() || !has_anchor(target->second, link.substr(hash + 1))))
      breaches.push_back(breach(page, line, "no such heading: " + link));
  });
  return breaches;
}

Breaches unknown_paths(const SourceFile& page, const Tree& tree) {
  static const std::regex quoted(R"(`([\w.+*-]+(?:/[\w.+*-]+)*/?)`)");
  static const std::regex source_name(R"(.*\.(h|cc|md|py|cmake|dot|svg))");
  Breaches breaches;
  for_each_match(page, quoted, [&](size_t line, std::string name) {
    const size_t slash = name.find('/');
    const bool is_path = slash != std::string::npos && tree.folders.contains(name.substr(0, slash));
    if (!is_path && !std::regex_match(name, source_name)) return;
    static const std::regex placeholder(R"(\b[A-Z]{3,}\b(?!\.md))");
    name = std::regex_replace(name, placeholder, "*");
    if (name.ends_with('/')) name.pop_back();
    if (!is_there(tree, name)) breaches.push_back(breach(page, line, "there is no " + name));
  });
  return breaches;
}

std::vector<std::string> code_blocks(std::string_view page, std::string_view language) {
  const std::string begin = "\n```" + std::string(language) + "\n";
  static constexpr std::string_view kEnd = "\n```\n";
  std::vector<std::string> blocks;
  for (size_t at = page.find(begin); at != std::string_view::npos; at = page.find(begin, at)) {
    at += begin.size();
    blocks.emplace_back(page.substr(at, page.find(kEnd, at) - at));
  }
  return blocks;
}

std::string outdented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != '\n')) out += c;
  }
  return out;
}

}  // namespace quoll::house
