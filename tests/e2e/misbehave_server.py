"""`quoll serve` opposite a client that breaks the rules of HTTP/3: each error code of RFC 9114 §8.1 and RFC 9204 §6 that a
client can provoke, in the CONNECTION_CLOSE, RESET_STREAM or STOP_SENDING that answers it."""

import asyncio
import signal

import aio
from harness import Failure, case
from rude import (CANCEL_PUSH, CODES, CONTROL, DATA, DECODER, ENCODER, GOAWAY, GREASE, HEADERS, HTTP2_FRAMES, MAX_PUSH_ID,
                  PRIORITY_UPDATE, PRIORITY_UPDATE_PUSH, PUSH, PUSH_PROMISE, SETTINGS, Rude, frame, get, head, name_of,
                  prefixed, section, settings, varint)

SERVER_CONTROL = 3  # our server's first stream
ANSWER_SECONDS = 10  # to a provocation


def on_control(*frames):
    """Frames after SETTINGS on the control stream."""

    def provoke(peer):
        peer.open_one_way(varint(CONTROL) + settings() + b"".join(frames))

    return provoke


def instead_of_settings(data):
    def provoke(peer):
        peer.open_one_way(varint(CONTROL) + data)

    return provoke


def one_way(*streams, end=False):
    """Streams beside a good control stream."""

    def provoke(peer):
        peer.start()
        for data in streams:
            peer.open_one_way(data, end)

    return provoke


def on_request(*frames, end=False):
    def provoke(peer):
        peer.start()
        peer.open_stream(b"".join(frames), end)

    return provoke


def with_instructions(data):
    """On the QPACK encoder stream."""
    return one_way(varint(ENCODER) + data)


def with_feedback(data):
    """On the QPACK decoder stream."""
    return one_way(varint(DECODER) + data)


async def reset_control(peer):
    stream = peer.start()
    await peer.ping()  # its type has arrived
    peer.reset(stream, 0x100)


async def reset_decoder(peer):
    peer.start()
    stream = peer.open_one_way(varint(DECODER))
    await peer.ping()
    peer.reset(stream, 0x100)


def end_control(peer):
    peer.send(peer.start(), b"", end=True)


async def stop_control(peer):
    peer.start()
    await peer.until(lambda: SERVER_CONTROL in peer.data, "the server's control stream")
    peer.stop(SERVER_CONTROL, 0x100)


def with_datagram(data):
    async def provoke(peer):
        peer.control(settings((0x33, 1)))
        await peer.until(lambda: SERVER_CONTROL in peer.data, "the server's control stream")
        peer.send_datagram(data)

    return provoke


UPLOAD = head(get("/upload", method="POST"))  # for a handler that reads the whole body
LONG_HUFFMAN = b"\0\0" + b"\x51" + b"\x84" + b"\xff\xff\xff\xff"  # :path with a value that is EOS and no more
NAME_REFERENCE = 0xC0  # of the static table, in an insertion

