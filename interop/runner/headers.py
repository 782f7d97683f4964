"""The part of a QUIC packet that everybody can read (RFC 8999, RFC 9000 section 17, RFC 9369 section 3.2).

What the runner counts, packet types, versions and connection ids, stands in the clear. It is read here instead of by tshark
because this is exact for every packet of a datagram, quick for large captures, and knows version 2, which older tsharks don't.
"""

from dataclasses import dataclass, field

VERSION_1 = 0x00000001
VERSION_2 = 0x6B3343CF

INITIAL, ZERO_RTT, HANDSHAKE, RETRY = "Initial", "0-RTT", "Handshake", "Retry"
ONE_RTT, VERSION_NEGOTIATION, UNKNOWN = "1-RTT", "Version Negotiation", "unknown"

_TYPES = {
    VERSION_1: (INITIAL, ZERO_RTT, HANDSHAKE, RETRY),
    VERSION_2: (RETRY, INITIAL, ZERO_RTT, HANDSHAKE),
}
_RETRY_TAG = 16


@dataclass
class Packet:
    """One packet of a datagram. `size` counts its bytes in the datagram, `length` the value of a long header's Length field.
    A short header's connection id has no length in the packet, so `dcid` stays empty there and `rest` begins with it."""

    type: str
    size: int
    version: int = 0
    dcid: bytes = b""
    scid: bytes = b""
    token: bytes = b""
    length: int = 0
    versions: list = field(default_factory=list)
    rest: bytes = b""


class Malformed(Exception):
    """The bytes end inside a header."""


class _Reader:
    def __init__(self, data, at):
        self.data = data
        self.at = at

    def take(self, count):
        if self.at + count > len(self.data):
            raise Malformed()
        piece = self.data[self.at:self.at + count]
        self.at += count
        return piece

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def varint(self):
        first = self.number(1)
        value = first & 0x3F
        return value << (8 * ((1 << (first >> 6)) - 1)) | self.number((1 << (first >> 6)) - 1)


def _versions(data):
    return [int.from_bytes(data[i:i + 4], "big") for i in range(0, len(data) - 3, 4)]


def _long(data, start):
    reader = _Reader(data, start)
    first = reader.number(1)
    version = reader.number(4)
    packet = Packet(type=UNKNOWN, size=len(data) - start, version=version)
    packet.dcid = reader.take(reader.number(1))
    packet.scid = reader.take(reader.number(1))
    if version == 0:
        packet.type = VERSION_NEGOTIATION
        packet.versions = _versions(data[reader.at:])
        return packet
    if version not in _TYPES:
        return packet  # nothing behind the connection ids has a meaning that is known
    packet.type = _TYPES[version][first >> 4 & 3]
    if packet.type == RETRY:
        packet.token = data[reader.at:-_RETRY_TAG]
        return packet
    if packet.type == INITIAL:
        packet.token = reader.take(reader.varint())
    packet.length = reader.varint()
    reader.take(packet.length)
    packet.size = reader.at - start
    return packet


def packets(data):
    """The packets of a UDP payload, in order. What cannot be read ends the list with a packet of unknown type; zeros behind a
    packet are padding."""
    found = []
    at = 0
    while at < len(data):
        if found and not data[at:].strip(b"\0"):
            break
        if not data[at] & 0x80:
            found.append(Packet(type=ONE_RTT, size=len(data) - at, rest=data[at + 1:]))
            break
        try:
            packet = _long(data, at)
        except Malformed:
            found.append(Packet(type=UNKNOWN, size=len(data) - at))
            break
        found.append(packet)
        at += packet.size
    return found
