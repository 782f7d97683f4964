"""quic-go's client with our servers, and `quoll get` with its server: tests/e2e/quicgo."""

import os

from harness import Server, case, random_bytes, sha256

NO_ERROR = "Application error 0x100 "  # H3_NO_ERROR, as quic-go prints it


def ask(case, server, word, *arguments):
    """Runs the client; the lines that it printed."""
    done = case.run(case.tool("quicgo"), "client", case.authority, "https://localhost:%d" % server.port, word, *arguments)
    case.equal(done.code, 0, "exit code of quic-go's client: %s" % done)
    return done.out.decode().splitlines()


def serve(case, *options):
    """Its server, once it is ready."""
    process = case.start("quic-go-server", case.tool("quicgo"), "server", *case.pair(), *options)
    process.wait_text("listening on https://localhost:")
    return Server(process, int(process.text().partition("localhost:")[2].partition("/")[0]))


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def ended_well(case, server):
    """Every connection was ended by us, without an error."""
    server.end()
    ends = [line for line in server.process.text().splitlines() if line.startswith("closed:")]
    case.true(ends, "no connection came")
    for end in ends:
        case.has(end, NO_ERROR + "(remote)", "how a connection ended")


@case("quic-go client: files, with key updates, HEAD and 404", needs="quicgo")
def files(case):
    contents = {"%d.bin" % size: random_bytes(size) for size in (1, 1000, 100_000, 10_000_000)}
    server = case.serve(files=contents)
    lines = ask(case, server, "get", *["/" + name for name in contents], "/none")
    wanted = ["200 %d %s" % (len(body), sha256(body)) for body in contents.values()]
    case.equal(lines[:-1], wanted, "files")
    case.has(lines[-1], "404 ", "the status of what is not there")
    case.equal(ask(case, server, "head", "/1000.bin"), ["200 1000 " + sha256(b"")], "HEAD")


@case("quic-go client: 1,000 requests on one connection", needs="quicgo")
def many(case):
    server = case.serve(files={"file.txt": "contents"})
    case.equal(ask(case, server, "many", 1000, 100, "/file.txt"), ["good=1000 connections=1"], "requests")


@case("quic-go client: an upload", needs="quicgo")
def upload(case):
    sent, answer = ask(case, case.handlers(), "upload", 8_000_000, "/upload")
    case.equal(answer, "200 " + sent, "what arrived")


@case("quic-go client: Retry, resumption and 0-RTT", needs="quicgo")
def early_data(case):
    server = case.handlers()
    retrying = case.serve("--retry", files={"file.txt": "contents"})
    # Whether a request is still in time to go before the handshake ends is the client's luck.
    for lines in (ask(case, server, "early", "/early"), ask(case, retrying, "early", "/file.txt")):
        case.equal([line.rpartition(" ")[0] for line in lines],
                   ["resumed=false early=false", "resumed=true early=true", "resumed=true early=true"], "connections")
        case.true({line.rpartition(" ")[2] for line in lines} <= {"contents", "early", "late"}, "bodies: %s" % lines)


# RFC 9000 §9.5: more paths than there are connection ids at a time.
@case("quic-go client: it probes other addresses, and changes its own, again and again", needs="quicgo")
def migration(case):
    contents = random_bytes(20_000_000)
    server = case.serve(files={"file.bin": contents})
    case.equal(ask(case, server, "move", "/file.bin", 8, 8), ["200 %d %s" % (len(contents), sha256(contents))], "file")


@case("quic-go client: datagrams of an extended CONNECT", needs="quicgo")
def datagrams(case):
    sizes = (0, 1, 100, 1000, 1150)
    case.equal(ask(case, case.handlers(), "datagrams", "/datagrams", *sizes), ["echoed %d" % len(sizes)], "datagrams")


@case("quic-go client: GOAWAY at the end of a server", needs="quicgo")
def goaway(case):
    server = case.serve(files={"index.html": "page"})
    client = case.start("quic-go-client", case.tool("quicgo"), "client", case.authority,
                        "https://localhost:%d" % server.port, "hold")
    client.wait_text("ready")
    case.equal(server.end(), 0, "exit code of the server")
    case.equal(client.wait(), 0, "exit code of the client")
    case.has(client.text(), "closed: " + NO_ERROR, "how the connection ended")


@case("quic-go server: files, HEAD, 404 and an upload of quoll get", needs="quicgo")
def served(case):
    server = serve(case)
    for size in (1, 1000, 100_000, 10_000_000):
        case.equal(sha256(case.get_ok("-s", server.url("/bytes/%d" % size))), sha256(pattern(size)), "%d bytes" % size)
    case.has(case.get_ok("-s", "-I", server.url("/bytes/77")).decode(), "content-length: 77", "HEAD")
    case.equal(case.get("-f", server.url("/none")).code, 22, "exit code for a 404")
    body = random_bytes(8_000_000)
    found = case.get_ok("-s", "-T", case.file("upload.bin", body), server.url("/upload"))
    case.equal(found.decode(), "%d %s\n" % (len(body), sha256(body)), "what arrived")
    cookie = "a=" + "c" * 16_000
    case.equal(case.get_ok("-s", "-H", "Cookie: " + cookie, server.url("/fields/10")).decode(), "%d\n" % len(cookie), "cookie")
    ended_well(case, server)


@case("quic-go server: 1,000 requests of quoll get", needs="quicgo")
def served_many(case):
    server = serve(case)
    case.get_ok("-s", "-Z", "--parallel-max", "100", "--create-dirs", "--output-dir", case.file("out"),
                *[server.url("/bytes/%d" % size) for size in range(1000)])
    for size in range(1000):
        case.equal(os.path.getsize(case.file("out/%d" % size)), size, "size of file %d" % size)
    ended_well(case, server)


@case("quic-go server: Retry, resumption and 0-RTT of quoll get", needs="quicgo")
def served_again(case):
    server = serve(case, "retry")
    for early in ("false", "true", "true"):
        found = case.get_ok("-s", "--session", case.file("session"), "--0rtt", server.url("/early"))
        case.equal(found.decode(), "early=%s\n" % early, "what the server saw")
    case.equal(case.get_ok("-s", "--quic-version", "v2", server.url("/bytes/3")), b"\0\1\2", "body over QUIC version 2")
    ended_well(case, server)


# RFC 9000 §10.1.2
@case("quic-go server: an answer that takes longer than its idle timeout", needs="quicgo")
def served_late(case):
    server = serve(case, "idle=800")
    case.equal(case.get_ok("-sS", server.url("/sleep/2000")), b"slept\n", "body")
    ended_well(case, server)


# RFC 9114 §4.2.2
@case("quic-go server: a response with more fields than quoll get takes", needs="quicgo")
def served_too_much(case):
    server = serve(case)
    case.failed_clearly(case.get("-sS", server.url("/fields/100000")), "more fields than we take")
    ended_well(case, server)