PROVOCATIONS = {
    "H3_STREAM_CREATION_ERROR": {
        "a second control stream": one_way(varint(CONTROL)),
        "a second encoder stream": one_way(varint(ENCODER), varint(ENCODER)),
        "a second decoder stream": one_way(varint(DECODER), varint(DECODER)),
        "a client's push stream": one_way(varint(PUSH) + varint(0)),
    },
    "H3_CLOSED_CRITICAL_STREAM": {
        "the control stream ends": end_control,
        "the control stream ends before SETTINGS": lambda peer: peer.open_one_way(varint(CONTROL), end=True),
        "the control stream is reset": reset_control,
        "the encoder stream ends": one_way(varint(ENCODER), end=True),
        "the decoder stream is reset": reset_decoder,
        "the server's control stream is stopped": stop_control,
    },
    "H3_MISSING_SETTINGS": {
        "GOAWAY first": instead_of_settings(frame(GOAWAY, varint(0))),
        "MAX_PUSH_ID first": instead_of_settings(frame(MAX_PUSH_ID, varint(0))),
        "an unknown frame first": instead_of_settings(frame(GREASE, b"hello")),
    },
    "H3_SETTINGS_ERROR": {
        "one setting twice": instead_of_settings(settings((6, 1000), (6, 1000))),
        "an unknown setting twice": instead_of_settings(settings((GREASE, 1), (GREASE, 1))),
        **{"HTTP/2's setting %d" % name: instead_of_settings(settings((name, 1))) for name in (2, 3, 4, 5)},
        "ENABLE_CONNECT_PROTOCOL = 2": instead_of_settings(settings((8, 2))),
        "H3_DATAGRAM = 2": instead_of_settings(settings((0x33, 2))),
    },
    "H3_FRAME_UNEXPECTED": {
        "a second SETTINGS": on_control(settings()),
        "DATA on the control stream": on_control(frame(DATA, b"x")),
        "HEADERS on the control stream": on_control(head(get())),
        "PUSH_PROMISE on the control stream": on_control(frame(PUSH_PROMISE, varint(0) + section(get()))),
        **{"HTTP/2's frame %d on the control stream" % kind: on_control(frame(kind)) for kind in HTTP2_FRAMES},
        **{"HTTP/2's frame %d on a request stream" % kind: on_request(frame(kind)) for kind in HTTP2_FRAMES},
        **{"frame 0x%x on a request stream" % kind: on_request(frame(kind, varint(0)))
           for kind in (SETTINGS, GOAWAY, CANCEL_PUSH, MAX_PUSH_ID)},
        "PRIORITY_UPDATE on a request stream": on_request(frame(PRIORITY_UPDATE, varint(0) + b"u=1")),
        "a client's PUSH_PROMISE": on_request(head(get()), frame(PUSH_PROMISE, varint(0) + section(get()))),
        "DATA before HEADERS": on_request(frame(DATA, b"x")),
    },
    "H3_FRAME_ERROR": {
        "SETTINGS with half a setting": instead_of_settings(frame(SETTINGS, b"\x06")),
        "SETTINGS with half a number": instead_of_settings(frame(SETTINGS, b"\x06\x40")),
        "GOAWAY with more than a number": on_control(frame(GOAWAY, varint(0) + b"x")),
        "GOAWAY without a number": on_control(frame(GOAWAY)),
        "MAX_PUSH_ID without a number": on_control(frame(MAX_PUSH_ID)),
        "CANCEL_PUSH with more than a number": on_control(frame(CANCEL_PUSH, b"\0\0")),
        "PRIORITY_UPDATE without a number": on_control(frame(PRIORITY_UPDATE)),
    },
    "H3_ID_ERROR": {
        "MAX_PUSH_ID goes back": on_control(frame(MAX_PUSH_ID, varint(5)), frame(MAX_PUSH_ID, varint(4))),
        "CANCEL_PUSH of what was never promised": on_control(frame(MAX_PUSH_ID, varint(5)), frame(CANCEL_PUSH, varint(3))),
        "CANCEL_PUSH beyond MAX_PUSH_ID": on_control(frame(CANCEL_PUSH, varint(3))),
        "GOAWAY goes up": on_control(frame(GOAWAY, varint(1)), frame(GOAWAY, varint(2))),
        "PRIORITY_UPDATE of a stream that is no request": on_control(frame(PRIORITY_UPDATE, varint(2) + b"u=1")),
        "PRIORITY_UPDATE of a push without a promise": on_control(frame(PRIORITY_UPDATE_PUSH, varint(7) + b"u=1")),
    },
    "QPACK_DECOMPRESSION_FAILED": {
        "an entry of an empty dynamic table": on_request(frame(HEADERS, b"\0\0\x80")),
        "an entry behind the static table": on_request(frame(HEADERS, b"\0\0" + prefixed(99, 6, 0xC0))),
        "a name behind the static table": on_request(frame(HEADERS, b"\0\0" + prefixed(99, 4, 0x50) + b"\0")),
        "a required insert count that cannot be": on_request(frame(HEADERS, prefixed(100_000, 8, 0) + b"\0\xc1")),
        "a base below zero": on_request(frame(HEADERS, b"\0" + prefixed(5, 7, 0x80) + b"\xc1")),
        "a section without its prefix": on_request(frame(HEADERS, b"\0")),
        "a line that is cut off": on_request(frame(HEADERS, section(get())[:-3])),
        "Huffman's end of string": on_request(frame(HEADERS, LONG_HUFFMAN)),
        "a number without end": on_request(frame(HEADERS, b"\0\0" + b"\xff" * 12)),
    },
    "QPACK_ENCODER_STREAM_ERROR": {
        "a capacity beyond what we take": with_instructions(prefixed(1 << 30, 5, 0x20)),
        "a static name that is not there": with_instructions(prefixed(20, 5, 0x20) + prefixed(99, 6, NAME_REFERENCE) + b"\0"),
        "a duplicate of nothing": with_instructions(prefixed(100, 5, 0x20) + b"\0"),
        "a dynamic name that is not there": with_instructions(prefixed(100, 5, 0x20) + b"\x80\0"),
        "an entry larger than the table": with_instructions(prefixed(33, 5, 0x20) + b"\x41a" + prefixed(100, 7, 0) + bytes(100)),
        "an entry before there is a capacity": with_instructions(b"\x41a\x01b"),
    },
    "QPACK_DECODER_STREAM_ERROR": {
        "an acknowledgment of nothing": with_feedback(prefixed(0, 7, 0x80)),
        "an increment of nothing": with_feedback(b"\0"),
        "an increment beyond what was sent": with_feedback(prefixed(5000, 6, 0)),
    },
    "H3_DATAGRAM_ERROR": {
        "a datagram without a stream": with_datagram(b""),
        "a datagram of a stream that cannot be": with_datagram(varint(1 << 61)),
    },
}

