"""Synthetic datagrams, frames and captures for the tests of the runner."""

import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "interop/runner"))

import capture  # noqa: E402
import checks  # noqa: E402
import headers  # noqa: E402

CLIENT, SERVER = (capture.CLIENT_ADDRESSES[0], 50000), (capture.SERVER_ADDRESSES[0], 443)
CLIENT_ID, SERVER_ID, FIRST_ID = b"CLIENT-1", b"SERVER-1", b"RANDOM-1"
_BITS = {headers.VERSION_1: (headers.INITIAL, headers.ZERO_RTT, headers.HANDSHAKE, headers.RETRY),
         headers.VERSION_2: (headers.RETRY, headers.INITIAL, headers.ZERO_RTT, headers.HANDSHAKE)}


def varint(value):
    return struct.pack(">H", 0x4000 | value)


def long_packet(kind, dcid=SERVER_ID, scid=CLIENT_ID, version=headers.VERSION_1, token=b"", size=100):
    """A long header packet whose protected part has `size` bytes."""
    first = 0xC0 | _BITS[version].index(kind) << 4
    data = struct.pack(">BI", first, version) + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid
    if kind == headers.RETRY:
        return data + token + b"T" * 16
    if kind == headers.INITIAL:
        data += varint(len(token)) + token
    return data + varint(size) + b"p" * size


def short_packet(dcid=SERVER_ID, size=100):
    return b"\x41" + dcid + b"p" * size


def version_negotiation(dcid, scid, versions):
    return b"\xc0" + bytes(4) + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid + b"".join(
        struct.pack(">I", version) for version in versions)


class Conversation:
    """Frames of a capture, numbered as they are added. `fields` have single values or lists."""

    def __init__(self):
        self.frames = []

    def client(self, *packets, source=CLIENT, destination=SERVER, **more):
        return self._add(source, destination, packets, **more)

    def server(self, *packets, source=SERVER, destination=CLIENT, **more):
        return self._add(source, destination, packets, **more)

    def _add(self, source, destination, packets, time=None, ecn=0, fields=None, protocol="udp"):
        number = len(self.frames) + 1
        fields = {name: value if isinstance(value, list) else [value] for name, value in (fields or {}).items()}
        self.frames.append(capture.Frame(number, number * 0.01 if time is None else time, source, destination, b"".join(packets),
                                         ecn, protocol, fields))
        return self

    def trace(self):
        return capture.Trace(self.frames)


def evidence(conversation, server_side=None, keys=True):
    return checks.Evidence(conversation.trace(), (server_side or conversation).trace(), keys)


def udp_packet(source, destination, payload, ecn=0):
    """An IP packet with a UDP datagram, as a capture of raw IP has it."""
    udp = struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    if ":" in source[0]:
        addresses = socket.inet_pton(socket.AF_INET6, source[0]) + socket.inet_pton(socket.AF_INET6, destination[0])
        return struct.pack(">IHBB", 6 << 28 | ecn << 20, len(udp), 17, 64) + addresses + udp
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    return struct.pack(">BBHHHBBH", 0x45, ecn, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp


def pcap(records, order="<", nanoseconds=False, link_type=101):
    """`records` are (time, packet)."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    data = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    for time, packet in records:
        fraction = round(time % 1 * (1e9 if nanoseconds else 1e6))
        data += struct.pack(order + "IIII", int(time), fraction, len(packet), len(packet)) + packet
    return data
