// The client. All requests of a run share a connection, but for those of "early".
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const patience = 10 * time.Second

type client struct {
	base        string
	transport   *http3.Transport
	connections []*quic.Conn
	mutex       sync.Mutex
}

// sessions tells when a ticket has come.
type sessions struct {
	tls.ClientSessionCache
	came chan struct{}
}

func (s *sessions) Put(key string, state *tls.ClientSessionState) {
	s.ClientSessionCache.Put(key, state)
	if state == nil {
		return
	}
	select {
	case s.came <- struct{}{}:
	default:
	}
}

func (s *sessions) wait() {
	select {
	case <-s.came:
	case <-time.After(patience):
		fail(fmt.Errorf("no ticket came"))
	}
}

func newClient(authorities *x509.CertPool, sessions tls.ClientSessionCache, base string) *client {
	c := &client{base: base}
	c.transport = &http3.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: authorities, ClientSessionCache: sessions},
		QUICConfig:         &quic.Config{EnableDatagrams: true, TokenStore: quic.NewLRUTokenStore(1, 4)},
		EnableDatagrams:    true,
		DisableCompression: true,
		Dial: func(ctx context.Context, address string, t *tls.Config, q *quic.Config) (*quic.Conn, error) {
			connection, err := quic.DialAddrEarly(ctx, address, t, q)
			if err == nil {
				c.mutex.Lock()
				c.connections = append(c.connections, connection)
				c.mutex.Unlock()
			}
			return connection, err
		},
	}
	return c
}

func (c *client) do(method, path string, body io.Reader) (*http.Response, []byte) {
	response := must(c.transport.RoundTrip(must(http.NewRequest(method, c.base+path, body))))
	defer response.Body.Close()
	return response, must(io.ReadAll(response.Body))
}

func runClient(ca, base, word string, arguments []string) {
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(must(os.ReadFile(ca)))
	sessions := &sessions{tls.NewLRUClientSessionCache(4), make(chan struct{}, 1)}
	c := newClient(authorities, sessions, base)
	switch word {
	case "get", "head": // PATH...: "STATUS SIZE SHA256"
		for _, path := range arguments {
			method := map[string]string{"get": http.MethodGet, "head": http.MethodHead}[word]
			response, body := c.do(method, path, nil)
			fmt.Printf("%d %d %x\n", response.StatusCode, max(response.ContentLength, int64(len(body))), sha256.Sum256(body))
		}
	case "many": // COUNT CONCURRENT PATH
		c.many(must(strconv.Atoi(arguments[0])), must(strconv.Atoi(arguments[1])), arguments[2])
	case "upload": // SIZE PATH: what was sent, and the answer
		body := make([]byte, must(strconv.Atoi(arguments[0])))
		rand.Read(body)
		response, answer := c.do(http.MethodPost, arguments[1], bytes.NewReader(body))
		fmt.Printf("%d %x\n%d %s", len(body), sha256.Sum256(body), response.StatusCode, answer)
	case "early": // PATH: three connections, of which the second and third resume
		for range 3 {
			each := newClient(authorities, sessions, base)
			_, body := each.do(http3.MethodGet0RTT, arguments[0], nil)
			<-each.connections[0].HandshakeComplete()
			state := each.connections[0].ConnectionState()
			fmt.Printf("resumed=%t early=%t %s\n", state.TLS.DidResume, state.Used0RTT, bytes.TrimSpace(body))
			sessions.wait()
			each.transport.Close()
		}
	case "hold": // until the server goes away
		c.do(http.MethodGet, "/", nil)
		fmt.Println("ready")
		<-c.connections[0].Context().Done()
		fmt.Println("closed:", context.Cause(c.connections[0].Context()))
	case "move": // PATH MOVES PROBES: changes its address on the way
		c.move(arguments[0], must(strconv.Atoi(arguments[1])), must(strconv.Atoi(arguments[2])))
	case "datagrams": // PATH SIZE...: "echoed N"
		c.datagrams(arguments[0], arguments[1:])
	default:
		fail(fmt.Errorf("what is %q?", word))
	}
	c.transport.Close()
}

func (c *client) many(count, concurrent int, path string) {
	c.do(http.MethodGet, path, nil)
	var next, good atomic.Int64
	var all sync.WaitGroup
	for range concurrent {
		all.Go(func() {
			for next.Add(1) <= int64(count) {
				if response, _ := c.do(http.MethodGet, path, nil); response.StatusCode == http.StatusOK {
					good.Add(1)
				}
			}
		})
	}
	all.Wait()
	fmt.Printf("good=%d connections=%d\n", good.Load(), len(c.connections))
}

// dial gives a connection of its own to the server, for what http3.Transport does not do.
func (c *client) dial() (*quic.Conn, *url.URL, *net.UDPAddr) {
	base := must(url.Parse(c.base))
	address := must(net.ResolveUDPAddr("udp4", base.Host))
	config := c.transport.TLSClientConfig.Clone()
	config.NextProtos = []string{http3.NextProtoH3}
	config.ServerName = base.Hostname()
	return must(newSocket().Dial(context.Background(), address, config, c.transport.QUICConfig)), base, address
}

func newSocket() *quic.Transport {
	return &quic.Transport{Conn: must(net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}))}
}

func (c *client) move(path string, moves, probes int) {
	connection, _, _ := c.dial()
	done := make(chan string, 1)
	go func() {
		request := must(http.NewRequest(http.MethodGet, c.base+path, nil))
		response := must(c.transport.NewClientConn(connection).RoundTrip(request))
		hash := sha256.New()
		size := must(io.Copy(hash, response.Body))
		done <- fmt.Sprintf("%d %d %x", response.StatusCode, size, hash.Sum(nil))
	}()
	probe := func() *quic.Path {
		next := must(connection.AddPath(newSocket()))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := next.Probe(ctx); err != nil {
			fail(fmt.Errorf("a path was not validated: %w", err))
		}
		return next
	}
	for range probes {
		must(0, probe().Close())
	}
	var before *quic.Path
	for range moves {
		next := probe()
		must(0, next.Switch())
		if before != nil {
			must(0, before.Close())
		}
		before = next
	}
	fmt.Println(<-done)
	connection.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
}

func (c *client) datagrams(path string, sizes []string) {
	connection, base, _ := c.dial()
	over := c.transport.NewClientConn(connection)
	<-over.ReceivedSettings()
	stream := must(over.OpenRequestStream(context.Background()))
	target := &url.URL{Scheme: "https", Host: base.Host, Path: path}
	request := &http.Request{Method: http.MethodConnect, Proto: "echo", URL: target, Host: base.Host, Header: http.Header{}}
	must(0, stream.SendRequestHeader(request))
	must(stream.ReadResponse())
	echoed := 0
	for _, size := range sizes {
		payload := make([]byte, must(strconv.Atoi(size)))
		rand.Read(payload)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		must(0, stream.SendDatagram(payload))
		if bytes.Equal(must(stream.ReceiveDatagram(ctx)), payload) {
			echoed++
		}
		cancel()
	}
	must(0, stream.Close())
	must(io.ReadAll(stream))
	fmt.Printf("echoed %d\n", echoed)
	connection.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")
}
