"""openssl s_client with our server."""

import hashlib
import os

from certificates import NAME
from harness import case, wait_for
from with_openssl_server import BIG, GROUPS, SUITES

WORDS = "ping-pong"
TEMPORARY_KEYS = {"x25519": "X25519", "secp256r1": "prime256v1", "secp384r1": "secp384r1"}
SIGNATURE_TYPES = {"p256": "ECDSA", "p384": "ECDSA", "ed25519": "ed25519", "rsa2048": "RSA-PSS", "rsa3072": "RSA-PSS",
                   "pss": "RSA-PSS", "chain": "ECDSA"}


def serve(case_, *options, cert="p256"):
    return case_.our_server(*case_.world.certificates.pair(cert), *options)


def s_client(case_, port, *options, name=NAME, ca="root"):
    return case_.start("s_client", "openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-tls1_3", "-CAfile",
                       case_.cert(ca + ".pem"), "-servername", name, "-verify_hostname", name, "-verify_return_error",
                       *options)


def talk(case_, client, server, number=0):
    """A line goes there and back; then the client closes. What both said."""
    client.write(WORDS + "\n")
    client.wait_text(WORDS)
    client.close_input()
    case_.equal(client.wait(), 0, "the exit code of s_client")
    report = case_.our_report(server, number)
    case_.reported(report, handshake="complete", end="close_notify")
    return report


def refused(case_, client, server, alert):
    """Our server refused; both sides know why."""
    client.close_input()
    client.wait()
    case_.reported(case_.our_report(server), alert_sent=alert)
    case_.has(client.text(), alert.replace("_", " "), "s_client")


for suite in SUITES:
    for group, openssl_group in GROUPS.items():
        @case("s_client, our server: %s, %s" % (suite, group))
        def run(case_, suite=suite, group=group, openssl_group=openssl_group):
            server, port = serve(case_)
            client = s_client(case_, port, "-ciphersuites", suite, "-groups", openssl_group)
            report = talk(case_, client, server)
            case_.reported(report, suite=suite, group=group, hello_retry="no", server_name=NAME)
            case_.has(client.text(), "Cipher is " + suite, "s_client")
            case_.has(client.text(), "Server Temp Key: ", "s_client")
            case_.has(client.text(), TEMPORARY_KEYS[group], "s_client")
            case_.has(client.text(), "Verify return code: 0 (ok)", "s_client")

for cert, signature in SIGNATURE_TYPES.items():
    @case("s_client, our server: certificate %s" % cert)
    def run(case_, cert=cert, signature=signature):
        server, port = serve(case_, cert=cert)
        client = s_client(case_, port)
        talk(case_, client, server)
        case_.has(client.text(), "Peer signature type: " + signature, "s_client")
        case_.has(client.text(), "Verification: OK", "s_client")


@case("s_client, our server: an identity that fits the client's signature algorithms")
def run(case_):
    server, port = serve(case_, *case_.world.certificates.pair("rsa2048"), cert="p384")
    # The chain itself is signed with the first of these, by a key on P-256; so neither leaf on P-384 nor ECDSA there.
    client = s_client(case_, port, "-sigalgs", "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha384")
    talk(case_, client, server)
    case_.has(client.text(), "Peer signature type: RSA-PSS", "s_client")


@case("s_client, our server: HelloRetryRequest for another group")
def run(case_):
    server, port = serve(case_, "--groups", "secp384r1")
    report = talk(case_, s_client(case_, port, "-groups", "X25519:P-384"), server)
    case_.reported(report, group="secp384r1", hello_retry="yes")


@case("s_client, our server: HelloRetryRequest with a cookie")
def run(case_):
    server, port = serve(case_, "--groups", "secp384r1", "--hrr-cookie")
    case_.reported(talk(case_, s_client(case_, port, "-groups", "X25519:P-384"), server), hello_retry="yes")


@case("s_client, our server: no common group")
def run(case_):
    server, port = serve(case_, "--groups", "secp384r1")
    refused(case_, s_client(case_, port, "-groups", "P-256"), server, "handshake_failure")


@case("s_client, our server: resumption, and again from the ticket of a resumed session")
def run(case_):
    server, port = serve(case_, "--tickets", "--count", "3")
    session = case_.file("session")
    talk(case_, s_client(case_, port, "-sess_out", session), server)
    for number in (1, 2):
        client = s_client(case_, port, "-sess_in", session, "-sess_out", session)
        case_.reported(talk(case_, client, server, number), resumed="yes")
        case_.has(client.text(), "Reused, TLSv1.3", "s_client")


def ticket_keys(case_):
    return ["--tickets-file", case_.file("keys", "0123456789abcdef" * 4 + "\n")]


@case("s_client, our server: resumption at another server of the fleet")
def run(case_):
    session = case_.file("session")
    server, port = serve(case_, *ticket_keys(case_))
    talk(case_, s_client(case_, port, "-sess_out", session), server)
    server, port = serve(case_, *ticket_keys(case_))
    case_.reported(talk(case_, s_client(case_, port, "-sess_in", session), server), resumed="yes")


