// The two roles of tls_peer, and their options.
//
// Both: --suites, --groups, --signatures LIST; --alpn LIST; --cert FILE --key FILE (PEM; a server takes several pairs);
// --psk-identity TEXT --psk HEX; --keylog FILE; --export LABEL:SIZE (without context); --send TEXT, --send-size N (a
// pattern, after the text); --key-update (also asks the peer for one); --records-per-key N; --padding N; --time-limit
// SECONDS (of a connection).
//
// client: --connect HOST:PORT; --name NAME; --ca FILE or --insecure; --key-shares N; --session FILE (a ticket to use, if
// there is one, and then the place of a new one); --early-data TEXT; --expect-size N (bytes to wait for before
// closing; without it, as many as were sent).
//
// server: --listen PORT (0: any); --count N connections, one after the other; --client-ca FILE with
// --require-client-cert; --tickets (keys of this process) or --tickets-file FILE; --ticket-count N; --early-data;
// --max-early-data N; --hrr-cookie; --ocsp FILE; --strict-name; --silent (nothing comes back; otherwise all data does).
#pragma once

namespace quoll::tls::peer {

int run_client(int argc, char** argv);
int run_server(int argc, char** argv);

}  // namespace quoll::tls::peer
