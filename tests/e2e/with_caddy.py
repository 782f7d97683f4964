"""`quoll get` with Caddy, whose QUIC is quic-go."""

import servers
from harness import case, random_bytes, sha256


@case("Caddy: quoll get downloads files, one after the other and in parallel", needs="caddy")
def download(case):
    files = {"%d.bin" % number: random_bytes(size) for number, size in enumerate((0, 1, 1000, 100_000, 3_000_000))}
    server = servers.caddy(case, files)
    for name, contents in files.items():
        case.equal(sha256(case.get_ok("-s", server.url("/" + name))), sha256(contents), name)
    case.get_ok("-s", "-Z", "--create-dirs", "--output-dir", case.file("out"), *[server.url("/" + name) for name in files])
    for name, contents in files.items():
        case.equal(sha256(case.read("out/" + name)), sha256(contents), name)


@case("Caddy: quoll get downloads a hundred mebibytes", needs="caddy", alone=True)
def large(case):
    contents = random_bytes(1 << 20) * 100
    server = servers.caddy(case, {"large.bin": contents})
    case.get_ok("-s", "-o", case.file("out.bin"), server.url("/large.bin"))
    case.equal(sha256(case.read("out.bin")), sha256(contents), "the file")


@case("Caddy: HEAD, ranges, conditions and a file that is not there", needs="caddy")
def semantics(case):
    server = servers.caddy(case, {"file.bin": bytes(range(256))})
    head = case.get_ok("-s", "-I", server.url("/file.bin")).decode().lower()
    case.has(head, "content-length: 256", "HEAD")
    case.equal(case.get_ok("-s", "-r", "16-31", server.url("/file.bin")), bytes(range(16, 32)), "a range")
    etag = [line.partition(":")[2].strip() for line in head.splitlines() if line.startswith("etag:")]
    case.true(etag, "no ETag in %r" % head)
    code = case.get_ok("-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "If-None-Match: " + etag[0], server.url("/file.bin"))
    case.equal(code, b"304", "a condition")
    case.equal(case.get("-f", server.url("/none")).code, 22, "exit code for a 404")


@case("Caddy: quoll get goes on with a partial file", needs="caddy")
def continued(case):
    contents = random_bytes(100_000)
    server = servers.caddy(case, {"file.bin": contents})
    case.file("out.bin", contents[:40_000])
    case.get_ok("-s", "-C", "-", "-o", case.file("out.bin"), server.url("/file.bin"))
    case.equal(sha256(case.read("out.bin")), sha256(contents), "the file")


@case("Caddy: quoll get resumes, and sends requests in 0-RTT", needs="caddy")
def resumption(case):
    contents = random_bytes(10_000)
    server = servers.caddy(case, {"file.bin": contents})
    for _ in range(3):
        found = case.get_ok("-s", "--session", case.file("session"), "--0rtt", server.url("/file.bin"))
        case.equal(sha256(found), sha256(contents), "body")


@case("Caddy: many small files over one connection", needs="caddy")
def many(case):
    files = {"%03d" % number: "%d\n" % number for number in range(500)}
    server = servers.caddy(case, files)
    case.get_ok("-s", "-Z", "--create-dirs", "--output-dir", case.file("out"), *[server.url("/" + name) for name in files])
    for name, contents in files.items():
        case.equal(case.read("out/" + name), contents.encode(), name)
