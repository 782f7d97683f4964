// quic-go, to be measured beside Quoll: the server of `quoll perf serve` and a client that loads it.
//
//	quic-go-perf serve ADDR:PORT CERT KEY
//	quic-go-perf get ADDR:PORT down|up STREAMS REQUESTS SIZE
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// The same for every stack that is measured.
const (
	streamWindow     = 16 << 20
	connectionWindow = 24 << 20
	socketBuffer     = 4 << 20
)

var data = make([]byte, 256*1024)

// body gives so many bytes of data.
type body struct{ left int64 }

func (b *body) Read(to []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n := copy(to[:min(int64(len(to)), b.left)], data)
	b.left -= int64(n)
	return n, nil
}

func config() *quic.Config {
	return &quic.Config{
		InitialStreamReceiveWindow:     streamWindow,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: connectionWindow,
		MaxConnectionReceiveWindow:     connectionWindow,
		MaxIncomingStreams:             100,
		Allow0RTT:                      true,
	}
}

func socket(address string) (*net.UDPConn, error) {
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer)
	_ = conn.SetWriteBuffer(socketBuffer)
	return conn, nil
}

func answer(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		return
	}
	left, err := strconv.ParseInt(r.URL.Path[1:], 10, 64)
	if err != nil || left < 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("content-length", strconv.FormatInt(left, 10))
	for left > 0 {
		n, err := w.Write(data[:min(left, int64(len(data)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}

func serve(address, certificate, key string) error {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	conn, err := socket(address)
	if err != nil {
		return err
	}
	server := http3.Server{
		Handler:    http.HandlerFunc(answer),
		TLSConfig:  http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}}),
		QUICConfig: config(),
	}
	fmt.Printf("listening on https://%s/\n", address)
	return server.Serve(conn)
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

type load struct {
	url    string
	upload bool
	size   int64
}

// one gives the bytes of the bodies, both ways.
func one(client *http3.ClientConn, l load) (int64, error) {
	var request *http.Request
	var err error
	if l.upload {
		request, err = http.NewRequest(http.MethodPost, l.url, &body{l.size})
	} else {
		request, err = http.NewRequest(http.MethodGet, l.url+strconv.FormatInt(l.size, 10), nil)
	}
	if err != nil {
		return 0, err
	}
	if l.upload {
		request.ContentLength = l.size
	}
	response, err := client.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("status %d", response.StatusCode)
	}
	buffer := make([]byte, 64*1024)
	bytes := int64(0)
	for {
		n, err := response.Body.Read(buffer)
		bytes += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if l.upload {
		bytes += l.size
	}
	return bytes, nil
}

func get(address string, l load, streams, requests int64) error {
	remote, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return err
	}
	conn, err := socket("0.0.0.0:0")
	if err != nil {
		return err
	}
	ctx := context.Background()
	transport := quic.Transport{Conn: conn}
	connection, err := transport.Dial(ctx, remote, &tls.Config{
		InsecureSkipVerify: true, ServerName: "localhost", NextProtos: []string{http3.NextProtoH3},
	}, config())
	if err != nil {
		return err
	}
	client := (&http3.Transport{DisableCompression: true}).NewClientConn(connection)
	begin, cpu := time.Now(), cpuSeconds()
	var left, bytes atomic.Int64
	left.Store(requests)
	var failure atomic.Pointer[error]
	var group sync.WaitGroup
	for range streams {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				n, err := one(client, l)
				if err != nil {
					failure.Store(&err)
					return
				}
				bytes.Add(n)
			}
		})
	}
	group.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	fmt.Printf("{\"seconds\": %g, \"requests\": %d, \"bytes\": %d, \"client_cpu_seconds\": %g}\n",
		time.Since(begin).Seconds(), requests, bytes.Load(), cpuSeconds()-cpu)
	return connection.CloseWithError(0x100, "")
}

func run(words []string) error {
	if len(words) == 4 && words[0] == "serve" {
		return serve(words[1], words[2], words[3])
	}
	if len(words) == 6 && words[0] == "get" && (words[2] == "up" || words[2] == "down") {
		var numbers [3]int64
		for i := range numbers {
			var err error
			if numbers[i], err = strconv.ParseInt(words[3+i], 10, 64); err != nil {
				return err
			}
		}
		l := load{url: "https://" + words[1] + "/", upload: words[2] == "up", size: numbers[2]}
		return get(words[1], l, numbers[0], numbers[1])
	}
	return fmt.Errorf("usage: serve ADDR:PORT CERT KEY | get ADDR:PORT down|up STREAMS REQUESTS SIZE")
}

func main() {
	runtime.GOMAXPROCS(1) // a core each, as for everybody
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "quic-go-perf:", err)
		os.Exit(1)
	}
}
