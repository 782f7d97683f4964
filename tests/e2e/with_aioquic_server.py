"""`quoll get` with aioquic's server."""

import os

from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

import aio
from harness import case, random_bytes, sha256, wait_for


def files(contents):
    """A handler that has these files."""

    def handle(request):
        body = contents.get(request.path)
        if body is None:
            return request.answer(404, body=b"not here\n")
        return request.answer(200, [("content-length", str(len(body)))], body)

    return handle


@case("aioquic server: quoll get downloads a file", needs="aioquic")
def download(case):
    contents = random_bytes(3_000_000)
    with aio.Server(case, files({"/file.bin": contents})) as server:
        case.get_ok("-o", case.file("out.bin"), server.url("/file.bin"))
        case.equal(sha256(case.read("out.bin")), sha256(contents), "the file")
        case.equal(sha256(case.get_ok("-s", server.url("/file.bin"))), sha256(contents), "stdout")


@case("aioquic server: methods, fields and bodies of quoll get", needs="aioquic")
def requests(case):
    seen = []

    def handle(request):
        seen.append((request.method, request.path, request.field("x-test"), bytes(request.body)))
        request.answer(200, body=b"" if request.method == "HEAD" else b"done")

    upload = random_bytes(1 << 20)
    case.file("upload.bin", upload)
    with aio.Server(case, handle) as server:
        case.get_ok("-s", "-H", "X-Test: yes", server.url("/a?b=c"))
        case.get_ok("-s", "-d", "name=value", server.url("/post"))
        case.get_ok("-s", "--data-binary", "@" + case.file("upload.bin"), server.url("/data"))
        case.get_ok("-s", "-T", case.file("upload.bin"), server.url("/put"))
        case.get_ok("-s", "-X", "DELETE", server.url("/gone"))
        head = case.get_ok("-s", "-I", server.url("/head"))
    case.equal([entry[:3] for entry in seen], [
        ("GET", "/a?b=c", "yes"), ("POST", "/post", ""), ("POST", "/data", ""), ("PUT", "/put", ""),
        ("DELETE", "/gone", ""), ("HEAD", "/head", "")], "requests")
    case.equal(seen[1][3], b"name=value", "the body of -d")
    case.equal(sha256(seen[2][3]), sha256(upload), "the body of --data-binary")
    case.equal(sha256(seen[3][3]), sha256(upload), "the body of -T")
    case.has(head, b"200", "the head that -I prints")


@case("aioquic server: quoll get resumes a session", needs="aioquic")
def resumption(case):
    with aio.Server(case, files({"/file.bin": b"contents"})) as server:
        for resumed in (False, True):
            case.equal(case.get_ok("-s", "--session", case.file("session"), server.url("/file.bin")), b"contents", "body")
            case.equal(server.connections[-1].handshake.session_resumed, resumed, "resumed")
    case.equal(os.stat(case.file("session")).st_mode & 0o077, 0, "rights of others on the session file")


@case("aioquic server: quoll get sends its request in 0-RTT", needs="aioquic")
def early_data(case):
    with aio.Server(case, files({"/file.bin": b"contents"})) as server:
        for accepted in (False, True):
            case.equal(case.get_ok("-s", "--0rtt", "--session", case.file("session"), server.url("/file.bin")), b"contents", "body")
            case.equal(server.connections[-1].handshake.early_data_accepted, accepted, "early data is accepted")
        # The server has forgotten the ticket: the request goes again after the handshake.
        server.tickets.clear()
        case.equal(case.get_ok("-s", "--0rtt", "--session", case.file("session"), server.url("/file.bin")), b"contents", "body")
        case.equal(server.connections[-1].handshake.early_data_accepted, False, "early data without a ticket")


@case("aioquic server: quoll get sends a request again that came too early", needs="aioquic")
def too_early(case):
    answers = []

    def handle(request):
        if request.side.handshake is None and not answers:  # it came in 0-RTT
            answers.append(425)
            return request.answer(425)
        return request.answer(200, body=b"contents")

    with aio.Server(case, handle) as server:
        case.get_ok("-s", "--0rtt", "--session", case.file("session"), server.url("/"))
        case.equal(case.get_ok("-s", "--0rtt", "--session", case.file("session"), server.url("/")), b"contents", "body")
    case.equal(answers, [425], "refusals")


@case("aioquic server: quoll get follows a Retry", needs="aioquic")
def retry(case):
    with aio.Server(case, files({"/file.bin": b"contents"}), retry=True) as server:
        case.equal(case.get_ok("-s", server.url("/file.bin")), b"contents", "body")


@case("aioquic server: QUIC version 2 and its absence", needs="aioquic")
def version_2(case):
    with aio.Server(case, files({"/file.bin": b"contents"})) as server:
        case.equal(case.get_ok("-s", "--quic-version", "v2", server.url("/file.bin")), b"contents", "body")
        case.equal(server.connections[-1]._quic._version, QuicProtocolVersion.VERSION_2, "version")
    with aio.Server(case, files({"/file.bin": b"contents"}), supported_versions=[QuicProtocolVersion.VERSION_1]) as server:
        case.equal(case.get_ok("-s", server.url("/file.bin")), b"contents", "body")
        case.failed_clearly(case.get("--quic-version", "v2", server.url("/file.bin")), "version")


