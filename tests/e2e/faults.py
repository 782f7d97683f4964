"""What can go wrong with disks, files, ports and names, and what quoll says then."""

import os
import random
import shutil
import signal
import socket

import aio
from harness import Skip, case, free_port, random_bytes, sha256, wait_for
from relay import Relay

NOBODY = 65534


def exit_code_and_line(case, done, code, words):
    case.equal(done.code, code, "exit code of %s" % done)
    case.failed_clearly(done, words)


@case("faults: a full device")
def full_device(case):
    server = case.serve(files={"file.bin": random_bytes(100_000)})
    exit_code_and_line(case, case.get("-s", "-S", "-o", "/dev/full", server.url("/file.bin")), 23, "no space left")


@case("faults: a full disk leaves no half-written file")
def full_disk(case):
    server = case.serve(files={"file.bin": random_bytes(3_000_000), "small.bin": "small"})
    mounted = case.file("mounted")
    os.makedirs(mounted)
    # A small file system in a mount namespace of its own, which goes when the shell ends; the shell then tells what is left.
    script = 'mount -t tmpfs -o size=1m none "$0" || exit 99; "$@"; code=$?; ls "$0" >&2; exit $code'
    inside = [case.world.quoll, "get", "-s", "-S", "--cacert", case.authority, "-o", mounted + "/out.bin"]
    shell = ["unshare", *(["--mount"] if os.getuid() == 0 else ["--map-root-user", "--mount"]), "sh", "-c", script, mounted]
    if not shutil.which("unshare") or case.run(*shell, "true").code != 0:
        raise Skip("no mount namespace may be made here")
    exit_code_and_line(case, case.run(*shell, *inside, server.url("/file.bin")), 23, "no space left")
    case.equal(case.run(*shell, *inside, server.url("/small.bin")).code, 0, "exit code where there is room")


@case("faults: a server goes on when its log's disk is full")
def full_log(case):
    server = case.serve("--keylog", "/dev/full", files={"file.txt": "contents"})
    for _ in range(3):
        case.equal(case.get_ok("-s", server.url("/file.txt")), b"contents", "body")


@case("faults: a file that the server may not read is forbidden")
def unreadable(case):
    root = case.file("www")
    case.file("www/secret.txt", "secret")
    case.file("www/file.txt", "contents")
    os.chmod(case.file("www/secret.txt"), 0)
    os.makedirs(case.file("www/closed"), mode=0)
    wrap = ()
    if os.getuid() == 0:
        # Root reads everything: the server runs as nobody, for whom the key must be readable.
        if not case.tool("setpriv"):
            raise Skip("there is no setpriv to run the server as another user with")
        wrap = (case.tool("setpriv"), "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups")
        for source, name in zip(case.pair(), ("chain.pem", "key.pem")):
            shutil.copy(source, case.file(name))
            os.chmod(case.file(name), 0o644)
        server = case.serve("--cert", case.file("chain.pem"), "--key", case.file("key.pem"), certificate=None, root=root, wrap=wrap)
    else:
        server = case.serve(root=root)
    case.equal(case.get_ok("-s", server.url("/file.txt")), b"contents", "what may be read")
    for path in ("/secret.txt", "/closed/", "/closed/file.txt"):
        code = case.get_ok("-s", "-o", "/dev/null", "-w", "%{http_code}", server.url(path))
        case.true(code in (b"403", b"404"), "%s was answered with %r" % (path, code))
    done = case.get("-f", server.url("/secret.txt"))
    exit_code_and_line(case, done, 22, "403")


@case("faults: what is not a file is not served")
def special(case):
    root = case.file("www")
    os.makedirs(root)
    os.mkfifo(case.file("www/pipe"))
    case.file("outside.txt", "outside")
    os.symlink(case.file("outside.txt"), case.file("www/escape.txt"))
    os.symlink("/etc/passwd", case.file("www/passwd"))
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        listener.bind(os.path.relpath(case.file("www/socket"), here) if len(case.folder) > 80 else case.file("www/socket"))
        server = case.serve(root=root)
        for path in ("/pipe", "/socket", "/escape.txt", "/passwd"):
            done = case.get("-s", "-w", "%{http_code}", server.url(path))
            case.true(done.out[-3:] in (b"403", b"404"), "%s was answered with %r" % (path, done.out[:200]))
            case.true(b"outside" not in done.out and b"root:" not in done.out, path + " led out of the root")


@case("faults: a file that vanishes is not found, and comes back")
def vanished(case):
    server = case.serve(files={"file.txt": "contents"})

    def code():
        return case.get_ok("-s", "-o", "/dev/null", "-w", "%{http_code}", server.url("/file.txt"))

    case.equal(code(), b"200", "before")
    os.remove(os.path.join(server.root, "file.txt"))
    case.equal(code(), b"404", "without it")
    case.file(os.path.join(server.root, "file.txt"), "other contents")
    case.equal(case.get_ok("-s", server.url("/file.txt")), b"other contents", "after")


