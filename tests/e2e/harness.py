"""What the end-to-end cases share: programs with bounded waits, free ports, expectations, and the list of cases.

A case is a function that takes a Case and raises Failure, or Skip. Cases know no fixed sleeps: they wait for a line in a
program's output, for a socket to be bound, or for an event of a peer, and give up after a named time. All that is sent goes
to loopback addresses.
"""

import asyncio
import contextlib
import hashlib
import os
import random
import signal
import subprocess
import time

from free_port import free_port  # noqa: F401, cases take it from here

WAIT_SECONDS = 30  # for anything that a case waits for: many times what it takes on a busy machine
NAME = "localhost"  # of the servers: their certificates say so


class Failure(Exception):
    """The case has failed; the text says how."""


class Skip(Exception):
    """The case cannot run here; the text says why."""


class Entry:
    def __init__(self, name, function, needs, alone):
        self.name = name
        self.function = function
        self.needs = needs
        self.alone = alone


CASES = []  # in the order of definition


def case(name, needs=(), alone=False):
    """Registers a case. `needs` names programs of World.tools; a case that is `alone` measures time or load, and runs when
    nothing else does."""

    def register(function):
        CASES.append(Entry(name, function, (needs,) if isinstance(needs, str) else tuple(needs), alone))
        return function

    return register


def _in_table(protocol, port, state):
    for suffix in ("", "6"):
        with contextlib.suppress(OSError), open("/proc/net/" + protocol + suffix) as lines:
            for line in lines:
                fields = line.split()
                if len(fields) > 3 and fields[1].endswith(":%04X" % port) and fields[3] == state:
                    return True
    return False


def is_bound(port):
    """Whether a UDP socket has this port."""
    return _in_table("udp", port, "07")


def is_listening(port):
    return _in_table("tcp", port, "0A")


def wait_for(condition, what, seconds=WAIT_SECONDS):
    """Until the condition gives something true, which is returned."""
    end = time.monotonic() + seconds
    pause = 0.005
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure("waited in vain for " + what)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(file)


def _digest(file):
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def random_bytes(count):
    return random.randbytes(count)