@case("s_client, our server: a ticket under keys that are gone")
def run(case_):
    session = case_.file("session")
    server, port = serve(case_, "--tickets")
    talk(case_, s_client(case_, port, "-sess_out", session), server)
    server, port = serve(case_, "--tickets")
    case_.reported(talk(case_, s_client(case_, port, "-sess_in", session), server), resumed="no")


def early(case_, first_options, second_options, verdict, client_options=()):
    """A connection for a ticket, then one with early data to a server of the same keys."""
    session, words = case_.file("session"), case_.file("words", "early-words")
    server, port = serve(case_, *ticket_keys(case_), *first_options)
    talk(case_, s_client(case_, port, "-sess_out", session, *client_options), server)
    server, port = serve(case_, *ticket_keys(case_), *second_options)
    client = s_client(case_, port, "-sess_in", session, "-early_data", words, *client_options)
    report = talk(case_, client, server)
    case_.reported(report, early_data=verdict)
    case_.equal(report.get("early_received"), "early-words" if verdict == "accepted" else None, "early data")
    case_.has(client.text(), "Early data was " + verdict, "s_client")
    return report


@case("s_client, our server: early data accepted")
def run(case_):
    case_.reported(early(case_, ["--early-data"], ["--early-data"], "accepted"), resumed="yes")


@case("s_client, our server: early data rejected by a server that takes none")
def run(case_):
    case_.reported(early(case_, ["--early-data"], [], "rejected"), resumed="yes")


@case("s_client, our server: early data rejected with an unknown ticket")
def run(case_):
    other = ["--tickets-file", case_.file("other-keys", "fedcba9876543210" * 4 + "\n"), "--early-data"]
    case_.reported(early(case_, ["--early-data"], other, "rejected"), resumed="no")


@case("s_client, our server: early data rejected by a HelloRetryRequest")
def run(case_):
    report = early(case_, ["--early-data"], ["--early-data", "--groups", "secp384r1"], "rejected",
                   ["-groups", "X25519:P-384"])
    case_.reported(report, hello_retry="yes", resumed="yes")


def with_client(case_, name):
    return ["-cert", case_.cert(name + ".pem"), "-key", case_.world.certificates.pair(name)[3]]


for need in ("optional", "required"):
    flags = ["--require-client-cert"] if need == "required" else []

    @case("s_client, our server: a client certificate, %s" % need)
    def run(case_, flags=flags):
        server, port = serve(case_, "--client-ca", case_.cert("root.pem"), *flags)
        client = s_client(case_, port, *with_client(case_, "client"))
        # s_client adds what it finds in its own store.
        case_.reported(talk(case_, client, server), peer_certificates="2", peer_scheme="ecdsa_secp256r1_sha256")
        case_.has(client.text(), "Acceptable client certificate CA names", "s_client")

    @case("s_client, our server: a client certificate of somebody else's authority, %s" % need)
    def run(case_, flags=flags):
        server, port = serve(case_, "--client-ca", case_.cert("root.pem"), *flags)
        client = s_client(case_, port, *with_client(case_, "stranger"))
        client.wait_text("alert unknown ca")
        refused(case_, client, server, "unknown_ca")


@case("s_client, our server: a client certificate with an RSA key")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"), "--require-client-cert")
    client = s_client(case_, port, *with_client(case_, "client-rsa"))
    case_.reported(talk(case_, client, server), peer_scheme="rsa_pss_rsae_sha256")


@case("s_client, our server: an optional client certificate that is missing")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"))
    case_.reported(talk(case_, s_client(case_, port), server), peer_certificates="0")


@case("s_client, our server: a required client certificate that is missing")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"), "--require-client-cert")
    client = s_client(case_, port)
    client.wait_text("alert certificate required")
    refused(case_, client, server, "certificate_required")


@case("s_client, our server: a client's certificate survives resumption")
def run(case_):
    server, port = serve(case_, "--client-ca", case_.cert("root.pem"), "--require-client-cert", "--tickets", "--count",
                         "2")
    session = case_.file("session")
    talk(case_, s_client(case_, port, *with_client(case_, "client"), "-sess_out", session), server)
    report = talk(case_, s_client(case_, port, "-sess_in", session), server, 1)
    case_.reported(report, resumed="yes", peer_certificates="1")


@case("s_client, our server: ALPN by the server's preference")
def run(case_):
    server, port = serve(case_, "--alpn", "h2,http/1.1")
    client = s_client(case_, port, "-alpn", "http/1.1,h2")
    case_.reported(talk(case_, client, server), alpn="h2")
    case_.has(client.text(), "ALPN protocol: h2", "s_client")


@case("s_client, our server: ALPN without a common protocol")
def run(case_):
    server, port = serve(case_, "--alpn", "h2")
    client = s_client(case_, port, "-alpn", "spdy/1")
    client.wait_text("no application protocol")
    refused(case_, client, server, "no_application_protocol")


