#include "web/static_files.h"

#include <errno.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <utility>

#include "base/hex.h"
#include "crypto/siphash.h"
#include "http/conditional.h"
#include "http/content_coding.h"
#include "http/date.h"
#include "http/media_type.h"
#include "http/range.h"
#include "http/status.h"
#include "http/url.h"
#include "os/system_rng.h"
#include "os/wall_clock.h"
#include "web/file_body.h"
#include "web/folder_listing.h"

namespace quoll::web {
namespace {

namespace status = http::status;
using http::ContentCoding;
using http::FieldSection;

/// In our order of preference: what is smallest as a rule comes first.
constexpr std::array kCodings = {ContentCoding::brotli, ContentCoding::zstd, ContentCoding::gzip};

constexpr std::string_view kWellKnown = ".well-known";

/// "\"0123456789abcdef\"".
using EntityTagText = std::array<char, 18>;
std::string_view text_of(const EntityTagText& text) { return {text.data(), text.size()}; }

/// A strong validator (RFC 9110 §8.8.1): the time of the last change in nanoseconds, the size, and which file it is. Hashed,
/// for numbers of inodes are nobody's business; under a key that is always the same, so that tags outlive the process.
EntityTagText entity_tag_of(const struct stat& file) {
  static constexpr std::array<uint8_t, crypto::SipHash::kKeySize> kKey = {'q', 'u', 'o', 'l', 'l', ' ', 'e', 'n',
                                                                          't', 'i', 't', 'y', ' ', 't', 'a', 'g'};
  std::array<uint8_t, 40> facts;
  store_le(facts.data(), static_cast<uint64_t>(file.st_mtim.tv_sec));
  store_le(facts.data() + 8, static_cast<uint64_t>(file.st_mtim.tv_nsec));
  store_le(facts.data() + 16, static_cast<uint64_t>(file.st_size));
  store_le(facts.data() + 24, static_cast<uint64_t>(file.st_ino));
  store_le(facts.data() + 32, static_cast<uint64_t>(file.st_dev));
  const uint64_t hash = crypto::SipHash(kKey)(facts);
  constexpr char kDigits[] = "0123456789abcdef";
  EntityTagText text;
  text.front() = text.back() = '"';
  for (size_t i = 0; i < 16; i++) text[1 + i] = kDigits[hash >> (60 - 4 * i) & 15];
  return text;
}

/// RFC 2046 §5.1.1: in no part; 128 random bits see to that.
std::string random_boundary() {
  std::array<uint8_t, 16> random;
  os::thread_rng().fill(random);
  return to_hex(random);
}

/// The status for a file that could not be opened.
unsigned status_of(const Error& error) {
  switch (error.code) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL:
      return status::kNotFound;
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
    case ENXIO:
      return status::kForbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
      return status::kServiceUnavailable;
  }
  return status::kInternalServerError;
}

/// A head without a body; its content-length, if any, is that of the body that a GET would have.
void respond_without_body(Exchange& exchange, unsigned code, const FieldSection& fields) {
  exchange.send(code, fields, std::unique_ptr<BodySource>());
}

void send_body(Exchange& exchange, unsigned code, FieldSection& fields, std::unique_ptr<BodySource> body) {
  const uint64_t size = body->size().value_or(0);
  fields.add("content-length", std::to_string(size));
  if (exchange.method() == "HEAD" || size == 0) return respond_without_body(exchange, code, fields);
  exchange.send(code, fields, std::move(body));
}

void respond_with_error(Exchange& exchange, const Error& error) {
  const unsigned code = status_of(error);
  FieldSection extra;
  if (code == status::kServiceUnavailable) extra.add("retry-after", "1");
  respond_with_status(exchange, code, extra);
}

}  // namespace

void respond_with_status(Exchange& exchange, unsigned code, const FieldSection& extra) {
  std::string text = std::to_string(code);
  text.append(" ").append(http::reason_phrase(code)).append("\n");
  FieldSection fields;
  fields.add("content-type", "text/plain; charset=utf-8");
  fields.append(extra);
  send_body(exchange, code, fields, slice_body(Slice::copy_of(as_bytes(text))));
}

struct StaticFiles::Request {
  Exchange& exchange;
  std::string_view target{};  // :path without its query
  std::string_view query{};   // with its "?"; or empty
  std::string path{};         // decoded, relative to the root
};

struct StaticFiles::Found {
  FileHandle file;
  struct stat status{};
  std::string_view media_type{};
  ContentCoding coding = ContentCoding::identity;

  bool is_folder() const { return S_ISDIR(status.st_mode); }
  uint64_t size() const { return static_cast<uint64_t>(status.st_size); }
};

