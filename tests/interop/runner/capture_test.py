"""Captures, the comparison of files, and tshark's lines."""

import os
import tempfile
import unittest
from pathlib import Path

from builders import CLIENT, SERVER, pcap, short_packet, udp_packet

import capture
import dissect
import files


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path


class Captures(InFolder):
    RECORDS = [(10.5, udp_packet(CLIENT, SERVER, b"\x41hello", ecn=2)), (10.75, udp_packet(SERVER, CLIENT, b"\x41answer"))]

    def test_byte_orders_and_resolutions(self):
        for order in "<>":
            for nanoseconds in (False, True):
                trace = capture.read(self.file("a.pcap", pcap(self.RECORDS, order, nanoseconds)))
                self.assertEqual([(f.number, round(f.time, 6), f.payload) for f in trace.frames],
                                 [(1, 10.5, b"\x41hello"), (2, 10.75, b"\x41answer")])
                self.assertEqual([(f.source, f.destination, f.ecn) for f in trace.from_client], [(CLIENT, SERVER, 2)])
                self.assertEqual([(f.source, f.destination, f.ecn) for f in trace.from_server], [(SERVER, CLIENT, 0)])

    def test_ipv6(self):
        client, server = (capture.CLIENT_ADDRESSES[1], 4000), (capture.SERVER_ADDRESSES[1], 443)
        trace = capture.read(self.file("a.pcap", pcap([(1, udp_packet(client, server, b"\x41x", ecn=1)),
                                                       (2, udp_packet(server, client, b"\x41y", ecn=3))])))
        self.assertEqual([(f.source, f.ecn, f.payload) for f in trace.from_client], [(client, 1, b"\x41x")])
        self.assertEqual([(f.destination, f.ecn) for f in trace.from_server], [(client, 3)])

    def test_others_have_numbers_but_no_frames(self):
        other = udp_packet(CLIENT, ("9.9.9.9", 53), b"query")
        tcp = bytearray(udp_packet(SERVER, CLIENT, bytes(12) + b"data"))
        tcp[9] = 6
        tcp[20 + 12] = 5 << 4
        records = [(1, b"\0" * 40), (2, other), (3, bytes(tcp)), self.RECORDS[0]]
        trace = capture.read(self.file("a.pcap", pcap(records)))
        self.assertEqual([frame.number for frame in trace.frames], [4])
        self.assertEqual([(frame.number, frame.payload) for frame in trace.tcp], [(3, b"data")])

    def test_cut(self):
        data = pcap(self.RECORDS)
        self.assertEqual(len(capture.read(self.file("a.pcap", data[:-1])).frames), 1)

    def test_no_capture(self):
        for data in (b"", b"x" * 100, pcap([], link_type=1)):
            with self.assertRaises(capture.NotACapture):
                capture.read(self.file("a.pcap", data))

    def test_as_one_path(self):
        moved = ("193.167.0.7", 9999), ("fd00:cafe:cafe:100::100", 4443)
        records = self.RECORDS + [(11, udp_packet(("fd00::5", 1), moved[1], b"\x41c", ecn=1)),
                                  (12, udp_packet(SERVER, moved[0], b"\x41d"))]
        capture.write_as_one_path(self.file("a.pcap", pcap(records)), self.folder / "b.pcap")
        before, after = capture.read(self.folder / "a.pcap"), capture.read(self.folder / "b.pcap")
        self.assertEqual([(f.number, f.payload, f.ecn, f.by_server) for f in before.frames],
                         [(f.number, f.payload, f.ecn, f.by_server) for f in after.frames])
        self.assertEqual(len({frozenset(frame.path) for frame in after.frames}), 1)
        self.assertEqual(len({frozenset(frame.path) for frame in before.frames}), 3)

    def test_fields_are_laid_beside_frames(self):
        trace = capture.read(self.file("a.pcap", pcap(self.RECORDS)))
        trace.add_fields({2: {"quic.key_phase": ["1"]}})
        self.assertEqual([frame.values("quic.key_phase") for frame in trace.frames], [[], ["1"]])

    def test_packets_of(self):
        trace = capture.read(self.file("a.pcap", pcap([(1, udp_packet(SERVER, CLIENT, short_packet()))])))
        self.assertEqual(len(capture.packets_of(trace.frames, "1-RTT")), 1)
        self.assertEqual(capture.packets_of(trace.frames, "Initial"), [])


class Files(InFolder):
    def setUp(self):
        super().setUp()
        self.source, self.downloads = self.folder / "www", self.folder / "downloads"
        self.source.mkdir()
        self.downloads.mkdir()
        self.names = files.make(self.source, (10, 20), seed=1)
        for name in self.names:
            self.file("downloads/" + name, (self.source / name).read_bytes())

    def difference(self):
        return files.difference(self.source, self.downloads, self.names)

    def test_same(self):
        self.assertIsNone(self.difference())

    def test_missing(self):
        os.unlink(self.downloads / self.names[1])
        self.assertIn("1 of 2 files are missing, " + self.names[1], self.difference())

    def test_unexpected(self):
        self.file("downloads/more", b"")
        self.assertIn("nobody asked for: more", self.difference())

    def test_size(self):
        self.file("downloads/" + self.names[0], b"123456789")
        self.assertIn("9 bytes instead of 10", self.difference())

    def test_contents(self):
        data = bytearray((self.source / self.names[1]).read_bytes())
        data[19] ^= 1
        self.file("downloads/" + self.names[1], bytes(data))
        self.assertIn("differs", self.difference())

    def test_seeds(self):
        for folder in "abc":
            (self.folder / folder).mkdir()
        same = files.make(self.folder / "a", (10, 20), seed=1)
        self.assertEqual(same, self.names)
        self.assertEqual((self.folder / "a" / same[0]).read_bytes(), (self.source / same[0]).read_bytes())
        self.assertNotEqual(files.make(self.folder / "b", (10, 20), seed=2), self.names)
        self.assertEqual({len(name) for name in files.make(self.folder / "c", (1,) * 40, seed=3, name_length=250)}, {250})


class Dissection(InFolder):
    def test_lines(self):
        lines = ["Running as user \"root\"", "1\t\t5", "7\t0,12\t"]
        self.assertEqual(dissect.parse(lines, ["a", "b"]), {1: {"b": ["5"]}, 7: {"a": ["0", "12"]}})

    def test_key_log(self):
        empty = self.file("a", b"")
        wrong = self.file("b", b"CLIENT_RANDOM 00 11\n# SERVER_HANDSHAKE_TRAFFIC_SECRET no\n")
        right = self.file("c", b"# by a server\nSERVER_HANDSHAKE_TRAFFIC_SECRET 00 11\n")
        self.assertEqual(dissect.key_log([self.folder / "none", empty, wrong, right]), right)
        self.assertIsNone(dissect.key_log([self.folder / "none", empty, wrong]))


if __name__ == "__main__":
    unittest.main()