@case("s_client, our server: no ALPN where the server has protocols")
def run(case_):
    server, port = serve(case_, "--alpn", "h2")
    case_.reported(talk(case_, s_client(case_, port), server), alpn="")


@case("s_client, our server: a certificate chosen by name")
def run(case_):
    server, port = serve(case_, *case_.world.certificates.pair("second"), "--count", "2")
    talk(case_, s_client(case_, port, name="second.example"), server)
    talk(case_, s_client(case_, port), server, 1)


@case("s_client, our server: a name that is refused")
def run(case_):
    server, port = serve(case_, "--strict-name")
    client = s_client(case_, port, name="nobody.example")
    client.wait_text("unrecognized name")
    refused(case_, client, server, "unrecognized_name")


@case("s_client, our server: an OCSP response is stapled")
def run(case_):
    server, port = serve(case_, "--ocsp", case_.cert("ocsp.der"))
    client = s_client(case_, port, "-status")
    talk(case_, client, server)
    case_.has(client.text(), "OCSP Response Status: successful", "s_client")
    case_.has(client.text(), "Cert Status: good", "s_client")


for command in ("K", "k"):
    @case("s_client, our server: key update by %s" % command)
    def run(case_, command=command):
        server, port = serve(case_)
        client = s_client(case_, port)
        client.wait_text("Verify return code")
        client.write(command + "\n")
        client.wait_text("KEYUPDATE")
        talk(case_, client, server)


@case("s_client, our server: key updates of ours, with and without asking")
def run(case_):
    server, port = serve(case_, "--key-update", "--records-per-key", "1", "--send", "x" * 100)
    client = s_client(case_, port)
    client.wait_text("x" * 100)
    talk(case_, client, server)


@case("s_client, our server: exported keying material is the same")
def run(case_):
    server, port = serve(case_, "--export", "EXPORTER-test:40")
    client = s_client(case_, port, "-keymatexport", "EXPORTER-test", "-keymatexportlen", "40")
    report = talk(case_, client, server)
    case_.has(client.text(), "Keying material: " + report["export"].upper(), "s_client")


@case("s_client, our server: an external PSK")
def run(case_):
    server, port = serve(case_, "--psk-identity", "alice", "--psk", "00112233445566778899aabbccddeeff")
    client = s_client(case_, port, "-psk_identity", "alice", "-psk", "00112233445566778899aabbccddeeff")
    case_.reported(talk(case_, client, server), resumed="yes")


@case("s_client, our server: an external PSK with another key")
def run(case_):
    server, port = serve(case_, "--psk-identity", "alice", "--psk", "ff" * 16)
    client = s_client(case_, port, "-psk_identity", "alice", "-psk", "00" * 16)
    client.wait_text("decrypt error")
    refused(case_, client, server, "decrypt_error")


@case("s_client, our server: 10 MB there and back")
def run(case_):
    server, port = serve(case_, "--records-per-key", "100")
    client = s_client(case_, port, "-quiet", "-verify_quiet")
    data = os.urandom(1000) * (BIG // 1000)
    client.write(data)
    wait_for(lambda: os.path.getsize(client.path) >= BIG, "all to come back")
    case_.equal(hashlib.sha256(client.bytes()).hexdigest(), hashlib.sha256(data).hexdigest(), "what came back")


for name, options in {"small fragments": ["-max_send_frag", "512"], "padded records": ["-record_padding", "700"],
                      "no compatibility mode": ["-no_middlebox"]}.items():
    @case("s_client, our server: " + name)
    def run(case_, options=options):
        server, port = serve(case_, "--client-ca", case_.cert("root.pem"))
        talk(case_, s_client(case_, port, *options, *with_client(case_, "client")), server)


@case("s_client, our server: our records padded")
def run(case_):
    server, port = serve(case_, "--padding", "1000")
    talk(case_, s_client(case_, port), server)


@case("s_client, our server: an authority that the client does not trust")
def run(case_):
    server, port = serve(case_)
    client = s_client(case_, port, ca="other-root")
    client.close_input()
    case_.equal(client.wait(), 1, "the exit code of s_client")
    case_.reported(case_.our_report(server), handshake="incomplete", alert_received="unknown_ca")


@case("s_client, our server: another name than the certificate's")
def run(case_):
    server, port = serve(case_)
    client = s_client(case_, port, name="other.example")
    client.close_input()
    case_.equal(client.wait(), 1, "the exit code of s_client")
    case_.reported(case_.our_report(server), handshake="incomplete", alert_received="bad_certificate")


@case("s_client, our server: a client that speaks TLS 1.2 only")
def run(case_):
    server, port = serve(case_)
    client = case_.start("s_client", "openssl", "s_client", "-connect", "127.0.0.1:%d" % port, "-tls1_2")
    client.close_input()
    client.wait()
    case_.reported(case_.our_report(server), handshake="incomplete", alert_sent="protocol_version")
    case_.has(client.text(), "protocol version", "s_client")