# What only shows in bodies, which quoll serve does not read.
OF_BODIES = {
    "H3_FRAME_UNEXPECTED": {
        "DATA after trailers": on_request(UPLOAD, frame(DATA, b"x"), head([("a", "b")]), frame(DATA, b"x")),
        "HEADERS after trailers": on_request(UPLOAD, head([("a", "b")]), head([("a", "b")])),
        "SETTINGS after the head": on_request(UPLOAD, settings()),
    },
    "H3_FRAME_ERROR": {
        "a frame's head is cut off": on_request(UPLOAD, b"\0", end=True),
        "a frame's payload is cut off": on_request(UPLOAD, varint(DATA) + varint(10) + b"x", end=True),
    },
    "QPACK_DECOMPRESSION_FAILED": {
        "trailers with an entry of an empty dynamic table": on_request(UPLOAD, frame(HEADERS, b"\0\0\x80")),
    },
}


async def code_of_close(case, port, provoke):
    """The code with which the server ends the connection."""
    async with aio.connected(case, port, protocol=Rude) as peer:
        doing = provoke(peer)
        if asyncio.iscoroutine(doing):
            await doing
        return (await peer.end_of_connection()).error_code


def collect(case, code, provocations, found_by):
    """Tries all of them and tells all that went wrong."""
    wrong = []
    for title, provoke in provocations.items():
        try:
            found = found_by(provoke)
        except (Failure, ConnectionError) as failure:
            wrong.append("%s: %s" % (title, failure or "no answer"))
            continue
        if found != CODES[code]:
            wrong.append("%s: %s" % (title, name_of(found)))
    case.equal(wrong, [], "%d of %d provocations of %s" % (len(wrong), len(provocations), code))


def still_serves(case, server):
    async def client():
        async with aio.connected(case, server.port) as connection:
            return await connection.get("/early")

    case.true(case.wait(client()).status in (200, 404), "the next request got no answer")


def connection_case(code, provocations, kind):
    @case("misbehaving client: %s of %s" % (code, kind), needs="aioquic")
    def run(case):
        server = case.serve(files={"file.txt": "contents"}) if kind == "quoll serve" else case.handlers()
        collect(case, code, provocations, lambda provoke: case.wait(code_of_close(case, server.port, provoke), ANSWER_SECONDS))
        still_serves(case, server)