@case("faults: a file that is removed mid-transfer still arrives; one that shrinks ends in a reset", needs="aioquic")
def shrinking(case):
    size = 20_000_000
    server = case.serve(files={"removed.bin": bytes(size), "shrinking.bin": bytes(size)})

    async def client(name, disturb):
        async with aio.connected(case, server.port, max_stream_data=300_000) as connection:
            real = connection._quic._write_stream_limits
            connection._quic._write_stream_limits = lambda **_: None
            _, answer = connection.begin("GET", name)
            await connection.until(lambda: len(answer.body) > 100_000, "the first bytes")
            disturb()
            connection._quic._write_stream_limits = real
            connection.transmit()
            await connection.ping()
            await connection.until(lambda: answer.is_over, "the end")
            return answer

    answer = case.wait(client("/removed.bin", lambda: os.remove(os.path.join(server.root, "removed.bin"))))
    case.equal((answer.is_complete, len(answer.body)), (True, size), "the removed file")
    answer = case.wait(client("/shrinking.bin", lambda: os.truncate(os.path.join(server.root, "shrinking.bin"), 1000)))
    case.equal((answer.is_complete, answer.reset_code), (False, 0x102), "the file that shrank")
    case.true(server.process.is_running(), "the server ended")


@case("faults: quoll get says what it could not do")
def get_messages(case):
    free = free_port()
    unresolved = case.get("-s", "-S", "https://no-such-host.invalid/")
    exit_code_and_line(case, unresolved, 6, "no-such-host.invalid")
    nobody = case.get("-s", "-S", "--connect-timeout", "3", "https://127.0.0.1:%d/" % free)
    case.true(nobody.code in (7, 28), "exit code where nobody listens: %s" % nobody)
    case.failed_clearly(nobody)
    exit_code_and_line(case, case.get("-s", "-S", "ftp://localhost/"), 1, "ftp")
    case.true(case.get("-s", "-S", "https://local host/").code == 3, "a space in a URL")
    server = case.serve(files={"file.txt": "contents"})
    exit_code_and_line(case, case.get("-s", "-S", "-o", case.file("none/out"), server.url("/file.txt")), 23, "none")
    exit_code_and_line(case, case.get("-s", "-S", "-T", case.file("none.bin"), server.url("/file.txt")), 26, "none.bin")
    exit_code_and_line(case, case.get("-s", "-S", "--cacert", case.file("none.pem"), server.url("/"), trust=False), 77, "none.pem")
    case.equal(case.get("--no-such-option").code, 2, "exit code for a wrong option")


@case("faults: quoll serve says what it could not do")
def serve_messages(case):
    case.world.want_quoll()
    root = case.file("www")
    os.makedirs(root)
    certificate, key = case.pair()
    pair = ["--cert", certificate, "--key", key]

    def refused(words, *options):
        case.failed_clearly(case.run(case.world.quoll, "serve", *options), words)

    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        refused(port, "--listen", "127.0.0.1:" + port, "--root", root, *pair)
    refused("none", "--listen", "127.0.0.1:0", "--root", case.file("none"), *pair)
    refused("none.pem", "--listen", "127.0.0.1:0", "--root", root, "--cert", case.file("none.pem"), "--key", key)
    refused("key", "--listen", "127.0.0.1:0", "--root", root, "--cert", certificate, "--key", case.pair("second")[1])
    refused("broken.pem", "--listen", "127.0.0.1:0", "--root", root, "--cert", case.file("broken.pem", "not PEM"), "--key", key)
    done = case.run(case.world.quoll, "serve", "--listen", "not-an-address", "--root", root, *pair)
    case.equal(done.code, 2, "exit code for a wrong address")


@case("faults: Ctrl-C ends quoll get, and leaves no half-written file")
def interrupted(case):
    with aio.Server(case, lambda request: (request.head(200), request.send(bytes(50_000), end=False))) as server:
        client = case.start("quoll-get", case.world.quoll, "get", "-s", "--cacert", case.authority, "-o", case.file("out.bin"),
                            server.url("/"))
        wait_for(lambda: server.connections and server.connections[0].requests, "the request")
        client.signal(signal.SIGINT)
        case.true(client.wait() in (130, -signal.SIGINT), "exit code %d" % client.popen.returncode)
        case.true(not os.path.exists(case.file("out.bin")), "there is a half-written file")
        terminated = wait_for(lambda: server.connections[0].terminated, "the connection's end", seconds=10)
        case.equal(terminated.error_code, 0x100, "code of the connection's end")


@case("faults: a client behind a lossy network gets its file")
def lossy(case):
    contents = random_bytes(1_000_000)
    server = case.serve(files={"file.bin": contents})
    generator = random.Random(4711)
    with Relay(server.port, drop=lambda direction, payload: generator.random() < 0.05) as relay:
        found = case.get_ok("-s", "-4", "https://localhost:%d/file.bin" % relay.port, seconds=60)
    case.equal(sha256(found), sha256(contents), "body")


@case("faults: a network that goes dark ends quoll get with a message")
def dark(case):
    server = case.serve(files={"file.bin": bytes(5_000_000)})
    passed = []

    def drop(direction, payload):
        passed.append(len(payload))
        return len(passed) > 50

    with Relay(server.port, drop=drop) as relay:
        done = case.get("-s", "-S", "-4", "--max-time", "3", "-o", case.file("out.bin"), "https://localhost:%d/file.bin" % relay.port)
    exit_code_and_line(case, done, 28, "")
    case.true(not os.path.exists(case.file("out.bin")), "there is a half-written file")
