#include "interop/endpoint/hq_server.h"

#include <sys/stat.h>

#include "http/url.h"
#include "interop/endpoint/settings.h"
#include "web/file_body.h"

namespace quoll::interop {
namespace {

constexpr size_t kPieceSize = 64 * 1024;

/// The path of a request line, below the root; empty when the line is none.
std::optional<std::string> path_of(std::string_view line) {
  constexpr std::string_view kMethod = "GET ";
  if (!line.starts_with(kMethod)) return {};
  line.remove_prefix(kMethod.size());
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (!line.starts_with('/')) return {};
  return http::percent_decode(line.substr(1));
}

Result<std::unique_ptr<web::BodySource>> open_body(const web::RootFolder& files, const std::string& path) {
  Result<web::FileHandle> file = files.open_below(path);
  if (!file) return std::unexpected(file.error());
  struct stat status{};
  if (fstat(file->fd(), &status) != 0 || !S_ISREG(status.st_mode)) return usage_error("not a file");
  return web::file_body(*file, {.offset = 0, .size = static_cast<uint64_t>(status.st_size)});
}

}  // namespace

void HqServer::on_event(Instant, quic::EndpointEvent& event) {
  const auto* news = std::get_if<quic::Event>(&event.event);
  if (!news) return;
  const std::pair key(event.connection.index, event.connection.generation);
  if (const auto* closed = std::get_if<quic::Closed>(news)) {
    connections_.erase(key);
    if (closed->error_code != 0) {
      say("a connection ended with error " + std::to_string(closed->error_code) + ": " + closed->reason);
    }
    return;
  }
  quic::Connection* connection = endpoint_.find(event.connection);
  if (!connection || connection->is_closed()) return;
  quic::Streams& streams = connection->streams();
  Requests& requests = connections_[key];
  if (const auto* readable = std::get_if<quic::StreamReadable>(news)) {
    read(streams, requests, readable->stream_id);
  } else if (const auto* writable = std::get_if<quic::StreamWritable>(news)) {
    send(streams, requests, writable->stream_id);
  } else if (const auto* stopped = std::get_if<quic::StreamStopped>(news)) {
    requests.erase(stopped->stream_id);
  } else if (const auto* reset = std::get_if<quic::StreamReset>(news)) {
    give_up(streams, requests, reset->stream_id, kNoError);
  }
}

void HqServer::on_turn(Instant now) {
  if (!stopping_ || closed_) return;
  endpoint_.close(now, kNoError, "the server ends");
  closed_ = true;
}

void HqServer::read(quic::Streams& streams, Requests& requests, quic::StreamId id) {
  for (;;) {
    auto chunk = streams.read(id);
    if (!chunk) return give_up(streams, requests, id, kNoError);
    if (!*chunk) return;
    if (id.is_unidirectional()) continue;  // nothing is asked there
    Request& request = requests[id];
    request.is_read = (*chunk)->fin;
    if (request.is_answered && request.is_read) return static_cast<void>(requests.erase(id));
    // What follows a line is its end, or nothing that anybody defined.
    if (request.body || request.is_answered) {
      if (request.is_read) return;
      continue;
    }
    const Bytes bytes = (*chunk)->data.bytes();
    if (request.line.size() + bytes.size() > kRequestSizeMax) return give_up(streams, requests, id, kBadRequest);
    request.line.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!request.is_read && !request.line.ends_with('\n')) continue;
    const bool is_last = request.is_read;
    begin_answer(streams, requests, id);
    if (is_last || !requests.contains(id)) return;
  }
}

void HqServer::begin_answer(quic::Streams& streams, Requests& requests, quic::StreamId id) {
  Request& request = requests.at(id);
  const std::optional<std::string> path = path_of(request.line);
  if (!path) return give_up(streams, requests, id, kBadRequest);
  auto body = open_body(files_, *path);
  if (!body) {
    say("GET /" + *path + ": " + body.error().reason);
    return give_up(streams, requests, id, kNotFound);
  }
  request.body = std::move(*body);
  send(streams, requests, id);
}

void HqServer::send(quic::Streams& streams, Requests& requests, quic::StreamId id) {
  const auto found = requests.find(id);
  if (found == requests.end() || !found->second.body) return;
  Request& request = found->second;
  for (;;) {
    if (!request.piece.empty()) {
      if (!streams.write(id, request.piece)) return static_cast<void>(requests.erase(found));
      if (!request.piece.empty()) return;  // StreamWritable follows
    }
    if (request.last_piece) break;
    Result<web::BodySource::Piece> next = request.body->next(kPieceSize);
    if (!next) return give_up(streams, requests, id, kFailedToRead);
    request.piece = std::move(next->data);
    request.last_piece = next->end;
  }
  (void)streams.finish(id);  // a failure: the client gave it up
  request.body.reset();
  request.is_answered = true;
  if (request.is_read) requests.erase(found);
}

void HqServer::give_up(quic::Streams& streams, Requests& requests, quic::StreamId id,
                       quic::ApplicationErrorCode error) {
  requests.erase(id);
  // Either may be over already.
  (void)streams.stop(id, error);
  (void)streams.reset(id, error);
}

}  // namespace quoll::interop
