"""What misbehaving peers say: HTTP/3 frames and QPACK by hand, so that they can be wrong (RFC 9114, RFC 9204)."""

import aio

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID = 0, 1, 3, 4, 5, 7, 13
PRIORITY_UPDATE, PRIORITY_UPDATE_PUSH = 0xF0700, 0xF0701
CONTROL, PUSH, ENCODER, DECODER = 0, 1, 2, 3
HTTP2_FRAMES = (0x02, 0x06, 0x08, 0x09)
GREASE = 0x21

CODES = {
    "H3_DATAGRAM_ERROR": 0x33, "H3_NO_ERROR": 0x100, "H3_GENERAL_PROTOCOL_ERROR": 0x101, "H3_INTERNAL_ERROR": 0x102,
    "H3_STREAM_CREATION_ERROR": 0x103, "H3_CLOSED_CRITICAL_STREAM": 0x104, "H3_FRAME_UNEXPECTED": 0x105,
    "H3_FRAME_ERROR": 0x106, "H3_EXCESSIVE_LOAD": 0x107, "H3_ID_ERROR": 0x108, "H3_SETTINGS_ERROR": 0x109,
    "H3_MISSING_SETTINGS": 0x10A, "H3_REQUEST_REJECTED": 0x10B, "H3_REQUEST_CANCELLED": 0x10C,
    "H3_REQUEST_INCOMPLETE": 0x10D, "H3_MESSAGE_ERROR": 0x10E, "H3_CONNECT_ERROR": 0x10F, "H3_VERSION_FALLBACK": 0x110,
    "QPACK_DECOMPRESSION_FAILED": 0x200, "QPACK_ENCODER_STREAM_ERROR": 0x201, "QPACK_DECODER_STREAM_ERROR": 0x202,
}


def name_of(code):
    return {value: name for name, value in CODES.items()}.get(code, "0x%x" % code if code is not None else "nothing")


def varint(value):
    for size, mark in ((1, 0), (2, 0x40), (4, 0x80), (8, 0xC0)):
        if value < 1 << (8 * size - 2):
            encoded = bytearray(value.to_bytes(size, "big"))
            encoded[0] |= mark
            return bytes(encoded)
    raise ValueError(value)


def frame(kind, payload=b""):
    return varint(kind) + varint(len(payload)) + payload


def prefixed(value, bits, mark):
    """An integer of RFC 7541 §5.1 behind the bits of an instruction."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([mark | value])
    out = bytearray([mark | most])
    value -= most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def section(lines, prefix=b"\0\0"):
    """Field lines as literals, without any table."""
    out = bytearray(prefix)
    for name, value in lines:
        name, value = (part if isinstance(part, bytes) else part.encode() for part in (name, value))
        out += prefixed(len(name), 3, 0x20) + name + prefixed(len(value), 7, 0) + value
    return bytes(out)


def head(lines):
    return frame(HEADERS, section(lines))


def settings(*pairs):
    return frame(SETTINGS, b"".join(varint(name) + varint(value) for name, value in pairs))


def get(path="/file.txt", *more, method="GET", authority="localhost"):
    """The field lines of a request."""
    return [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path), *more]


class Rude(aio.Peer):
    """A peer that says what it is told, on either side."""

    script = None  # of a server: called with the peer and the stream, once the first request is there

    def on_event(self, event):
        if self.script is not None and self.ended:
            script, self.script = self.script, None
            script(self, 0)

    def control(self, first=None):
        """Our control stream with SETTINGS, or with what is given instead."""
        return self.open_one_way(varint(CONTROL) + (settings() if first is None else first))

    def start(self):
        """All that a good peer has; gives the control stream."""
        return self.control()
