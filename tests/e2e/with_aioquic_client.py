"""aioquic's client with `quoll serve`, and with the server that has handlers."""

import asyncio
import signal

from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

import aio
from harness import Failure, case, random_bytes, sha256

H3_NO_ERROR = 0x100
H3_INTERNAL_ERROR = 0x102


def get(case, server, path="/file.bin", headers=(), method="GET", **options):
    """One request on a connection of its own."""

    async def client():
        async with aio.connected(case, server.port, **options) as connection:
            return await connection.request(method, path, headers)

    return case.wait(client())


@case("aioquic client: a file comes whole, with its size, type and tag", needs="aioquic")
def file_comes(case):
    contents = random_bytes(2_000_000)
    server = case.serve(files={"file.bin": contents, "page.html": "<p>"})
    answer = get(case, server)
    case.equal(answer.status, 200, "status")
    case.equal(answer.field("content-length"), str(len(contents)), "content-length")
    case.equal(sha256(answer.body), sha256(contents), "body")
    case.true(answer.field("etag").strip('"'), "there is no ETag")
    case.true(answer.field("last-modified"), "there is no Last-Modified")
    case.has(get(case, server, "/page.html").field("content-type"), "text/html", "content-type")
    case.equal(get(case, server, "/none.bin").status, 404, "status of a file that is not there")


@case("aioquic client: HEAD, conditions and ranges", needs="aioquic")
def conditions(case):
    server = case.serve(files={"file.bin": bytes(range(256)) * 4})
    head = get(case, server, method="HEAD")
    case.equal((head.status, head.field("content-length"), bytes(head.body)), (200, "1024", b""), "HEAD")
    again = get(case, server, headers=[("if-none-match", head.field("etag"))])
    case.equal((again.status, bytes(again.body)), (304, b""), "If-None-Match")
    part = get(case, server, headers=[("range", "bytes=16-31")])
    case.equal((part.status, part.field("content-range"), bytes(part.body)),
               (206, "bytes 16-31/1024", bytes(range(16, 32))), "a range")
    beyond = get(case, server, headers=[("range", "bytes=5000-")])
    case.equal((beyond.status, beyond.field("content-range")), (416, "bytes */1024"), "a range that is not there")
    several = get(case, server, headers=[("range", "bytes=0-1,4-5")])
    case.equal(several.status, 206, "two ranges")
    case.has(several.field("content-type"), "multipart/byteranges", "two ranges")
    refused = get(case, server, method="DELETE")
    case.equal(refused.status, 405, "DELETE")
    case.has(refused.field("allow"), "GET", "what is allowed")


@case("aioquic client: paths that climb out of the root are refused", needs="aioquic")
def climbing(case):
    server = case.serve(files={"file.bin": "inside"})
    case.file("secret.txt", "outside")
    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/a/../../secret.txt", "/.%2e/secret.txt",
                 "//secret.txt", "/..\\secret.txt"):
        answer = get(case, server, path)
        case.true(answer.status in (400, 403, 404), "%s was answered with %d" % (path, answer.status))
        case.true(b"outside" not in answer.body, path + " led out of the root")


@case("aioquic client: a hundred requests at a time on one connection", needs="aioquic")
def hundred(case):
    files = {"%d.bin" % number: random_bytes(1000 + 97 * number) for number in range(100)}
    server = case.serve(files=files)

    async def client():
        async with aio.connected(case, server.port) as connection:
            answers = await asyncio.gather(*[connection.get("/" + name) for name in files])
            for answer, (name, contents) in zip(answers, files.items()):
                case.equal(bytes(answer.body), contents, name)

    case.wait(client())


@case("aioquic client: a body that is uploaded arrives, and is echoed with its trailers", needs="aioquic")
def upload(case):
    server = case.handlers()
    body = random_bytes(1 << 20)

    async def client():
        async with aio.connected(case, server.port) as connection:
            answer = await connection.request("POST", "/upload", body=body)
            case.equal(bytes(answer.body).decode(), "%d %s\n" % (len(body), sha256(body)), "what arrived")
            stream, answer = connection.begin("POST", "/echo", body=body, finish=False)
            connection.http.send_headers(stream, [(b"checksum", b"1234")], end_stream=True)
            connection.transmit()
            await connection.until(lambda: answer.is_over)
            case.equal(sha256(answer.body), sha256(body), "the echo")
            case.equal(answer.trailers, [(b"checksum", b"1234")], "its trailers")

    case.wait(client())


