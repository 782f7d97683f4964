"""What tshark sees in a capture with the key log: chosen fields, one line a frame.

Fields of all packets of a frame arrive together (`-T fields` knows no packets within a datagram); which packets a frame holds is
known from headers.py. tshark runs once a capture, with nothing asked that no check uses.
"""

import re
import subprocess

LIMIT_SECONDS = 120


class DissectionFailed(Exception):
    """tshark is missing, failed, or took too long; the text says which."""


def valid_key_log(path):
    """Whether tshark can decrypt with it: the runner's rule is a line of the server's handshake secret."""
    try:
        with open(path, errors="replace") as file:
            return re.search(r"^SERVER_HANDSHAKE_TRAFFIC_SECRET ", file.read(), re.MULTILINE) is not None
    except OSError:
        return False


def key_log(candidates):
    """The first of the files that is a key log (the client's before the server's), or None."""
    return next((path for path in candidates if valid_key_log(path)), None)


def parse(lines, fields):
    """{frame number: {field: [value, ...]}} from tshark's lines; fields without a value are left out."""
    rows = {}
    for line in lines:
        columns = line.rstrip("\n").split("\t")
        if not columns[0].isdigit():
            continue
        rows[int(columns[0])] = {name: text.split(",") for name, text in zip(fields, columns[1:]) if text}
    return rows


def rows(pcap, keys, fields, display_filter="quic"):
    command = ["tshark", "-n", "-r", str(pcap), "-d", "udp.port==443,quic", "--disable-protocol", "http3", "-Y", display_filter,
               "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-E", "separator=/t", "-e", "frame.number"]
    for name in fields:
        command += ["-e", name]
    if keys:
        command += ["-o", "tls.keylog_file:" + str(keys)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              timeout=LIMIT_SECONDS)
    except FileNotFoundError:
        raise DissectionFailed("tshark is not installed") from None
    except subprocess.TimeoutExpired:
        raise DissectionFailed("tshark took more than %d s" % LIMIT_SECONDS) from None
    if done.returncode != 0:
        raise DissectionFailed("tshark: " + (done.stderr.strip().splitlines() or ["exit %d" % done.returncode])[-1])
    return parse(done.stdout.splitlines(), fields)
