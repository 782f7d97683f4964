// StaticFiles: a handler that serves the files below a folder.
//
// GET and HEAD with entity tags and times (RFC 9110 §8.8), preconditions (§13), byte ranges (§14), files that were compressed
// beforehand (NAME.br, NAME.gz, NAME.zst beside NAME, chosen by Accept-Encoding, §12.5.3), index.html, and listings if asked
// for. /dir is redirected to /dir/. What cannot be opened is 404 when it is not there, 403 when it is not for us (links that
// lead out of the root among them), 503 when the system has no descriptor left, 500 otherwise; a file that fails while it is
// sent ends in a reset (H3_INTERNAL_ERROR).
//
// It keeps nothing between requests, so threads share one, and what changes on the disk is served at once.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/range.h"
#include "web/exchange.h"
#include "web/root_folder.h"

namespace quoll::web {

struct StaticFilesOptions {
  std::string root{};
  std::string index = "index.html";
  bool listing = false;       // of folders that have no index
  bool hidden_files = false;  // whose names begin with a dot; /.well-known/ is served in any case (RFC 8615)
  bool precompressed = true;
  std::string cache_control{};  // the field's value; empty: none is sent
  RootFolder::Backend backend = RootFolder::Backend::best;
};

class StaticFiles {
 public:
  /// ErrorDomain::system when the root cannot be opened.
  [[nodiscard]] static Result<StaticFiles> create(StaticFilesOptions options);

  /// Answers the exchange.
  void serve(Exchange& exchange) const;

  /// For the answer to OPTIONS, and beside 405.
  static constexpr std::string_view kAllow = "GET, HEAD, OPTIONS";

 private:
  struct Request;
  struct Found;

  StaticFiles(StaticFilesOptions options, RootFolder root) : options_(std::move(options)), root_(std::move(root)) {}
  void serve_path(const Request& request) const;
  void serve_folder(const Request& request, FileHandle folder) const;
  void serve_file(const Request& request, Found found) const;
  static void send_file(Exchange& exchange, http::FieldSection& fields, Found found,
                        const http::SelectedRanges& selected);
  static void send_parts(Exchange& exchange, http::FieldSection& fields, Found found,
                         const http::SelectedRanges& selected);
  Result<Found> find(const std::string& path) const;
  bool choose_coding(const Request& request, Found& found) const;
  bool is_hidden(std::string_view path) const;

  StaticFilesOptions options_;
  RootFolder root_;
};

/// A response of a status and one line of text for people, such as "404 Not Found"; `extra`: further fields.
void respond_with_status(Exchange& exchange, unsigned status, const http::FieldSection& extra = {});

}  // namespace quoll::web
