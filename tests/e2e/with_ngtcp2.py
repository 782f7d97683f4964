"""ngtcp2's client with our servers, and `quoll get` with its server. Both are Debian's 0.12, with GnuTLS."""

import os

import servers
from harness import case, random_bytes, sha256
from ngtcp2_client import download


@case("ngtcp2 client: files from quoll serve", needs="gtlsclient")
def files(case):
    contents = {"%d.bin" % number: random_bytes(size) for number, size in enumerate((1, 1000, 100_000, 2_000_000))}
    server = case.serve(files=contents)
    folder, _ = download(case, server.port, ["/" + name for name in contents])
    for name, wanted in contents.items():
        case.equal(sha256(case.read(os.path.join(folder, name))), sha256(wanted), name)


@case("ngtcp2 client: Retry, and a token for the next connection", needs="gtlsclient")
def retry(case):
    server = case.serve("--retry", files={"file.bin": "contents"})
    for _ in range(2):
        folder, _ = download(case, server.port, ["/file.bin"], "--token-file=" + case.file("token"))
        case.equal(case.read(os.path.join(folder, "file.bin")), b"contents", "file")
        os.remove(os.path.join(folder, "file.bin"))


@case("ngtcp2 client: resumption and 0-RTT", needs="gtlsclient")
def early_data(case):
    server = case.serve(files={"file.bin": "contents"})
    for number in range(2):
        folder, done = download(case, server.port, ["/file.bin"], "--session-file=" + case.file("session"),
                                "--tp-file=" + case.file("parameters"), quiet=False)
        case.equal(case.read(os.path.join(folder, "file.bin")), b"contents", "file")
        os.remove(os.path.join(folder, "file.bin"))
        case.true("early data was rejected" not in (done.err + done.out.decode("latin-1")).lower(), "early data was rejected")
    case.true(os.path.exists(case.file("session")), "no ticket came")


@case("ngtcp2 client: key updates", needs="gtlsclient")
def key_update(case):
    contents = random_bytes(8_000_000)
    server = case.serve(files={"file.bin": contents})
    folder, _ = download(case, server.port, ["/file.bin"], "--key-update=1ms")
    case.equal(sha256(case.read(os.path.join(folder, "file.bin"))), sha256(contents), "file")


@case("ngtcp2 client: it changes its address on the way", needs="gtlsclient")
def migration(case):
    contents = random_bytes(20_000_000)
    server = case.serve(files={"file.bin": contents})
    # Not its --nat-rebinding: it drops what comes to its old address then, and without ACKs to send it falls silent for good.
    for after in ("1ms", "20ms"):
        folder, _ = download(case, server.port, ["/file.bin"], "--change-local-addr=" + after)
        case.equal(sha256(case.read(os.path.join(folder, "file.bin"))), sha256(contents), "file")


@case("ngtcp2 client: an upload", needs="gtlsclient")
def upload(case):
    body = random_bytes(3_000_000)
    path = case.file("upload.bin", body)
    server = case.handlers()
    folder, _ = download(case, server.port, ["/upload"], "--data=" + path, "--http-method=POST")
    case.equal(case.read(os.path.join(folder, "upload")).decode(), "%d %s\n" % (len(body), sha256(body)), "what arrived")


@case("ngtcp2 client: each cipher suite", needs="gtlsclient")
def cipher_suites(case):
    server = case.serve(files={"file.bin": "contents"})
    for suite in ("AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305"):
        folder, _ = download(case, server.port, ["/file.bin"], "--ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+" + suite)
        case.equal(case.read(os.path.join(folder, "file.bin")), b"contents", suite)
        os.remove(os.path.join(folder, "file.bin"))


@case("ngtcp2 client: lost datagrams", needs="gtlsclient")
def loss(case):
    contents = random_bytes(1_000_000)
    server = case.serve(files={"file.bin": contents})
    folder, _ = download(case, server.port, ["/file.bin"], "--tx-loss=0.05", "--rx-loss=0.05")
    case.equal(sha256(case.read(os.path.join(folder, "file.bin"))), sha256(contents), "file")


@case("ngtcp2 server: quoll get downloads files", needs="gtlsserver")
def served(case):
    contents = {"%d.bin" % number: random_bytes(size) for number, size in enumerate((1, 1000, 100_000, 2_000_000))}
    server = servers.ngtcp2(case, contents)
    for name, wanted in contents.items():
        case.equal(sha256(case.get_ok("-s", server.url("/" + name))), sha256(wanted), name)
    case.get_ok("-s", "-Z", "--create-dirs", "--output-dir", case.file("out"), *[server.url("/" + name) for name in contents])
    for name, wanted in contents.items():
        case.equal(sha256(case.read("out/" + name)), sha256(wanted), name)
    case.equal(case.get("-f", server.url("/none")).code, 22, "exit code for a 404")


@case("ngtcp2 server: Retry, resumption and 0-RTT of quoll get", needs="gtlsserver")
def served_again(case):
    server = servers.ngtcp2(case, {"file.bin": "contents"}, "--validate-addr")
    for _ in range(3):
        found = case.get_ok("-s", "--session", case.file("session"), "--0rtt", server.url("/file.bin"))
        case.equal(found, b"contents", "body")


@case("ngtcp2 server: trailers, and an upload of quoll get", needs="gtlsserver")
def uploaded(case):
    server = servers.ngtcp2(case, {"file.bin": "contents"}, "--send-trailers")
    case.equal(case.get_ok("-s", server.url("/file.bin")), b"contents", "body before trailers")
    body = random_bytes(500_000)
    found = case.get_ok("-s", "-T", case.file("upload.bin", body), server.url("/echo"))
    case.true(len(found) > 0, "no answer to an upload")


@case("ngtcp2 server: lost datagrams", needs="gtlsserver")
def served_with_loss(case):
    contents = random_bytes(1_000_000)
    server = servers.ngtcp2(case, {"file.bin": contents}, "--tx-loss=0.05", "--rx-loss=0.05")
    case.equal(sha256(case.get_ok("-s", server.url("/file.bin"), seconds=60)), sha256(contents), "body")
