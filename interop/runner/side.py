"""One side of a test, as a process of its own: a network, mount and process namespace, and in it a small init.

The outer process makes the namespaces and dies with the runner; the inner one is process 1 of the side, so the kernel ends
everything in the side when it goes. Nothing outlives the runner, whatever signal ends that, and no mount or namespace has a
name on the machine. The inner process builds a root of its own (what the machine has, with the private folders of the test in
it), obeys commands from standard input, a JSON object a line, and tells events on standard output the same way.

It imports nothing of the runner but QUIC's readiness probe.
"""

import ctypes
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_NEW_MOUNTS, _NEW_NETWORK, _NEW_PROCESSES = 0x00020000, 0x40000000, 0x20000000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
_DETACH = 2
_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))


def die_with_parent(parent):
    """Asks the kernel to kill this process when its parent ends. `parent` may have ended before."""
    _check(_libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def _mount(source, target, kind=None, flags=0, data=None):
    encode = lambda text: None if text is None else os.fsencode(str(text))  # noqa: E731
    _check(_libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(data)), "mount on %s" % target)


def tell(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def build_root(root, folders, hosts):
    """A new root at `root`: the machine's own folders, a fresh /proc, the private folders, and /etc/hosts."""
    _mount("none", "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", 0, "mode=755")
    private = {Path(folder["at"]).name for folder in folders}
    for entry in sorted(Path("/").iterdir()):
        target = Path(root, entry.name)
        if entry.is_symlink():
            target.symlink_to(os.readlink(entry))
        elif entry.name == "proc":
            target.mkdir()
            _mount("proc", target, "proc")
        elif entry.is_dir() and entry.name not in private:
            target.mkdir()
            _mount(entry, target, None, _BIND | _RECURSIVE)
            if Path(root).is_relative_to(entry):  # the new root shows in itself: not needed
                _libc.umount2(os.fsencode(root + root), _DETACH)
    for folder in folders:
        target = root + folder["at"]
        os.mkdir(target)
        _mount(folder["from"], target, None, _BIND)
        if folder["read_only"]:
            _mount("none", target, None, _BIND | _REMOUNT | _READ_ONLY)
    _mount(hosts, root + "/etc/hosts", None, _BIND)
    os.chroot(root)
    os.chdir("/")


def probe(command):
    """Sends a datagram of an unknown version until the server answers it with Version Negotiation, as the simulator does before
    it lets a client start. It goes to the server's own address inside its namespace: neither link nor capture sees it."""
    datagram = b"\xc0" + bytes.fromhex("57414954") + b"\0\0" + bytes(1200)
    end = time.monotonic() + command["seconds"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((command["address"], 443))
        client.settimeout(0.1)
        while time.monotonic() < end and not _ended:
            try:
                client.send(datagram)
                answer = client.recv(2048)
                if len(answer) >= 7 and answer[0] & 0x80 and answer[1:5] == b"\0\0\0\0":
                    return True
            except ConnectionRefusedError:
                time.sleep(0.02)
            except (socket.timeout, OSError):
                pass
            _reap()
    return False


_children = {}
_ended = []
_kept = []


def spawn(command):
    with open(command["output"], "ab") as output:
        try:
            process = subprocess.Popen(command["argv"], env=command["environment"], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True, cwd=command.get("folder", "/"))
        except OSError as error:
            output.write(("could not be started: %s\n" % error).encode())
            tell(event="exit", name=command["name"], code=126)
            return
    _children[process.pid] = command["name"]
    _kept.append(process)  # a Popen that is thrown away would collect its exit code instead of _reap()


def _reap():
    """Process 1 collects whatever ends, and tells of the programs it was asked to start."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        name = _children.pop(pid, None)
        if name is not None:
            _ended.append(name)
            tell(event="exit", name=name, code=os.waitstatus_to_exitcode(status))


def obey(command):
    if command["do"] == "spawn":
        spawn(command)
    elif command["do"] == "signal":
        for pid, name in _children.items():
            if name == command["name"]:
                os.killpg(pid, command["signal"])
    elif command["do"] == "configure":
        for line in command["commands"]:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                tell(event="configured", error="%s: %s" % (" ".join(line), done.stderr.strip()))
                return
        tell(event="configured", error=None)
    elif command["do"] == "probe":
        tell(event="probed", answered=probe(command))


def serve_commands():
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(read_end, selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in selector.select():
            if key.fd == read_end:
                os.read(read_end, 4096)
                continue
            data = os.read(0, 1 << 16)
            if not data:
                return  # the runner is done with this side
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                obey(json.loads(line))
        _reap()


def main():
    settings = json.loads(sys.argv[1])
    die_with_parent(settings["runner"])
    try:
        _check(_libc.unshare(_NEW_NETWORK | _NEW_MOUNTS | _NEW_PROCESSES), "unshare")
    except OSError as error:
        tell(event="refused", reason=str(error))
        return 1
    outer = os.getpid()
    child = os.fork()
    if child:
        os.close(0)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) & 0xFF
    # The parent has no number in the new process namespace. Should it have ended already, the runner's end of standard input
    # has too, or the runner closes it soon: serve_commands() returns then.
    _check(_libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")
    try:
        build_root(settings["root"], settings["folders"], settings["hosts"])
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    except (OSError, subprocess.SubprocessError) as error:
        tell(event="refused", reason=str(error))
        return 1
    tell(event="ready")
    serve_commands()
    return 0


if __name__ == "__main__":
    sys.exit(main())