@case("aioquic server: each cipher suite of quoll get", needs="aioquic")
def cipher_suites(case):
    names = {"aes128": CipherSuite.AES_128_GCM_SHA256, "aes256": CipherSuite.AES_256_GCM_SHA384,
             "chacha20": CipherSuite.CHACHA20_POLY1305_SHA256}
    with aio.Server(case, files({"/file.bin": b"contents"})) as server:
        for name, suite in names.items():
            case.equal(case.get_ok("-s", "--cipher", name, server.url("/file.bin")), b"contents", "body")
            case.equal(server.connections[-1]._quic.tls.key_schedule.cipher_suite, suite, "cipher suite")


@case("aioquic server: quoll get keeps up with key updates", needs="aioquic")
def key_update(case):
    contents = random_bytes(400_000)

    def handle(request):
        request.head(200)
        for start in range(0, len(contents), 100_000):
            request.send(contents[start:start + 100_000], start + 100_000 >= len(contents))
        # One update is the most that may be begun before the client has confirmed it.
        request.side._quic.request_key_update()
        request.side.transmit()

    with aio.Server(case, handle) as server:
        case.equal(sha256(case.get_ok("-s", server.url("/"))), sha256(contents), "body")


@case("aioquic server: many URLs in parallel over one connection", needs="aioquic")
def parallel(case):
    contents = {"/%d.bin" % number: random_bytes(500 + number) for number in range(200)}
    with aio.Server(case, files(contents)) as server:
        case.get_ok("-s", "-Z", "--output-dir", case.file("out"), "--create-dirs", *[server.url(path) for path in contents])
        for path, body in contents.items():
            case.equal(case.read("out" + path), body, path)
        case.equal(len(server.connections), 1, "connections")


@case("aioquic server: interim responses and trailers do not disturb quoll get", needs="aioquic")
def interim(case):
    # aioquic's HTTP/3 takes a second head for trailers, so an interim response goes through its state.
    def handle(request):
        stream = request.side.http._stream[request.stream]
        request.head(103, [("link", "</a.css>; rel=preload")])
        stream.headers_send_state = type(stream.headers_send_state).INITIAL
        request.head(200)
        request.send(b"contents", end=False)
        request.side.http.send_headers(request.stream, [(b"checksum", b"1")], True)

    with aio.Server(case, handle) as server:
        case.equal(case.get_ok("-s", server.url("/")), b"contents", "body")


@case("aioquic server: statuses, redirects and --fail", needs="aioquic")
def statuses(case):
    def handle(request):
        if request.path == "/moved":
            return request.answer(302, [("location", "/file.bin")])
        if request.path == "/loop":
            return request.answer(302, [("location", "/loop")])
        return files({"/file.bin": b"contents"})(request)

    with aio.Server(case, handle) as server:
        case.equal(case.get_ok("-s", server.url("/none")), b"not here\n", "the body of a 404")
        failed = case.get("-f", server.url("/none"))
        case.equal((failed.code, failed.out), (22, b""), "--fail")
        case.failed_clearly(failed, "404")
        case.equal(case.get_ok("-s", "-L", server.url("/moved")), b"contents", "-L")
        case.equal(case.get_ok("-s", "-o", case.file("moved"), "-w", "%{http_code} %{http_version}", server.url("/moved")),
                   b"302 3", "-w")
        case.equal(case.get("-s", "-L", "--max-redirs", "3", server.url("/loop")).code, 47, "redirects without end")


@case("aioquic server: certificates that quoll get refuses, and pins", needs="aioquic")
def certificates(case):
    for name in ("stranger", "expired", "other"):
        with aio.Server(case, files({"/": b"contents"}), certificate=name) as server:
            done = case.get(server.url("/"))
            case.equal((done.code, done.out), (60, b""), name)
            case.failed_clearly(done, "certificate")
            case.equal(case.get_ok("-s", "-k", server.url("/")), b"contents", name + " with -k")
    pin = case.world.certificates.pin
    with aio.Server(case, files({"/": b"contents"}), certificate="stranger") as server:
        done = case.get("-s", "--pin", pin("stranger"), server.url("/"), trust=False)
        case.equal((done.code, done.out), (0, b"contents"), "the right pin")
        case.equal(case.get("-k", "--pin", pin("server"), server.url("/"), trust=False).code, 90, "the wrong pin")


@case("aioquic server: one that never answers runs into --max-time", needs="aioquic")
def max_time(case):
    with aio.Server(case, lambda request: None) as server:
        done = case.get("--max-time", "0.5", server.url("/"))
        case.equal(done.code, 28, "exit code")
        case.failed_clearly(done)
        stream = 0
        wait_for(lambda: stream in server.connections[0].stops or server.connections[0].terminated, "the cancellation")


@case("aioquic server: a response that ends too early leaves no file", needs="aioquic")
def cut_short(case):
    def handle(request):
        request.head(200, [("content-length", "100000")])
        request.send(bytes(50_000), end=False)
        request.side.transmit()
        request.side.reset(request.stream, 0x102)

    with aio.Server(case, handle) as server:
        done = case.get("-o", case.file("out.bin"), server.url("/"))
        case.failed_clearly(done)
        case.true(not os.path.exists(case.file("out.bin")), "there is a half-written file")


@case("aioquic server: a connection that ends mid-body is told from a whole one", needs="aioquic")
def connection_lost(case):
    def handle(request):
        request.head(200)
        request.send(bytes(10_000), end=False)
        request.side.transmit()
        request.side.close(error_code=0x102, reason_phrase="the server is on fire")

    with aio.Server(case, handle) as server:
        done = case.get("-o", case.file("out.bin"), server.url("/"))
        case.failed_clearly(done)
        case.true(not os.path.exists(case.file("out.bin")), "there is a half-written file")
