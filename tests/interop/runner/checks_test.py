"""Every rule: a trace that keeps it passes, and each way to break it is seen."""

import unittest

from builders import CLIENT, CLIENT_ID, FIRST_ID, SERVER, SERVER_ID, Conversation, evidence, long_packet, short_packet
from builders import version_negotiation

import checks
import testcases
from headers import HANDSHAKE, INITIAL, RETRY, VERSION_1, VERSION_2, ZERO_RTT


def initial_from_client(**more):
    return long_packet(INITIAL, **{"dcid": FIRST_ID, "scid": CLIENT_ID, **more})


def initial_from_server(**more):
    return long_packet(INITIAL, **{"dcid": CLIENT_ID, "scid": SERVER_ID, **more})


def handshake_from_server(**more):
    return long_packet(HANDSHAKE, **{"dcid": CLIENT_ID, "scid": SERVER_ID, **more})


class RuleTest(unittest.TestCase):
    def keeps(self, rule, found):
        rule(found)

    def breaks(self, rule, found, words):
        with self.assertRaises(checks.Broken) as caught:
            rule(found)
        self.assertIn(words, str(caught.exception))

    def wants_keys(self, rule, conversation):
        with self.assertRaises(checks.NoKeys):
            rule(evidence(conversation, keys=False))


class Handshakes(RuleTest):
    def test_counts_source_connection_ids(self):
        one = Conversation().server(initial_from_server()).server(initial_from_server(), handshake_from_server())
        self.keeps(checks.handshakes(1), evidence(one))
        self.breaks(checks.handshakes(2), evidence(one), "1 handshakes instead of 2")
        two = Conversation().server(initial_from_server()).server(initial_from_server(scid=b"SERVER-2"))
        self.keeps(checks.handshakes(2), evidence(two))
        self.breaks(checks.handshakes(1), evidence(two), "2 handshakes instead of 1")
        self.breaks(checks.handshakes(1), evidence(Conversation()), "0 handshakes")

    def test_counts_where_the_server_is(self):
        """An Initial packet that got lost on the link was still sent."""
        lost = Conversation().server(initial_from_server(scid=b"SERVER-2"))
        both = Conversation().server(initial_from_server()).server(initial_from_server(scid=b"SERVER-2"))
        self.keeps(checks.handshakes(2), evidence(lost, server_side=both))

    def test_ignores_the_client(self):
        self.breaks(checks.handshakes(1), evidence(Conversation().client(initial_from_client())), "0 handshakes")

    def test_version_1(self):
        self.keeps(checks.version_1, evidence(Conversation().server(initial_from_server())))
        two = Conversation().server(initial_from_server()).server(initial_from_server(version=VERSION_2))
        self.breaks(checks.version_1, evidence(two), "0x1, 0x6b3343cf")
        self.breaks(checks.version_1, evidence(Conversation().client(initial_from_client())), "none")

    def test_no_retry(self):
        self.keeps(checks.no_retry, evidence(Conversation().server(initial_from_server())))
        retry = Conversation().server(long_packet(RETRY, token=b"token"))
        self.breaks(checks.no_retry, evidence(retry), "Retry")


