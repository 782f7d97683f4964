"""Many requests, many connections, large bodies, garbage, peers that vanish or dawdle."""

import asyncio
import os
import random
import re
import shutil
import signal
import socket
import threading
import time
import urllib.request

import aio
from harness import Skip, case, free_port, random_bytes, sha256, sha256_of_file, wait_for

GIBIBYTE = 1 << 30
REQUESTS = 10_000
CONNECTIONS = 1_000
KILLED = 20  # clients


def metrics(port):
    """The numbers of quoll serve's metrics, labels left out and summed over."""
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{.*\})? ([-+.\deE]+)", line)
        if match:
            found[match[1]] = found.get(match[1], 0) + float(match[2])
    return found


def serve_with_metrics(case, *options, **more):
    port = free_port()
    server = case.serve("--metrics", "127.0.0.1:%d" % port, *options, **more)
    wait_for(lambda: connections_of(port) is not None, "metrics")
    return server, port


def connections_of(port):
    """Connections that the server has now."""
    try:
        return metrics(port)["quoll_connections"]
    except OSError:
        return None


@case("load: ten thousand requests over one connection", alone=True)
def requests(case):
    server, port = serve_with_metrics(case, files={"file.txt": "12345678\n"})
    done = case.get("-s", "-Z", *[server.url("/file.txt?%d" % number) for number in range(REQUESTS)], seconds=120)
    case.equal(done.code, 0, "exit code")
    case.equal(done.out, b"12345678\n" * REQUESTS, "bodies")
    found = metrics(port)
    case.equal(found["quoll_requests_total"], REQUESTS, "requests that the server counted")
    case.equal(found["quoll_connections_accepted_total"], 1, "connections that the server counted")


@case("load: a thousand connections at once", needs="aioquic", alone=True)
def connections(case):
    server, port = serve_with_metrics(case, files={"file.txt": "contents"})

    async def client():
        ready = asyncio.Event()
        open_now = 0
        handshakes = asyncio.Semaphore(50)

        async def one():
            nonlocal open_now
            async with handshakes:
                context = aio.connected(case, server.port, idle_timeout=120.0)
                connection = await context.__aenter__()
            open_now += 1
            if open_now == CONNECTIONS:
                at_once.append(await asyncio.to_thread(connections_of, port))
                ready.set()
            await ready.wait()
            answer = await connection.get("/file.txt")
            case.equal(bytes(answer.body), b"contents", "body")
            await context.__aexit__(None, None, None)

        await asyncio.gather(*[one() for _ in range(CONNECTIONS)])

    at_once = []
    case.wait(client(), seconds=300)
    case.equal(at_once, [CONNECTIONS], "connections that the server counted at once")
    wait_for(lambda: connections_of(port) == 0, "the server to forget its connections")


@case("load: one gibibyte arrives byte by byte the same", alone=True)
def gibibyte(case):
    if shutil.disk_usage(case.folder).free < 3 * GIBIBYTE:
        raise Skip("there is no room for two files of 1 GiB")
    root = case.file("www")
    os.makedirs(root)
    path = os.path.join(root, "large.bin")
    block = random_bytes(1 << 20)
    with open(path, "wb") as file:
        for number in range(1024):  # each block differs
            file.write(number.to_bytes(8, "big") + block[8:])
    server = case.serve(root=root)
    started = time.monotonic()
    case.get_ok("-s", "-o", case.file("out.bin"), server.url("/large.bin"), seconds=180)
    case.note("%.0f MB/s" % (GIBIBYTE / 1e6 / (time.monotonic() - started)))
    case.equal(sha256_of_file(case.file("out.bin")), sha256_of_file(path), "the file")


@case("load: an upload of eight mebibytes", alone=True)
def upload(case):
    server = case.handlers()
    body = random_bytes(8 << 20)
    path = case.file("upload.bin", body)
    for options in (["-T", path], ["--data-binary", "@" + path]):
        found = case.get_ok("-s", *options, server.url("/upload"))
        case.equal(found.decode(), "%d %s\n" % (len(body), sha256(body)), "what arrived with %s" % options[0])


