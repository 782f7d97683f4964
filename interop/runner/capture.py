"""Captures: pcap files of raw IP packets (LINKTYPE_RAW), as the link writes them, and the QUIC datagrams in them.

Frames carry the numbers that tshark gives them, so what it dissects can be laid beside what is read here. A file that ends
inside a packet is read up to there.
"""

import socket
import struct
from dataclasses import dataclass, field
from functools import cached_property

import headers

CLIENT_ADDRESSES = ("193.167.0.100", "fd00:cafe:cafe::100")
SERVER_ADDRESSES = ("193.167.100.100", "fd00:cafe:cafe:100::100")
_RAW_LINK_TYPES = (101, 228, 229)  # of either version, IPv4, IPv6
_UDP, _TCP = 17, 6
_ONE_PORT = 40000


class NotACapture(Exception):
    """The file is not a pcap of raw IP packets."""


@dataclass(eq=False)
class Frame:
    """One UDP datagram, or one TCP segment when `protocol` says so. `fields` is what tshark found: lists of texts by name."""

    number: int
    time: float
    source: tuple
    destination: tuple
    payload: bytes
    ecn: int = 0
    protocol: str = "udp"
    fields: dict = field(default_factory=dict)

    @cached_property
    def packets(self):
        return headers.packets(self.payload)

    def of_type(self, kind):
        return [packet for packet in self.packets if packet.type == kind]

    def values(self, name):
        return self.fields.get(name, [])

    @property
    def path(self):
        return self.source, self.destination

    @cached_property
    def by_server(self):
        return self.source[0] in SERVER_ADDRESSES


class Trace:
    """The QUIC datagrams of one side's capture, by direction. `tcp` holds what else went over the link."""

    def __init__(self, frames):
        self.frames = [f for f in frames if f.protocol == "udp" and (f.by_server or f.destination[0] in SERVER_ADDRESSES)]
        self.tcp = [f for f in frames if f.protocol == "tcp"]

    @cached_property
    def from_server(self):
        return [f for f in self.frames if f.by_server]

    @cached_property
    def from_client(self):
        return [f for f in self.frames if not f.by_server]

    def add_fields(self, rows):
        """Lays what tshark found beside the frames: {frame number: {field: [value, ...]}}."""
        for frame in self.frames:
            frame.fields = rows.get(frame.number, frame.fields)


def packets_of(frames, kind):
    return [packet for frame in frames for packet in frame.of_type(kind)]


def records(data):
    """(time, packet) of each packet in a pcap file's contents. Raises NotACapture."""
    if len(data) < 24:
        raise NotACapture("no pcap header")
    magic = data[:4]
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(magic)
    if order is None:
        raise NotACapture("no pcap magic")
    if struct.unpack(order + "I", data[20:24])[0] not in _RAW_LINK_TYPES:
        raise NotACapture("not raw IP packets")
    fraction = 1e-9 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e-6
    record = struct.Struct(order + "IIII")
    at = 24
    while at + 16 <= len(data):
        seconds, part, size, _ = record.unpack_from(data, at)
        at += 16
        if at + size > len(data):
            return
        yield seconds + part * fraction, data[at:at + size]
        at += size


def _ip(packet):
    """(protocol, source, destination, ecn, payload) or None for what is neither IPv4 nor IPv6, or cut or a later fragment."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        if int.from_bytes(packet[6:8], "big") & 0x1FFF:
            return None
        begin, end = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
        addresses = (socket.inet_ntop(socket.AF_INET, packet[12:16]), socket.inet_ntop(socket.AF_INET, packet[16:20]))
        return packet[9], addresses, packet[1] & 3, packet[begin:end]
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        addresses = (socket.inet_ntop(socket.AF_INET6, packet[8:24]), socket.inet_ntop(socket.AF_INET6, packet[24:40]))
        return packet[6], addresses, packet[1] >> 4 & 3, packet[40:40 + int.from_bytes(packet[4:6], "big")]
    return None


def _frame(number, time, packet):
    parts = _ip(packet)
    if parts is None:
        return None
    protocol, (source, destination), ecn, body = parts
    header = {_UDP: 8, _TCP: 20}.get(protocol)
    if header is None or len(body) < header:
        return None
    if protocol == _TCP:
        header = (body[12] >> 4) * 4
    ports = struct.unpack_from(">HH", body)
    return Frame(number, time, (source, ports[0]), (destination, ports[1]), body[header:], ecn,
                 "udp" if protocol == _UDP else "tcp")


def write_as_one_path(source, target):
    """Copies a capture, with every QUIC datagram as if it had gone between the same two ports of the same two addresses. Frames
    keep their numbers. tshark 4.0 finds the connection of a packet without connection id by its addresses, and so loses those
    that have changed paths; for a capture of one connection this helps it."""
    with open(source, "rb") as file:
        data = file.read()
    copies = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, _RAW_LINK_TYPES[0])]
    ends = [(socket.inet_aton(CLIENT_ADDRESSES[0]), _ONE_PORT), (socket.inet_aton(SERVER_ADDRESSES[0]), 443)]
    for number, (time, packet) in enumerate(records(data), 1):
        frame = _frame(number, time, packet)
        if frame is not None and frame.protocol == "udp":
            (source_ip, source_port), (target_ip, target_port) = ends[::-1] if frame.by_server else ends
            udp = struct.pack(">HHHH", source_port, target_port, 8 + len(frame.payload), 0) + frame.payload
            packet = struct.pack(">BBHHHBBH", 0x45, frame.ecn, 20 + len(udp), 0, 0, 64, _UDP, 0) + source_ip + target_ip + udp
        copies.append(struct.pack("<IIII", int(time), int(time % 1 * 1e6), len(packet), len(packet)) + packet)
    with open(target, "wb") as file:
        file.write(b"".join(copies))


def read(path):
    """The Trace of a pcap file. Raises NotACapture, or OSError."""
    with open(path, "rb") as file:
        data = file.read()
    frames = (_frame(number, time, packet) for number, (time, packet) in enumerate(records(data), 1))
    return Trace([frame for frame in frames if frame is not None])
