// Quoll for C: QUIC and HTTP/3 by polling, for C99 and whatever calls C. docs/capi.md has the guide.
//
// The shape of a program:
//
//     for (;;) {
//       while (quoll_endpoint_poll_event(endpoint, &event) == 1) …;    // and use connections and streams
//       quoll_socket_turn(socket, endpoint, max_wait);                 // send, wait, receive
//     }
//
// Without quoll_socket the endpoint opens no socket and reads no monotonic clock: feed it with quoll_endpoint_receive() and
// quoll_endpoint_on_timeout(), and send what quoll_endpoint_poll_transmit() gives.
//
// Status: functions that return int give QUOLL_OK (0), or a negative QUOLL_E_…; quoll_last_reason() has a line for people.
// Polling functions give 1 when there was something and 0 when not. A bad argument is QUOLL_E_INVALID, never a crash, but
// for pointers that point nowhere and objects that were freed. When memory is out, the program ends.
//
// Threads: an endpoint, its connections and its socket belong to one thread at a time. Different endpoints share nothing.
// An identity may be used by all threads. quoll_socket_wake() is for any thread and for signal handlers.
//
// Time: uint64_t nanoseconds. An instant counts from an origin of the caller's choice and never runs backwards, such as
// quoll_now(); QUOLL_NEVER is one that never comes.
//
// Structs begin with `struct_size`, which the caller sets to sizeof: {.struct_size = sizeof config}. All else may stay zero,
// which means the default. Later versions add members at the end, and programs of older headers go on working; what
// a newer header has and this library does not know must be zero, else QUOLL_E_INVALID.
//
// Memory: pointers in arguments are read during the call. Pointers in results are good until the next call for the same
// endpoint, those of an event until the next quoll_endpoint_poll_event(). Texts end in a zero byte.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUOLL_VERSION_MAJOR 0
#define QUOLL_VERSION_MINOR 1
#define QUOLL_VERSION_PATCH 0

#if defined(__GNUC__)
#define QUOLL_API __attribute__((visibility("default")))
#else
#define QUOLL_API
#endif

#define QUOLL_NEVER UINT64_MAX
/// Instead of a stream where none is meant.
#define QUOLL_NO_STREAM UINT64_MAX
/// The least memory that quoll_endpoint_poll_transmit() takes, and what it makes full use of.
#define QUOLL_TRANSMIT_SIZE_MIN 1500
#define QUOLL_TRANSMIT_SIZE_MAX 65536

typedef struct quoll_identity quoll_identity;
typedef struct quoll_endpoint quoll_endpoint;
typedef struct quoll_socket quoll_socket;
/// Names a connection of one endpoint; never 0. When the connection is forgotten the name is not given again, and
/// functions return QUOLL_E_GONE.
typedef uint64_t quoll_connection;

enum quoll_status {
  QUOLL_OK = 0,
  QUOLL_E_INVALID = -1,   // an argument that cannot be
  QUOLL_E_STATE = -2,     // not now, or not on this stream: it is over, of the wrong direction, or unknown
  QUOLL_E_AGAIN = -3,     // nothing there, or no room; an event tells when
  QUOLL_E_GONE = -4,      // the connection is over and forgotten
  QUOLL_E_PEER = -5,      // the peer has reset or stopped the stream
  QUOLL_E_SIZE = -6,      // the caller's memory is too small, or the data too large
  QUOLL_E_SYSTEM = -7,    // the operating system refused
  QUOLL_E_CRYPTO = -8,    // a certificate, key or ticket that cannot be used
  QUOLL_E_PROTOCOL = -9,  // against the rules of QUIC, TLS or HTTP
  QUOLL_E_RESOLVE = -10   // no address for the name
};

/// The version of the library, such as "0.1.0".
QUOLL_API const char* quoll_version(void);
/// A few words for a status; never NULL.
QUOLL_API const char* quoll_status_text(int status);
/// Why the last call of this thread that returned a negative status did so: static text, never NULL.
QUOLL_API const char* quoll_last_reason(void);
/// The system's monotonic clock.
QUOLL_API uint64_t quoll_now(void);

// --- Addresses

