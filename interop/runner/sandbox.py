"""The two sides of a test and the link between them, seen from the runner.

A Side is a process of side.py: it gets commands, and its events are collected by a thread. The Link is the emulator, which
reaches the sides' network namespaces through /proc. Every wait has a limit, and closing a side ends all that runs in it.
"""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from capture import CLIENT_ADDRESSES, SERVER_ADDRESSES

NOT_PERMITTED = 77
READY_SECONDS = 20
_HERE = Path(__file__).resolve().parent

HOSTS = """127.0.0.1 localhost
::1 localhost
{s4} server server4 server46
{s6} server6 server46
{c4} client client4 client46
{c6} client6 client46
""".format(s4=SERVER_ADDRESSES[0], s6=SERVER_ADDRESSES[1], c4=CLIENT_ADDRESSES[0], c6=CLIENT_ADDRESSES[1])


class NotPermitted(Exception):
    """This machine lets us make no namespaces, mounts or devices; the text says what was refused."""


class SandboxFailed(Exception):
    """A side or the link did not do what it must; the text says what."""


class Side:
    """`folders` are (path in the side, path on the machine, read-only). `scrap` is a folder for the side's own needs."""

    def __init__(self, name, folders, scrap):
        self.name = name
        self.exits = {}
        self._events = queue.Queue()
        self._changed = threading.Condition()
        self._root = Path(scrap, "root-" + name)
        self._root.mkdir(parents=True)
        self._hosts = Path(scrap, "hosts-" + name)
        self._hosts.write_text(HOSTS)
        settings = {"runner": os.getpid(), "root": str(self._root), "hosts": str(self._hosts),
                    "folders": [{"at": at, "from": str(source), "read_only": read_only} for at, source, read_only in folders]}
        self._process = subprocess.Popen([sys.executable, "-I", str(_HERE / "side.py"), json.dumps(settings)],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
                                         start_new_session=True)
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def wait_ready(self):
        self._expect("ready", READY_SECONDS)

    @property
    def network(self):
        """The path of the side's network namespace."""
        return "/proc/%d/ns/net" % self._process.pid

    def configure(self, commands):
        self._send(do="configure", commands=commands)
        error = self._expect("configured", READY_SECONDS)["error"]
        if error:
            raise SandboxFailed("%s: %s" % (self.name, error))

    def probe(self, address, seconds):
        self._send(do="probe", address=address, seconds=seconds)
        return self._expect("probed", seconds + READY_SECONDS)["answered"]

    def spawn(self, name, argv, environment, output, folder="/"):
        self._send(do="spawn", name=name, argv=[str(a) for a in argv], environment=environment, output=str(output), folder=folder)

    def signal(self, name, number):
        self._send(do="signal", name=name, signal=int(number))

    def wait_exit(self, name, seconds):
        """The exit code, negative for a signal; None when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: name in self.exits or self._process.poll() is not None, seconds)
            return self.exits.get(name)

    def stop(self, name, seconds):
        """As containers are stopped: SIGTERM, and SIGKILL when that is not enough in time."""
        if name not in self.exits:
            self.signal(name, signal.SIGTERM)
            if self.wait_exit(name, seconds) is None:
                self.signal(name, signal.SIGKILL)
                self.wait_exit(name, READY_SECONDS)
        return self.exits.get(name)

    def close(self):
        """Ends the side and everything in it."""
        try:
            self._process.stdin.close()
            self._process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._thread.join(5)
        self._process.stdout.close()
        self._root.rmdir()
        self._hosts.unlink()

    def _collect(self):
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "exit":
                with self._changed:
                    self.exits[event["name"]] = event["code"]
                    self._changed.notify_all()
            else:
                self._events.put(event)
        self._events.put({"event": "gone"})
        with self._changed:
            self._changed.notify_all()

    def _send(self, **command):
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise SandboxFailed("the %s's namespace is gone" % self.name) from None

    def _expect(self, what, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                event = self._events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise SandboxFailed("the %s's namespace did not answer within %d s" % (self.name, seconds)) from None
            if event["event"] == what:
                return event
            if event["event"] == "refused":
                raise NotPermitted(event["reason"])
            if event["event"] == "gone":
                raise SandboxFailed("the %s's namespace is gone" % self.name)


class Link:
    """The emulator between a client's side (left) and a server's (right)."""

    def __init__(self, program, left, right, folder, seed, scenario):
        self.pcap_left, self.pcap_right = Path(folder, "left.pcap"), Path(folder, "right.pcap")
        self.statistics = Path(folder, "statistics.json")
        self._output_path = Path(folder, "link.txt")
        self._words, told = os.pipe()
        command = [str(program), "--left", left.network, "--right", right.network, "--pcap-left", str(self.pcap_left),
                   "--pcap-right", str(self.pcap_right), "--seed", str(seed), "--statistics", str(self.statistics),
                   "--ready-fd", str(told), "--wait-for-start", *scenario]
        with open(self._output_path, "wb") as output:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], stdin=subprocess.DEVNULL,
                                             stdout=output, stderr=subprocess.STDOUT, pass_fds=[told], start_new_session=True)
        os.close(told)

    def wait_ready(self):
        """From here on packets can be sent, but they are neither judged, captured nor counted."""
        self._wait_word(b"ready")

    def start(self):
        """Begins the scenario and the captures."""
        self._process.send_signal(signal.SIGUSR1)
        self._wait_word(b"started")

    def stop(self):
        """Ends the link, which writes its captures and counts. Says whether it had run to now, and ended well."""
        os.close(self._words)
        ran = self._process.poll() is None
        if ran:
            self._process.terminate()
        try:
            return self._process.wait(10) == 0 and ran
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False

    def complaint(self):
        lines = self._output_path.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no word from it"

    def _wait_word(self, word):
        end = time.monotonic() + READY_SECONDS
        heard = b""
        while heard != word + b"\n":
            ready, _, _ = select.select([self._words], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self._words, 1) if ready else b""
            if not data:
                raise SandboxFailed("the link does not say %s: %s" % (word.decode(), self.complaint()))
            heard += data