class ClientHello(RuleTest):
    def test_repeated(self):
        packet, begin = initial_from_client(), {checks.CRYPTO_OFFSET: "0"}
        twice = Conversation().client(packet, fields=begin).client(packet, fields=begin)
        self.keeps(checks.client_hello_repeated, evidence(twice))
        seen = Conversation().client(packet, fields={checks.HANDSHAKE_TYPE: "1"}).client(packet, fields={checks.REPEATED: "1"})
        self.keeps(checks.client_hello_repeated, evidence(seen))
        once = Conversation().client(packet, fields=begin).client(packet, fields={checks.CRYPTO_OFFSET: "1100"})
        self.breaks(checks.client_hello_repeated, evidence(once), "1 ClientHellos")
        other = Conversation().client(packet, fields=begin).client(long_packet(HANDSHAKE), fields=begin)
        self.breaks(checks.client_hello_repeated, evidence(other), "1 ClientHellos")
        server = Conversation().client(packet, fields=begin).server(initial_from_server(), fields=begin)
        self.breaks(checks.client_hello_repeated, evidence(server), "1 ClientHellos")

    def hello(self, *suites):
        return Conversation().client(initial_from_client(), fields={checks.HANDSHAKE_TYPE: "1", checks.SUITE: list(suites)})

    def test_only_chacha20(self):
        self.keeps(checks.only_chacha20, evidence(self.hello("0x1303")))
        self.keeps(checks.only_chacha20, evidence(self.hello("0x1303", "0x00ff")))
        self.keeps(checks.only_chacha20, evidence(self.hello("4867")))
        self.breaks(checks.only_chacha20, evidence(self.hello("0x1303", "0x1301")), "0x1301, 0x1303")
        self.breaks(checks.only_chacha20, evidence(self.hello("0x1301")), "0x1301")
        self.breaks(checks.only_chacha20, evidence(Conversation()), "none")
        certificate = {checks.HANDSHAKE_TYPE: "11", checks.SUITE: "0x1301"}
        self.keeps(checks.only_chacha20, evidence(self.hello("0x1303").client(long_packet(HANDSHAKE), fields=certificate)))


class StreamLimit(RuleTest):
    def with_limit(self, *limits):
        return Conversation().server(handshake_from_server(), fields={checks.MAX_STREAMS_BIDI: list(limits)})

    def test_limit(self):
        self.keeps(checks.stream_limit, evidence(self.with_limit("1000")))
        self.breaks(checks.stream_limit, evidence(self.with_limit("1001")), "1001")
        self.breaks(checks.stream_limit, evidence(self.with_limit()), "not to be seen")
        self.wants_keys(checks.stream_limit, self.with_limit("1000"))

    def test_client_does_not_count(self):
        client = Conversation().client(long_packet(HANDSHAKE), fields={checks.MAX_STREAMS_BIDI: "100"})
        self.breaks(checks.stream_limit, evidence(client), "not to be seen")


class Retry(RuleTest):
    def conversation(self, second_number, token=b"token", retry=True):
        talk = Conversation().client(initial_from_client(), fields={checks.PACKET_NUMBER: "0"})
        if retry:
            talk.server(long_packet(RETRY, CLIENT_ID, SERVER_ID, token=b"token"))
        return talk.client(initial_from_client(dcid=SERVER_ID, token=token), fields={checks.PACKET_NUMBER: second_number})

    def test_token_and_numbers(self):
        self.keeps(checks.retry_token_used, evidence(self.conversation("1")))
        self.breaks(checks.retry_token_used, evidence(self.conversation("0")), "went from 0 to 0")
        self.breaks(checks.retry_token_used, evidence(self.conversation("1", token=b"other")), "no Initial packet carries")
        self.breaks(checks.retry_token_used, evidence(self.conversation("1", token=b"")), "no Initial packet carries")
        self.breaks(checks.retry_token_used, evidence(self.conversation("1", retry=False)), "no Retry")
        self.breaks(checks.retry_token_used, evidence(self.conversation([])), "could not be decrypted")


class Resumption(RuleTest):
    def conversation(self, first, second, third=None):
        talk = Conversation()
        for scid, certificate in ((b"SERVER-1", first), (b"SERVER-3", third), (b"SERVER-2", second)):
            if certificate is not None:
                fields = {checks.HANDSHAKE_TYPE: ["8", "11"] if certificate else ["8"]}
                talk.server(handshake_from_server(scid=scid), fields=fields)
        return talk

    def test_certificates(self):
        self.keeps(checks.resumed, evidence(self.conversation(True, False)))
        self.breaks(checks.resumed, evidence(self.conversation(True, True)), "Certificate in the second")
        self.breaks(checks.resumed, evidence(self.conversation(False, False)), "no Certificate in the first")
        self.breaks(checks.resumed, evidence(self.conversation(True, None)), "1 connections")
        self.breaks(checks.resumed, evidence(self.conversation(True, False, third=False)), "third")
        self.breaks(checks.resumed, evidence(Conversation()), "0 connections")
        self.wants_keys(checks.resumed, self.conversation(True, False))