Result<StaticFiles> StaticFiles::create(StaticFilesOptions options) {
  auto root = RootFolder::open(options.root.c_str(), options.backend);
  if (!root) return std::unexpected(root.error());
  return StaticFiles(std::move(options), std::move(*root));
}

void StaticFiles::serve(Exchange& exchange) const {
  const std::string_view method = exchange.method();
  // RFC 9220 §3: a protocol that nobody speaks here.
  if (!exchange.connect_protocol().empty()) return respond_with_status(exchange, status::kNotImplemented);
  if (method == "OPTIONS") return respond_without_body(exchange, status::kNoContent, {{"allow", kAllow}});
  if (method != "GET" && method != "HEAD") {
    return respond_with_status(exchange, status::kMethodNotAllowed, {{"allow", kAllow}});
  }
  const std::string_view all = exchange.path();
  const size_t question = std::min(all.find('?'), all.size());
  Request request{.exchange = exchange, .target = all.substr(0, question), .query = all.substr(question)};
  auto decoded = http::percent_decode(request.target);
  if (!request.target.starts_with('/') || !decoded) return respond_with_status(exchange, status::kBadRequest);
  // An escaped slash is a part of a name (RFC 3986 §2.2), and no file has such a name.
  for (const std::string_view slash : {"%2f", "%2F"}) {
    if (request.target.find(slash) != std::string_view::npos) return respond_with_status(exchange, status::kNotFound);
  }
  // Escaped dots are dots (RFC 3986 §6.2.2.2), so segments are removed after decoding. That keeps paths below the root; the
  // root folder sees to it once more.
  request.path = http::remove_dot_segments(*decoded);
  request.path.erase(0, request.path.find_first_not_of('/'));
  if (is_hidden(request.path)) return respond_with_status(exchange, status::kNotFound);
  serve_path(request);
}

