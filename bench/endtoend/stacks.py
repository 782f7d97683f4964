"""The programs that are measured: Quoll's own and those of bench/peers, with the words that start their servers and
clients."""

import json
import subprocess
import time
from pathlib import Path

PORT = 4433
READY_SECONDS = 10
RUN_SECONDS = 120


class Failure(Exception):
    """A measurement that did not work, with a line that says why."""


class Stack:
    """One that has `serve ADDR CERT KEY` and `get ADDR DIRECTION STREAMS REQUESTS SIZE`."""

    def __init__(self, name, program):
        self.name = name
        self.program = str(program)

    def serve_words(self, address, certificate):
        return [self.program, "serve", address, *certificate]

    def get_words(self, address, direction, streams, requests, size):
        return [self.program, "get", address, direction, str(streams), str(requests), str(size)]


class Quoll(Stack):
    def __init__(self, program):
        super().__init__("quoll", program)

    def serve_words(self, address, certificate):
        return [self.program, "perf", "serve", "--listen", address, "--cert", certificate[0], "--key", certificate[1]]

    def get_words(self, address, direction, streams, requests, size):
        words = [self.program, "perf", "get", "--json", "-m", str(streams), "-n", str(requests), "-s", str(size)]
        return words + (["--upload"] if direction == "up" else []) + [f"https://{address}/"]

    def load_words(self, address, path, *options):
        """Loads any stack's server."""
        return [self.program, "perf", "get", "--json", *options, "--h3", f"https://{address}{path}"]


class Server:
    """A server of a stack while it runs."""

    def __init__(self, stack, network, certificate):
        self.address = f"{network.address}:{PORT}"
        words = network.server() + stack.serve_words(self.address, certificate)
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not self._process.stdout.readline().startswith("listening on"):
            self._process.kill()
            raise Failure(f"the server of {stack.name} does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def cpu_seconds(self):
        """Of all threads, to the nanosecond."""
        tasks = Path(f"/proc/{self._process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9

    def resident_bytes(self):
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failure("the system does not tell the server's memory")


def run_json(words):
    """The object that a program prints."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"no end after {RUN_SECONDS} s") from None
    if done.returncode != 0:
        raise Failure((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout)


def run_floor(program, network, size, cold):
    """The floor: figures of the receiving and of the sending side."""
    address = f"{network.address}:{PORT}"
    receiver = subprocess.Popen(network.server() + [str(program), "receive", address], stdout=subprocess.PIPE, text=True)
    receiver.stdout.readline()
    sent = run_json(network.client() + [str(program), "send", address, str(size)] + (["cold"] if cold else []))
    received = json.loads(receiver.communicate(timeout=RUN_SECONDS)[0])
    return received, sent


def settle():
    """Between two measurements, so that one's leavings are not the next one's."""
    time.sleep(0.1)
