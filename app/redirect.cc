#include "app/redirect.h"

namespace quoll::app {

bool is_redirect(unsigned status) {
  switch (status) {
    case 300:  // Multiple Choices: the server's preferred one, if it names it
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return true;
    default:
      return false;
  }
}

bool same_origin(const http::Url& a, const http::Url& b) {
  return a.scheme == b.scheme && a.host == b.host && a.port == b.port;
}

Result<Redirect> follow_redirect(unsigned status, std::string_view location, std::string_view method,
                                 const http::Url& from) {
  Result<http::Url> to = from.resolve(location);
  if (!to) return std::unexpected(to.error());
  // RFC 9110 §10.2.2: a Location without a fragment inherits that of the reference it answers.
  if (!to->fragment) to->fragment = from.fragment;
  Redirect next{.method = std::string(method), .keeps_body = true, .changes_origin = !same_origin(from, *to)};
  next.url = std::move(*to);
  // RFC 9110 §15.4.2, §15.4.3: a POST may become a GET, and every client does that. §15.4.4: See Other is for GET, and for
  // HEAD after a HEAD. §15.4.8, §15.4.9: 307 and 308 change nothing.
  const bool becomes_get =
      (status == 303 && method != "HEAD") || ((status == 301 || status == 302) && method == "POST");
  if (becomes_get) {
    next.method = "GET";
    next.keeps_body = false;
  }
  return next;
}

}  // namespace quoll::app
