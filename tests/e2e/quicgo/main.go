// quicgo: an HTTP/3 client and server of quic-go, for tests/e2e/with_quic_go.py. tools/peers builds it.
//
//	quicgo client CA BASE WORD [ARGUMENT...]   does what WORD says (client.go) and prints a line for each thing that it saw
//	quicgo server CERT KEY [OPTION...]         serves on a port of 127.0.0.1 until SIGTERM (server.go)
//
// Both end with code 1 and a line on stderr when something went wrong.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("usage: quicgo client CA BASE WORD [ARGUMENT...] | server CERT KEY [OPTION...]"))
	}
	switch os.Args[1] {
	case "client":
		runClient(os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	case "server":
		runServer(os.Args[2], os.Args[3], os.Args[4:])
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "quicgo:", err)
	os.Exit(1)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}
