"""Go's crypto/tls, both ways: the peer that has X25519MLKEM768."""

import os
import shutil
import subprocess
import threading

from certificates import NAME
from harness import Skip, case
from with_openssl_client import serve, WORDS
from with_openssl_server import SCHEMES, trusting

BUILD_SECONDS = 120  # from nothing, the standard library included

_lock = threading.Lock()
_program = {}


def program(case_):
    """The peer, built once."""
    go = shutil.which("go")
    if not go:
        raise Skip("there is no go")
    with _lock:
        if not _program:
            out = os.path.join(case_.world.folder, "go-peer")
            source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go")
            environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="", GOPROXY="off", GOWORK="off")
            done = subprocess.run([go, "build", "-buildvcs=false", "-o", out, "."], cwd=source, env=environment,
                                  capture_output=True, text=True, timeout=BUILD_SECONDS)
            _program["path"] = out if done.returncode == 0 else None
            _program["why"] = "go cannot build it: " + done.stderr.strip()[:300]
    if not _program["path"]:
        raise Skip(_program["why"])
    return _program["path"]


def go_server(case_, cert="p256"):
    server = case_.start("go-server", program(case_), "server", case_.cert(cert + ".pem"),
                         case_.world.certificates.pair(cert)[3])
    server.wait_text("port ")
    server.wait_text("\n")
    return server, int(server.text().split()[1])


@case("our client, Go: X25519MLKEM768")
def run(case_):
    server, port = go_server(case_)
    code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n")
    case_.equal(code, 0, "our exit code")
    case_.reported(report, group="x25519mlkem768", hello_retry="no", received="hello.")
    server.wait_text("curve 0x11ec")


@case("our client, Go: X25519MLKEM768 after a HelloRetryRequest")
def run(case_):
    server, port = go_server(case_)
    code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n", "--groups", "x25519,x25519mlkem768",
                                    "--key-shares", "1")
    case_.equal(code, 0, "our exit code")
    case_.reported(report, group="x25519mlkem768", hello_retry="yes", received="hello.")


@case("our client, Go: no common group")
def run(case_):
    _, port = go_server(case_)
    code, report = case_.our_client(port, *trusting(case_), "--groups", "secp384r1")
    case_.equal(code, 1, "our exit code")
    case_.reported(report, alert_received="handshake_failure")


for cert in ("rsa3072", "ed25519", "chain"):
    @case("our client, Go: certificate %s" % cert)
    def run(case_, cert=cert):
        _, port = go_server(case_, cert)
        code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n")
        case_.equal(code, 0, "our exit code")
        case_.reported(report, peer_scheme=SCHEMES[cert], received="hello.")


def go_client(case_, port):
    return case_.start("go-client", program(case_), "client", "127.0.0.1:%d" % port, case_.cert("root.pem"), NAME)


@case("Go, our server: X25519MLKEM768")
def run(case_):
    server, port = serve(case_)
    client = go_client(case_, port)
    case_.equal(client.wait(), 0, "the exit code of the client")
    case_.has(client.text(), "received " + WORDS, "the client")
    case_.has(client.text(), "curve 0x11ec", "the client")
    case_.reported(case_.our_report(server), group="x25519mlkem768", handshake="complete")


@case("Go, our server: no common group")
def run(case_):
    server, port = serve(case_, "--groups", "secp384r1")
    client = go_client(case_, port)
    case_.equal(client.wait(), 1, "the exit code of the client")
    case_.reported(case_.our_report(server), handshake="incomplete", alert_sent="handshake_failure")