class EarlyData(RuleTest):
    def conversation(self, early, late):
        talk = Conversation().server(initial_from_server())
        for _ in range(early):
            talk.client(long_packet(ZERO_RTT, size=1000))
        for _ in range(late):
            talk.client(short_packet(size=1001))  # the packet number has one byte
        return talk

    def test_sizes(self):
        self.keeps(checks.early_data, evidence(self.conversation(10, 0)))
        self.keeps(checks.early_data, evidence(self.conversation(10, 5)))
        self.breaks(checks.early_data, evidence(self.conversation(10, 6)), "6000 bytes")
        one_more = self.conversation(10, 5).client(short_packet(size=2))
        self.breaks(checks.early_data, evidence(one_more), "5001 bytes")
        self.breaks(checks.early_data, evidence(self.conversation(0, 1)), "no 0-RTT")

    def test_server_does_not_count(self):
        talk = self.conversation(1, 0)
        for _ in range(10):
            talk.server(short_packet(size=1000))
        self.keeps(checks.early_data, evidence(talk))


class KeyUpdate(RuleTest):
    def conversation(self, client, server, before=1):
        talk = Conversation()
        for _ in range(before):
            talk.server(short_packet(size=1190), fields={checks.KEY_PHASE: "0"})
        talk.client(short_packet(), fields={checks.KEY_PHASE: client})
        return talk.server(short_packet(), fields={checks.KEY_PHASE: server})

    def test_phases(self):
        self.keeps(checks.key_updated, evidence(self.conversation("1", "1")))
        self.keeps(checks.key_updated, evidence(self.conversation("True", "True")))
        self.breaks(checks.key_updated, evidence(self.conversation("0", "1")), "from the client")
        self.breaks(checks.key_updated, evidence(self.conversation("1", "0")), "from the server")
        self.breaks(checks.key_updated, evidence(self.conversation([], [])), "from the client")
        self.wants_keys(checks.key_updated, self.conversation("1", "1"))

    def test_early(self):
        self.keeps(checks.key_updated, evidence(self.conversation("1", "1", before=870)))
        self.breaks(checks.key_updated, evidence(self.conversation("1", "1", before=900)), "after more than 1 MB")


class Ecn(RuleTest):
    def conversation(self, client=2, server=2, client_ack="3", server_ack="3", more=()):
        talk = Conversation().client(short_packet(), ecn=client, fields={checks.ACK_ECT0: client_ack})
        talk.server(short_packet(), ecn=server, fields={checks.ACK_ECT0: server_ack})
        for ecn in more:
            talk.server(short_packet(), ecn=ecn)
        return talk

    def test_marks_and_counts(self):
        self.keeps(checks.marked, evidence(self.conversation()))
        self.keeps(checks.marked, evidence(self.conversation(client=1, more=[0])))
        self.breaks(checks.marked, evidence(self.conversation(client=0)), "client marked no packet")
        self.breaks(checks.marked, evidence(self.conversation(server=0)), "server marked no packet")
        self.breaks(checks.marked, evidence(self.conversation(more=[3])), "server marked packets CE")
        self.breaks(checks.marked, evidence(self.conversation(client_ack=[])), "client sent no ACK")
        self.breaks(checks.marked, evidence(self.conversation(server_ack=[])), "server sent no ACK")
        self.wants_keys(checks.marked, self.conversation())


