"""What a capture must show, beside the files: one function a rule, on an Evidence.

A rule that is broken raises Broken with the reason in one line. A rule that needs decrypted packets while no key log was written
raises NoKeys, which makes the test's result "unsupported", as in the public runner. `trace` is always named: what the client's
side of the link saw is not what the server's side saw when packets get lost.
"""

from capture import packets_of
from headers import HANDSHAKE, INITIAL, ONE_RTT, RETRY, VERSION_1, VERSION_2, VERSION_NEGOTIATION, ZERO_RTT

MB = 1 << 20
MIN_CHAIN_BYTES = 7500  # of CRYPTO data: less cannot be the long certificate chain
MIN_ENTROPY_BYTES = 8  # a connection id that says its user has received it (RFC 9000 section 8.1)
MAX_STREAMS = 1000
MAX_EARLY_REST = 5000  # bytes that a client may leave for 1-RTT packets in the 0-RTT test
CHACHA20 = 0x1303

# Fields of tshark, for dissect.rows().
CRYPTO_OFFSET, CRYPTO_LENGTH = "quic.crypto.offset", "quic.crypto.length"
HANDSHAKE_TYPE, SUITE, CERTIFICATES = "tls.handshake.type", "tls.handshake.ciphersuite", "tls.handshake.certificates_length"
MAX_STREAMS_BIDI = "tls.quic.parameter.initial_max_streams_bidi"
PACKET_NUMBER, KEY_PHASE, DCID = "quic.packet_number", "quic.key_phase", "quic.dcid"
ACK_ECT0, CHALLENGE, RESPONSE = "quic.ack.ect0_count", "quic.path_challenge.data", "quic.path_response.data"
REPEATED, OVERLAP = "quic.retransmission", "quic.overlap"
FIELDS = (CRYPTO_OFFSET, CRYPTO_LENGTH, HANDSHAKE_TYPE, SUITE, CERTIFICATES, MAX_STREAMS_BIDI, PACKET_NUMBER, KEY_PHASE, DCID,
          ACK_ECT0, CHALLENGE, RESPONSE, REPEATED, OVERLAP)


class Broken(Exception):
    """The evidence breaks the rule; the text says how."""


class NoKeys(Exception):
    """The rule needs decrypted packets, and neither side wrote its key log."""


class Evidence:
    """The traces of both ends of the link, and whether packets could be decrypted. Rules leave in `notes` what is not right,
    but passes."""

    def __init__(self, client_side, server_side, keys):
        self.notes = []
        self.client_side = client_side
        self.server_side = server_side
        self.keys = keys


def _need_keys(evidence):
    if not evidence.keys:
        raise NoKeys("a key log is needed, and neither side wrote one")


def _hex(versions):
    return ", ".join(sorted("0x%x" % version for version in versions)) or "none"


def _versions(frames, kind):
    return {packet.version for packet in packets_of(frames, kind)}


def handshakes(count):
    """As many handshakes as the server's Initial packets have source connection ids."""

    def check(evidence):
        seen = {packet.scid for packet in packets_of(evidence.server_side.from_server, INITIAL)}
        if len(seen) != count:
            raise Broken("%d handshakes instead of %d" % (len(seen), count))

    return check


def version_1(evidence):
    seen = _versions(evidence.server_side.from_server, INITIAL)
    if seen != {VERSION_1}:
        raise Broken("the server's Initial packets have versions %s instead of 0x1" % _hex(seen))


def no_retry(evidence):
    if packets_of(evidence.client_side.from_server, RETRY):
        raise Broken("the server sent a Retry")


def client_hello_repeated(evidence):
    """At least two packets with (the begin of) a ClientHello: with a long round trip the client does not wait for the first."""
    seen = 0
    for frame in evidence.client_side.from_client:
        if frame.of_type(INITIAL):
            begins = "0" in frame.values(CRYPTO_OFFSET) or "1" in frame.values(HANDSHAKE_TYPE)
            if begins or frame.values(REPEATED) or frame.values(OVERLAP):
                seen += 1
    if seen < 2:
        raise Broken("%d ClientHellos instead of 2 or more" % seen)


def only_chacha20(evidence):
    """Whatever is no TLS 1.3 suite does not count: some clients add a signalling value for older servers."""
    seen = []
    for frame in evidence.client_side.from_client:
        if frame.of_type(INITIAL) and "1" in frame.values(HANDSHAKE_TYPE):
            seen += [int(text, 0) for text in frame.values(SUITE)]
    offered = {suite for suite in seen if suite >> 8 == 0x13}
    if offered != {CHACHA20}:
        raise Broken("the ClientHello offers the suites %s instead of 0x1303 alone" % _hex(offered))


def stream_limit(evidence):
    _need_keys(evidence)
    limits = [int(text) for frame in evidence.client_side.from_server if frame.of_type(HANDSHAKE)
              for text in frame.values(MAX_STREAMS_BIDI)]
    if not limits:
        raise Broken("the server's initial_max_streams_bidi is not to be seen")
    if max(limits) > MAX_STREAMS:
        raise Broken("the server's initial_max_streams_bidi is %d, more than %d" % (max(limits), MAX_STREAMS))