enum quoll_family { QUOLL_FAMILY_NONE = 0, QUOLL_FAMILY_IPV4 = 4, QUOLL_FAMILY_IPV6 = 6 };
/// An IP address and a UDP port. Of fixed size, without struct_size.
typedef struct quoll_address {
  uint8_t ip[16];  // network order; an IPv4 address in the first four
  uint32_t scope;  // of a link-local IPv6 address
  uint16_t port;
  uint16_t family;  // enum quoll_family
} quoll_address;

/// The addresses of a host with a port: an address literal ("192.0.2.1", "::1") or a name, for which the system's resolver
/// is asked, and blocks. Writes at most `capacity` (not 0) of them and gives their number, or QUOLL_E_RESOLVE.
QUOLL_API int quoll_address_resolve(const char* host, uint16_t port, quoll_address* addresses, size_t capacity);
/// "192.0.2.1:443", "[2001:db8::1]:443". QUOLL_E_SIZE below 64 bytes if it does not fit.
QUOLL_API int quoll_address_format(const quoll_address* address, char* text, size_t capacity);

// --- Certificates

/// A certificate chain (PEM, leaf first) with its private key (PEM: PKCS#8, SEC 1 or PKCS#1). The sizes are in bytes,
/// without a zero at the end. QUOLL_E_CRYPTO: unreadable, or a key that is not the certificate's.
QUOLL_API int quoll_identity_from_pem(const char* chain, size_t chain_size, const char* key, size_t key_size,
                                      quoll_identity** identity);
/// The same from files. QUOLL_E_SYSTEM when one cannot be read.
QUOLL_API int quoll_identity_from_files(const char* chain_path, const char* key_path, quoll_identity** identity);
/// A new P-256 key and a certificate for `host` (a DNS name or the text of an IP address), good for `days` (1 to 3650):
/// for tests, and for peers that pin it. `pin`: 32 bytes for the SHA-256 of its public key (quoll_endpoint_config::pins),
/// or NULL.
QUOLL_API int quoll_identity_self_signed(const char* host, unsigned days, uint8_t* pin, quoll_identity** identity);
/// Endpoints that use it go on. NULL is allowed.
QUOLL_API void quoll_identity_free(quoll_identity* identity);

// --- Endpoints

enum quoll_congestion {
  QUOLL_CONGESTION_DEFAULT = 0,  // CUBIC
  QUOLL_CONGESTION_NEW_RENO = 1,
  QUOLL_CONGESTION_CUBIC = 2,
  QUOLL_CONGESTION_BBR2 = 3,
  QUOLL_CONGESTION_BBR3 = 4
};
/// When a server makes clients prove their address by a Retry (RFC 9000 §8.1.2).
enum quoll_retry { QUOLL_RETRY_UNDER_LOAD = 0, QUOLL_RETRY_NEVER = 1, QUOLL_RETRY_ALWAYS = 2 };
/// What a client wants of a server's certificate.
enum quoll_verify {
  QUOLL_VERIFY_CHAIN = 0,  // a path to an anchor, the name, and a pin if there are any
  QUOLL_VERIFY_PIN = 1,    // that its key is pinned, and no more
  QUOLL_VERIFY_NONE = 2    // nothing: whoever is there
};
/// Whether a server asks clients for a certificate.
enum quoll_client_auth { QUOLL_CLIENT_AUTH_NONE = 0, QUOLL_CLIENT_AUTH_OPTIONAL = 1, QUOLL_CLIENT_AUTH_REQUIRED = 2 };