class Amplification(RuleTest):
    def test_chain(self):
        fields = {checks.CRYPTO_OFFSET: ["0", "7000"], checks.CRYPTO_LENGTH: ["100", "500"]}
        self.keeps(checks.long_chain_sent, evidence(Conversation().server(handshake_from_server(), fields=fields)))
        short = {checks.CRYPTO_OFFSET: "7000", checks.CRYPTO_LENGTH: "499"}
        self.breaks(checks.long_chain_sent, evidence(Conversation().server(handshake_from_server(), fields=short)), "7499")
        elsewhere = Conversation().server(short_packet(), fields=fields).client(long_packet(HANDSHAKE), fields=fields)
        self.breaks(checks.long_chain_sent, evidence(elsewhere), "0 bytes")
        self.wants_keys(checks.long_chain_sent, Conversation())

    def conversation(self, answers, validation=None, server_id=SERVER_ID):
        """The client sends 1000 bytes, the server `answers` times 1000, and then the client `validation`."""
        talk = Conversation().client(self.sized(initial_from_client, 1000))
        for _ in range(answers):
            talk.server(self.sized(lambda **more: initial_from_server(scid=server_id, **more), 1000))
        return talk.client(validation) if validation else talk

    @staticmethod
    def sized(make, size):
        return make(size=size - len(make(size=0)))

    def test_limit(self):
        valid = long_packet(HANDSHAKE)
        kept = evidence(self.conversation(3, valid))
        self.keeps(checks.amplification, kept)
        self.assertEqual(kept.notes, [])
        self.breaks(checks.amplification, evidence(self.conversation(4, valid)), "4000 bytes after 1000")
        self.breaks(checks.amplification, evidence(self.conversation(3)), "never became validated")
        between = evidence(self.conversation(3).server(b"\x41" + bytes(10)).client(valid))
        self.keeps(checks.amplification, between)
        self.assertEqual(between.notes, ["the server sent 3011 bytes after 1000 had arrived"])

    def test_what_validates(self):
        again = initial_from_client(dcid=SERVER_ID)
        after = self.conversation(3, again).server(self.sized(handshake_from_server, 1000)).server(
            self.sized(handshake_from_server, 1000))
        self.keeps(checks.amplification, evidence(after))
        guessable = self.conversation(3, initial_from_client(dcid=b"abc"), server_id=b"abc")
        self.breaks(checks.amplification, evidence(guessable), "never became validated")
        same = self.conversation(3, initial_from_client())
        self.breaks(checks.amplification, evidence(same), "never became validated")

    def test_version_negotiation(self):
        talk = self.conversation(1).server(version_negotiation(CLIENT_ID, FIRST_ID, [VERSION_1]))
        self.breaks(checks.amplification, evidence(talk), "Version Negotiation")


class Versions(RuleTest):
    def conversation(self, client=VERSION_1, server=VERSION_2, client_handshake=VERSION_2, server_handshake=VERSION_2):
        talk = Conversation().client(initial_from_client(version=client))
        talk.server(initial_from_server(version=server), handshake_from_server(version=server_handshake))
        return talk.client(long_packet(HANDSHAKE, version=client_handshake))

    def test_version_2(self):
        self.keeps(checks.version_2, evidence(self.conversation()))
        self.breaks(checks.version_2, evidence(self.conversation(client=VERSION_2)), "without 0x1")
        self.breaks(checks.version_2, evidence(self.conversation(server=VERSION_1)), "without 0x6b3343cf")
        self.breaks(checks.version_2, evidence(self.conversation(client_handshake=VERSION_1)), "client's Handshake")
        self.breaks(checks.version_2, evidence(self.conversation(server_handshake=VERSION_1)), "server's Handshake")

    def test_negotiation(self):
        begin = b"\xc0\x1a\x2a\x3a\x4a\x08" + FIRST_ID + b"\x08" + CLIENT_ID + bytes(1000)

        def talk(*answer):
            return Conversation().client(begin).server(version_negotiation(*answer))

        self.keeps(checks.negotiated, evidence(talk(CLIENT_ID, FIRST_ID, [VERSION_1])))
        self.breaks(checks.negotiated, evidence(talk(CLIENT_ID, SERVER_ID, [VERSION_1])), "has the connection ids")
        self.breaks(checks.negotiated, evidence(talk(FIRST_ID, CLIENT_ID, [VERSION_1])), "has the connection ids")
        self.breaks(checks.negotiated, evidence(talk(CLIENT_ID, FIRST_ID, [])), "offers nothing")
        self.breaks(checks.negotiated, evidence(talk(CLIENT_ID, FIRST_ID, [VERSION_1, 0x1A2A3A4A])), "it refuses")
        self.breaks(checks.negotiated, evidence(Conversation().client(begin)), "no Version Negotiation packet")
        self.assertRaisesRegex(checks.Broken, "Negotiation packet$", checks.negotiated, evidence(Conversation().client(begin)))
        self.breaks(checks.negotiated, evidence(Conversation()), "no packet with a long header")


