"""GnuTLS's tools, both ways."""

import hashlib
import os

from certificates import NAME
from harness import Skip, case, free_port, wait_for
from with_openssl_server import BIG, SCHEMES, trusting

SUITES = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
          "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305"}
GROUPS = {"x25519": "X25519", "secp256r1": "SECP256R1", "secp384r1": "SECP384R1"}
WORDS = "ping-pong"
PSK = "00112233445566778899aabbccddeeff"


def priority(suite=None, groups=(), extra=""):
    text = "NORMAL:-VERS-ALL:+VERS-TLS1.3" + extra
    if suite:
        text += ":-CIPHER-ALL:+" + SUITES[suite]
    if groups:
        text += ":-GROUP-ALL" + "".join(":+GROUP-" + GROUPS[group] for group in groups)
    return ["--priority", text]


def gnutls_serv(case_, *options, cert="p256", ask=False, how=None):
    """An echo server."""
    if not case_.world.has["gnutls-serv"]:
        raise Skip("there is no gnutls-serv")
    port = free_port()
    certificate = [] if cert is None else ["--x509certfile", case_.cert(cert + ".pem"), "--x509keyfile",
                                           case_.world.certificates.pair(cert)[3]]
    server = case_.start("gnutls-serv", "stdbuf", "-oL", "gnutls-serv", "--echo", "-p", port, *certificate, *(how or priority()),
                         *([] if ask else ["--disable-client-cert"]), *options)
    server.wait_listening(port)
    return server, port


def hello(case_, port, *options):
    code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n", *options)
    case_.equal(report.get("received"), "hello.", "what came back")
    case_.equal(code, 0, "our exit code")
    case_.reported(report, handshake="complete")
    return report


def serve(case_, *options, cert="p256"):
    if not case_.world.has["gnutls-cli"]:
        raise Skip("there is no gnutls-cli")
    return case_.our_server(*case_.world.certificates.pair(cert), *options)


def gnutls_cli(case_, port, *options, name=NAME, ca="root", how=None):
    # Its output is for a terminal: elsewhere it would keep back what it received.
    return case_.start("gnutls-cli", "stdbuf", "-oL", "gnutls-cli", "-p", port, "--x509cafile", case_.cert(ca + ".pem"),
                       "--sni-hostname", name, "--verify-hostname", name, *(how or priority()), *options, "127.0.0.1")


def talk(case_, client, server, number=0):
    client.write(WORDS + "\n")
    client.wait_text("\n" + WORDS)
    client.close_input()
    case_.equal(client.wait(), 0, "the exit code of gnutls-cli")
    report = case_.our_report(server, number)
    case_.reported(report, handshake="complete", end="close_notify")
    return report


for suite in SUITES:
    for group in GROUPS:
        @case("our client, gnutls-serv: %s, %s" % (suite, group))
        def run(case_, suite=suite, group=group):
            _, port = gnutls_serv(case_, how=priority(suite, [group]))
            case_.reported(hello(case_, port, "--groups", group), suite=suite, group=group, hello_retry="no")

        @case("gnutls-cli, our server: %s, %s" % (suite, group))
        def run(case_, suite=suite, group=group):
            server, port = serve(case_)
            client = gnutls_cli(case_, port, how=priority(suite, [group]))
            case_.reported(talk(case_, client, server), suite=suite, group=group, hello_retry="no")
            case_.has(client.text(), "(ECDHE-%s)" % GROUPS[group], "gnutls-cli")
            case_.has(client.text(), "The certificate is trusted", "gnutls-cli")

for cert, scheme in SCHEMES.items():
    @case("our client, gnutls-serv: certificate %s" % cert)
    def run(case_, cert=cert, scheme=scheme):
        _, port = gnutls_serv(case_, cert=cert)
        report = hello(case_, port)
        case_.reported(report, peer_certificates="2" if cert == "chain" else "1")
        case_.equal(report["peer_scheme"].rstrip("0123456789"), scheme.rstrip("0123456789"), "scheme")

    @case("gnutls-cli, our server: certificate %s" % cert)
    def run(case_, cert=cert):
        server, port = serve(case_, cert=cert)
        client = gnutls_cli(case_, port)
        talk(case_, client, server)
        case_.has(client.text(), "The certificate is trusted", "gnutls-cli")


@case("our client, gnutls-serv: HelloRetryRequest for another group")
def run(case_):
    _, port = gnutls_serv(case_, how=priority(groups=["secp384r1"]))
    case_.reported(hello(case_, port), hello_retry="yes", group="secp384r1")


@case("our client, gnutls-serv: HelloRetryRequest for a client without shares")
def run(case_):
    _, port = gnutls_serv(case_)
    case_.reported(hello(case_, port, "--key-shares", "0"), hello_retry="yes")


for cookie in ([], ["--hrr-cookie"]):
    @case("gnutls-cli, our server: HelloRetryRequest" + (" with a cookie" if cookie else ""))
    def run(case_, cookie=cookie):
        server, port = serve(case_, "--groups", "secp384r1", *cookie)
        client = gnutls_cli(case_, port, "--single-key-share", how=priority(groups=["x25519", "secp384r1"]))
        case_.reported(talk(case_, client, server), hello_retry="yes", group="secp384r1")


