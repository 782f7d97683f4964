"""Our client with openssl s_server."""

import hashlib
import os

from certificates import NAME
from harness import case, free_port, wait_for

GROUPS = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384"}
SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
SCHEMES = {"p256": "ecdsa_secp256r1_sha256", "p384": "ecdsa_secp384r1_sha384", "ed25519": "ed25519",
           "rsa2048": "rsa_pss_rsae_sha256", "rsa3072": "rsa_pss_rsae_sha256", "pss": "rsa_pss_pss_sha256",
           "chain": "ecdsa_secp256r1_sha256"}
BIG = 10 * 1000 * 1000


def s_server(case_, *options, cert="p256", reverse=True):
    """Listening; with `reverse`, it sends each line back reversed."""
    port = free_port()
    server = case_.start("s_server", "openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-tls1_3",
                         *case_.world.certificates.openssl_pair(cert), *(["-rev"] if reverse else []), *options)
    server.wait_listening(port)
    return server, port


def trusting(case_, name=NAME):
    return ["--ca", case_.cert("root.pem"), "--name", name]


def hello(case_, port, *options):
    """A connection on which a line goes there and comes back reversed."""
    code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n", *options)
    case_.equal(report.get("received"), "olleh.", "what came back")
    case_.reported(report, handshake="complete", end="close_notify")
    case_.equal(code, 0, "our exit code")
    return report


def refused(case_, server, code, report, alert):
    """Our client refused, and the server has seen the alert for it."""
    case_.equal(code, 1, "our exit code")
    case_.reported(report, alert_sent=alert)
    wanted = "alert " + alert.replace("_", " ")
    wait_for(lambda: wanted in server.text(), "%r of the server" % wanted)


for suite in SUITES:
    for group, openssl_group in GROUPS.items():
        @case("our client, s_server: %s, %s" % (suite, group))
        def run(case_, suite=suite, group=group, openssl_group=openssl_group):
            _, port = s_server(case_, "-ciphersuites", suite, "-groups", openssl_group)
            report = hello(case_, port, "--groups", group)
            case_.reported(report, suite=suite, group=group, hello_retry="no", resumed="no")

for cert, scheme in SCHEMES.items():
    @case("our client, s_server: certificate %s" % cert)
    def run(case_, cert=cert, scheme=scheme):
        _, port = s_server(case_, cert=cert)
        report = hello(case_, port)
        case_.reported(report, peer_scheme=scheme, peer_certificates="2" if cert == "chain" else "1")

for scheme in ("rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"):
    @case("our client, s_server: RSA with %s" % scheme)
    def run(case_, scheme=scheme):
        _, port = s_server(case_, cert="rsa2048")
        # The certificate itself is signed with ECDSA.
        report = hello(case_, port, "--signatures", scheme + ",ecdsa_secp256r1_sha256")
        case_.reported(report, peer_scheme=scheme)


@case("our client, s_server: HelloRetryRequest for another group")
def run(case_):
    _, port = s_server(case_, "-groups", "P-384")
    case_.reported(hello(case_, port), group="secp384r1", hello_retry="yes")


@case("our client, s_server: HelloRetryRequest for a client without shares")
def run(case_):
    _, port = s_server(case_)
    case_.reported(hello(case_, port, "--key-shares", "0"), hello_retry="yes")


@case("our client, s_server: resumption, and again from the ticket of a resumed session")
def run(case_):
    _, port = s_server(case_)
    session = ["--session", case_.file("session")]
    case_.reported(hello(case_, port, *session), resumed="no", peer_certificates="1")
    case_.reported(hello(case_, port, *session), resumed="yes", peer_certificates="0")
    case_.reported(hello(case_, port, *session), resumed="yes")


@case("our client, s_server: resumption through a HelloRetryRequest")
def run(case_):
    _, port = s_server(case_, "-groups", "P-384")
    session = ["--session", case_.file("session")]
    hello(case_, port, *session)
    case_.reported(hello(case_, port, *session), resumed="yes", hello_retry="yes")


def early(case_, server, port, *options):
    """A connection for a ticket, and one with early data from it."""
    session = ["--session", case_.file("session"), "--expect-size", "0"]
    case_.our_client(port, *trusting(case_), *session)
    code, report = case_.our_client(port, *trusting(case_), *session, "--early-data", "early-words", *options)
    case_.equal(code, 0, "our exit code")
    case_.reported(report, handshake="complete", resumed="yes")
    return report