bool StaticFiles::is_hidden(std::string_view path) const {
  if (options_.hidden_files) return false;
  if (path == kWellKnown || (path.starts_with(kWellKnown) && path[kWellKnown.size()] == '/')) {
    path.remove_prefix(kWellKnown.size());
  }
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

Result<StaticFiles::Found> StaticFiles::find(const std::string& path) const {
  auto file = root_.open_below(path);
  if (!file) return std::unexpected(file.error());
  Found found{.file = std::move(*file)};
  if (fstat(found.file.fd(), &found.status) != 0)
    return std::unexpected(Error{.domain = ErrorDomain::system, .code = EIO});
  // Pipes, sockets and devices are nothing to serve.
  if (!S_ISREG(found.status.st_mode) && !S_ISDIR(found.status.st_mode)) {
    return std::unexpected(Error{.domain = ErrorDomain::system, .code = EACCES, .reason = "is no regular file"});
  }
  return found;
}

void StaticFiles::serve_path(const Request& request) const {
  auto found = find(request.path);
  if (!found) return respond_with_error(request.exchange, found.error());
  if (found->is_folder()) return serve_folder(request, std::move(found->file));
  found->media_type = http::media_type_of(request.path);
  serve_file(request, std::move(*found));
}

void StaticFiles::serve_folder(const Request& request, FileHandle folder) const {
  if (!request.target.ends_with('/')) {
    // One slash in front: with two of them the first name would be another host's (RFC 3986 §4.2).
    std::string location(request.target.substr(request.target.find_first_not_of('/') - 1));
    location.append("/").append(request.query);
    return respond_with_status(request.exchange, status::kMovedPermanently, {{"location", location}});
  }
  Request index{.exchange = request.exchange, .path = request.path + options_.index};
  if (!request.path.empty() && !request.path.ends_with('/')) index.path = request.path + '/' + options_.index;
  auto found = find(index.path);
  if (found && !found->is_folder()) {
    found->media_type = http::media_type_of(index.path);
    return serve_file(index, std::move(*found));
  }
  if (!found && status_of(found.error()) != status::kNotFound)
    return respond_with_error(request.exchange, found.error());
  if (!options_.listing) return respond_with_status(request.exchange, status::kNotFound);
  auto page = folder_listing(std::move(folder), request.target, options_.hidden_files);
  if (!page) return respond_with_error(request.exchange, page.error());
  FieldSection fields{{"content-type", "text/html; charset=utf-8"}, {"cache-control", "no-cache"}};
  send_body(request.exchange, status::kOk, fields, slice_body(Slice::copy_of(as_bytes(*page))));
}

/// Takes the sibling that the client likes best in place of the file. True: there are siblings, or might be.
bool StaticFiles::choose_coding(const Request& request, Found& found) const {
  if (!options_.precompressed) return false;
  const auto accepted = http::AcceptedCodings::of(request.exchange.fields());
  std::array<ContentCoding, kCodings.size()> left = kCodings;
  for (size_t count = left.size(); count > 0;) {
    const ContentCoding best = accepted.choose(std::span(left).first(count));
    if (best == ContentCoding::identity) return true;
    auto sibling = find(request.path + std::string(http::coding_extension(best)));
    if (sibling && !sibling->is_folder()) {
      sibling->media_type = found.media_type;
      sibling->coding = best;
      found = std::move(*sibling);
      return true;
    }
    count = static_cast<size_t>(std::remove(left.begin(), left.begin() + count, best) - left.begin());
  }
  return true;
}

void StaticFiles::serve_file(const Request& request, Found found) const {
  Exchange& exchange = request.exchange;
  const bool varies = choose_coding(request, found);
  const EntityTagText tag = entity_tag_of(found.status);
  const UnixTime now = os::wall_clock(), modified = UnixTime::from_seconds(found.status.st_mtim.tv_sec);
  const http::Validators validators{.entity_tag = http::EntityTag{.opaque = text_of(tag)},
                                    .last_modified = modified,
                                    // Its second is over: whatever changes now has another time.
                                    .last_modified_is_strong = modified.as_seconds() < now.as_seconds()};

  // RFC 9110 §15.4.5, §15.3.7: these go with 200, 206 and 304 alike.
  FieldSection fields;
  fields.add("etag", text_of(tag));
  if (!options_.cache_control.empty()) fields.add("cache-control", options_.cache_control);
  if (varies) fields.add("vary", "accept-encoding");
  switch (http::evaluate_preconditions(exchange.fields(), exchange.method(), validators, now)) {
    case http::Precondition::passed:
      break;
    case http::Precondition::not_modified:
      return respond_without_body(exchange, status::kNotModified, fields);
    case http::Precondition::failed:
      return respond_with_status(exchange, status::kPreconditionFailed, fields);
  }
  // RFC 9110 §8.8.2.1: not later than the time of the message.
  fields.add("last-modified", http::as_text(http::date_text(std::min(modified, now))));
  fields.add("accept-ranges", "bytes");
  fields.add("x-content-type-options", "nosniff");
  if (found.coding != ContentCoding::identity) fields.add("content-encoding", http::coding_name(found.coding));

  http::SelectedRanges selected;
  const auto range = exchange.fields().find("range");
  // RFC 9110 §14.2: of GET alone.
  if (range && exchange.method() == "GET" && exchange.fields().count("range") == 1 &&
      http::evaluate_if_range(exchange.fields(), validators, now)) {
    selected = http::select_ranges(*range, found.size());
  }
  send_file(exchange, fields, std::move(found), selected);
}

void StaticFiles::send_file(Exchange& exchange, FieldSection& fields, Found found,
                            const http::SelectedRanges& selected) {
  const uint64_t size = found.size();
  http::ByteRange part{.offset = 0, .size = size};
  unsigned code = status::kOk;
  switch (selected.verdict) {
    case http::RangeVerdict::whole:
      break;
    case http::RangeVerdict::unsatisfiable:
      return respond_with_status(exchange, status::kRangeNotSatisfiable,
                                 {{"content-range", http::unsatisfied_range(size)}});
    case http::RangeVerdict::partial:
      code = status::kPartialContent;
      if (selected.ranges.size() > 1) return send_parts(exchange, fields, std::move(found), selected);
      // RFC 9110 §15.3.7.1: one part goes without multipart, even if several were asked for.
      part = selected.ranges.front();
      fields.add("content-range", http::content_range(part, size));
      break;
  }
  fields.add("content-type", found.media_type);
  if (exchange.method() == "HEAD") {
    fields.add("content-length", std::to_string(part.size));
    return respond_without_body(exchange, code, fields);
  }
  auto body = file_body(found.file, part);
  if (!body) return respond_with_error(exchange, body.error());
  send_body(exchange, code, fields, std::move(*body));
}

/// RFC 9110 §15.3.7.2: the range stands in each part's head, and not in that of the response.
void StaticFiles::send_parts(Exchange& exchange, FieldSection& fields, Found found,
                             const http::SelectedRanges& selected) {
  const std::string boundary = random_boundary();
  fields.add("content-type", "multipart/byteranges; boundary=" + boundary);
  const uint64_t size = found.size();
  MultipartBody::Content content{.ranges = selected.ranges,
                                 .media_type = std::string(found.media_type),
                                 .representation_size = size,
                                 .boundary = boundary};
  send_body(exchange, status::kPartialContent, fields,
            std::make_unique<MultipartBody>(std::move(found.file), std::move(content)));
}

}  // namespace quoll::web
