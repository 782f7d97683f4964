// The server: the table of routes says what it answers. For each connection that ends it prints why.
package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func number(r *http.Request) int { return must(strconv.Atoi(r.PathValue("n"))) }

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/early", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "early=%t\n", !r.TLS.HandshakeComplete)
	})
	mux.HandleFunc("/bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, number(r))
		for i := range body {
			body[i] = byte(i % 251)
		}
		w.Write(body)
	})
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		hash := sha256.New()
		size, err := io.Copy(hash, r.Body)
		if err == nil {
			fmt.Fprintf(w, "%d %x\n", size, hash.Sum(nil))
		}
	})
	mux.HandleFunc("/fields/{n}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", number(r)))
		fmt.Fprintln(w, len(r.Header.Get("Cookie")))
	})
	mux.HandleFunc("/sleep/{n}", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(number(r)) * time.Millisecond)
		fmt.Fprintln(w, "slept")
	})
	return mux
}

// Options: "retry"; "idle=MILLISECONDS", the idle timeout.
func runServer(certificate, key string, options []string) {
	config := &quic.Config{Allow0RTT: true}
	socket := must(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	transport := &quic.Transport{Conn: socket}
	for _, option := range options {
		if option == "retry" {
			transport.VerifySourceAddress = func(net.Addr) bool { return true }
		} else if idle, found := strings.CutPrefix(option, "idle="); found {
			config.MaxIdleTimeout = time.Duration(must(strconv.Atoi(idle))) * time.Millisecond
		} else {
			fail(fmt.Errorf("what is %q?", option))
		}
	}
	pair := must(tls.LoadX509KeyPair(certificate, key))
	server := &http3.Server{
		Handler:   routes(),
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}}),
	}
	listener := must(transport.ListenEarly(server.TLSConfig, config))
	fmt.Printf("listening on https://localhost:%d/\n", socket.LocalAddr().(*net.UDPAddr).Port)
	go func() {
		for {
			connection, err := listener.Accept(context.Background())
			if err != nil {
				return
			}
			go server.ServeQUICConn(connection)
			context.AfterFunc(connection.Context(), func() {
				fmt.Println("closed:", context.Cause(connection.Context()))
			})
		}
	}()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server.Shutdown(ctx)
	transport.Close()
}