typedef struct quoll_endpoint_config {
  size_t struct_size;
  /// Not 0: connections speak HTTP/3; stream functions then work on the bodies of messages.
  int http3;
  /// ALPN names, preferred first; at least one, but none with http3.
  const char* const* protocols;
  size_t protocol_count;
  /// A server's certificate: with it the endpoint accepts connections. Without it is a client only.
  const quoll_identity* identity;
  int client_auth;  // enum quoll_client_auth; against `trust_file`, which must then be there
  int retry;        // enum quoll_retry
  /// A server takes 0-RTT data, which may be replayed (RFC 8446 §8): events say `early`.
  int accept_early_data;
  /// What a client that a server asks shows.
  const quoll_identity* client_identity;
  int verify;  // enum quoll_verify
  /// Trust anchors, a PEM file; NULL: the system's, but none on an endpoint with `identity`, which then cannot connect
  /// under QUOLL_VERIFY_CHAIN.
  const char* trust_file;
  /// SHA-256 hashes of public keys (SubjectPublicKeyInfo), 32 bytes each, one after the other.
  const uint8_t* pins;
  size_t pin_count;
  /// A file that TLS secrets are appended to, for Wireshark (SSLKEYLOGFILE); NULL: none.
  const char* key_log_file;
  int congestion;                  // enum quoll_congestion
  uint64_t idle_timeout;           // ns; default 30 s; QUOLL_NEVER: none
  uint64_t keep_alive;             // ns between PINGs while streams are open; default none
  uint64_t handshake_timeout;      // ns; default 10 s
  uint64_t max_stream_window;      // bytes that a peer may send ahead on a stream; default 16 MiB
  uint64_t max_connection_window;  // and on a connection; default 24 MiB
  uint64_t send_buffer_max;  // bytes of a stream that wait before quoll_stream_write() takes no more; default 8 MiB
  /// Streams that a peer may have open at a time; default 100 of each kind; HTTP/3 has at least what it needs.
  uint64_t max_bidirectional_streams;
  uint64_t max_unidirectional_streams;
  /// Not 0: DATAGRAM frames are welcome (RFC 9221); HTTP/3 always says so (RFC 9297).
  int datagrams;
  uint64_t max_connections;  // default 100000
} quoll_endpoint_config;

/// Reads the files that the configuration names. QUOLL_E_SYSTEM, QUOLL_E_CRYPTO when they cannot be used.
QUOLL_API int quoll_endpoint_new(const quoll_endpoint_config* config, quoll_endpoint** endpoint);
/// Drops all connections without a word (quoll_endpoint_close() says it) and releases buffers. NULL is allowed.
QUOLL_API void quoll_endpoint_free(quoll_endpoint* endpoint);

typedef struct quoll_connect_options {
  size_t struct_size;
  /// The name that the certificate must carry, and that SNI sends; may be the text of an IP address.
  const char* server_name;
  quoll_address remote;
  /// Family QUOLL_FAMILY_NONE: any. With a quoll_socket, quoll_socket_address() is not needed here.
  quoll_address local;
  /// Of a QUOLL_EVENT_RESUMPTION of an earlier connection to the same server, to be used once; NULL: none. What cannot be used
  /// (old, of another version) is left aside, and a full handshake follows.
  const uint8_t* resumption;
  size_t resumption_size;
  /// Not 0: streams and requests may be used at once and go out in 0-RTT, if `resumption` allows it; they may be replayed.
  int early_data;
} quoll_connect_options;

/// Begins a connection; QUOLL_EVENT_CONNECTED or QUOLL_EVENT_CLOSED follows.
QUOLL_API int quoll_endpoint_connect(quoll_endpoint* endpoint, uint64_t now, const quoll_connect_options* options,
                                     quoll_connection* connection);
/// Closes all connections with an application's error code (RFC 9000 §20.2; below 2^62) and accepts no more. What says so
/// still has to be sent; quoll_endpoint_connections() is 0 when nothing is left. `reason` may be NULL.
QUOLL_API int quoll_endpoint_close(quoll_endpoint* endpoint, uint64_t now, uint64_t error_code, const char* reason);
/// Connections that are not forgotten yet. 0 for NULL.
QUOLL_API size_t quoll_endpoint_connections(const quoll_endpoint* endpoint);

// --- Events

enum quoll_event_kind {
  // Of connections
  QUOLL_EVENT_CONNECTED = 1,         // handshake complete; resumed, early
  QUOLL_EVENT_CLOSED = 2,            // the last event of a connection: close_reason, by_application, error_code, text
  QUOLL_EVENT_MIGRATED = 3,          // address: the peer's
  QUOLL_EVENT_MIGRATION_FAILED = 4,  // the old path goes on
  QUOLL_EVENT_RESUMPTION = 5,        // data: for quoll_connect_options::resumption. As secret as a password
  QUOLL_EVENT_EARLY_DATA_REJECTED = 6,  // what was sent goes out again by itself
  QUOLL_EVENT_DATAGRAM = 7,             // quoll_datagram_receive() until it is empty; HTTP/3: stream
  // Of streams
  QUOLL_EVENT_STREAM_OPENED = 16,      // by the peer
  QUOLL_EVENT_STREAM_READABLE = 17,    // quoll_stream_read() until QUOLL_E_AGAIN or the end
  QUOLL_EVENT_STREAM_WRITABLE = 18,    // there is room again after a write that was cut short
  QUOLL_EVENT_STREAM_DELIVERED = 19,   // all that we sent, and the end, has arrived
  QUOLL_EVENT_STREAM_STOPPED = 20,     // the peer wants no more of us: error_code
  QUOLL_EVENT_STREAM_RESET = 21,       // the peer gave its part up: error_code
  QUOLL_EVENT_STREAMS_AVAILABLE = 22,  // quoll_stream_open() or quoll_h3_request() may be called again
  // Of HTTP/3
  QUOLL_EVENT_H3_REQUEST = 32,   // server: fields; has_body; early
  QUOLL_EVENT_H3_RESPONSE = 33,  // client: http_status (1xx: interim), fields; has_body
  QUOLL_EVENT_H3_TRAILERS = 34,  // fields
  QUOLL_EVENT_H3_CLOSED = 35,    // both messages of a stream are over, the last event of it: delivered
  QUOLL_EVENT_H3_GOAWAY = 36     // the peer ends; stream: requests from there on are not processed
};

