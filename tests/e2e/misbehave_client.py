"""`quoll get` opposite a server that breaks the rules of HTTP/3: each error code of RFC 9114 §8.1 and RFC 9204 §6 that a
server can provoke, in the CONNECTION_CLOSE, RESET_STREAM or STOP_SENDING that answers it; and what it says to its user."""

import asyncio

import aio
from harness import Failure, case, wait_for
from rude import (CANCEL_PUSH, CODES, CONTROL, DATA, DECODER, ENCODER, GOAWAY, GREASE, HEADERS, HTTP2_FRAMES, MAX_PUSH_ID,
                  PRIORITY_UPDATE, PUSH, PUSH_PROMISE, SETTINGS, Rude, frame, get, head, name_of, prefixed, section,
                  settings, varint)

OK = head([(":status", "200")])
EXIT_HTTP3 = 95
CLIENT_CONTROL = 2  # our client's first stream


def on_control(*frames):
    def provoke(peer, stream):
        peer.control(settings() + b"".join(frames))

    return provoke


def instead_of_settings(data):
    def provoke(peer, stream):
        peer.control(data)

    return provoke


def one_way(*streams, end=False):
    def provoke(peer, stream):
        peer.start()
        for data in streams:
            peer.open_one_way(data, end)

    return provoke


def answer(*frames, end=False):
    """On the request's stream."""

    def provoke(peer, stream):
        peer.start()
        peer.send(stream, b"".join(frames), end)

    return provoke


def reset_control(peer, stream):
    async def after_its_type_arrived():
        control = peer.start()
        await peer.ping()
        peer.reset(control, 0x100)

    peer.task = asyncio.ensure_future(after_its_type_arrived())  # kept, as asyncio does not


def end_control(peer, stream):
    peer.send(peer.start(), b"", end=True)


def stop_control(peer, stream):
    peer.start()
    peer.stop(CLIENT_CONTROL, 0x100)


def two_way(peer, stream):
    """A stream that only WebTransport would have."""
    peer.start()
    peer.send(1, frame(HEADERS, section(get())))


def with_datagram(data):
    def provoke(peer, stream):
        peer.control(settings((0x33, 1)))
        peer.send_datagram(data)

    return provoke


