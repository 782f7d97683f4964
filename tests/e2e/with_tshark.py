"""tshark reads what our client and server say to each other, with their key logs."""

import json

from harness import case, random_bytes, sha256
from relay import Capture, Relay

VERSION_2 = bytes.fromhex("6b3343cf")


def dissect(case, port, key_log, *fields, display_filter=""):
    """One list of values for each packet that the filter leaves."""
    options = ["-r", case.file("capture.pcap"), "-o", "tls.keylog_file:" + key_log, "-d", "udp.port==%d,quic" % port,
               "-T", "json", "-Y", display_filter or "quic"]
    for field in fields:
        options += ["-e", field]
    done = case.run(case.tool("tshark"), *options, seconds=120)
    case.equal(done.code, 0, "tshark's exit code")
    return [packet["_source"]["layers"] for packet in json.loads(done.out or b"[]")]


def all_values(packets, field):
    return [value for packet in packets for value in packet.get(field, [])]


def check(case, port, key_log):
    """Everything is decrypted and nothing is odd."""
    packets = dissect(case, port, key_log, "quic.frame_type", "http3.frame_type", "quic.decryption_failed",
                      display_filter="quic && quic.long.packet_type != 3 || quic.short")  # a Retry has no frames
    case.true(len(packets) > 10, "only %d packets of QUIC were seen" % len(packets))
    case.equal(all_values(packets, "quic.decryption_failed"), [], "packets that were not decrypted")
    # Every packet of QUIC has frames that were seen.
    case.equal([packet for packet in packets if "quic.frame_type" not in packet], [], "packets without frames")
    kinds = {int(value, 0) for value in all_values(packets, "http3.frame_type")}
    case.true({0, 1, 4} <= kinds, "DATA, HEADERS and SETTINGS are not all among the HTTP/3 frames: %s" % kinds)
    odd = dissect(case, port, key_log, "frame.number", "_ws.expert.message", "_ws.expert.severity",
                  display_filter="_ws.expert.severity >= 6291456")  # warnings and errors
    case.equal(odd, [], "what tshark finds odd")


@case("tshark: a capture of quoll serve and quoll get is decrypted without an expert's warning", needs="tshark")
def server_log(case):
    files = {"page.html": "<p>" * 100, "file.bin": random_bytes(200_000)}
    key_log = case.file("server.keys")
    server = case.serve("--keylog", key_log, files=files)
    with Relay(server.port, Capture(case.file("capture.pcap"))) as relay:
        urls = ["https://localhost:%d/%s" % (relay.port, name) for name in files]
        found = case.get_ok("-s", "-4", *urls)
        case.equal(sha256(found), sha256(files["page.html"].encode() + files["file.bin"]), "bodies")
        port = relay.port
    server.end()
    check(case, port, key_log)


def second_retries():
    """A client whose ClientHello takes two datagrams gets two Retries. It follows the first; tshark follows the last, and
    loses its way: the relay lets only the first through."""
    seen = set()

    def drop(direction, payload):
        if direction != "down" or payload[0] < 0x80:
            return False
        retry_type = 0 if payload[1:5] == VERSION_2 else 3
        if payload[0] >> 4 & 3 != retry_type:
            return False
        client = payload[6:6 + payload[5]]
        is_second = client in seen
        seen.add(client)
        return is_second

    return drop


@case("tshark: the client's key log does as well, from SSLKEYLOGFILE, with Retry, 0-RTT and version 2", needs="tshark")
def client_log(case):
    key_log = case.file("client.keys")
    server = case.serve("--retry", files={"file.bin": random_bytes(50_000), "page.html": "<p>" * 100})
    with Relay(server.port, Capture(case.file("capture.pcap")), second_retries()) as relay:
        urls = ["https://localhost:%d/%s" % (relay.port, name) for name in ("page.html", "file.bin")]
        for options in (["--session", case.file("session")], ["--session", case.file("session"), "--0rtt"],
                        ["--quic-version", "v2"]):
            case.get_ok("-s", "-4", *options, *urls, environment={"SSLKEYLOGFILE": key_log})
        port = relay.port
    check(case, port, key_log)
    types = {int(value, 0) for value in
             all_values(dissect(case, port, key_log, "quic.long.packet_type"), "quic.long.packet_type")}
    case.true({0, 1, 2, 3} <= types, "not all types of long headers were there: %s" % types)


@case("tshark: an upload and its echo", needs="tshark")
def upload(case):
    body = random_bytes(100_000)
    key_log = case.file("client.keys")
    server = case.handlers()
    with Relay(server.port, Capture(case.file("capture.pcap"))) as relay:
        found = case.get_ok("-s", "-4", "--keylog", key_log, "-T", case.file("upload.bin", body),
                            "https://localhost:%d/echo" % relay.port)
        case.equal(sha256(found), sha256(body), "the echo")
        port = relay.port
    check(case, port, key_log)
