"""aioquic as a peer: a client for coroutines, and a server in a thread of its own, both with HTTP/3 or with raw streams.

Peer records what happens on a connection and lets a coroutine wait until something has. Client and ServerSide put aioquic's
HTTP/3 on top of it; misbehave_server.py and misbehave_client.py work with the raw streams.
"""

import asyncio
import contextlib
import logging
import ssl
import threading

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.buffer import Buffer, BufferReadError
from aioquic.h3.connection import H3_ALPN, FrameType, H3Connection, HeadersState, Setting
from aioquic.h3.events import DatagramReceived, DataReceived, HeadersReceived, PushPromiseReceived
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.stream import QuicStreamSender

from harness import NAME, WAIT_SECONDS, Failure

WINDOW_BYTES = 16 << 20


logging.getLogger("quic").setLevel(logging.CRITICAL)  # cases say what is wrong


def _reset_once(self, error_code, original=QuicStreamSender.reset):
    """aioquic fails an assertion when STOP_SENDING comes for a stream that it has reset, which is no fault of its peer."""
    if self._reset_error_code is None:
        original(self, error_code)


QuicStreamSender.reset = _reset_once


class Http(H3Connection):
    """aioquic's HTTP/3, which takes the content-length of a response to HEAD, or of a 304, for that of a body; what follows an
    interim response for trailers; and a PUSH_PROMISE that waited for QPACK's table for HEADERS. It takes datagrams too."""

    blocked_streams = 16

    def _init_connection(self):
        self._blocked_streams = self.blocked_streams
        super()._init_connection()

    def _get_local_settings(self):
        return {**super()._get_local_settings(), Setting.H3_DATAGRAM: 1}

    def _check_content_length(self, stream):
        if stream.content_length:
            super()._check_content_length(stream)

    def _handle_request_or_push_frame(self, frame_type, frame_data, stream, stream_ended):
        found = super()._handle_request_or_push_frame(frame_type, frame_data, stream, stream_ended)
        for news in found:
            if isinstance(news, HeadersReceived) and dict(news.headers).get(b":status", b"").startswith(b"1"):
                stream.headers_recv_state = HeadersState.INITIAL
        return found


class HttpWithoutBlocking(Http):
    blocked_streams = 0


class Peer(QuicConnectionProtocol):
    """One connection: what the other side did, and raw streams."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.handshake = None  # HandshakeCompleted
        self.terminated = None  # ConnectionTerminated
        self.data = {}  # stream -> bytearray
        self.ended = set()  # streams whose end came
        self.resets = {}  # stream -> code
        self.stops = {}  # stream -> code of STOP_SENDING
        self.datagrams = []
        self._news = asyncio.Event()

    def quic_event_received(self, event):
        if isinstance(event, events.HandshakeCompleted):
            self.handshake = event
        elif isinstance(event, events.ConnectionTerminated):
            self.terminated = event
        elif isinstance(event, events.StreamDataReceived):
            self.data.setdefault(event.stream_id, bytearray()).extend(event.data)
            if event.end_stream:
                self.ended.add(event.stream_id)
        elif isinstance(event, events.StreamReset):
            self.resets[event.stream_id] = event.error_code
        elif isinstance(event, events.StopSendingReceived):
            self.stops[event.stream_id] = event.error_code
        elif isinstance(event, events.DatagramFrameReceived):
            self.datagrams.append(event.data)
        self.on_event(event)
        self._news.set()

    def on_event(self, event):
        pass

    async def until(self, condition, what="a peer's event"):
        """Until the condition gives something true, which is returned. The connection's end ends the wait."""
        while not (found := condition()):
            if self.terminated is not None:
                raise Failure("the connection ended (code 0x%x, %r) before %s" %
                              (self.terminated.error_code, self.terminated.reason_phrase, what))
            self._news.clear()
            await self._news.wait()
        return found

    def has_goaway(self):
        """Whether GOAWAY came on the server's control stream, which is its first."""
        buffer = Buffer(data=bytes(self.data.get(3, b"")))
        try:
            buffer.pull_uint_var()  # the stream's type
            while True:
                kind, size = buffer.pull_uint_var(), buffer.pull_uint_var()
                buffer.pull_bytes(size)
                if kind == FrameType.GOAWAY:
                    return True
        except BufferReadError:
            return False

    async def end_of_connection(self):
        while self.terminated is None:
            self._news.clear()
            await self._news.wait()
        return self.terminated

    # Raw streams.

    def open_stream(self, data=b"", end=False):
        stream = self._quic.get_next_available_stream_id()
        self.send(stream, data, end)
        return stream

    def open_one_way(self, data=b"", end=False):
        stream = self._quic.get_next_available_stream_id(is_unidirectional=True)
        self.send(stream, data, end)
        return stream

    def send(self, stream, data, end=False):
        self._quic.send_stream_data(stream, data, end)
        self.transmit()

    def reset(self, stream, code):
        self._quic.reset_stream(stream, code)
        self.transmit()

    def stop(self, stream, code):
        self._quic.stop_stream(stream, code)
        self.transmit()

    def send_datagram(self, data):
        self._quic.send_datagram_frame(data)
        self.transmit()


