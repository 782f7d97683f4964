"""Synthetic captures and statistics of the link, and the modules of interop/congestion made known."""

import struct
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(_ROOT / folder) for folder in ("interop/congestion", "interop/runner", "tests/interop/runner")]

from builders import CLIENT, SERVER, pcap, udp_packet  # noqa: E402


def from_client(size):
    return udp_packet(CLIENT, SERVER, bytes(size))


def from_server(size):
    return udp_packet(SERVER, CLIENT, bytes(size))


def tcp_from_server(size):
    """A TCP segment with 12 bytes of options."""
    header = struct.pack(">HHIIBBHHH", 5201, 40000, 0, 0, 8 << 4, 0, 0, 0, 0) + bytes(12)
    packet = bytearray(from_server(0))[:20] + header + bytes(size)
    packet[2:4] = struct.pack(">H", len(packet))
    packet[9] = 6
    return bytes(packet)


def capture_of(*records):
    return pcap(records, nanoseconds=True)


def statistics_of(began=100.0, late=0.0001, **towards_client):
    """As quoll_link writes them."""
    direction = {"queueing_seconds": {"p50": 0.001, "p95": 0.012, "max": 0.02}, "offered": {"packets": 10, "bytes": 11000},
                 "dropped_queue": {"packets": 3, "bytes": 3000}, "dropped_device": {"packets": 0, "bytes": 0},
                 **{name: {"p50": 1000, "p95": 2000, "p99": 3000, "max": 4000}
                    for name in ("bytes_within_1ms", "bytes_within_10ms", "packets_of_a_train")}, **towards_client}
    return {"began_unix_seconds": began, "lateness_seconds": {"p50": 0, "p99": late, "max": 2 * late}, "to_client": direction,
            "to_server": {"dropped_device": {"packets": 0, "bytes": 0}}}
