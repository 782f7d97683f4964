// What -w prints after a transfer: a format with curl's variables.
//
// %{name} is a variable, %header{name} a field of the last response, %% a percent sign; \n, \r and \t are what they are in C.
// %{stdout} and %{stderr} say where the text goes from there on; what follows %{onerror} is for failures alone. %{json} is an
// object of all variables, %{header_json} one of the response's fields. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "http/field_section.h"

namespace quoll::app {

/// What a transfer was, redirects included. Durations are since its begin; zero: it did not come to that.
struct TransferReport {
  std::string url{};            // as given
  std::string url_effective{};  // fetched last
  std::string redirect_url{};   // where a redirect leads that was not followed
  std::string method{};         // of the last request
  std::string referer{};
  std::string file_name{};      // that the body went to
  std::string error_message{};  // empty: none
  size_t url_number = 0;
  int exit_code = 0;

  unsigned status = 0;          // 0: no response
  http::FieldSection fields{};  // of the last response
  bool connected = false;
  size_t connects = 0;
  size_t redirects = 0, retries = 0;
  size_t certificates = 0;
  SocketAddress local{}, remote{};

  uint64_t size_download = 0, size_upload = 0, size_header = 0, size_request = 0;
  Duration name_lookup{}, connect{}, pre_transfer{}, start_transfer{}, redirect{}, total{};
};

struct WrittenOut {
  std::string standard_output, standard_error;
  std::vector<std::string> unknown;  // names of variables that there are none of
};
WrittenOut write_out(std::string_view format, const TransferReport& report);

/// Names of all variables, for the tests of the man page.
std::vector<std::string_view> write_out_variables();

}  // namespace quoll::app