for _code, _provocations in PROVOCATIONS.items():
    connection_case(_code, _provocations, "quoll serve")
for _code, _provocations in OF_BODIES.items():
    connection_case(_code, _provocations, "a handler")


# Errors of one stream: the connection goes on.

MALFORMED = {
    "no :method": head(get()[1:]),
    "no :scheme": head([line for line in get() if line[0] != ":scheme"]),
    "no :path": head(get()[:3]),
    "an empty :path": head(get("")),
    "a :path without its slash": head(get("file.txt")),
    "no :authority and no Host": head([line for line in get() if line[0] != ":authority"]),
    "an empty :authority": head(get(authority="")),
    ":authority with user information": head(get(authority="user@localhost")),
    ":authority and another Host": head(get("/file.txt", ("host", "elsewhere"))),
    ":method twice": head([(":method", "GET"), *get()]),
    ":path twice": head([*get(), (":path", "/")]),
    "a response's :status": head([*get(), (":status", "200")]),
    "an unknown pseudo-header": head([*get(), (":unknown", "x")]),
    "a pseudo-header after a field": head([("a", "b"), *get()]),
    ":protocol without CONNECT": head([*get(), (":protocol", "echo")]),
    "CONNECT with :path": head(get(method="CONNECT")),
    "a name in upper case": head(get("/file.txt", ("Accept", "x"))),
    "a name with a space": head(get("/file.txt", ("a b", "x"))),
    "an empty name": head(get("/file.txt", ("", "x"))),
    "a value with a line end": head(get("/file.txt", ("a", "b\r\nc: d"))),
    "a value with a zero byte": head(get("/file.txt", ("a", "b\0c"))),
    "connection": head(get("/file.txt", ("connection", "close"))),
    "transfer-encoding": head(get("/file.txt", ("transfer-encoding", "chunked"))),
    "keep-alive": head(get("/file.txt", ("keep-alive", "5"))),
    "upgrade": head(get("/file.txt", ("upgrade", "x"))),
    "te: gzip": head(get("/file.txt", ("te", "gzip"))),
    "a content-length that is no number": head(get("/file.txt", ("content-length", "ten"))),
    "two content-lengths that differ": head(get("/file.txt", ("content-length", "1"), ("content-length", "2"))),
    "a body longer than its content-length": head(get("/upload", ("content-length", "1"), method="POST")) + frame(DATA, b"abc"),
    "a body shorter than its content-length": head(get("/upload", ("content-length", "5"), method="POST")) + frame(DATA, b"abc"),
    "a pseudo-header in trailers": UPLOAD + frame(DATA, b"x") + head([(":path", "/")]),
    "a name in upper case in trailers": UPLOAD + frame(DATA, b"x") + head([("A", "b")]),
}


async def codes_of_stream(case, port, data, end):
    """The codes with which the server ends the stream: RESET_STREAM's, STOP_SENDING's."""
    async with aio.connected(case, port, protocol=Rude) as peer:
        peer.start()
        stream = peer.open_stream(data, end)
        await peer.until(lambda: stream in peer.resets or stream in peer.stops or stream in peer.ended, "an answer")
        # The other stream of the same connection is served.
        other = peer.open_stream(head(get()), True)
        await peer.until(lambda: other in peer.ended, "the response on another stream")
        return {peer.resets.get(stream), peer.stops.get(stream)} - {None}


def stream_case(code, messages):
    @case("misbehaving client: %s on its stream alone" % code, needs="aioquic")
    def run(case):
        server = case.handlers()

        def found(data):
            codes = case.wait(codes_of_stream(case, server.port, data, end=True), ANSWER_SECONDS)
            return codes.pop() if len(codes) == 1 else None

        collect(case, code, messages, found)


stream_case("H3_MESSAGE_ERROR", MALFORMED)
stream_case("H3_REQUEST_INCOMPLETE", {"no frame at all": b"", "an unknown frame alone": frame(GREASE, b"x")})