@case("our client, s_server: early data accepted")
def run(case_):
    server, port = s_server(case_, "-early_data", reverse=False)
    case_.reported(early(case_, server, port), early_data="accepted")
    server.wait_text("Early data received:")
    server.wait_text("early-words")


@case("our client, s_server: early data rejected with a ticket of another server")
def run(case_):
    _, other_port = s_server(case_, "-early_data", reverse=False)
    session = ["--session", case_.file("session"), "--expect-size", "0"]
    case_.our_client(other_port, *trusting(case_), *session)
    server, port = s_server(case_, "-early_data", reverse=False)
    code, report = case_.our_client(port, *trusting(case_), *session, "--early-data", "early-words")
    case_.equal(code, 0, "our exit code")
    case_.reported(report, early_data="rejected", resumed="no", early_data_resent="11")
    server.wait_text("early-words")
    case_.has(server.text(), "Early data was rejected", "the server")


@case("our client, s_server: early data rejected by a HelloRetryRequest")
def run(case_):
    server, port = s_server(case_, "-early_data", "-no_anti_replay", "-groups", "P-384", reverse=False)
    report = early(case_, server, port)
    case_.reported(report, early_data="rejected", hello_retry="yes", early_data_resent="11")
    server.wait_text("early-words")


@case("our client, s_server: a required client certificate")
def run(case_):
    server, port = s_server(case_, "-Verify", "2", "-CAfile", case_.cert("root.pem"), "-verify_return_error")
    hello(case_, port, *case_.world.certificates.pair("client"))
    server.wait_text("Test Client")


@case("our client, s_server: a client certificate with an RSA key")
def run(case_):
    _, port = s_server(case_, "-Verify", "2", "-CAfile", case_.cert("root.pem"), "-verify_return_error")
    hello(case_, port, *case_.world.certificates.pair("client-rsa"))


@case("our client, s_server: an optional client certificate that we do not have")
def run(case_):
    _, port = s_server(case_, "-verify", "2", "-CAfile", case_.cert("root.pem"))
    hello(case_, port)


@case("our client, s_server: a required client certificate that we do not have")
def run(case_):
    _, port = s_server(case_, "-Verify", "2", "-CAfile", case_.cert("root.pem"))
    code, report = case_.our_client(port, *trusting(case_), "--send", "hello\n")
    case_.equal(code, 1, "our exit code")
    case_.reported(report, alert_received="certificate_required")


@case("our client, s_server: a client certificate of somebody else's authority")
def run(case_):
    _, port = s_server(case_, "-Verify", "2", "-CAfile", case_.cert("root.pem"), "-verify_return_error")
    code, report = case_.our_client(port, *trusting(case_), *case_.world.certificates.pair("stranger"), "--send",
                                    "hello\n")
    case_.equal(code, 1, "our exit code")
    case_.reported(report, alert_received="unknown_ca")


@case("our client, s_server: ALPN")
def run(case_):
    _, port = s_server(case_, "-alpn", "h2,http/1.1")
    case_.reported(hello(case_, port, "--alpn", "http/1.1,h2"), alpn="h2")


@case("our client, s_server: ALPN without a common protocol")
def run(case_):
    server, port = s_server(case_, "-alpn", "h2")
    code, report = case_.our_client(port, *trusting(case_), "--alpn", "spdy/1")
    case_.equal(code, 1, "our exit code")
    case_.reported(report, handshake="incomplete", alert_received="no_application_protocol")
    server.wait_text("no application protocol")


@case("our client, s_server: a certificate chosen by name")
def run(case_):
    _, port = s_server(case_, "-servername", "second.example", "-cert2", case_.cert("second.pem"), "-key2",
                       case_.cert("second.key"))
    code, _ = case_.our_client(port, *trusting(case_, "second.example"), "--send", "hello\n")
    case_.equal(code, 0, "our exit code")
    hello(case_, port)


@case("our client, s_server: an OCSP response is stapled")
def run(case_):
    _, port = s_server(case_, "-status_file", case_.cert("ocsp.der"))
    case_.reported(hello(case_, port), ocsp_size=str(os.path.getsize(case_.cert("ocsp.der"))))


@case("our client, s_server: key updates of ours, with and without asking")
def run(case_):
    _, port = s_server(case_)
    hello(case_, port, "--key-update", "--records-per-key", "1")


