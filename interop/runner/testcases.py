"""The table of the tests: what each asks of the two endpoints and of the link, and the rules its captures must keep.

Names, files, links and limits are those of the public quic-interop-runner, so a result here says what to expect there.
"""

from dataclasses import dataclass

import checks
from files import KB, MB, NAME_LENGTH

_LINK = ("--delay=15ms", "--bandwidth=10Mbps", "--queue=25")
_BURSTS = ("--burst_to_server=3", "--burst_to_client=3")


def _errors(kind, percent):
    return (kind, *_LINK, "--rate_to_server=%d" % percent, "--rate_to_client=%d" % percent, *_BURSTS)


@dataclass(frozen=True)
class TestCase:
    """`server` and `client` are the values of TESTCASE. `fields`: the checks want tshark. `one_path`: tshark needs help with one
    connection that changes its path. `lossy`: chance decides, so --repeat counts. `cross_traffic`: the congestion controller of
    a TCP connection beside. A measurement is repeated, and has a value instead of a yes."""

    abbreviation: str
    name: str
    description: str
    server: str
    client: str
    sizes: tuple
    rules: tuple
    scenario: tuple = ("simple-p2p", *_LINK)
    seconds: int = 60
    host: str = "server4"
    name_length: int = NAME_LENGTH
    chain: int = 1
    fields: bool = False
    one_path: bool = False
    lossy: bool = False
    repetitions: int = 0
    cross_traffic: str = ""

    @property
    def measurement(self):
        return self.repetitions > 0


_ONE = (checks.handshakes(1), checks.version_1)
_FIFTY = (checks.handshakes(50), checks.version_1)

TESTS = (
    TestCase("H", "handshake", "The handshake completes, without a Retry.", "handshake", "handshake", (KB,),
             (checks.no_retry, *_ONE)),
    TestCase("DC", "transfer", "Files arrive at the same time on one connection, with flow control.", "transfer", "transfer",
             (2 * MB, 3 * MB, 5 * MB), _ONE),
    TestCase("LR", "longrtt", "The handshake completes when the round trip is long.", "handshake", "handshake", (KB,),
             (*_ONE, checks.client_hello_repeated), scenario=("simple-p2p", "--delay=750ms", "--bandwidth=10Mbps", "--queue=25"),
             fields=True),
    TestCase("C20", "chacha20", "The handshake completes with ChaCha20 alone.", "chacha20", "chacha20", (3 * MB,),
             (*_ONE, checks.only_chacha20), fields=True),
    TestCase("M", "multiplexing", "Thousands of files on one connection, as the server raises its stream limit.", "transfer",
             "transfer", (32,) * 1999, (*_ONE, checks.stream_limit), fields=True),
    TestCase("S", "retry", "The server sends a Retry, and its token opens the connection.", "retry", "retry", (10 * KB,),
             (*_ONE, checks.retry_token_used), fields=True),
    TestCase("R", "resumption", "The second connection resumes the session of the first.", "resumption", "resumption",
             (5 * KB, 10 * KB), (checks.handshakes(2), checks.version_1, checks.resumed), fields=True),
    TestCase("Z", "zerortt", "Requests travel as 0-RTT data.", "zerortt", "zerortt", (32,) * 40,
             (checks.handshakes(2), checks.version_1, checks.early_data), name_length=250),
    TestCase("3", "http3", "Files arrive over HTTP/3.", "http3", "http3", (5 * KB, 10 * KB, 500 * KB), _ONE),
    TestCase("B", "blackhole", "The transfer survives two seconds without a network.", "transfer", "transfer", (10 * MB,), _ONE,
             scenario=("blackhole", *_LINK, "--on=5s", "--off=2s")),
    TestCase("U", "keyupdate", "One side updates keys early, and the other follows.", "transfer", "keyupdate", (3 * MB,),
             (*_ONE, checks.key_updated), fields=True),
    TestCase("E", "ecn", "Both sides mark packets and report what they count.", "ecn", "ecn", (100 * KB,),
             (checks.no_retry, *_ONE, checks.marked), fields=True),
    TestCase("A", "amplificationlimit", "The server sends three times what it received, not more.", "transfer", "transfer",
             (5 * KB,), (*_ONE, checks.long_chain_sent, checks.amplification),
             scenario=("droplist", *_LINK, "--drops_to_server=2,3,4,5,6,7"), chain=9, fields=True),
    TestCase("L1", "handshakeloss", "Handshakes complete while packets get lost.", "multiconnect", "multiconnect", (KB,) * 50,
             _FIFTY, scenario=_errors("drop-rate", 30), seconds=300, lossy=True),
    TestCase("L2", "transferloss", "A transfer completes while packets get lost.", "transfer", "transfer", (2 * MB,), _ONE,
             scenario=_errors("drop-rate", 2), lossy=True),
    TestCase("C1", "handshakecorruption", "Handshakes complete while packets get corrupted.", "multiconnect", "multiconnect",
             (KB,) * 50, _FIFTY, scenario=_errors("corrupt-rate", 30), seconds=300, lossy=True),
    TestCase("C2", "transfercorruption", "A transfer completes while packets get corrupted.", "transfer", "transfer", (2 * MB,),
             _ONE, scenario=_errors("corrupt-rate", 2), lossy=True),
    TestCase("6", "ipv6", "A transfer over IPv6 alone.", "transfer", "transfer", (5 * KB, 10 * KB), (*_ONE, checks.no_ipv4),
             host="server6"),
    TestCase("V2", "v2", "The server chooses version 2 by compatible version negotiation.", "v2", "v2", (KB,),
             (checks.version_2,)),
    TestCase("BP", "rebind-port", "The transfer goes on while a NAT changes the client's port.", "transfer", "transfer",
             (10 * MB,), (*_ONE, checks.paths_validated),
             scenario=("rebind", *_LINK, "--first-rebind=1s", "--rebind-freq=5s"), fields=True, one_path=True),
    TestCase("BA", "rebind-addr", "The transfer goes on while a NAT changes the client's address and port.", "transfer",
             "transfer", (10 * MB,), (*_ONE, checks.addresses_changed, checks.paths_validated),
             scenario=("rebind", *_LINK, "--first-rebind=1s", "--rebind-freq=5s", "--rebind-addr"), fields=True, one_path=True),
    TestCase("CM", "connectionmigration", "The client moves to the server's preferred address.", "connectionmigration",
             "transfer", (2 * MB,), (*_ONE, checks.paths_validated, checks.migrated), host="server46", fields=True,
             one_path=True),
    TestCase("V", "versionnegotiation", "An unknown version is answered with Version Negotiation.", "versionnegotiation",
             "versionnegotiation", (), (checks.negotiated,)),
)

MEASUREMENTS = (
    TestCase("G", "goodput", "Goodput of one connection that has the link for itself.", "transfer", "transfer", (10 * MB,), _ONE,
             repetitions=5),
    TestCase("C", "crosstraffic", "Goodput of one connection beside one TCP connection (CUBIC).", "transfer", "transfer",
             (25 * MB,), _ONE, seconds=180, repetitions=5, cross_traffic="cubic"),
)

ALL = TESTS + MEASUREMENTS


def select(text):
    """The test cases of a comma-separated list of names or abbreviations, in the table's order. Raises KeyError."""
    if not text:
        return list(ALL)
    chosen = set()
    for word in text.split(","):
        found = [test for test in ALL if word in (test.name, test.abbreviation)]
        if not found:
            raise KeyError(word)
        chosen.update(test.name for test in found)
    return [test for test in ALL if test.name in chosen]