/// Why a connection ended.
enum quoll_close_reason {
  QUOLL_CLOSE_LOCAL = 0,
  QUOLL_CLOSE_PEER = 1,
  QUOLL_CLOSE_STATELESS_RESET = 2,
  QUOLL_CLOSE_IDLE_TIMEOUT = 3,
  QUOLL_CLOSE_HANDSHAKE_TIMEOUT = 4,
  QUOLL_CLOSE_NO_VIABLE_PATH = 5,
  QUOLL_CLOSE_VERSION_NEGOTIATION = 6
};

/// A line of a header or trailer section; not zero-terminated. Names are in lower case; pseudo-header fields (":path")
/// come first. Of fixed size, without struct_size.
typedef struct quoll_field {
  const char* name;
  size_t name_size;
  const char* value;
  size_t value_size;
} quoll_field;
/// A field of two string literals.
#define QUOLL_FIELD(name, value) {(name), sizeof(name) - 1, (value), sizeof(value) - 1}

typedef struct quoll_event {
  size_t struct_size;
  int kind;  // enum quoll_event_kind
  quoll_connection connection;
  uint64_t stream;      // QUOLL_NO_STREAM where there is none
  uint64_t error_code;  // of the transport (RFC 9000 §20.1), or of the application
  int close_reason;     // enum quoll_close_reason
  int by_application;   // whose error_code it is
  int resumed;          // the handshake used a ticket
  int early;            // CONNECTED: 0-RTT was accepted; H3_REQUEST: it may be a replay (RFC 8470)
  int unidirectional;   // STREAM_OPENED, STREAMS_AVAILABLE
  int has_body;         // a body follows, or may
  int delivered;        // all that we sent has arrived
  unsigned http_status;
  const char* text;  // CLOSED: what an end said of it, for people; may be empty
  const uint8_t* data;
  size_t data_size;
  const quoll_field* fields;
  size_t field_count;
  quoll_address address;
} quoll_event;

/// 1: `event` is filled, from the front to its struct_size; 0: there is none.
QUOLL_API int quoll_endpoint_poll_event(quoll_endpoint* endpoint, quoll_event* event);

// --- Sans-IO: for those who have sockets and a loop of their own

/// One UDP datagram, or a train of them one after the other: all of segment_size bytes but the last, as GRO delivers and GSO
/// takes them.
typedef struct quoll_packet {
  size_t struct_size;
  quoll_address local;   // QUOLL_FAMILY_NONE: unknown, or any
  quoll_address remote;  // the peer's
  const uint8_t* data;
  size_t size;
  uint16_t segment_size;  // 0: one datagram
  uint16_t ecn;           // the ECN field of the IP header: 0 to 3 (RFC 3168 §5)
} quoll_packet;

/// What arrived. The data is copied: packets are decrypted in place.
QUOLL_API int quoll_endpoint_receive(quoll_endpoint* endpoint, uint64_t now, const quoll_packet* packet);
/// 1: `packet` is to be sent; its data lies in `memory`. 0: nothing now. `capacity`: QUOLL_TRANSMIT_SIZE_MIN at least,
/// which gives one datagram at a time; with more there are trains.
QUOLL_API int quoll_endpoint_poll_transmit(quoll_endpoint* endpoint, uint64_t now, uint8_t* memory, size_t capacity,
                                           quoll_packet* packet);