for command in ("K", "k"):
    @case("our client, s_server: key update by %s" % command)
    def run(case_, command=command):
        server, port = s_server(case_, reverse=False)
        client = case_.start("our-client", case_.world.peer, "client", "--connect", "127.0.0.1:%d" % port,
                             *trusting(case_), "--expect-size", "12")
        server.wait_text("CIPHER is")
        server.write("before\n")
        server.wait_input_read()  # lest the command is taken for data
        server.write(command + "\n")
        server.wait_input_read()
        server.write("after\n")
        case_.equal(client.wait(), 0, "our exit code")
        case_.has(client.text(), "received=before.after", "what came")


@case("our client, s_server: exported keying material is the same")
def run(case_):
    server, port = s_server(case_, "-keymatexport", "EXPORTER-test", "-keymatexportlen", "40", reverse=False)
    _, report = case_.our_client(port, *trusting(case_), "--export", "EXPORTER-test:40", "--expect-size", "0")
    server.wait_text("Keying material: ")
    server.wait_text(report["export"].upper())


@case("our client, s_server: an external PSK")
def run(case_):
    port = free_port()
    server = case_.start("s_server", "openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-tls1_3", "-nocert",
                         "-rev", "-psk_identity", "alice", "-psk", "00112233445566778899aabbccddeeff")
    server.wait_listening(port)
    report = hello(case_, port, "--psk-identity", "alice", "--psk", "00112233445566778899aabbccddeeff")
    case_.reported(report, resumed="yes", peer_certificates="0")


@case("our client, s_server: an external PSK with another key")
def run(case_):
    server, port = s_server(case_, "-psk_identity", "alice", "-psk", "00112233445566778899aabbccddeeff")
    code, report = case_.our_client(port, *trusting(case_), "--psk-identity", "alice", "--psk", "ff" * 16)
    case_.equal(code, 1, "our exit code")
    case_.reported(report, handshake="incomplete")
    if report.get("alert_received") not in ("decrypt_error", "illegal_parameter"):  # the latter is OpenSSL 3.0's
        case_.equal(report.get("alert_received"), "decrypt_error", "alert_received")


@case("our client, s_server: 10 MB each way")
def run(case_):
    server, port = s_server(case_, "-quiet", reverse=False)
    client = case_.start("our-client", case_.world.peer, "client", "--connect", "127.0.0.1:%d" % port,
                         *trusting(case_), "--send-size", str(BIG), "--expect-size", str(BIG), "--records-per-key", "100")
    data = os.urandom(1000) * (BIG // 1000)
    server.write(data)
    case_.equal(client.wait(), 0, "our exit code")
    case_.has(client.text(), "received_sha256=" + hashlib.sha256(data).hexdigest(), "what we received")
    wait_for(lambda: len(server.bytes()) >= BIG, "the server to receive")
    pattern = bytes(ord("a") + (i * 7 + i // 1000) % 26 for i in range(26000))  # repeats after 26000 bytes
    case_.equal(hashlib.sha256(server.bytes()).hexdigest(),
                hashlib.sha256((pattern * (BIG // 26000 + 1))[:BIG]).hexdigest(), "what the server received")


for name, options in {"small fragments": ["-max_send_frag", "512"], "padded records": ["-record_padding", "700"],
                      "no compatibility mode": ["-no_middlebox"]}.items():
    @case("our client, s_server: " + name)
    def run(case_, options=options):
        _, port = s_server(case_, *options, cert="chain")
        hello(case_, port)


@case("our client, s_server: our records padded")
def run(case_):
    _, port = s_server(case_)
    hello(case_, port, "--padding", "1000")


@case("our client, s_server: an authority that we do not trust")
def run(case_):
    server, port = s_server(case_)
    code, report = case_.our_client(port, "--ca", case_.cert("other-root.pem"), "--name", NAME)
    refused(case_, server, code, report, "unknown_ca")


@case("our client, s_server: another name than the certificate's")
def run(case_):
    server, port = s_server(case_)
    code, report = case_.our_client(port, *trusting(case_, "other.example"))
    refused(case_, server, code, report, report.get("alert_sent", "none"))
    if report["alert_sent"] not in ("bad_certificate", "certificate_unknown"):
        case_.equal(report["alert_sent"], "bad_certificate", "alert_sent")


@case("our client, s_server: a server that speaks TLS 1.2 only")
def run(case_):
    port = free_port()
    server = case_.start("s_server", "openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-tls1_2", "-cert",
                         case_.cert("p256.pem"), "-key", case_.cert("p256.key"))
    server.wait_listening(port)
    code, report = case_.our_client(port, *trusting(case_))
    case_.equal(code, 1, "our exit code")
    case_.reported(report, handshake="incomplete", alert_received="protocol_version")
