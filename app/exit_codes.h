// The exit codes of `quoll get`: curl's numbers, so that scripts which know those know ours. docs/man/quoll-get.1 lists them.
#pragma once

namespace quoll::app {

enum class GetExit : int {
  ok = 0,
  unsupported_protocol = 1,  // a URL, or a redirect, that is not https
  usage = 2,
  url_malformed = 3,
  resolve = 6,
  connect = 7,
  http_error = 22,  // 400 and above, with --fail
  write_error = 23,
  read_error = 26,  // what was to be sent, or the session file
  timeout = 28,
  range = 33,  // the server does not do what --continue-at needs
  tls = 35,
  too_many_redirects = 47,
  send_error = 55,
  receive_error = 56,
  certificate = 60,
  content_coding = 61,  // --compressed, and the body came in a coding all the same
  file_size = 63,       // more than --max-filesize
  send_rewind = 65,     // a redirect wants the body again, which came from a pipe
  bad_ca_file = 77,     // --cacert, or the system's authorities
  pin_mismatch = 90,    // no certificate has the key of --pin
  http3 = 95,           // the server broke HTTP/3's rules, or refused the request
  interrupted = 130,    // SIGINT; the shell sees the signal itself
};

}  // namespace quoll::app
