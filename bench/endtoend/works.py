"""What is measured: each work gives a stack's figures by name. Bodies are hot: one buffer of 256 KiB, sent again and again."""

import subprocess
import time

from stacks import Failure, Server, run_floor, run_json

GIB = 1 << 30
WARM_UP = 64 << 20
SMALL = 100  # bytes of a small answer
AT_A_TIME = 16  # handshakes


class Bench:
    """What all works need: the programs, a certificate, where they meet, and how much is to be done."""

    def __init__(self, quoll, floor, certificate, network, scale):
        self.quoll, self.floor, self.certificate, self.network, self.scale = quoll, floor, certificate, network, scale

    def server(self, stack):
        return Server(stack, self.network, self.certificate)

    def get(self, stack, server, direction, streams, requests, size):
        return run_json(self.network.client() + stack.get_words(server.address, direction, streams, requests, size))

    def load(self, server, path, *options):
        return run_json(self.network.client() + self.quoll.load_words(server.address, path, *options))


def _transfer(bench, stack, direction, streams):
    size = int(GIB * bench.scale) // streams
    with bench.server(stack) as server:
        bench.get(stack, server, direction, 1, 1, WARM_UP)
        before = server.cpu_seconds()
        told = bench.get(stack, server, direction, streams, streams, size)
        cpu = server.cpu_seconds() - before
    if told["bytes"] < size * streams:
        raise Failure(f"{told['bytes']} bytes of {size * streams}")
    gib = told["bytes"] / GIB
    return {
        "gbits": told["bytes"] * 8 / told["seconds"] / 1e9,
        "server_cpu_s_per_gib": cpu / gib,
        "client_cpu_s_per_gib": told["client_cpu_seconds"] / gib,
    }


def download(bench, stack):
    return _transfer(bench, stack, "down", 1)


def download100(bench, stack):
    return _transfer(bench, stack, "down", 100)


def upload(bench, stack):
    return _transfer(bench, stack, "up", 1)


def requests(bench, stack):
    count = int(100_000 * bench.scale)
    with bench.server(stack) as server:
        bench.load(server, f"/{SMALL}", "-m", "100", "-n", str(count // 10))
        before = server.cpu_seconds()
        told = bench.load(server, f"/{SMALL}", "-m", "100", "-n", str(count))
        cpu = server.cpu_seconds() - before
        own = bench.get(stack, server, "down", 100, count, SMALL)
    return {
        "per_second": told["requests_per_second"],
        "server_cpu_us": cpu / count * 1e6,
        "p50_ms": told["latency_us"]["p50"] / 1000,
        "p99_ms": told["latency_us"]["p99"] / 1000,
        "own_client_per_second": own["requests"] / own["seconds"],
    }


def _handshakes(bench, stack, *options):
    """Rate and processor time with several connections at a time, so that the server always has work; the time to the first
    byte with one after the other."""
    alone, together = int(1000 * bench.scale), int(4000 * bench.scale)
    with bench.server(stack) as server:
        bench.load(server, "/1", "--handshakes", "-n", "50", *options)
        calm = bench.load(server, "/1", "--handshakes", "-n", str(alone), *options)
        before = server.cpu_seconds()
        told = bench.load(server, "/1", "--handshakes", "-n", str(together), "-c", str(AT_A_TIME), *options)
        cpu = server.cpu_seconds() - before
    if options and told["resumed"] < together * 0.9:
        raise Failure(f"{told['resumed']} of {together} connections were resumed")
    return {
        "per_second": told["requests_per_second"],
        "server_cpu_ms": cpu / together * 1e3,
        "first_byte_p50_ms": calm["first_byte_us"]["p50"] / 1000,
        "first_byte_p99_ms": calm["first_byte_us"]["p99"] / 1000,
    }


def handshakes(bench, stack):
    return _handshakes(bench, stack)


def resumed(bench, stack):
    return _handshakes(bench, stack, "--resume")


def idle(bench, stack):
    """Connections that had one request each. They are held by a client of their own, which is looked at from outside."""
    count = max(int(4000 * bench.scale), 200)
    with bench.server(stack) as server:
        bench.load(server, "/1")
        before = server.resident_bytes()
        words = bench.network.client() + bench.quoll.load_words(server.address, "/1", "--idle", "-c", str(count))
        holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        largest = before
        while holder.poll() is None:
            after, largest = server.resident_bytes(), max(largest, server.resident_bytes())
            time.sleep(0.05)
        if holder.wait() != 0:
            raise Failure("the idle connections failed")
    return {"kib_per_connection": (after - before) / count / 1024, "kib_at_most": (largest - before) / count / 1024}


def floor(bench, cold):
    received, sent = run_floor(bench.floor, bench.network, int(2 * GIB * bench.scale), cold)
    return {
        "gbits": received["bytes"] * 8 / received["seconds"] / 1e9,
        "sender_cpu_s_per_gib": sent["cpu_seconds"] / (sent["bytes"] / GIB),
        "receiver_cpu_s_per_gib": received["cpu_seconds"] / (received["bytes"] / GIB),
    }


WORKS = {
    "download": download,
    "download100": download100,
    "upload": upload,
    "requests": requests,
    "handshakes": handshakes,
    "resumed": resumed,
    "idle": idle,
}
