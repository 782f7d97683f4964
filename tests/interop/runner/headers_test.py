"""Headers of packets, and datagrams with several of them."""

import unittest

from builders import CLIENT_ID, SERVER_ID, long_packet, short_packet, version_negotiation

import headers
from headers import HANDSHAKE, INITIAL, ONE_RTT, RETRY, UNKNOWN, VERSION_1, VERSION_2, VERSION_NEGOTIATION, ZERO_RTT


def types(data):
    return [packet.type for packet in headers.packets(data)]


class Headers(unittest.TestCase):
    def test_rfc_9001_client_initial(self):
        """The begin of the packet in RFC 9001 appendix A.2, which is 1200 bytes long."""
        data = bytes.fromhex("c000000001088394c8f03e5157080000449e7b9aec34") + bytes(1200 - 22)
        packet, = headers.packets(data)
        self.assertEqual((packet.type, packet.version, packet.size, packet.length), (INITIAL, VERSION_1, 1200, 0x49E))
        self.assertEqual((packet.dcid.hex(), packet.scid, packet.token), ("8394c8f03e515708", b"", b""))

    def test_rfc_9001_retry(self):
        packet, = headers.packets(bytes.fromhex(
            "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"))
        self.assertEqual((packet.type, packet.scid.hex(), packet.token), (RETRY, "f067a5502a4262b5", b"token"))

    def test_rfc_9369_types_of_version_2(self):
        """The first bytes of the packets in RFC 9369 appendix A: an Initial packet of version 2, and a Retry."""
        initial = bytes.fromhex("d76b3343cf088394c8f03e5157080000449ea0c95e82") + bytes(1200 - 22)
        self.assertEqual(types(initial), [INITIAL])
        retry = bytes.fromhex("cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6")
        packet, = headers.packets(retry)
        self.assertEqual((packet.type, packet.version, packet.token), (RETRY, VERSION_2, b"token"))

    def test_every_type_of_both_versions(self):
        for version in (VERSION_1, VERSION_2):
            for kind in (INITIAL, ZERO_RTT, HANDSHAKE, RETRY):
                packet, = headers.packets(long_packet(kind, version=version, token=b"abc" if kind == RETRY else b""))
                self.assertEqual((packet.type, packet.version, packet.dcid, packet.scid), (kind, version, SERVER_ID, CLIENT_ID))

    def test_token_and_long_lengths(self):
        packet, = headers.packets(long_packet(INITIAL, token=b"t" * 300, size=1000))
        self.assertEqual((packet.token, packet.length), (b"t" * 300, 1000))
        eight = b"\xe0\0\0\0\x01\0\0" + b"\xc0\0\0\0\0\0\0\x05" + b"12345"
        self.assertEqual([(p.type, p.length, p.size) for p in headers.packets(eight)], [(HANDSHAKE, 5, 20)])

    def test_coalesced(self):
        data = long_packet(INITIAL) + long_packet(HANDSHAKE, size=50) + short_packet()
        self.assertEqual(types(data), [INITIAL, HANDSHAKE, ONE_RTT])
        found = headers.packets(data)
        self.assertEqual(sum(packet.size for packet in found), len(data))
        self.assertEqual(found[2].rest, short_packet()[1:])

    def test_zeros_behind_a_packet_are_padding(self):
        self.assertEqual(types(long_packet(INITIAL) + bytes(500)), [INITIAL])
        self.assertEqual(types(bytes(30)), [ONE_RTT])
        self.assertEqual(types(long_packet(INITIAL) + b"\x01" + bytes(30)), [INITIAL, ONE_RTT])

    def test_version_negotiation(self):
        packet, = headers.packets(version_negotiation(CLIENT_ID, SERVER_ID, [VERSION_1, VERSION_2]))
        self.assertEqual((packet.type, packet.dcid, packet.scid), (VERSION_NEGOTIATION, CLIENT_ID, SERVER_ID))
        self.assertEqual(packet.versions, [VERSION_1, VERSION_2])

    def test_unknown_version(self):
        packet, = headers.packets(b"\xc0\x1a\x2a\x3a\x4a\x02AB\x01C" + b"x" * 50)
        self.assertEqual((packet.type, packet.version, packet.dcid, packet.scid), (UNKNOWN, 0x1A2A3A4A, b"AB", b"C"))

    def test_cut_anywhere(self):
        """What ends inside a header or before its Length is an unknown packet: no more, and nothing raises."""
        whole = long_packet(INITIAL, token=b"token")
        for size in range(1, len(whole)):
            found = headers.packets(whole[:size])
            self.assertEqual([packet.type for packet in found], [UNKNOWN], size)
        self.assertEqual(headers.packets(b""), [])


if __name__ == "__main__":
    unittest.main()