@case("aioquic client: an answer before the body's end stops the body without an error", needs="aioquic")
def unread(case):
    server = case.handlers()

    async def client():
        async with aio.connected(case, server.port) as connection:
            stream, answer = connection.begin("POST", "/unread", body=bytes(100_000), finish=False)
            await connection.until(lambda: answer.is_over and stream in connection.stops, "STOP_SENDING")
            case.equal((answer.status, bytes(answer.body)), (200, b"enough\n"), "the answer")
            case.equal(connection.stops[stream], H3_NO_ERROR, "the code of STOP_SENDING")
            case.equal((await connection.get("/early")).status, 200, "the next request")

    case.wait(client())


@case("aioquic client: interim responses and trailers", needs="aioquic")
def interim(case):
    server = case.handlers()
    answer = get(case, server, "/inform")
    case.equal([dict(fields)[b":status"] for fields in answer.informational], [b"103"], "interim responses")
    case.equal((answer.status, bytes(answer.body)), (200, b"informed\n"), "the response")
    answer = get(case, server, "/trailers")
    case.equal(dict(answer.trailers).get(b"path"), b"/trailers", "the trailers")


@case("aioquic client: a response that is given up is reset with the right code", needs="aioquic")
def given_up(case):
    case.equal(get(case, case.handlers(), "/reset").reset_code, H3_INTERNAL_ERROR, "the code of the reset")


@case("aioquic client: a pushed response comes where pushes are taken", needs="aioquic")
def push(case):
    server = case.handlers()

    async def client():
        async with aio.connected(case, server.port, protocol=aio.PushedTo) as connection:
            answer = await connection.get("/push")
            case.equal(bytes(answer.body), b"pushed\n", "the response")
            case.equal(dict(connection.promises[0])[b":path"], b"/pushed", "the promise")
            await connection.until(lambda: 0 in connection.pushed and connection.pushed[0].is_complete, "the push")
            case.equal((connection.pushed[0].status, bytes(connection.pushed[0].body)), (200, b"what was pushed\n"), "the push")

    case.wait(client())


@case("aioquic client: datagrams of an extended CONNECT come back", needs="aioquic")
def datagrams(case):
    server = case.handlers()

    async def client():
        async with aio.connected(case, server.port) as connection:
            await connection.until(lambda: connection.http.received_settings, "SETTINGS")
            settings = connection.http.received_settings
            case.equal((settings.get(8), settings.get(0x33)), (1, 1), "extended CONNECT and datagrams in SETTINGS")
            stream = connection._quic.get_next_available_stream_id()
            answer = connection.answers[stream] = aio.Answer()
            connection.http.send_headers(stream, [
                (b":method", b"CONNECT"), (b":scheme", b"https"), (b":authority", b"localhost"),
                (b":path", b"/datagrams"), (b":protocol", b"echo")])
            connection.transmit()
            await connection.until(lambda: answer.fields, "the response to CONNECT")
            case.equal(answer.status, 200, "status")
            connection.http.send_datagram(stream, b"ping")
            connection.transmit()
            await connection.until(lambda: connection.http_datagrams, "the datagram")
            case.equal(connection.http_datagrams, [(stream, b"ping")], "datagrams")

    case.wait(client())


@case("aioquic client: a second connection resumes the session", needs="aioquic")
def resumption(case):
    server = case.serve(files={"file.bin": "contents"})
    tickets = []

    async def client():
        async with aio.connected(case, server.port, tickets=tickets) as connection:
            await connection.get("/file.bin")
            await connection.until(lambda: tickets, "a ticket")
            case.equal(connection.handshake.session_resumed, False, "the first is resumed")
        async with aio.connected(case, server.port, session_ticket=tickets[-1]) as connection:
            case.equal(connection.handshake.session_resumed, True, "the second is resumed")
            case.equal(bytes((await connection.get("/file.bin")).body), b"contents", "body")

    case.wait(client())


async def with_early_data(case, server, path):
    """A connection for a ticket, then the request in 0-RTT: the answer, and the second connection's handshake."""
    tickets = []
    async with aio.connected(case, server.port, tickets=tickets) as connection:
        await connection.get("/")
        await connection.until(lambda: tickets, "a ticket")
    async with aio.connected(case, server.port, session_ticket=tickets[-1], early=True) as connection:
        answer = await connection.get(path)
        return answer, connection.handshake


@case("aioquic client: a request in 0-RTT is answered", needs="aioquic")
def early_data(case):
    server = case.serve(files={"index.html": "<p>", "file.bin": "contents"})
    answer, handshake = case.wait(with_early_data(case, server, "/file.bin"))
    case.equal((answer.status, bytes(answer.body)), (200, b"contents"), "the answer")
    case.equal(handshake.early_data_accepted, True, "early data is accepted")


@case("aioquic client: a handler knows an early request, and may refuse it with 425", needs="aioquic")
def too_early(case):
    server = case.handlers()
    answer, _ = case.wait(with_early_data(case, server, "/early"))
    case.equal(bytes(answer.body), b"early\n", "the early request")
    answer, _ = case.wait(with_early_data(case, server, "/too-early"))
    case.equal(answer.status, 425, "the status of what must not be early")
    case.equal(bytes(get(case, server, "/early").body), b"late\n", "a late request")