def retry_token_used(evidence):
    """A Retry came, an Initial packet carries its token, and packet numbers go on after it (RFC 9000 section 17.2.5.3)."""
    tokens = {packet.token for packet in packets_of(evidence.client_side.from_server, RETRY)}
    if not tokens:
        raise Broken("the server sent no Retry")
    highest = -1
    for frame in evidence.client_side.from_client:
        for packet in frame.of_type(INITIAL)[:1]:
            numbers = frame.values(PACKET_NUMBER)[frame.packets.index(packet):]
            if not numbers:
                raise Broken("frame %d: an Initial packet of the client could not be decrypted" % frame.number)
            number = int(numbers[0])
            if not packet.token:
                highest = max(highest, number)
            elif number <= highest:
                raise Broken("the client's packet number went from %d to %d after the Retry" % (highest, number))
            elif packet.token in tokens:
                return
    raise Broken("no Initial packet carries the token of the Retry")


def resumed(evidence):
    """A Certificate in the first handshake, none in the second."""
    _need_keys(evidence)
    frames = [(packet.scid, frame) for frame in evidence.client_side.from_server for packet in frame.of_type(HANDSHAKE)[:1]]
    ids = [scid for scid, _ in frames]
    if not ids or ids[0] == ids[-1]:
        raise Broken("Handshake packets of %d connections instead of 2" % len(set(ids)))
    with_certificate = {scid for scid, frame in frames if frame.values(CERTIFICATES) or "11" in frame.values(HANDSHAKE_TYPE)}
    if ids[0] not in with_certificate:
        raise Broken("no Certificate in the first handshake")
    if ids[-1] in with_certificate:
        raise Broken("a Certificate in the second handshake")
    if set(ids) != {ids[0], ids[-1]}:
        raise Broken("Handshake packets of a third connection")


def early_data(evidence):
    """0-RTT packets carry the requests: the client's 1-RTT packets carry little."""
    frames = evidence.client_side.from_client
    early = sum(packet.length for packet in packets_of(frames, ZERO_RTT))
    id_lengths = {len(packet.scid) for packet in packets_of(evidence.client_side.from_server, INITIAL)}
    header = max(id_lengths, default=0) + 1  # of a packet number that has 1 to 4 bytes: the sum is never too small
    late = sum(len(packet.rest) - header for packet in packets_of(frames, ONE_RTT))
    if early == 0:
        raise Broken("the client sent no 0-RTT packet")
    if late > MAX_EARLY_REST:
        raise Broken("the client sent %d bytes in 1-RTT packets, more than %d (0-RTT: %d)" % (late, MAX_EARLY_REST, early))


def key_updated(evidence):
    """Packets of key phase 1 from both sides, the client's first before the server has sent 1 MB."""
    _need_keys(evidence)
    for who, frames in (("client", evidence.client_side.from_client), ("server", evidence.server_side.from_server)):
        if not any(text in ("1", "True") for frame in frames for text in frame.values(KEY_PHASE)):
            raise Broken("no packet of key phase 1 from the " + who)
    sent = 0
    for frame in evidence.client_side.frames:
        if not frame.by_server:
            if any(text in ("1", "True") for text in frame.values(KEY_PHASE)):
                return
        else:
            sent += len(frame.payload)
        if sent > MB:
            raise Broken("the client's first packet of key phase 1 comes after more than 1 MB")


def marked(evidence):
    """Each side marks packets ECT, none arrives marked CE, and each acknowledges with ECN counts."""
    _need_keys(evidence)
    for who, frames in (("client", evidence.client_side.from_client), ("server", evidence.server_side.from_server)):
        marks = {frame.ecn for frame in frames}
        if not marks & {1, 2}:
            raise Broken("the %s marked no packet ECT(0) or ECT(1)" % who)
        if 3 in marks:
            raise Broken("the %s marked packets CE" % who)
        if not any(frame.values(ACK_ECT0) for frame in frames):
            raise Broken("the %s sent no ACK with ECN counts" % who)


def long_chain_sent(evidence):
    """The CRYPTO data of the Handshake packets is as long as the certificate chain."""
    _need_keys(evidence)
    most = 0
    for frame in evidence.server_side.from_server:
        if frame.of_type(HANDSHAKE):
            most = max([most] + [int(offset) + int(length) for offset, length
                                 in zip(frame.values(CRYPTO_OFFSET), frame.values(CRYPTO_LENGTH))])
    if most < MIN_CHAIN_BYTES:
        raise Broken("the server sent %d bytes of CRYPTO data in Handshake packets, not the long chain" % most)


def amplification(evidence):
    """Until the client's address is validated the server sends at most three times what arrived (RFC 9000 section 8.1). A
    Handshake packet validates, and so does a connection id of the server with enough entropy. As in the public runner it takes
    four times to fail; what lies between is noted."""
    ids = {packet.scid for packet in packets_of(evidence.server_side.from_server, INITIAL)
           if len(packet.scid) >= MIN_ENTROPY_BYTES}
    received = sent = 0
    for frame in evidence.server_side.frames:
        if frame.of_type(VERSION_NEGOTIATION):
            raise Broken("a Version Negotiation packet")
        if frame.by_server:
            sent += len(frame.payload)
            words = "the server sent %d bytes after %d had arrived" % (sent, received)
            if sent >= 4 * received:
                raise Broken(words)
            if sent > 3 * received and not evidence.notes:
                evidence.notes.append(words)
        elif frame.of_type(HANDSHAKE) or any(packet.dcid in ids for packet in frame.of_type(INITIAL)):
            return
        else:
            received += len(frame.payload)
    raise Broken("the client's address never became validated")