class Answer:
    """A response as it comes."""

    def __init__(self):
        self.fields = []
        self.trailers = []
        self.informational = []  # field lists of 1xx responses
        self.body = bytearray()
        self.is_complete = False
        self.reset_code = None

    @staticmethod
    def _status(fields):
        return int(dict(fields).get(b":status", b"0"))

    @property
    def status(self):
        return self._status(self.fields)

    def field(self, name):
        return dict(self.fields).get(name.encode(), b"").decode()

    @property
    def is_over(self):
        return self.is_complete or self.reset_code is not None

    def take_fields(self, fields):
        if 100 <= self._status(fields) < 200:
            self.informational.append(fields)
        elif self.fields:
            self.trailers = fields
        else:
            self.fields = fields


class Client(Peer):
    """An HTTP/3 client."""

    http_class = Http

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.http = self.http_class(self._quic)
        self.answers = {}
        self.promises = {}  # push id -> fields of the promised request
        self.pushed = {}  # push id -> Answer
        self.http_datagrams = []

    def on_event(self, event):
        for news in self.http.handle_event(event):
            if isinstance(news, PushPromiseReceived):
                self.promises[news.push_id] = news.headers
            elif isinstance(news, DatagramReceived):
                self.http_datagrams.append((news.stream_id, news.data))
            elif isinstance(news, (HeadersReceived, DataReceived)):
                self._on_message(news)
        if isinstance(event, events.StreamReset) and event.stream_id in self.answers:
            self.answers[event.stream_id].reset_code = event.error_code

    def _on_message(self, news):
        if news.push_id is not None:
            answer = self.pushed.setdefault(news.push_id, Answer())
        else:
            answer = self.answers.setdefault(news.stream_id, Answer())
        if isinstance(news, HeadersReceived):
            answer.take_fields(news.headers)
        else:
            answer.body += news.data
        answer.is_complete = answer.is_complete or news.stream_ended

    def begin(self, method, path, headers=(), body=None, finish=True, port=0):
        """Sends a request; gives its stream and the Answer that will fill."""
        stream = self._quic.get_next_available_stream_id()
        fields = [(b":method", method.encode()), (b":scheme", b"https"),
                  (b":authority", ("%s:%d" % (NAME, port or self.port)).encode()), (b":path", path.encode())]
        fields += [(name.encode(), value.encode()) for name, value in headers]
        answer = self.answers[stream] = Answer()
        self.http.send_headers(stream, fields, end_stream=finish and body is None)
        if body is not None:
            self.http.send_data(stream, body, end_stream=finish)
        self.transmit()
        return stream, answer

    async def request(self, method, path, headers=(), body=None):
        """The whole response."""
        _, answer = self.begin(method, path, headers, body)
        await self.until(lambda: answer.is_over, "the response to %s %s" % (method, path))
        return answer

    async def get(self, path, headers=()):
        return await self.request("GET", path, headers)


