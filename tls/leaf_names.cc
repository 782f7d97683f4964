#include "tls/leaf_names.h"

#include <algorithm>

#include "tls/x509/host_name.h"

namespace quoll::tls {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool contains(const std::vector<std::string>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

}  // namespace

ServerName::ServerName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > kSizeMax || !x509::is_host_name(name)) return;
  std::ranges::transform(name, text_.begin(), lower);
  size_ = name.size();
}

LeafNames::LeafNames(const x509::Certificate& leaf) {
  if (!leaf.subject_alt_names) return;
  for (const x509::GeneralName& name : *leaf.subject_alt_names) {
    const std::string_view text = as_text(name.value);
    if (name.kind != x509::GeneralName::Kind::dns || !x509::is_presented_name(text)) continue;
    if (text.starts_with('*')) {
      wildcards_.push_back(lower_case(text.substr(1)));
    } else {
      exact_.push_back(lower_case(text));
    }
  }
  std::ranges::sort(exact_);
  std::ranges::sort(wildcards_);
}

NameMatch LeafNames::match(const ServerName& name) const {
  const std::string_view text = name.text();
  if (text.empty()) return NameMatch::none;
  if (contains(exact_, text)) return NameMatch::exact;
  // RFC 9525 §6.3: a wildcard stands for exactly one label, the left-most.
  const size_t dot = text.find('.');
  if (dot != std::string_view::npos && contains(wildcards_, text.substr(dot))) return NameMatch::wildcard;
  return NameMatch::none;
}

}  // namespace quoll::tls