def no_ipv4(evidence):
    count = sum("." in frame.source[0] for frame in evidence.server_side.from_server)
    if count:
        raise Broken("%d packets of IPv4" % count)


def version_2(evidence):
    """Compatible version negotiation (RFC 9368): the client begins in version 1, the server answers in version 2, and what
    follows is version 2."""
    client, server = evidence.client_side.from_client, evidence.server_side.from_server
    begins = _versions(client, INITIAL)
    if VERSION_1 not in begins:
        raise Broken("the client's Initial packets have versions %s, without 0x1" % _hex(begins))
    answers = _versions(server, INITIAL)
    if VERSION_2 not in answers:
        raise Broken("the server's Initial packets have versions %s, without 0x%x" % (_hex(answers), VERSION_2))
    for who, frames in (("client", client), ("server", server)):
        seen = _versions(frames, HANDSHAKE)
        if seen != {VERSION_2}:
            raise Broken("the %s's Handshake packets have versions %s instead of 0x%x" % (who, _hex(seen), VERSION_2))


def negotiated(evidence):
    """The server answers the client's unknown version with Version Negotiation, the connection ids changed over (RFC 9000
    section 17.2.1), and with a list that lacks the version it refuses."""
    first = next((packet for frame in evidence.client_side.from_client for packet in frame.packets if packet.version), None)
    if first is None:
        raise Broken("the client sent no packet with a long header")
    answers = packets_of(evidence.client_side.from_server, VERSION_NEGOTIATION)
    if not answers:
        raise Broken("no Version Negotiation packet")
    if not any(packet.scid == first.dcid and packet.dcid == first.scid for packet in answers):
        raise Broken("no Version Negotiation packet has the connection ids of the client's first packet")
    if any(first.version in packet.versions or not packet.versions for packet in answers):
        raise Broken("a Version Negotiation packet offers nothing, or the version it refuses")


def _first_of_paths(frames):
    """The first frame of each path but the first path's."""
    seen = set()
    for frame in frames:
        if frame.path not in seen:
            if seen:
                yield frame
            seen.add(frame.path)


def paths_validated(evidence):
    """The server's first packet on each new path has a PATH_CHALLENGE, and the client answers each of those."""
    _need_keys(evidence)
    asked = set()
    for frame in _first_of_paths(evidence.server_side.from_server):
        if not frame.values(CHALLENGE):
            raise Broken("frame %d: the server's first packet to %s:%d from %s:%d has no PATH_CHALLENGE"
                         % ((frame.number,) + frame.destination + frame.source))
        asked.add(frame.values(CHALLENGE)[0])
    if not asked:
        raise Broken("the server saw one path only")
    answered = {text for frame in evidence.client_side.from_client for text in frame.values(RESPONSE)}
    if asked - answered:
        raise Broken("%d of %d PATH_CHALLENGEs have no PATH_RESPONSE" % (len(asked - answered), len(asked)))


def addresses_changed(evidence):
    if len({frame.destination[0] for frame in evidence.server_side.from_server}) < 2:
        raise Broken("the server saw one client address only")


def migrated(evidence):
    """The client moves to another address of the server, and its first packet on each new path has another destination
    connection id than the packet before."""
    frames = evidence.client_side.from_client
    if len({frame.destination for frame in frames}) < 2:
        raise Broken("the client sent everything to one address of the server")
    before = None
    first = {frame.number for frame in _first_of_paths(frames)}
    for frame in frames:
        ids = frame.values(DCID)
        if frame.number in first and not ids:
            raise Broken("frame %d: the client's first packet on a new path could not be read" % frame.number)
        if frame.number in first and ids[0] == before:
            raise Broken("frame %d: the client's first packet to %s:%d has the destination connection id of the path before"
                         % ((frame.number,) + frame.destination))
        before = ids[-1] if ids else before


def goodput(evidence, size):
    """kbit/s, between the server's first and last 1-RTT packets as the client's side of the link saw them."""
    times = [frame.time for frame in evidence.client_side.from_server if frame.of_type(ONE_RTT)]
    if not times or times[-1] <= times[0]:
        raise Broken("no 1-RTT packets of the server, or all at one time")
    return 8 * size / (times[-1] - times[0]) / 1000


def share_of_tcp(evidence):
    """kbit/s of TCP payload that reached the client's side in the same time."""
    times = [frame.time for frame in evidence.client_side.from_server if frame.of_type(ONE_RTT)]
    size = sum(len(frame.payload) for frame in evidence.client_side.tcp if times[0] <= frame.time <= times[-1])
    return 8 * size / (times[-1] - times[0]) / 1000
