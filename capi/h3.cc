#include "capi/endpoint.h"

using namespace quoll;

namespace {

constexpr const char* kNoFields = "a field without a name or a value";

}  // namespace

int quoll_h3_request(quoll_endpoint* endpoint, quoll_connection connection, const quoll_field* fields,
                     size_t field_count, int end, uint64_t* stream) {
  const auto section = capi::fields_of(fields, field_count);
  if (!section || !stream) return capi::invalid(kNoFields);
  return capi::with_session(endpoint, connection, [&](h3::Session& session) {
    if (session.is_going_away()) return capi::fail(QUOLL_E_STATE, "the connection takes no further request");
    const Result<std::optional<uint64_t>> opened = session.request(*section, end != 0);
    if (!opened) return capi::invalid(opened.error().reason);
    if (!*opened) return capi::fail(QUOLL_E_AGAIN, "the server allows no more requests now");
    *stream = **opened;
    return int{QUOLL_OK};
  });
}

int quoll_h3_respond(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, unsigned http_status,
                     const quoll_field* fields, size_t field_count, int end) {
  const auto section = capi::fields_of(fields, field_count);
  if (!section) return capi::invalid(kNoFields);
  const bool interim = http_status < 200;
  if (http_status < 100 || http_status > 599 || (interim && end != 0)) {
    return capi::invalid("a status is 100 to 599, and an interim response is not the end");
  }
  return capi::with_session(endpoint, connection, [&](h3::Session& session) {
    const Result<void> sent = interim ? session.inform(stream, http_status, *section)
                                      : session.respond(stream, http_status, *section, end != 0);
    return sent ? int{QUOLL_OK} : capi::fail(sent.error());
  });
}

int quoll_h3_finish_with_trailers(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                  const quoll_field* fields, size_t field_count) {
  const auto section = capi::fields_of(fields, field_count);
  if (!section) return capi::invalid(kNoFields);
  return capi::with_session(endpoint, connection, [&](h3::Session& session) {
    const Result<void> finished = session.finish(stream, *section);
    return finished ? int{QUOLL_OK} : capi::fail(finished.error());
  });
}

int quoll_h3_shutdown(quoll_endpoint* endpoint, quoll_connection connection, int final_notice) {
  return capi::with_session(endpoint, connection, [&](h3::Session& session) {
    session.shutdown(final_notice != 0);
    return int{QUOLL_OK};
  });
}
