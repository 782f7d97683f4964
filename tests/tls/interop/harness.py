"""What the interoperability cases share: processes with bounded waits, free ports, and the list of cases.

A case is a function that takes a Case and raises Failure, or Skip. Cases know no fixed sleeps: they wait for a line in a
program's output, or for a port to be listened on, and give up after a named time.
"""

import array
import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import time

from free_port import free_port  # noqa: F401, cases take it from here

WAIT_SECONDS = 60  # for anything that a case waits for: many times what it takes on a busy machine


class Failure(Exception):
    """The case has failed; the text says how."""


class Skip(Exception):
    """The case cannot run here; the text says why."""


CASES = []  # (name, function), in the order of definition


def case(name):
    def register(function):
        CASES.append((name, function))
        return function

    return register


def is_listening(port):
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table) as lines:
            for line in lines:
                fields = line.split()
                if len(fields) > 3 and fields[1].endswith(":%04X" % port) and fields[3] == "0A":
                    return True
    return False


def wait_for(condition, what):
    end = time.monotonic() + WAIT_SECONDS
    pause = 0.005
    while not condition():
        if time.monotonic() > end:
            raise Failure("waited in vain for " + what)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


class Process:
    """A program whose output goes to a file, both streams together."""

    def __init__(self, case_, name, arguments):
        self.name = name
        self.path = case_.file(name + ".log")
        self.environment = dict(os.environ, LC_ALL="C")
        with open(self.path, "wb") as log:
            self.popen = subprocess.Popen(
                [str(part) for part in arguments], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                cwd=case_.folder, env=self.environment, start_new_session=True)

    def bytes(self):
        with open(self.path, "rb") as log:
            return log.read()

    def text(self):
        return self.bytes().decode("latin-1")

    def wait_text(self, wanted):
        """Until the output has this; a program that ends without it fails the case."""

        def found():
            if wanted in self.text():
                return True
            if self.popen.poll() is not None and wanted not in self.text():
                raise Failure("%s ended without saying %r" % (self.name, wanted))
            return False

        wait_for(found, "%r of %s" % (wanted, self.name))

    def wait_listening(self, port):
        def found():
            if self.popen.poll() is not None:
                raise Failure(self.name + " ended before it listened")
            return is_listening(port)

        wait_for(found, self.name + " to listen")

    def write(self, data):
        """All of it; a program that stops reading fails the case."""
        left = memoryview(data if isinstance(data, bytes) else data.encode())
        pipe = self.popen.stdin.fileno()
        os.set_blocking(pipe, False)
        end = time.monotonic() + WAIT_SECONDS
        while left:
            if not select.select([], [pipe], [], max(0, end - time.monotonic()))[1]:
                raise Failure("%s has left %d bytes of its input unread" % (self.name, len(left)))
            try:
                left = left[os.write(pipe, left):]
            except BlockingIOError:
                pass  # there is room, but for less than a pipe takes at once
            except BrokenPipeError:
                return  # it has ended; what it said tells why

    def wait_input_read(self):
        """Until it has read all that was written."""
        count = array.array("i", [0])

        def read():
            fcntl.ioctl(self.popen.stdin.fileno(), termios.FIONREAD, count)
            return count[0] == 0

        wait_for(read, self.name + " to read")

    def close_input(self):
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()

    def wait(self):
        """Its exit code."""
        try:
            return self.popen.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(self.name + " did not end") from None

    def kill(self):
        if self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()


def values(text):
    """The "name=value" lines of tls_peer, as one dictionary for each connection that it reported, the last one open."""
    connections = [{}]
    for line in text.splitlines():
        name, mark, value = line.partition("=")
        if not mark:
            continue
        if name == "connection":
            connections.append({})
        else:
            connections[-1][name] = value
    return connections


class Case:
    """One case while it runs: its folder, and what it started."""

    def __init__(self, world, folder):
        self.world = world
        self.folder = folder
        os.makedirs(folder)
        self.processes = []

    def file(self, name, contents=None):
        path = os.path.join(self.folder, name)
        if contents is not None:
            with open(path, "wb") as out:
                out.write(contents if isinstance(contents, bytes) else contents.encode())
        return path

    def start(self, name, *arguments):
        process = Process(self, "%02d-%s" % (len(self.processes), name), arguments)
        self.processes.append(process)
        return process

    def cert(self, name):
        return self.world.certificates.path(name)

    def end(self):
        for process in self.processes:
            process.kill()

    # Our side.

    def our_server(self, *options):
        """The process and its port."""
        server = self.start("our-server", self.world.peer, "server", "--listen", "0", *options)
        server.wait_text("port=")
        server.wait_text("\n")
        return server, int(values(server.text())[0]["port"])

    def our_client(self, port, *options):
        """Runs it to its end; the exit code and what it said."""
        client = self.start("our-client", self.world.peer, "client", "--connect", "127.0.0.1:%d" % port, *options)
        client.close_input()
        code = client.wait()
        return code, values(client.text())[0]

    def our_report(self, server, number=0):
        """What our server said of a connection, once that is over."""
        wait_for(lambda: server.text().count("connection=over") > number or server.popen.poll() is not None,
                 "the server's report")
        return values(server.text())[number]

    # Expectations.

    def equal(self, found, wanted, what):
        if found != wanted:
            raise Failure("%s: %r instead of %r" % (what, found, wanted))

    def has(self, text, wanted, what):
        if wanted not in text:
            raise Failure("%s: no %r" % (what, wanted))

    def reported(self, report, **wanted):
        for name, value in wanted.items():
            self.equal(report.get(name), value, name)