@case("load: clients that are killed mid-transfer leave nothing behind", alone=True)
def killed_clients(case):
    server, port = serve_with_metrics(case, files={"large.bin": bytes(64 << 20)})
    get = [case.world.quoll, "get", "-s", "--cacert", case.authority, server.url("/large.bin")]
    unread, pipe = os.pipe()  # nobody reads: each client stands still in the middle
    case.cleanup.callback(os.close, unread)
    case.cleanup.callback(os.close, pipe)

    def stands_still():
        """Nobody takes anything any more: what the server holds for its clients is the same in each round."""
        before = server.process.resident()
        time.sleep(0.3)
        return server.process.resident() == before

    def end_many(number):
        """What the server holds while its clients stand still, in bytes; then they end and it forgets them."""
        clients = [case.start("quoll-get", *get, stdout=pipe) for _ in range(KILLED)]
        wait_for(lambda: connections_of(port) == len(clients), "the connections")
        wait_for(stands_still, "clients whose buffers are full")
        held = server.process.resident()
        for client in clients:
            client.signal(number)
        for client in clients:
            client.wait()
        wait_for(lambda: connections_of(port) == 0, "the end of the connections", seconds=90)
        return held

    # What the allocator keeps of memory that was freed differs from round to round. What the server holds at its peak does
    # not, and each killed client that left its buffers behind would add to the next peak.
    said_goodbye = end_many(signal.SIGINT)
    files = server.process.open_files()
    killed = end_many(signal.SIGKILL)
    # One connection for metrics may not be over yet.
    wait_for(lambda: server.process.open_files() <= files, "open files to be %d again" % files)
    then, before = end_many(signal.SIGINT), max(said_goodbye, killed)
    case.true(then < before * 5 // 4, "memory at its peak grew from %d to %d bytes" % (before, then))


@case("load: a server goes on under a flood of garbage", alone=True)
def garbage(case):
    contents = random_bytes(1_000_000)
    server = case.serve(files={"file.bin": contents})
    generator = random.Random(4711)
    datagrams = [generator.randbytes(size) for size in (1, 20, 21, 64, 1200, 1452) for _ in range(50)]
    # Those that look like QUIC: first bytes of Initial and Handshake packets and of short headers, and a version of nobody.
    for start in (b"\xc0\0\0\0\x01\x08", b"\xe0\0\0\0\x01\x08", b"\xc0\x6b\x33\x43\xcf\x14", b"\xff\x0a\x1a\x2a\x3a\x08", b"\x40"):
        datagrams += [start + generator.randbytes(1200 - len(start)) for _ in range(50)]
    stop, sent = [], []

    def flood():
        with socket.socket(type=socket.SOCK_DGRAM) as source:
            source.connect(("127.0.0.1", server.port))
            count = 0
            while not stop:
                try:
                    source.send(datagrams[count % len(datagrams)])
                except OSError:
                    pass
                count += 1
            sent.append(count)

    flooders = [threading.Thread(target=flood) for _ in range(2)]
    for flooder in flooders:
        flooder.start()
    try:
        for _ in range(10):
            case.equal(sha256(case.get_ok("-s", server.url("/file.bin"))), sha256(contents), "body")
    finally:
        stop.append(True)
        for flooder in flooders:
            flooder.join()
    case.note("%d datagrams" % sum(sent))
    case.true(sum(sent) > 10_000, "only %d datagrams of garbage were sent" % sum(sent))
    case.true(server.process.resident() < 256 << 20, "the server holds %d bytes" % server.process.resident())


@case("load: a slow reader slows its own stream and nobody else's", needs="aioquic", alone=True)
def slow_reader(case):
    contents = random_bytes(2_000_000)
    server = case.handlers()

    async def client():
        window = 100_000
        async with aio.connected(case, server.port, max_stream_data=window) as connection:
            quic = connection._quic
            # aioquic raises a stream's limit as soon as half of it is used: not for this one.
            stalled, stalled_answer = connection.begin("GET", "/bytes?%d" % (4 * window))
            quic._streams[stalled].max_stream_data_local = window
            real = quic._write_stream_limits
            quic._write_stream_limits = lambda builder, space, stream: (
                None if stream.stream_id == stalled else real(builder=builder, space=space, stream=stream))
            for _ in range(5):
                answer = await connection.get("/bytes?%d" % len(contents))
                case.equal(len(answer.body), len(contents), "size of a response beside the stalled one")
            case.equal(stalled_answer.is_over, False, "the stalled response is over")
            case.true(len(stalled_answer.body) <= window, "the stalled response went beyond its window")
            # Other connections are not bothered either.
            async with aio.connected(case, server.port) as other:
                case.equal(len((await other.get("/bytes?%d" % len(contents))).body), len(contents), "size elsewhere")
            quic._write_stream_limits = real
            connection.transmit()
            await connection.ping()
            await connection.until(lambda: stalled_answer.is_over, "the stalled response")
            case.equal(len(stalled_answer.body), 4 * window, "size of the response that was stalled")

    case.wait(client(), seconds=60)


@case("load: a reader that never reads does not make the server's memory grow", needs="aioquic", alone=True)
def no_reader(case):
    server = case.handlers()

    async def client():
        async with aio.connected(case, server.port, max_stream_data=64_000, max_data=64_000) as connection:
            connection._quic._local_max_data.value = 64_000
            connection._quic._write_connection_limits = lambda builder, space: None
            memory = server.process.resident()
            for _ in range(50):
                connection.begin("GET", "/bytes?100000000")
            await connection.ping()
            await connection.ping()
            grown = server.process.resident() - memory
            case.true(grown < 24 << 20, "memory grew by %d bytes" % grown)

    case.wait(client())


@case("load: SIGTERM lets a transfer end, refuses new requests, and the exit code is 0", needs="aioquic", alone=True)
def drain(case):
    contents = random_bytes(3_000_000)
    server = case.serve(files={"file.bin": contents})
    window = 200_000

    async def client():
        async with aio.connected(case, server.port, max_stream_data=window) as connection:
            real = connection._quic._write_stream_limits
            connection._quic._write_stream_limits = lambda **_: None
            _, answer = connection.begin("GET", "/file.bin")
            await connection.until(lambda: len(answer.body) >= window // 2, "the first bytes")
            server.process.signal(signal.SIGTERM)
            await connection.until(connection.has_goaway, "GOAWAY")
            case.equal(answer.is_over, False, "the transfer is over before it was let go on")
            connection._quic._write_stream_limits = real
            connection.transmit()
            await connection.ping()
            await connection.until(lambda: answer.is_over, "the rest of the transfer")
            case.equal(sha256(answer.body), sha256(contents), "body")

    case.wait(client())
    case.equal(server.process.wait(), 0, "exit code")


@case("load: SIGTERM ends an idle server at once, and a second one ends a busy server", needs="aioquic")
def end(case):
    server = case.serve(files={"file.bin": bytes(10_000_000)})
    case.equal(server.end(), 0, "exit code")
    server = case.serve(files={"file.bin": bytes(10_000_000)})

    async def client():
        async with aio.connected(case, server.port, max_stream_data=100_000) as connection:
            connection._quic._write_stream_limits = lambda **_: None
            _, answer = connection.begin("GET", "/file.bin")
            await connection.until(lambda: answer.body, "the first bytes")
            server.process.signal(signal.SIGTERM)
            await connection.until(connection.has_goaway, "GOAWAY")
            server.process.signal(signal.SIGTERM)
            await connection.end_of_connection()

    started = time.monotonic()
    case.wait(client())
    server.process.wait()
    case.true(time.monotonic() - started < 8, "the second SIGTERM was not at once")