@case("misbehaving client: H3_REQUEST_REJECTED after GOAWAY", needs="aioquic")
def rejected(case):
    server = case.serve(files={"file.txt": "contents", "large.bin": bytes(3_000_000)})

    async def client():
        async with aio.connected(case, server.port, protocol=Rude, max_stream_data=100_000) as peer:
            real, peer._quic._write_stream_limits = peer._quic._write_stream_limits, lambda **_: None
            peer.start()
            first = peer.open_stream(head(get("/large.bin")), True)
            await peer.until(lambda: first in peer.data, "the first bytes")
            server.process.signal(signal.SIGTERM)
            late = []

            def refused():
                return [stream for stream in late if stream in peer.resets]

            # Requests are taken until the last GOAWAY.
            while not refused():
                late.append(peer.open_stream(head(get()), True))
                await peer.until(lambda: late[-1] in peer.resets or late[-1] in peer.ended, "an answer")
            peer._quic._write_stream_limits = real
            peer.transmit()
            await peer.ping()
            await peer.until(lambda: first in peer.ended, "the rest of the first response")
            return peer.resets[refused()[0]]

    case.equal(name_of(case.wait(client())), "H3_REQUEST_REJECTED", "code")
    case.equal(server.process.wait(), 0, "exit code")


@case("misbehaving client: responses that are not wanted any more stop", needs="aioquic")
def cancelled(case):
    server = case.serve(files={"file.txt": "contents", "large.bin": bytes(50_000_000)})

    async def client():
        async with aio.connected(case, server.port, protocol=Rude, max_stream_data=1 << 30, max_data=1 << 30) as peer:
            peer.start()
            for _ in range(20):
                stream = peer.open_stream(head(get("/large.bin")))
                await peer.until(lambda: stream in peer.data, "the first bytes")
                peer.stop(stream, CODES["H3_REQUEST_CANCELLED"])
                peer.reset(stream, CODES["H3_REQUEST_CANCELLED"])
                await peer.until(lambda: stream in peer.resets, "the reset")
            last = peer.open_stream(head(get()), True)
            await peer.until(lambda: last in peer.ended, "the last response")

    case.wait(client())


@case("misbehaving client: what is unknown is no error", needs="aioquic")
def unknown(case):
    server = case.serve(files={"file.txt": "contents"})

    async def client():
        async with aio.connected(case, server.port, protocol=Rude) as peer:
            control = peer.control(settings((GREASE, 7), (0x4242, 1)))
            peer.send(control, frame(GREASE, bytes(1000)) + frame(0x21 + 0x1F * 1000))
            peer.open_one_way(varint(GREASE) + bytes(100))
            peer.reset(peer.open_one_way(varint(0x21 + 0x1F)), 0x100)
            stream = peer.open_stream(frame(GREASE, b"x") + head(get()) + frame(GREASE) + frame(0x4242, b"y"), True)
            await peer.until(lambda: stream in peer.ended, "the response")

    case.wait(client())


@case("misbehaving client: field sections beyond the limit", needs="aioquic")
def too_large(case):
    server = case.serve(files={"file.txt": "contents"})

    async def client():
        async with aio.connected(case, server.port, protocol=Rude) as peer:
            peer.start()
            stream = peer.open_stream(head(get("/file.txt", *[("name-%d" % n, "x" * 1000) for n in range(1000)])), True)
            await peer.until(lambda: stream in peer.resets or stream in peer.stops or stream in peer.ended, "an answer")
            ends = {peer.resets.get(stream), peer.stops.get(stream)} - {None}
            case.true(ends <= {CODES["H3_EXCESSIVE_LOAD"], CODES["H3_MESSAGE_ERROR"], CODES["H3_NO_ERROR"]},
                      "codes %s" % [name_of(code) for code in ends])
            other = peer.open_stream(head(get()), True)
            await peer.until(lambda: other in peer.ended, "the next response")

    case.wait(client())
