// A peer that has X25519MLKEM768: crypto/tls of Go 1.24 or later, as an echo server or a client, for one connection.
//
//	peer server CHAIN.pem KEY.pem   prints "port N"; takes the hybrid group alone
//	peer client ADDRESS ROOT.pem NAME
//
// Both print "curve ID", "suite ID", "retry BOOL" and what they received.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const limit = 20 * time.Second

func must(err error) {
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func report(connection *tls.Conn) {
	state := connection.ConnectionState()
	fmt.Printf("curve %#04x\nsuite %s\nretry %v\n", uint16(state.CurveID), tls.CipherSuiteName(state.CipherSuite),
		state.HelloRetryRequest)
}

func serve(chain, key string) {
	certificate, err := tls.LoadX509KeyPair(chain, key)
	must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	socket, err := listener.Accept()
	must(err)
	must(socket.SetDeadline(time.Now().Add(limit)))
	connection := tls.Server(socket, &tls.Config{
		Certificates:     []tls.Certificate{certificate},
		MinVersion:       tls.VersionTLS13,
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768},
	})
	must(connection.Handshake())
	report(connection)
	_, err = io.Copy(connection, connection)
	must(err)
	must(connection.Close())
}

func call(address, root, name string) {
	pem, err := os.ReadFile(root)
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	socket, err := net.Dial("tcp", address)
	must(err)
	must(socket.SetDeadline(time.Now().Add(limit)))
	connection := tls.Client(socket, &tls.Config{
		RootCAs:          roots,
		ServerName:       name,
		MinVersion:       tls.VersionTLS13,
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519},
	})
	must(connection.Handshake())
	report(connection)
	_, err = fmt.Fprintln(connection, "ping-pong")
	must(err)
	line, err := bufio.NewReader(connection).ReadString('\n')
	must(err)
	fmt.Print("received ", line)
	must(connection.Close())
}

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "server":
		serve(os.Args[2], os.Args[3])
	case len(os.Args) == 5 && os.Args[1] == "client":
		call(os.Args[2], os.Args[3], os.Args[4])
	default:
		os.Exit(2)
	}
}