/// When quoll_endpoint_on_timeout() wants to be called: QUOLL_NEVER, or an instant, which may be past. Changes with each
/// other call.
QUOLL_API uint64_t quoll_endpoint_next_timeout(const quoll_endpoint* endpoint);
/// Too early or too late is no error.
QUOLL_API int quoll_endpoint_on_timeout(quoll_endpoint* endpoint, uint64_t now);

// --- Sockets: for those who have not

/// A non-blocking UDP socket with GSO, GRO and ECN where the system has them. `address`: "any" with port 0 when NULL. An IPv6
/// wildcard takes IPv4 too.
QUOLL_API int quoll_socket_open(const quoll_address* address, quoll_socket** socket);
/// Before or after the endpoints that it served. NULL is allowed.
QUOLL_API void quoll_socket_free(quoll_socket* socket);
/// With the port that the system chose.
QUOLL_API int quoll_socket_address(const quoll_socket* socket, quoll_address* address);
/// For an event loop: when it is readable, and at quoll_endpoint_next_timeout(), call quoll_socket_turn() with max_wait 0. -1
/// for NULL.
QUOLL_API int quoll_socket_fd(const quoll_socket* socket);
/// A turn of the loop: timers, sends, waits until something comes, a timer is due, quoll_socket_wake() or a signal ends it, at
/// most `max_wait` nanoseconds, and receives. It does not wait when events are there to poll, or when a connection was
/// forgotten meanwhile. A socket serves one endpoint.
/// 1: something came, or is left to send: poll events and call it again before waiting for anything else; 0 otherwise.
QUOLL_API int quoll_socket_turn(quoll_socket* socket, quoll_endpoint* endpoint, uint64_t max_wait);
/// Ends the wait of a turn, this one or the next. From any thread, and from signal handlers.
QUOLL_API void quoll_socket_wake(quoll_socket* socket);

// --- Connections

/// CONNECTION_CLOSE with an application's error code (below 2^62). `reason` may be NULL. QUOLL_EVENT_CLOSED follows.
QUOLL_API int quoll_connection_close(quoll_endpoint* endpoint, quoll_connection connection, uint64_t now,
                                     uint64_t error_code, const char* reason);

typedef struct quoll_connection_info {
  size_t struct_size;
  quoll_address local, remote;
  int is_server;          // we are
  int established;        // the handshake is complete
  int confirmed;          // RFC 9001 §4.1.2
  uint32_t quic_version;  // 1, 0x6b3343cf
  const char* protocol;   // ALPN; "" before it is known
  const char* server_name;
  const char* cipher_suite;
  size_t max_datagram_size;  // of quoll_datagram_send(), without HTTP/3; 0: none are taken
  // Counters, since the beginning.
  uint64_t bytes_sent, bytes_received;  // of UDP payload
  uint64_t packets_sent, packets_received, packets_lost;
  // The path now.
  uint64_t smoothed_rtt, min_rtt;  // ns
  uint64_t congestion_window, bytes_in_flight;
  uint64_t delivery_rate;  // bytes per second
  uint32_t mtu;            // UDP payload
  /// The leaf certificate (DER) that the peer proved to be its own; NULL: none. A server that asked its client for one has it as
  /// long as the connection is there. A client has its server's until `confirmed`, and never on a resumed connection.
  const uint8_t* peer_certificate;
  size_t peer_certificate_size;
} quoll_connection_info;

QUOLL_API int quoll_connection_get_info(quoll_endpoint* endpoint, quoll_connection connection,
                                        quoll_connection_info* info);
/// A client's, once confirmed: goes over to another local address (RFC 9000 §9.2). QUOLL_EVENT_MIGRATED or
/// QUOLL_EVENT_MIGRATION_FAILED follows. QUOLL_E_STATE when the server forbade it.
QUOLL_API int quoll_connection_migrate(quoll_endpoint* endpoint, quoll_connection connection, uint64_t now,
                                       const quoll_address* local);
/// RFC 8446 §7.5: secrets that both ends share. `context` may be NULL.
QUOLL_API int quoll_connection_export_key(quoll_endpoint* endpoint, quoll_connection connection, const char* label,
                                          const uint8_t* context, size_t context_size, uint8_t* key, size_t key_size);