class Process:
    """A program that runs beside the case. Its output goes to a file, both streams together, unless `stdout` is given."""

    def __init__(self, case_, name, arguments, environment=None, pass_fds=(), stdout=None):
        self.name = name
        self.path = case_.file(name + ".log")
        with open(self.path, "wb") as log:
            self.popen = subprocess.Popen(
                [str(part) for part in arguments], stdin=subprocess.DEVNULL, stdout=log if stdout is None else stdout, stderr=log,
                cwd=case_.folder, env=dict(os.environ, LC_ALL="C", **(environment or {})), start_new_session=True,
                pass_fds=pass_fds)

    @property
    def pid(self):
        return self.popen.pid

    def text(self):
        with open(self.path, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def wait_text(self, wanted, seconds=WAIT_SECONDS):
        """Until the output has this; a program that ends without it fails the case."""

        def found():
            if wanted in self.text():
                return True
            if self.popen.poll() is not None and wanted not in self.text():
                raise Failure("%s ended (%d) without saying %r" % (self.name, self.popen.returncode, wanted))
            return False

        wait_for(found, "%r of %s" % (wanted, self.name), seconds)

    def wait_bound(self, port):
        def found():
            if self.popen.poll() is not None:
                raise Failure("%s ended (%d) before it listened" % (self.name, self.popen.returncode))
            return is_bound(port)

        wait_for(found, self.name + " to listen")

    def signal(self, number):
        self.popen.send_signal(number)

    def is_running(self):
        return self.popen.poll() is None

    def wait(self, seconds=WAIT_SECONDS):
        """Its exit code."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure("%s did not end in %g s" % (self.name, seconds)) from None

    def kill(self):
        # The whole session: a browser leaves children behind.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def open_files(self):
        """How many descriptors it holds."""
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def resident(self):
        """Its memory in bytes."""
        with open("/proc/%d/statm" % self.pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Done:
    """A program that ran to its end."""

    def __init__(self, arguments, code, out, err, seconds):
        self.arguments = arguments
        self.code = code
        self.out = out  # bytes
        self.err = err  # text
        self.seconds = seconds

    def __str__(self):
        return "%s: exit code %d, stderr: %s" % (" ".join(self.arguments), self.code, self.err[-1500:])


class Server:
    """A server that runs: its process, its port and, of `quoll serve`, the pin it printed."""

    def __init__(self, process, port, root=None):
        self.process = process
        self.port = port
        self.root = root

    def url(self, path="/", host=NAME):
        return "https://%s:%d%s" % (host, self.port, path)

    def end(self, seconds=WAIT_SECONDS):
        """SIGTERM, and the exit code."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait(seconds)


class Case:
    """One case while it runs: its folder, and what it started."""

    def __init__(self, world, folder):
        self.world = world
        self.folder = folder
        os.makedirs(folder)
        self.processes = []
        self.finished = []  # programs that ran to their end: their words help when the case fails
        self.cleanup = contextlib.ExitStack()
        self.notes = []

    def file(self, name, contents=None):
        path = os.path.join(self.folder, name)
        if contents is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(contents if isinstance(contents, bytes) else contents.encode())
        return path

    def read(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def tool(self, name):
        return self.world.tools[name]

    def start(self, name, *arguments, **options):
        process = Process(self, "%02d-%s" % (len(self.processes), name), arguments, **options)
        self.processes.append(process)
        return process

    def run(self, *arguments, stdin=b"", seconds=WAIT_SECONDS, environment=None):
        """Runs a program to its end."""
        texts = [str(part) for part in arguments]
        started = time.monotonic()
        try:
            done = subprocess.run(texts, input=stdin, capture_output=True, cwd=self.folder, timeout=seconds,
                                  env=dict(os.environ, LC_ALL="C", **(environment or {})), check=False)
        except subprocess.TimeoutExpired as late:
            raise Failure("%s did not end in %g s: %s" % (" ".join(texts), seconds, (late.stderr or b"")[-1500:])) from None
        result = Done(texts, done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"),
                      time.monotonic() - started)
        self.finished.append(result)
        return result

    def wait(self, coroutine, seconds=WAIT_SECONDS):
        """Runs a coroutine to its end, and gives what it gives."""

        async def bounded():
            try:
                return await asyncio.wait_for(coroutine, seconds)
            except asyncio.TimeoutError:
                raise Failure("the peer's part took longer than %g s" % seconds) from None

        return asyncio.run(bounded())

    def note(self, text):
        """A word for the printed line, such as a rate that was measured."""
        self.notes.append(text)

    def end(self):
        self.cleanup.close()
        for process in self.processes:
            process.kill()

    # Certificates.

    def pair(self, name="server"):
        """The files of a certificate and its key."""
        return self.world.certificates.path(name + ".pem"), self.world.certificates.path(name + ".key")

    @property
    def authority(self):
        return self.world.certificates.path("root.pem")

    # Our programs.

    def serve(self, *options, files=None, root=None, certificate="server", environment=None, wrap=()):
        """`quoll serve` on a port of the kernel's choice, once it is ready. `files` maps names to contents."""
        self.world.want_quoll()
        root = root or self.file("www")
        os.makedirs(root, exist_ok=True)
        for name, contents in (files or {}).items():
            self.file(os.path.join(root, name), contents)
        pair = [] if certificate is None else ["--cert", self.pair(certificate)[0], "--key", self.pair(certificate)[1]]
        listen = [] if "--listen" in options else ["--listen", "127.0.0.1:0"]
        process = self.start("quoll-serve", *wrap, self.world.quoll, "serve", *listen, "--root", root, *pair, *options,
                             environment=environment)
        process.wait_text("listening on https://")
        return Server(process, self._port_of(process), root)

    def handlers(self, *options, certificate="server", environment=None):
        """The server with handlers of tests/e2e/e2e_server.cc, once it is ready."""
        self.world.want_handlers()
        process = self.start("e2e-server", self.world.handlers, "--cert", self.pair(certificate)[0], "--key",
                             self.pair(certificate)[1], *options, environment=environment)
        process.wait_text("listening on https://")
        return Server(process, self._port_of(process))

    @staticmethod
    def _port_of(process):
        def port():
            line = process.text().partition("listening on https://")[2]
            digits = line.partition("\n")[0].rstrip("/ ").rpartition(":")[2] if "\n" in line else ""
            return int(digits) if digits.isdigit() else None

        return wait_for(port, "the port of " + process.name)

    def get(self, *arguments, trust=True, **options):
        """Runs `quoll get`; by default it trusts the cases' authority."""
        self.world.want_quoll()
        return self.run(self.world.quoll, "get", *(["--cacert", self.authority] if trust else []), *arguments, **options)

    def get_ok(self, *arguments, **options):
        """The same, which has to succeed: what came on stdout."""
        done = self.get(*arguments, **options)
        if done.code != 0:
            raise Failure(str(done))
        return done.out

    # Expectations.

    def equal(self, found, wanted, what):
        if found != wanted:
            raise Failure("%s: %.300r instead of %.300r" % (what, found, wanted))

    def has(self, text, wanted, what):
        if wanted not in text:
            raise Failure("%s: no %r in %.500r" % (what, wanted, text))

    def true(self, condition, what):
        if not condition:
            raise Failure(what)

    def failed_clearly(self, done, wanted=None):
        """A program that ended with an error, and said so in one line on stderr."""
        self.true(done.code not in (0, 2) and 0 < done.code < 128, "no exit code of an error: %s" % done)
        lines = [line for line in done.err.splitlines() if line.strip()]
        self.true(len(lines) == 1, "not one line on stderr: %s" % done)
        if wanted is not None:
            self.has(done.err.lower(), wanted.lower(), "the message")
