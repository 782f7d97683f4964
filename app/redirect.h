// What follows a redirect (RFC 9110 §15.4): another request, and what of the first one it keeps. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/url.h"

namespace quoll::app {

/// Whether the status means that the resource is at Location, and a client may go there by itself.
bool is_redirect(unsigned status);

struct Redirect {
  std::string method;
  bool keeps_body = false;
  /// Another scheme, host or port: what was meant for the first server stays there (RFC 9110 §15.4: Authorization, Cookie).
  bool changes_origin = false;
  http::Url url{};
};

/// The next request after a response to `method` at `from`. An Error when Location is no URL.
[[nodiscard]] Result<Redirect> follow_redirect(unsigned status, std::string_view location, std::string_view method,
                                               const http::Url& from);

bool same_origin(const http::Url& a, const http::Url& b);

}  // namespace quoll::app
