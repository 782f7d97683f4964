// The site that `quoll serve` serves when no folder is named: one page with a hundred small pictures that show requests
// sharing a connection, and three things to try out:
//
//     GET  /bytes/N    N bytes, made as they are sent: for downloads of any size
//     POST /upload     takes a body of any size, and answers with its size and SHA-256
//     POST /echo       gives a body back while it comes
#pragma once

#include "web/exchange.h"

namespace quoll::app {

/// A handler (web::Handler).
void serve_demo_site(web::Exchange& exchange);

}  // namespace quoll::app