def client_configuration(case, **options):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=NAME, max_data=WINDOW_BYTES,
                                      max_stream_data=WINDOW_BYTES, max_datagram_frame_size=65536)
    configuration.load_verify_locations(cafile=case.authority)
    configuration.verify_mode = ssl.CERT_REQUIRED
    for name, value in options.items():
        setattr(configuration, name, value)
    return configuration


@contextlib.asynccontextmanager
async def connected(case, port, protocol=Client, tickets=None, early=False, tokens=None, **options):
    """A client's connection to a port of this machine. `tickets` is a list that session tickets are put in; with `early`, it
    does not wait for the handshake."""
    configuration = client_configuration(case, **options)
    async with connect("127.0.0.1", port, configuration=configuration, create_protocol=protocol,
                       session_ticket_handler=None if tickets is None else tickets.append,
                       token_handler=None if tokens is None else tokens.append, wait_connected=not early) as client:
        client.port = port
        yield client


class PushedTo(Client):
    """A client for a server that pushes."""

    http_class = HttpWithoutBlocking


class Request:
    """What a ServerSide's handler gets, once the whole request is there."""

    def __init__(self, side, stream):
        self.side = side
        self.stream = stream
        self.fields = []
        self.body = bytearray()
        self.is_handled = False  # aioquic may tell the end twice

    def field(self, name):
        return dict(self.fields).get(name.encode(), b"").decode()

    @property
    def method(self):
        return self.field(":method")

    @property
    def path(self):
        return self.field(":path")

    def head(self, status, headers=(), end=False):
        self.side.http.send_headers(
            self.stream,
            [(b":status", str(status).encode()), *[(name.encode(), value.encode()) for name, value in headers]], end)

    def send(self, data, end=True):
        self.side.http.send_data(self.stream, data, end)

    def answer(self, status=200, headers=(), body=b""):
        self.head(status, headers)
        self.send(body)


class ServerSide(Peer):
    """An HTTP/3 server's connection; Server gives it its handler."""

    handler = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.http = Http(self._quic)
        self.requests = {}

    def on_event(self, event):
        for news in self.http.handle_event(event):
            if not isinstance(news, (HeadersReceived, DataReceived)):
                continue
            request = self.requests.setdefault(news.stream_id, Request(self, news.stream_id))
            if isinstance(news, HeadersReceived):
                request.fields = request.fields or news.headers
            else:
                request.body += news.data
            if news.stream_ended and not request.is_handled:
                request.is_handled = True
                self.handler(request)


class Server:
    """An aioquic server in a thread, for as long as the `with` lasts. `protocol` is a subclass of Peer; `handler` is called
    with each Request when it is ServerSide. What connected is in `connections`."""

    def __init__(self, case, handler=None, protocol=ServerSide, retry=False, certificate="server", **options):
        self.connections = []
        self.tickets = {}
        self._retry = retry
        self._configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN, max_data=WINDOW_BYTES,
                                                max_stream_data=WINDOW_BYTES, max_datagram_frame_size=65536)
        self._configuration.load_cert_chain(*case.pair(certificate))
        for name, value in options.items():
            setattr(self._configuration, name, value)
        self._protocol = protocol
        self._handler = handler
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def _create(self, *arguments, **options):
        side = self._protocol(*arguments, **options)
        side.handler = self._handler
        self.connections.append(side)
        return side

    def call(self, coroutine, seconds=WAIT_SECONDS):
        """Runs a coroutine on the server's loop, from the case's thread."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, seconds), self._loop)
        try:
            return future.result()
        except asyncio.TimeoutError:
            raise Failure("the server's part took longer than %g s" % seconds) from None

    def __enter__(self):
        self._thread.start()

        async def start():
            return await serve("127.0.0.1", 0, configuration=self._configuration, create_protocol=self._create,
                               session_ticket_handler=lambda ticket: self.tickets.update({ticket.ticket: ticket}),
                               session_ticket_fetcher=self.tickets.get, retry=self._retry)

        self._server = self.call(start())
        self.port = self._server._transport.get_extra_info("sockname")[1]
        return self

    def url(self, path="/"):
        return "https://%s:%d%s" % (NAME, self.port, path)

    def __exit__(self, *_):
        async def stop():
            self._server.close()

        self.call(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()