@case("our client, gnutls-serv: resumption")
def run(case_):
    _, port = gnutls_serv(case_)
    session = ["--session", case_.file("session")]
    case_.reported(hello(case_, port, *session), resumed="no")
    case_.reported(hello(case_, port, *session), resumed="yes", peer_certificates="0")


@case("our client, gnutls-serv: early data accepted")
def run(case_):
    _, port = gnutls_serv(case_, "--earlydata", "--maxearlydata", "4096")
    session = ["--session", case_.file("session")]
    hello(case_, port, *session)
    code, report = case_.our_client(port, *trusting(case_), *session, "--early-data", "early-words\n", "--expect-size",
                                    "0")
    case_.equal(code, 0, "our exit code")
    case_.reported(report, early_data="accepted", resumed="yes", early_data_room="4096")


@case("our client, gnutls-serv: early data rejected")
def run(case_):
    _, port = gnutls_serv(case_, "--earlydata", "--maxearlydata", "4096")
    session = ["--session", case_.file("session")]
    hello(case_, port, *session)
    _, other_port = gnutls_serv(case_)
    code, report = case_.our_client(other_port, *trusting(case_), *session, "--early-data", "early-words\n")
    case_.equal(code, 0, "our exit code")
    case_.reported(report, early_data="rejected", received="early-words.", early_data_resent="12")


def resume(case_, server, port, *options):
    """gnutls-cli connects, closes, and connects again with its ticket."""
    client = gnutls_cli(case_, port, "-r", "--waitresumption", *options)
    client.wait_text("This is a resumed session")
    return talk(case_, client, server, 1), client


@case("gnutls-cli, our server: resumption")
def run(case_):
    server, port = serve(case_, "--tickets", "--count", "2")
    report, _ = resume(case_, server, port)
    case_.reported(report, resumed="yes", early_data="none")


@case("gnutls-cli, our server: early data accepted")
def run(case_):
    server, port = serve(case_, "--tickets", "--count", "2", "--early-data")
    report, _ = resume(case_, server, port, "--earlydata", case_.file("words", "early-words\n"))
    case_.reported(report, resumed="yes", early_data="accepted", early_received="early-words.")


# No early data with a HelloRetryRequest here: GnuTLS 3.7.9 then encrypts its second ClientHello with the early keys.


@case("our client, gnutls-serv: a required client certificate")
def run(case_):
    _, port = gnutls_serv(case_, "--require-client-cert", "--verify-client-cert", "--x509cafile",
                          case_.cert("root.pem"), ask=True)
    hello(case_, port, *case_.world.certificates.pair("client"))


@case("our client, gnutls-serv: a required client certificate that we do not have")
def run(case_):
    _, port = gnutls_serv(case_, "--require-client-cert", "--x509cafile", case_.cert("root.pem"), ask=True)
    code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n")
    case_.equal(code, 1, "our exit code")
    case_.reported(report, alert_received="certificate_required")


@case("our client, gnutls-serv: an optional client certificate that we do not have")
def run(case_):
    _, port = gnutls_serv(case_, "--x509cafile", case_.cert("root.pem"), ask=True)
    hello(case_, port)


def with_client(case_, name):
    return ["--x509certfile", case_.cert(name + ".pem"), "--x509keyfile", case_.world.certificates.pair(name)[3]]


@case("gnutls-cli, our server: a required client certificate")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"), "--require-client-cert")
    client = gnutls_cli(case_, port, *with_client(case_, "client"))
    case_.reported(talk(case_, client, server), peer_certificates="1")


@case("gnutls-cli, our server: a required client certificate that is missing")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"), "--require-client-cert")
    client = gnutls_cli(case_, port)
    case_.reported(case_.our_report(server), alert_sent="certificate_required")
    client.wait_text("Certificate is required")


@case("gnutls-cli, our server: a client certificate of somebody else's authority")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"))
    client = gnutls_cli(case_, port, *with_client(case_, "stranger"))
    verdict = case_.our_report(server)
    if verdict.get("handshake") == "complete":  # it may look at the authorities that we name, and send none
        case_.reported(verdict, peer_certificates="0")
    else:
        case_.reported(verdict, alert_sent="unknown_ca")
        client.wait_text("CA is unknown")


@case("our client, gnutls-serv: ALPN")
def run(case_):
    _, port = gnutls_serv(case_, "--alpn", "h2")
    case_.reported(hello(case_, port, "--alpn", "http/1.1,h2"), alpn="h2")


@case("our client, gnutls-serv: ALPN without a common protocol")
def run(case_):
    _, port = gnutls_serv(case_, "--alpn", "h2", "--alpn-fatal")
    code, report = case_.our_client(port, *trusting(case_), "--alpn", "spdy/1")
    case_.equal(code, 1, "our exit code")
    case_.reported(report, handshake="incomplete", alert_received="no_application_protocol")