/// A DATAGRAM (RFC 9221), copied; with HTTP/3 one of an extended CONNECT's `stream` (RFC 9297), else QUOLL_NO_STREAM.
/// QUOLL_E_AGAIN: the queue is full, it is dropped. QUOLL_E_SIZE: larger than the path or the peer takes.
QUOLL_API int quoll_datagram_send(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                  const void* data, size_t size);
/// The next one that waits. QUOLL_E_AGAIN: none. QUOLL_E_SIZE: it was larger than `capacity`, and is dropped.
QUOLL_API int quoll_datagram_receive(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, void* data,
                                     size_t capacity, size_t* size);

// --- Streams. With HTTP/3: the bodies of requests and responses

/// QUOLL_E_AGAIN: the peer allows no more now; QUOLL_EVENT_STREAMS_AVAILABLE follows. Not with HTTP/3 (QUOLL_E_STATE).
QUOLL_API int quoll_stream_open(quoll_endpoint* endpoint, quoll_connection connection, int unidirectional,
                                uint64_t* stream);
/// Called once for memory that a write took, when nothing needs it any more: all of it was acknowledged, or the stream, the
/// connection or the endpoint ended. It comes from within calls for the endpoint and must not call them itself.
typedef void (*quoll_release)(void* context);
/// Writes up to `size` bytes and gives in `written` how many were taken. Fewer than `size`: QUOLL_EVENT_STREAM_WRITABLE
/// follows when there is room. None: QUOLL_E_AGAIN, and the event too. QUOLL_E_PEER (and
/// QUOLL_E_STATE, when that is settled): the peer wants no more.
/// Without `release` the data is copied. With it, it is not: when any of it was taken, the memory must stay as it is until
/// release(context), which is called exactly once; when none was taken, or the status is an error, it is not called. To write
/// the rest later is another write with a release of its own.
QUOLL_API int quoll_stream_write(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                 const void* data, size_t size, quoll_release release, void* context, size_t* written);
/// Nothing more is written.
QUOLL_API int quoll_stream_finish(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream);
/// Copies up to `capacity` (not 0) bytes and gives how many; `end` is 1 when nothing follows. QUOLL_E_AGAIN: nothing now.
/// QUOLL_E_PEER: the peer has reset it. What is not read holds the peer back.
QUOLL_API int quoll_stream_read(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream, void* data,
                                size_t capacity, size_t* size, int* end);
/// RESET_STREAM: our part is given up, with an application's code (below 2^62). HTTP/3: both parts, as RFC 9114 §4.1.1 says.
QUOLL_API int quoll_stream_reset(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                 uint64_t error_code);
/// STOP_SENDING: nothing more is read.
QUOLL_API int quoll_stream_stop(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                uint64_t error_code);
/// Urgency 0 (first) to 7, 3 by default; incremental streams of one urgency take turns (RFC 9218 §4). HTTP/3 clients tell the
/// server.
QUOLL_API int quoll_stream_set_priority(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                        unsigned urgency, int incremental);

// --- HTTP/3

/// A request: :method, :scheme, :authority and :path come first in `fields`. `end` not 0: without a body; else write, then
/// finish. QUOLL_E_AGAIN: no stream now; QUOLL_EVENT_STREAMS_AVAILABLE follows. QUOLL_E_STATE before the connection
/// is established (unless there is early data), and after the peer's GOAWAY. QUOLL_E_INVALID for fields that are
/// malformed (RFC 9114 §4.2, §4.3).
QUOLL_API int quoll_h3_request(quoll_endpoint* endpoint, quoll_connection connection, const quoll_field* fields,
                               size_t field_count, int end, uint64_t* stream);
/// The head of a response; `fields` without :status. 1xx: an interim one, and the final one is still to come.
QUOLL_API int quoll_h3_respond(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                               unsigned http_status, const quoll_field* fields, size_t field_count, int end);
/// Trailers and the end of our message, instead of quoll_stream_finish().
QUOLL_API int quoll_h3_finish_with_trailers(quoll_endpoint* endpoint, quoll_connection connection, uint64_t stream,
                                            const quoll_field* fields, size_t field_count);
/// GOAWAY: what came is served, what comes later is refused. A server calls it with final 0, and after a round trip with 1
/// (RFC 9114 §5.2).
QUOLL_API int quoll_h3_shutdown(quoll_endpoint* endpoint, quoll_connection connection, int final_notice);

#ifdef __cplusplus
}  // extern "C"
#endif