class Paths(RuleTest):
    ELSEWHERE = (CLIENT[0], 50001)

    def conversation(self, challenge="aa", response="aa", back=None):
        talk = Conversation().server(short_packet())
        talk.server(short_packet(), destination=self.ELSEWHERE, fields={checks.CHALLENGE: challenge})
        talk.server(short_packet(), destination=self.ELSEWHERE)
        if back is not None:
            talk.server(short_packet(), destination=CLIENT, fields={checks.CHALLENGE: back})
        return talk.client(short_packet(), fields={checks.RESPONSE: response})

    def test_validated(self):
        self.keeps(checks.paths_validated, evidence(self.conversation()))
        self.keeps(checks.paths_validated, evidence(self.conversation(back=[])))
        self.breaks(checks.paths_validated, evidence(self.conversation(challenge=[])), "no PATH_CHALLENGE")
        self.breaks(checks.paths_validated, evidence(self.conversation(response="bb")), "no PATH_RESPONSE")
        self.breaks(checks.paths_validated, evidence(self.conversation(response=[])), "no PATH_RESPONSE")
        self.breaks(checks.paths_validated, evidence(Conversation().server(short_packet())), "one path only")
        self.wants_keys(checks.paths_validated, self.conversation())

    def test_addresses(self):
        other = Conversation().server(short_packet()).server(short_packet(), destination=("193.167.0.7", 50000))
        self.keeps(checks.addresses_changed, evidence(other))
        self.breaks(checks.addresses_changed, evidence(self.conversation()), "one client address")

    def test_migrated(self):
        preferred = (SERVER[0], 4443)

        def talk(dcid, destination=preferred):
            before = Conversation().client(short_packet(), fields={checks.DCID: "01"})
            return before.client(short_packet(), destination=destination, fields={checks.DCID: dcid})

        self.keeps(checks.migrated, evidence(talk("02")))
        self.breaks(checks.migrated, evidence(talk("01")), "of the path before")
        self.breaks(checks.migrated, evidence(talk([])), "could not be read")
        self.breaks(checks.migrated, evidence(talk("02", destination=SERVER)), "one address of the server")

    def test_ipv4(self):
        six = Conversation().server(short_packet(), source=("fd00:cafe:cafe:100::100", 443), destination=("fd00::1", 5))
        self.keeps(checks.no_ipv4, evidence(six))
        self.breaks(checks.no_ipv4, evidence(six.server(short_packet())), "1 packets of IPv4")


class Goodput(RuleTest):
    def test_values(self):
        talk = Conversation().server(initial_from_server(), time=0).server(short_packet(), time=1)
        talk._add(SERVER, CLIENT, [bytes(1000)], time=2, protocol="tcp")
        talk.server(short_packet(), time=5)
        talk._add(SERVER, CLIENT, [bytes(9000)], time=6, protocol="tcp")
        found = evidence(talk)
        self.assertAlmostEqual(checks.goodput(found, 1000000), 2000)
        self.assertAlmostEqual(checks.share_of_tcp(found), 2)

    def test_nothing_to_measure(self):
        for talk in (Conversation(), Conversation().server(short_packet())):
            self.breaks(lambda found: checks.goodput(found, 1), evidence(talk), "no 1-RTT packets")