@case("gnutls-cli, our server: ALPN")
def run(case_):
    server, port = serve(case_, "--alpn", "h2,http/1.1")
    case_.reported(talk(case_, gnutls_cli(case_, port, "--alpn", "http/1.1"), server), alpn="http/1.1")


@case("gnutls-cli, our server: ALPN without a common protocol")
def run(case_):
    server, port = serve(case_, "--alpn", "h2")
    client = gnutls_cli(case_, port, "--alpn", "spdy/1")
    case_.reported(case_.our_report(server), handshake="incomplete", alert_sent="no_application_protocol")
    client.wait_text("No supported application protocol could be negotiated")


@case("our client, gnutls-serv: an OCSP response is stapled")
def run(case_):
    _, port = gnutls_serv(case_, "--ocsp-response", case_.cert("ocsp.der"), "--ignore-ocsp-response-errors")
    case_.reported(hello(case_, port), ocsp_size=str(os.path.getsize(case_.cert("ocsp.der"))))


@case("gnutls-cli, our server: an OCSP response is stapled")
def run(case_):
    server, port = serve(case_, "--ocsp", case_.cert("ocsp.der"))
    saved = case_.file("saved.der")
    talk(case_, gnutls_cli(case_, port, "--save-ocsp", saved), server)
    case_.equal(hashlib.sha256(open(saved, "rb").read()).hexdigest(),
                hashlib.sha256(open(case_.cert("ocsp.der"), "rb").read()).hexdigest(), "what gnutls-cli saved")


@case("gnutls-cli, our server: a certificate chosen by name")
def run(case_):
    server, port = serve(case_, *case_.world.certificates.pair("second"))
    talk(case_, gnutls_cli(case_, port, name="second.example"), server)


@case("gnutls-cli, our server: exported keying material is the same")
def run(case_):
    server, port = serve(case_, "--export", "EXPORTER-test:40")
    client = gnutls_cli(case_, port, "--keymatexport", "EXPORTER-test", "--keymatexportsize", "40")
    report = talk(case_, client, server)
    case_.has(client.text(), "Key material: " + report["export"], "gnutls-cli")


@case("our client, gnutls-serv: exported keying material is the same")
def run(case_):
    server, port = gnutls_serv(case_, "--keymatexport", "EXPORTER-test", "--keymatexportsize", "40")
    report = hello(case_, port, "--export", "EXPORTER-test:40")
    server.wait_text("Key material: " + report["export"])


@case("our client, gnutls-serv: an external PSK")
def run(case_):
    passwords = case_.file("passwords", "alice:%s\n" % PSK)
    _, port = gnutls_serv(case_, "--pskpasswd", passwords, cert=None, how=priority(extra=":+ECDHE-PSK:+DHE-PSK:+PSK"))
    report = hello(case_, port, "--psk-identity", "alice", "--psk", PSK)
    case_.reported(report, resumed="yes", peer_certificates="0")


@case("gnutls-cli, our server: an external PSK")
def run(case_):
    server, port = serve(case_, "--psk-identity", "alice", "--psk", PSK)
    client = gnutls_cli(case_, port, "--pskusername", "alice", "--pskkey", PSK,
                        how=priority(extra=":+ECDHE-PSK:+DHE-PSK:+PSK"))
    case_.reported(talk(case_, client, server), resumed="yes")


@case("our client, gnutls-serv: key updates of ours, with and without asking")
def run(case_):
    _, port = gnutls_serv(case_)
    hello(case_, port, "--key-update", "--records-per-key", "1")


@case("gnutls-cli, our server: key updates of ours, with and without asking")
def run(case_):
    server, port = serve(case_, "--key-update", "--records-per-key", "1", "--send", "first-words\n")
    client = gnutls_cli(case_, port)
    client.wait_text("first-words")
    talk(case_, client, server)


@case("gnutls-cli, our server: 10 MB there and back")
def run(case_):
    server, port = serve(case_, "--silent", "--send-size", str(BIG))
    client = gnutls_cli(case_, port)
    wait_for(lambda: os.path.getsize(client.path) > BIG, "all to come")
    line = (b"0123456789" * 10)[:99] + b"\n"
    client.write(line * (BIG // 100))
    client.close_input()
    report = case_.our_report(server)
    case_.reported(report, received_size=str(BIG), received_sha256=hashlib.sha256(line * (BIG // 100)).hexdigest())


@case("our client, gnutls-serv: an authority that we do not trust")
def run(case_):
    server, port = gnutls_serv(case_)
    code, report = case_.our_client(port, "--ca", case_.cert("other-root.pem"), "--name", NAME)
    case_.equal(code, 1, "our exit code")
    case_.reported(report, alert_sent="unknown_ca")
    server.wait_text("CA is unknown")


@case("gnutls-cli, our server: an authority that the client does not trust")
def run(case_):
    server, port = serve(case_)
    client = gnutls_cli(case_, port, ca="other-root")
    client.close_input()
    case_.equal(client.wait(), 1, "the exit code of gnutls-cli")
    report = case_.our_report(server)
    case_.equal("alert_received" in report, True, "an alert")
