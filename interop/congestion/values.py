"""What a run's captures and the link's statistics say, as numbers: when data flowed, how fast, how smoothly, and what waited.

Times are those of the client's side of the link: a datagram of the client when its transmission begins, one of the server when
it arrives. A `Packets` is a list of Packet tuples in order of time.
"""

import struct
from typing import NamedTuple

import capture

DATA_BYTES = 300  # of payload: a smaller datagram of the server is taken for one without data of a file
RETURN_SHARE, RETURN_WINDOW = 0.8, 0.1  # of the link's rate, within so many seconds
_PPP_BYTES = 2
_UDP, _TCP = 17, 6
_SERVER = bytes(int(part) for part in capture.SERVER_ADDRESSES[0].split("."))


class NoValue(Exception):
    """The captures do not show what is asked for; the text says what is missing."""


class Packet(NamedTuple):
    time: float
    by_server: bool
    tcp: bool
    payload: int  # bytes of UDP or TCP payload
    wire: int  # bytes as the link counts them


def read(path):
    """The UDP datagrams and TCP segments over IPv4 in a capture. Raises capture.NotACapture, or OSError."""
    with open(path, "rb") as file:
        data = file.read()
    packets = []
    for time, packet in capture.records(data):
        if len(packet) < 28 or packet[0] != 0x45:
            continue
        if packet[9] == _UDP:
            payload = struct.unpack_from(">H", packet, 24)[0] - 8
        elif packet[9] == _TCP and len(packet) >= 40:
            payload = struct.unpack_from(">H", packet, 2)[0] - 20 - (packet[32] >> 4) * 4
        else:
            continue
        packets.append(Packet(time, packet[12:16] == _SERVER, packet[9] == _TCP, payload, len(packet) + _PPP_BYTES))
    return packets


def begin(packets, tcp=False):
    """When the client's first datagram left; of TCP, when the first segment was seen."""
    for packet in packets:
        if packet.tcp == tcp and (tcp or not packet.by_server):
            return packet.time
    raise NoValue("nothing was sent")


def end(packets, tcp=False):
    """When the last data came. What comes after the client's last datagram, with which it closes, is none."""
    if not tcp:
        last = max((packet.time for packet in packets if not packet.tcp and not packet.by_server), default=0.0)
    for packet in reversed(packets):
        if packet.tcp == tcp and packet.by_server and packet.payload >= (1 if tcp else DATA_BYTES):
            if tcp or packet.time <= last:
                return packet.time
    raise NoValue("no data came")


def goodput(packets, size, tcp=False):
    """kbit/s of the files, from the client's first datagram to the last byte delivered."""
    seconds = end(packets, tcp) - begin(packets, tcp)
    if seconds <= 0:
        raise NoValue("data came at one time only")
    return 8 * size / seconds / 1000


def share_beside_tcp(packets, size):
    """Of what both connections carried while the QUIC connection lasted, its part: 0 to 1."""
    first, last = begin(packets), end(packets)
    other = sum(packet.payload for packet in packets if packet.tcp and packet.by_server and first <= packet.time <= last)
    return size / (size + other)


def seconds_to_data(packets, instant, tcp=False):
    """From the instant to the first full datagram of the server that arrives after it."""
    for packet in packets:
        if packet.time >= instant and packet.by_server and packet.tcp == tcp and packet.payload >= DATA_BYTES:
            return packet.time - instant
    raise NoValue("no data came after the link was back")


def seconds_to_rate(packets, instant, rate, tcp=False):
    """From the instant to the first time at which RETURN_SHARE of the rate (bit/s) came within the RETURN_WINDOW before."""
    wanted = RETURN_SHARE * rate * RETURN_WINDOW / 8
    arrived = [packet for packet in packets if packet.by_server and packet.tcp == tcp]
    oldest = amount = 0
    for packet in arrived:
        amount += packet.wire
        while arrived[oldest].time <= packet.time - RETURN_WINDOW:
            amount -= arrived[oldest].wire
            oldest += 1
        if packet.time >= instant and amount >= wanted:
            return packet.time - instant
    raise NoValue("%.0f %% of the rate did not come back" % (100 * RETURN_SHARE))


def of_link(statistics, size):
    """What the link's statistics say of the server's direction: queueing in ms, packets without room, the server's bytes as a
    multiple of the files', its bursts; and how late the link was, in ms."""
    towards = statistics["to_client"]
    return {
        "queue_p50": 1e3 * towards["queueing_seconds"]["p50"],
        "queue_p95": 1e3 * towards["queueing_seconds"]["p95"],
        "queue_max": 1e3 * towards["queueing_seconds"]["max"],
        "drops": towards["dropped_queue"]["packets"],
        "sent": towards["offered"]["bytes"] / size,
        "burst_1ms": towards["bytes_within_1ms"],
        "burst_10ms": towards["bytes_within_10ms"],
        "train": towards["packets_of_a_train"],
        "late_p99": 1e3 * statistics["lateness_seconds"]["p99"],
        "late_max": 1e3 * statistics["lateness_seconds"]["max"],
        "lost_at_device": towards["dropped_device"]["packets"] + statistics["to_server"]["dropped_device"]["packets"],
    }