@case("aioquic client: key updates on the way", needs="aioquic")
def key_update(case):
    contents = random_bytes(500_000)
    server = case.serve(files={"file.bin": contents})

    async def client():
        async with aio.connected(case, server.port) as connection:
            for _ in range(4):
                answer = await connection.get("/file.bin")
                case.equal(sha256(answer.body), sha256(contents), "body")
                connection.request_key_update()
                await connection.ping()

    case.wait(client())


@case("aioquic client: a new connection id, and a new port", needs="aioquic")
def migration(case):
    contents = random_bytes(300_000)
    server = case.serve(files={"file.bin": contents})

    async def client():
        loop = asyncio.get_running_loop()
        async with aio.connected(case, server.port) as connection:
            await connection.get("/file.bin")
            connection.change_connection_id()
            await connection.get("/file.bin")
            # The same connection through another socket, as behind a NAT that has forgotten.
            old = connection._transport
            new, _ = await loop.create_datagram_endpoint(lambda: connection, local_addr=("::ffff:127.0.0.1", 0))
            answer = await connection.get("/file.bin")
            case.equal(sha256(answer.body), sha256(contents), "body after the move")
            old.close()
            del new

    case.wait(client())


@case("aioquic client: Retry", needs="aioquic")
def retry(case):
    server = case.serve("--retry", files={"file.bin": "contents"})

    async def client():
        async with aio.connected(case, server.port) as connection:
            case.true(connection._quic._retry_source_connection_id is not None, "there was no Retry")
            case.equal(bytes((await connection.get("/file.bin")).body), b"contents", "body")

    case.wait(client())


@case("aioquic client: QUIC version 2", needs="aioquic")
def version_2(case):
    server = case.serve(files={"file.bin": "contents"})
    v2 = QuicProtocolVersion.VERSION_2

    async def client(versions):
        async with aio.connected(case, server.port, original_version=versions[-1], supported_versions=versions) as connection:
            case.equal(bytes((await connection.get("/file.bin")).body), b"contents", "body")
            return connection._quic._version

    case.equal(case.wait(client([v2])), v2, "the version")
    # Whether the server upgrades a client that begins with version 1 is the server's to choose.
    case.wait(client([v2, QuicProtocolVersion.VERSION_1]))


@case("aioquic client: each cipher suite", needs="aioquic")
def cipher_suites(case):
    server = case.serve(files={"file.bin": "contents"})
    for suite in (CipherSuite.AES_128_GCM_SHA256, CipherSuite.AES_256_GCM_SHA384, CipherSuite.CHACHA20_POLY1305_SHA256):
        case.equal(bytes(get(case, server, cipher_suites=[suite]).body), b"contents", suite.name)


@case("aioquic client: a certificate reload leaves connections alone", needs="aioquic")
def reload(case):
    certificate, key = case.file("chain.pem"), case.file("key.pem")

    def install(name):
        for source, target in zip(case.pair(name), (certificate, key)):
            with open(source, "rb") as file:
                case.file(target, file.read())

    install("server")
    server = case.serve("--cert", certificate, "--key", key, certificate=None, files={"file.bin": "contents"})

    def subject(connection):
        return connection._quic.tls._peer_certificate.subject.rfc4514_string()

    async def client():
        async with aio.connected(case, server.port) as old:
            case.equal(subject(old), "CN=server", "the first certificate")
            install("second")
            server.process.signal(signal.SIGHUP)
            while True:
                async with aio.connected(case, server.port) as new:
                    case.equal((await new.get("/file.bin")).status, 200, "status of a new connection")
                    if subject(new) == "CN=second":
                        break
            case.equal((await old.get("/file.bin")).status, 200, "status of the old connection")
            # A pair that does not belong together changes nothing.
            with open(case.pair("other")[1], "rb") as file:
                case.file(key, file.read())
            server.process.signal(signal.SIGHUP)
            await asyncio.to_thread(lambda: wait_for_complaint(server))
            async with aio.connected(case, server.port) as new:
                case.equal(subject(new), "CN=second", "the certificate after a bad reload")

    def wait_for_complaint(server):
        server.process.wait_text("quoll serve:")

    case.wait(client())


@case("aioquic client: a server name that the certificate lacks is the client's to refuse", needs="aioquic")
def wrong_name(case):
    server = case.serve(certificate="other", files={"file.bin": "contents"})
    try:
        get(case, server)
    except ConnectionError:
        pass
    else:
        raise Failure("the handshake with a wrong certificate succeeded")
    case.true(server.process.is_running(), "the server ended")
