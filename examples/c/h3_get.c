/* An HTTP/3 client in C: prints what GET gives.   usage: h3_get HOST PORT PATH [-k]   (-k: any certificate will do) */
#include <stdio.h>
#include <string.h>

#include <quoll/quoll.h>

static int failed(const char* what, int status) {
  fprintf(stderr, "h3_get: %s: %s (%s)\n", what, quoll_status_text(status), quoll_last_reason());
  return 1;
}

static void print_body(quoll_endpoint* endpoint, const quoll_event* event) {
  char piece[16384];
  size_t size = 0;
  int end = 0;
  while (!end && quoll_stream_read(endpoint, event->connection, event->stream, piece, sizeof piece, &size, &end) == QUOLL_OK) {
    fwrite(piece, 1, size, stdout);
  }
}

static int get(quoll_endpoint* endpoint, quoll_connection connection, const char* host, const char* path) {
  const quoll_field fields[] = {QUOLL_FIELD(":method", "GET"), QUOLL_FIELD(":scheme", "https"),
                                {":authority", 10, host, strlen(host)}, {":path", 5, path, strlen(path)}};
  uint64_t stream = 0;
  return quoll_h3_request(endpoint, connection, fields, 4, 1, &stream);
}

int main(int argc, char** argv) {
  unsigned port = 0;
  if (argc < 4 || argc > 5 || sscanf(argv[2], "%u", &port) != 1 || port > 65535) {
    return fputs("usage: h3_get HOST PORT PATH [-k]\n", stderr), 2;
  }
  quoll_endpoint_config config = {.struct_size = sizeof config, .http3 = 1};
  config.verify = argc == 5 && strcmp(argv[4], "-k") == 0 ? QUOLL_VERIFY_NONE : QUOLL_VERIFY_CHAIN;
  quoll_connect_options options = {.struct_size = sizeof options, .server_name = argv[1]};
  quoll_endpoint* endpoint = NULL;
  quoll_socket* socket = NULL;
  quoll_connection connection = 0;
  int status = quoll_address_resolve(argv[1], (uint16_t)port, &options.remote, 1);
  if (status < 0) return failed("resolve", status);
  if ((status = quoll_endpoint_new(&config, &endpoint)) < 0) return failed("endpoint", status);
  if ((status = quoll_socket_open(NULL, &socket)) < 0) return failed("socket", status);
  if ((status = quoll_endpoint_connect(endpoint, quoll_now(), &options, &connection)) < 0) return failed("connect", status);

  unsigned http_status = 0;
  for (int closed = 0; !closed; status = quoll_socket_turn(socket, endpoint, QUOLL_NEVER)) {
    quoll_event event = {.struct_size = sizeof event};
    while (quoll_endpoint_poll_event(endpoint, &event) == 1) {
      if (event.kind == QUOLL_EVENT_CONNECTED) status = get(endpoint, connection, argv[1], argv[3]);
      if (event.kind == QUOLL_EVENT_H3_RESPONSE) http_status = event.http_status;
      if (event.kind == QUOLL_EVENT_STREAM_READABLE) print_body(endpoint, &event);
      if (event.kind == QUOLL_EVENT_H3_CLOSED) quoll_connection_close(endpoint, connection, quoll_now(), 0x100, NULL);
      if (event.kind == QUOLL_EVENT_CLOSED) closed = 1;
      if (event.kind == QUOLL_EVENT_CLOSED && event.error_code != 0x100) fprintf(stderr, "h3_get: closed: %s\n", event.text);
    }
    if (status < 0) return failed("request", status);
  }
  quoll_endpoint_free(endpoint);
  quoll_socket_free(socket);
  return http_status == 200 ? 0 : 1;
}