class Sides(RuleTest):
    """Each rule looks at the side of the link where it is decided: the other side's capture can be empty."""

    def at(self, rule, client_side=None, server_side=None):
        empty = Conversation()
        self.keeps(rule, evidence(client_side or empty, server_side or empty))
        with self.assertRaises(checks.Broken):
            rule(evidence(server_side or empty, client_side or empty))

    def test_client_side(self):
        packet = initial_from_client()
        hello = {checks.CRYPTO_OFFSET: "0", checks.HANDSHAKE_TYPE: "1", checks.SUITE: "0x1303"}
        self.at(checks.client_hello_repeated, Conversation().client(packet, fields=hello).client(packet, fields=hello))
        self.at(checks.only_chacha20, Conversation().client(packet, fields=hello))
        self.at(checks.stream_limit, StreamLimit.with_limit(self, "100"))
        self.at(checks.retry_token_used, Retry.conversation(self, "1"))
        self.at(checks.resumed, Resumption.conversation(self, True, False))
        self.at(checks.early_data, Conversation().server(initial_from_server()).client(long_packet(ZERO_RTT)))
        begin = b"\xc0\x1a\x2a\x3a\x4a\x08" + FIRST_ID + b"\x08" + CLIENT_ID
        answer = version_negotiation(CLIENT_ID, FIRST_ID, [VERSION_1])
        self.at(checks.negotiated, Conversation().client(begin).server(answer))
        moved = Conversation().client(short_packet(), fields={checks.DCID: "01"})
        self.at(checks.migrated, moved.client(short_packet(), destination=(SERVER[0], 4), fields={checks.DCID: "02"}))
        times = Conversation().server(short_packet(), time=0)._add(SERVER, CLIENT, [bytes(10)], time=1, protocol="tcp")
        found = evidence(times.server(short_packet(), time=2), server_side=Conversation())
        self.assertAlmostEqual(checks.goodput(found, 1000), 4)
        self.assertAlmostEqual(checks.share_of_tcp(found), 0.04)
        retry = evidence(Conversation().server(long_packet(RETRY)), server_side=Conversation())
        self.breaks(checks.no_retry, retry, "Retry")

    def test_server_side(self):
        self.at(checks.version_1, server_side=Conversation().server(initial_from_server()))
        self.at(checks.handshakes(1), server_side=Conversation().server(initial_from_server()))
        chain = {checks.CRYPTO_OFFSET: "8000", checks.CRYPTO_LENGTH: "100"}
        self.at(checks.long_chain_sent, server_side=Conversation().server(handshake_from_server(), fields=chain))
        self.at(checks.amplification, server_side=Conversation().client(long_packet(HANDSHAKE)))
        addresses = Conversation().server(short_packet()).server(short_packet(), destination=("193.167.0.7", 5))
        self.at(checks.addresses_changed, server_side=addresses)
        four = evidence(Conversation(), server_side=Conversation().server(short_packet()))
        self.breaks(checks.no_ipv4, four, "1 packets")

    def test_what_each_side_sent(self):
        both = {checks.KEY_PHASE: "1", checks.ACK_ECT0: "1"}
        client, server = Conversation(), Conversation()
        client.client(short_packet(), ecn=2, fields=both)
        server.server(short_packet(), ecn=2, fields=both)
        self.at(checks.key_updated, client, server)
        self.at(checks.marked, client, server)
        client.client(initial_from_client()).client(long_packet(HANDSHAKE, version=VERSION_2))
        server.server(initial_from_server(version=VERSION_2), handshake_from_server(version=VERSION_2))
        self.at(checks.version_2, client, server)
        client.client(short_packet(), fields={checks.RESPONSE: "aa"})
        server.server(short_packet(), destination=(CLIENT[0], 7), fields={checks.CHALLENGE: "aa"})
        self.at(checks.paths_validated, client, server)


class Table(unittest.TestCase):
    def test_select(self):
        self.assertEqual([test.abbreviation for test in testcases.select("transfer,H,3")], ["H", "DC", "3"])
        self.assertEqual(len(testcases.select(None)), 25)
        with self.assertRaises(KeyError):
            testcases.select("H,nonsense")

    def test_names_are_unique(self):
        self.assertEqual(len({test.name for test in testcases.ALL}), len(testcases.ALL))
        self.assertEqual(len({test.abbreviation for test in testcases.ALL}), len(testcases.ALL))

    def test_rules_get_their_fields(self):
        """A rule that reads tshark's fields is never used without them."""
        plain = {checks.version_1, checks.no_retry, checks.early_data, checks.version_2, checks.negotiated, checks.no_ipv4,
                 checks.addresses_changed}
        for test in testcases.ALL:
            for rule in test.rules:
                self.assertTrue(test.fields or rule in plain or rule.__name__ == "check", (test.name, rule))


if __name__ == "__main__":
    unittest.main()