PROVOCATIONS = {
    "H3_STREAM_CREATION_ERROR": {
        "a second control stream": one_way(varint(CONTROL)),
        "a second encoder stream": one_way(varint(ENCODER), varint(ENCODER)),
        "a second decoder stream": one_way(varint(DECODER), varint(DECODER)),
        "a bidirectional stream of the server": two_way,
    },
    "H3_CLOSED_CRITICAL_STREAM": {
        "the control stream ends": end_control,
        "the control stream is reset": reset_control,
        "the encoder stream ends": one_way(varint(ENCODER), end=True),
        "the decoder stream ends": one_way(varint(DECODER), end=True),
        "the client's control stream is stopped": stop_control,
    },
    "H3_MISSING_SETTINGS": {
        "GOAWAY first": instead_of_settings(frame(GOAWAY, varint(0))),
        "an unknown frame first": instead_of_settings(frame(GREASE, b"hello")),
    },
    "H3_SETTINGS_ERROR": {
        "one setting twice": instead_of_settings(settings((6, 1000), (6, 1000))),
        **{"HTTP/2's setting %d" % name: instead_of_settings(settings((name, 1))) for name in (2, 3, 4, 5)},
        "ENABLE_CONNECT_PROTOCOL = 2": instead_of_settings(settings((8, 2))),
        "H3_DATAGRAM = 2": instead_of_settings(settings((0x33, 2))),
    },
    "H3_FRAME_UNEXPECTED": {
        "a second SETTINGS": on_control(settings()),
        "DATA on the control stream": on_control(frame(DATA, b"x")),
        "HEADERS on the control stream": on_control(OK),
        "PUSH_PROMISE on the control stream": on_control(frame(PUSH_PROMISE, varint(0) + section(get()))),
        "MAX_PUSH_ID of the server": on_control(frame(MAX_PUSH_ID, varint(0))),
        "PRIORITY_UPDATE of the server": on_control(frame(PRIORITY_UPDATE, varint(0) + b"u=1")),
        **{"HTTP/2's frame %d on the control stream" % kind: on_control(frame(kind)) for kind in HTTP2_FRAMES},
        **{"HTTP/2's frame %d in the response" % kind: answer(frame(kind)) for kind in HTTP2_FRAMES},
        **{"frame 0x%x in the response" % kind: answer(frame(kind, varint(0)))
           for kind in (SETTINGS, GOAWAY, CANCEL_PUSH, MAX_PUSH_ID)},
        "DATA before HEADERS": answer(frame(DATA, b"x")),
        "DATA after an interim response": answer(head([(":status", "103")]), frame(DATA, b"x")),
        "DATA after trailers": answer(OK, frame(DATA, b"x"), head([("a", "b")]), frame(DATA, b"x")),
        "HEADERS after trailers": answer(OK, head([("a", "b")]), head([("a", "b")])),
    },
    "H3_FRAME_ERROR": {
        "a frame's head is cut off": answer(OK, b"\0", end=True),
        "a frame's payload is cut off": answer(OK, varint(DATA) + varint(10) + b"x", end=True),
        "SETTINGS with half a setting": instead_of_settings(frame(SETTINGS, b"\x06")),
        "GOAWAY with more than a number": on_control(frame(GOAWAY, varint(0) + b"x")),
        "GOAWAY without a number": on_control(frame(GOAWAY)),
        "CANCEL_PUSH with more than a number": on_control(frame(CANCEL_PUSH, b"\0\0")),
        "PUSH_PROMISE without a number": answer(frame(PUSH_PROMISE)),
    },
    "H3_ID_ERROR": {
        **{"GOAWAY with stream %d" % stream: on_control(frame(GOAWAY, varint(stream))) for stream in (1, 2, 3)},
        "GOAWAY goes up": on_control(frame(GOAWAY, varint(8)), frame(GOAWAY, varint(12))),
        "a push without leave": one_way(varint(PUSH) + varint(0) + OK),
        "a promise without leave": answer(frame(PUSH_PROMISE, varint(0) + section(get()))),
        "CANCEL_PUSH without leave": on_control(frame(CANCEL_PUSH, varint(0))),
    },
    "QPACK_DECOMPRESSION_FAILED": {
        "an entry of an empty dynamic table": answer(frame(HEADERS, b"\0\0\x80")),
        "an entry behind the static table": answer(frame(HEADERS, b"\0\0" + prefixed(99, 6, 0xC0))),
        "a required insert count that cannot be": answer(frame(HEADERS, prefixed(100_000, 8, 0) + b"\0\xc1")),
        "a section without its prefix": answer(frame(HEADERS, b"\0")),
        "Huffman's end of string": answer(frame(HEADERS, b"\0\0\x51\x84\xff\xff\xff\xff")),
    },
    "QPACK_ENCODER_STREAM_ERROR": {
        "a capacity beyond what we take": one_way(varint(ENCODER) + prefixed(1 << 30, 5, 0x20)),
        "a static name that is not there": one_way(varint(ENCODER) + prefixed(20, 5, 0x20) + prefixed(99, 6, 0xC0) + b"\0"),
        "a duplicate of nothing": one_way(varint(ENCODER) + prefixed(100, 5, 0x20) + b"\0"),
    },
    "QPACK_DECODER_STREAM_ERROR": {
        "an acknowledgment of nothing": one_way(varint(DECODER) + prefixed(0, 7, 0x80)),
        "an increment of nothing": one_way(varint(DECODER) + b"\0"),
        "an increment beyond what was sent": one_way(varint(DECODER) + prefixed(5000, 6, 0)),
    },
    "H3_DATAGRAM_ERROR": {
        "a datagram without a stream": with_datagram(b""),
        "a datagram of a stream that cannot be": with_datagram(varint(1 << 61)),
    },
}

MALFORMED = {
    "no :status": head([("a", "b")]),
    "an empty section": head([]),
    ":status twice": head([(":status", "200"), (":status", "200")]),
    ":status 99": head([(":status", "99")]),
    ":status 2000": head([(":status", "2000")]),
    ":status abc": head([(":status", "abc")]),
    ":status 101": head([(":status", "101")]),
    ":status behind a field": head([("a", "b"), (":status", "200")]),
    "a request's :path": head([(":status", "200"), (":path", "/")]),
    "a name in upper case": head([(":status", "200"), ("Server", "x")]),
    "a value with a line end": head([(":status", "200"), ("a", "b\nc")]),
    "connection": head([(":status", "200"), ("connection", "close")]),
    "transfer-encoding": head([(":status", "200"), ("transfer-encoding", "chunked")]),
    "a content-length that is no number": head([(":status", "200"), ("content-length", "-1")]),
    "a body longer than its content-length": head([(":status", "200"), ("content-length", "1")]) + frame(DATA, b"abc"),
    "a pseudo-header in trailers": OK + frame(DATA, b"x") + head([(":status", "200")]),
}


