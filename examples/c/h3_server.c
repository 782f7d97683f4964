/* An HTTP/3 server in C that greets, with a certificate made on the spot.   usage: h3_server ADDRESS PORT */
#include <signal.h>
#include <stdio.h>

#include <quoll/quoll.h>

static quoll_socket* listening;
static volatile sig_atomic_t stopped;

static void stop(int signal_number) {
  (void)signal_number;
  stopped = 1;
  quoll_socket_wake(listening);
}

static int failed(const char* what, int status) {
  fprintf(stderr, "h3_server: %s: %s (%s)\n", what, quoll_status_text(status), quoll_last_reason());
  return 1;
}

static void answer(quoll_endpoint* endpoint, const quoll_event* event) {
  static const char greeting[] = "hello from C\n";
  const quoll_field fields[] = {QUOLL_FIELD("content-type", "text/plain")};
  size_t written = 0;
  if (quoll_h3_respond(endpoint, event->connection, event->stream, 200, fields, 1, 0) != QUOLL_OK) return;
  quoll_stream_write(endpoint, event->connection, event->stream, greeting, sizeof greeting - 1, NULL, NULL, &written);
  quoll_stream_finish(endpoint, event->connection, event->stream);
}

int main(int argc, char** argv) {
  unsigned port = 0;
  if (argc != 3 || sscanf(argv[2], "%u", &port) != 1 || port > 65535) {
    return fputs("usage: h3_server ADDRESS PORT\n", stderr), 2;
  }
  quoll_identity* identity = NULL;
  quoll_endpoint* endpoint = NULL;
  quoll_address address;
  int status = quoll_identity_self_signed("localhost", 7, NULL, &identity);
  if (status < 0) return failed("certificate", status);
  quoll_endpoint_config config = {.struct_size = sizeof config, .http3 = 1, .identity = identity};
  if ((status = quoll_endpoint_new(&config, &endpoint)) < 0) return failed("endpoint", status);
  if ((status = quoll_address_resolve(argv[1], (uint16_t)port, &address, 1)) < 0) return failed("address", status);
  if ((status = quoll_socket_open(&address, &listening)) < 0) return failed("socket", status);
  signal(SIGINT, stop);
  signal(SIGTERM, stop);

  char text[64];
  quoll_socket_address(listening, &address);
  quoll_address_format(&address, text, sizeof text);
  printf("listening on https://%s\n", text);
  fflush(stdout);
  while (!stopped || quoll_endpoint_connections(endpoint) > 0) {
    quoll_event event = {.struct_size = sizeof event};
    if (stopped == 1) quoll_endpoint_close(endpoint, quoll_now(), 0x100, "the server ends"), stopped = 2;
    while (quoll_endpoint_poll_event(endpoint, &event) == 1) {
      if (event.kind == QUOLL_EVENT_H3_REQUEST) answer(endpoint, &event);
    }
    if ((status = quoll_socket_turn(listening, endpoint, QUOLL_NEVER)) < 0) return failed("socket", status);
  }
  quoll_endpoint_free(endpoint);
  quoll_socket_free(listening);
  quoll_identity_free(identity);
  return 0;
}
