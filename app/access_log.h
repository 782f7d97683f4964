// The access log of `quoll serve`: a line for each exchange when it has ended, in the common log format of web servers (with
// referrer and user agent: "combined") or as a JSON object.
//
// What clients send is escaped: a line is one line and prints nothing but itself.
#pragma once

#include <string>

#include "base/time.h"
#include "base/unix_time.h"
#include "web/exchange.h"

namespace quoll::app {

enum class LogFormat : uint8_t { common, json };

/// An exchange that has ended, which still has its request.
struct AccessRecord {
  const web::Exchange& exchange;
  const web::Outcome& outcome;
  UnixTime begin;     // of the handler's work
  Duration duration;  // from there to the end
};

/// With its newline.
std::string access_line(const AccessRecord& record, LogFormat format);

}  // namespace quoll::app