def try_one(case, script):
    """What `quoll get` did, and the server's view of the connection once that is over."""
    with aio.Server(case, protocol=type("Scripted", (Rude,), {"script": staticmethod(script)})) as server:
        done = case.get("-s", "-S", "--max-time", "10", server.url("/file.txt"))
        peer = server.connections[0]
        wait_for(lambda: peer.terminated, "the connection's end")
        return done, peer


def collect(case, code, provocations, found_by):
    wrong = []
    for title, script in provocations.items():
        try:
            done, found = found_by(script)
            if found != CODES[code]:
                raise Failure(name_of(found))
            if done.code != EXIT_HTTP3:
                raise Failure("exit code %d" % done.code)
            case.failed_clearly(done)
        except Failure as failure:
            wrong.append("%s: %s" % (title, failure))
    case.equal(wrong, [], "%d of %d provocations of %s" % (len(wrong), len(provocations), code))


def connection_case(code, provocations):
    @case("misbehaving server: " + code, needs="aioquic")
    def run(case):
        def found(script):
            done, peer = try_one(case, script)
            return done, peer.terminated.error_code

        collect(case, code, provocations, found)


for _code, _provocations in PROVOCATIONS.items():
    connection_case(_code, _provocations)


@case("misbehaving server: H3_MESSAGE_ERROR on its stream alone", needs="aioquic")
def malformed(case):
    def found(script):
        done, peer = try_one(case, script)
        return done, peer.stops.get(0)

    collect(case, "H3_MESSAGE_ERROR", {title: answer(data) for title, data in MALFORMED.items()}, found)


@case("misbehaving server: responses that end too early", needs="aioquic")
def incomplete(case):
    early = {
        "nothing at all": answer(end=True),
        "an interim response alone": answer(head([(":status", "103")]), end=True),
        "less than content-length": answer(head([(":status", "200"), ("content-length", "10")]), frame(DATA, b"abc"), end=True),
    }
    for title, script in early.items():
        done, peer = try_one(case, script)
        case.true(done.code in (18, EXIT_HTTP3), "%s: %s" % (title, done))
        case.failed_clearly(done)
        case.equal(name_of(peer.terminated.error_code), "H3_NO_ERROR", "the connection's end after " + title)


@case("misbehaving server: H3_REQUEST_CANCELLED when time is over", needs="aioquic")
def cancelled(case):
    with aio.Server(case, protocol=Rude) as server:
        done = case.get("-s", "-S", "--max-time", "0.5", server.url("/"))
        case.equal(done.code, 28, "exit code")
        peer = server.connections[0]
        wait_for(lambda: peer.terminated, "the connection's end")
        case.equal(name_of(peer.stops.get(0)), "H3_REQUEST_CANCELLED", "code of STOP_SENDING")
        case.equal(name_of(peer.terminated.error_code), "H3_NO_ERROR", "code of the connection's end")


@case("misbehaving server: errors that it tells are told to the user", needs="aioquic")
def told(case):
    def reset(code):
        def script(peer, stream):
            peer.start()
            peer.reset(stream, code)

        return script

    def close(code):
        def script(peer, stream):
            peer.start()
            peer.close(error_code=code, reason_phrase="because")

        return script

    for name in ("H3_INTERNAL_ERROR", "H3_REQUEST_CANCELLED", "H3_VERSION_FALLBACK", "H3_EXCESSIVE_LOAD"):
        done, _ = try_one(case, reset(CODES[name]))
        case.failed_clearly(done, name)
    for name in ("H3_INTERNAL_ERROR", "H3_GENERAL_PROTOCOL_ERROR", "H3_EXCESSIVE_LOAD"):
        done, _ = try_one(case, close(CODES[name]))
        case.failed_clearly(done, name)


@case("misbehaving server: what is unknown is no error", needs="aioquic")
def unknown(case):
    def script(peer, stream):
        peer.control(settings((GREASE, 7), (0x4242, 1)) + frame(GREASE, bytes(1000)))
        peer.open_one_way(varint(GREASE) + bytes(100))
        peer.send(stream, frame(GREASE, b"x") + head([(":status", "103")]) + OK + frame(GREASE) + frame(DATA, b"body") +
                  head([("trailer", "x")]) + frame(0x4242, b"y"), True)

    done, peer = try_one(case, script)
    case.equal((done.code, done.out), (0, b"body"), "what came")
    case.equal(name_of(peer.terminated.error_code), "H3_NO_ERROR", "the connection's end")
