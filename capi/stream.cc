#include "capi/endpoint.h"

using namespace quoll;

namespace {

constexpr size_t kCopyPieceSize = 64 * 1024;  // what is copied before it is known whether there is room

/// The application's memory for as long as slices of it live. Nothing is released of a write that took nothing.
struct Loan {
  quoll_release release;
  void* context;
  bool taken = false;

  static void end(void* loan) {
    auto* const self = static_cast<Loan*>(loan);
    if (self->taken) self->release(self->context);
    delete self;
  }
};

/// Calls `write(slice)`, which cuts off what it takes, with the memory itself. `written`: how much that was.
template <class Write>
Result<void> write_loan(Bytes data, quoll_release release, void* context, size_t& written, Write write) {
  auto* const loan = new Loan{.release = release, .context = context};
  // Held until it is known that something was taken: all of it may be dropped at once.
  const Slice whole = Slice::of_application(data, &Loan::end, loan);
  Slice rest = whole;
  const Result<void> result = write(rest);
  written = result ? data.size() - rest.size() : 0;
  loan->taken = written > 0;
  return result;
}

/// The same with copies, a piece after the other.
template <class Write>
Result<void> write_copies(Bytes data, size_t& written, Write write) {
  while (written < data.size()) {
    Slice piece = Slice::copy_of(data.subspan(written, std::min(kCopyPieceSize, data.size() - written)));
    const size_t size = piece.size();
    if (const Result<void> result = write(piece); !result) {
      return written > 0 ? Result<void>() : result;  // the next call tells
    }
    written += size - piece.size();
    if (!piece.empty()) break;
  }
  return {};
}

int done(const Result<void>& result) { return result ? int{QUOLL_OK} : capi::fail(result.error()); }

/// Runs one of two functions: for streams of QUIC, or for the bodies of HTTP/3.
template <class OnStreams, class OnSession>
int on_stream(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, OnStreams on_streams,
              OnSession on_session) {
  if (!capi::is_varint(stream)) return capi::invalid("no such stream");
  if (endpoint && endpoint->setup.http3) return capi::with_session(endpoint, connection, on_session);
  return capi::with_connection(endpoint, connection,
                               [&](quic::Connection& found) { return on_streams(found.streams()); });
}

}  // namespace

int quoll_stream_open(quoll_endpoint* endpoint, quoll_connection connection, int unidirectional, uint64_t* stream) {
  if (!stream) return capi::invalid("no place for the stream's id");
  return capi::with_connection(endpoint, connection, [&](quic::Connection& found) {
    if (endpoint->setup.http3) return capi::fail(QUOLL_E_STATE, "HTTP/3 opens streams by requests");
    if (found.is_closed()) return capi::fail(QUOLL_E_STATE, "the connection is closed");
    const std::optional<quic::StreamId> id = found.streams().open(unidirectional != 0);
    if (!id) return capi::fail(QUOLL_E_AGAIN, "the peer allows no more streams now");
    *stream = id->value();
    return int{QUOLL_OK};
  });
}

int quoll_stream_write(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, const void* data,
                       size_t size, quoll_release release, void* context, size_t* written) {
  if (!data || size == 0 || !written) return capi::invalid("data and a place for the number of bytes are wanted");
  *written = 0;
  const Bytes bytes(static_cast<const uint8_t*>(data), size);
  const auto run = [&](auto write) {
    const Result<void> result =
        release ? write_loan(bytes, release, context, *written, write) : write_copies(bytes, *written, write);
    if (!result) return capi::fail(result.error());
    return *written > 0 ? int{QUOLL_OK} : capi::fail(QUOLL_E_AGAIN, "there is no room now");
  };
  return on_stream(
      endpoint, connection, stream,
      [&](quic::Streams& streams) {
        if (!release) {  // into the stream's own memory, in one copy
          const Result<size_t> taken = streams.write(quic::StreamId(stream), bytes);
          if (!taken) return capi::fail(taken.error());
          *written = *taken;
          return *taken > 0 ? int{QUOLL_OK} : capi::fail(QUOLL_E_AGAIN, "there is no room now");
        }
        return run([&](Slice& rest) -> Result<void> {
          const Result<size_t> taken = streams.write(quic::StreamId(stream), rest);
          return taken ? Result<void>() : std::unexpected(taken.error());
        });
      },
      [&](h3::Session& session) { return run([&](Slice& rest) { return session.write_body(stream, rest); }); });
}

int quoll_stream_finish(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream) {
  return on_stream(
      endpoint, connection, stream,
      [&](quic::Streams& streams) { return done(streams.finish(quic::StreamId(stream))); },
      [&](h3::Session& session) { return done(session.finish(stream)); });
}

int quoll_stream_read(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, void* data,
                      size_t capacity, size_t* size, int* end) {
  if (!data || capacity == 0 || !size || !end) return capi::invalid("memory and places for size and end are wanted");
  *size = 0;
  *end = 0;
  const auto give = [&](const auto& chunk) {
    if (!chunk) return capi::fail(chunk.error());
    if (!*chunk) return capi::fail(QUOLL_E_AGAIN, "nothing to read now");
    *size = (*chunk)->data.size();
    *end = (*chunk)->fin;
    if (*size > 0) std::memcpy(data, (*chunk)->data.data(), *size);
    return int{QUOLL_OK};
  };
  return on_stream(
      endpoint, connection, stream,
      [&](quic::Streams& streams) { return give(streams.read(quic::StreamId(stream), capacity)); },
      [&](h3::Session& session) { return give(session.read_body(stream, capacity)); });
}

int quoll_stream_reset(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, uint64_t error_code) {
  if (!capi::is_varint(error_code)) return capi::invalid("a code below 2^62 is wanted");
  return on_stream(
      endpoint, connection, stream,
      [&](quic::Streams& streams) {
        return done(streams.reset(quic::StreamId(stream), quic::ApplicationErrorCode{error_code}));
      },
      [&](h3::Session& session) {
        session.abort(stream, h3::ErrorCode{error_code});
        return int{QUOLL_OK};
      });
}

int quoll_stream_stop(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, uint64_t error_code) {
  if (!capi::is_varint(error_code)) return capi::invalid("a code below 2^62 is wanted");
  return on_stream(
      endpoint, connection, stream,
      [&](quic::Streams& streams) {
        return done(streams.stop(quic::StreamId(stream), quic::ApplicationErrorCode{error_code}));
      },
      [&](h3::Session& session) {
        session.stop_reading(stream, h3::ErrorCode{error_code});
        return int{QUOLL_OK};
      });
}

int quoll_stream_set_priority(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, unsigned urgency,
                              int incremental) {
  if (urgency > http::Priority::kUrgencyMax) return capi::invalid("an urgency is 0 to 7");
  const auto level = static_cast<uint8_t>(urgency);
  return on_stream(
      endpoint, connection, stream,
      [&](quic::Streams& streams) {
        return done(streams.set_priority(quic::StreamId(stream), {.urgency = level, .incremental = incremental != 0}));
      },
      [&](h3::Session& session) {
        session.set_priority(stream, {.urgency = level, .incremental = incremental != 0});
        return int{QUOLL_OK};
      });
}
