"""Values from synthetic captures."""

import tempfile
import unittest
from pathlib import Path

from synthetic import capture_of, from_client, from_server, statistics_of, tcp_from_server

import capture
import values


class Values(unittest.TestCase):
    def read(self, *records):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "left.pcap")
            path.write_bytes(capture_of(*records))
            return values.read(path)

    def test_packets(self):
        packets = self.read((1.0, from_client(1200)), (1.5, from_server(1000)), (1.75, tcp_from_server(100)),
                            (2.0, b"\x60" * 60))
        self.assertEqual([(p.time, p.by_server, p.tcp, p.payload, p.wire) for p in packets],
                         [(1.0, False, False, 1200, 1230), (1.5, True, False, 1000, 1030), (1.75, True, True, 100, 154)])
        with self.assertRaises(capture.NotACapture):
            with tempfile.NamedTemporaryFile() as file:
                values.read(file.name)

    def test_goodput_from_the_first_datagram_to_the_last_data(self):
        packets = self.read((0.5, tcp_from_server(1000)), (1.0, from_client(1200)), (1.5, from_server(1000)),
                            (3.0, from_server(400)), (3.1, from_server(50)), (3.2, from_client(40)), (3.9, from_server(1200)))
        self.assertEqual((values.begin(packets), values.end(packets)), (1.0, 3.0))
        self.assertAlmostEqual(values.goodput(packets, 1_000_000), 4000)

    def test_goodput_of_tcp(self):
        packets = self.read((0.5, from_server(1000)), (1.0, tcp_from_server(0)), (2.0, tcp_from_server(10)),
                            (3.0, tcp_from_server(1)), (4.0, tcp_from_server(0)))
        self.assertAlmostEqual(values.goodput(packets, 1_000_000, tcp=True), 4000)

    def test_nothing_to_measure(self):
        sent = self.read((1.0, from_client(1200)))
        for function in (values.end, lambda p: values.goodput(p, 1), lambda p: values.seconds_to_data(p, 0.0)):
            with self.assertRaises(values.NoValue):
                function(sent)
        with self.assertRaises(values.NoValue):
            values.begin(self.read((1.0, from_server(1200))))
        with self.assertRaises(values.NoValue):
            values.goodput(self.read((1.0, from_client(40)), (1.0, from_server(1200))), 1)

    def test_share(self):
        tcp = [(time, tcp_from_server(1000)) for time in (0.5, 1.5, 2.0, 2.5, 4.0)]
        quic = [(1.0, from_client(1200)), (2.0, from_server(1000)), (3.0, from_server(1000)), (3.5, from_client(40))]
        packets = self.read(*sorted(tcp + quic))
        self.assertAlmostEqual(values.share_beside_tcp(packets, 1000), 0.25)

    def test_time_to_data(self):
        packets = self.read((1.0, from_server(1200)), (2.1, from_client(1200)), (2.2, from_server(40)),
                            (2.25, tcp_from_server(500)), (2.5, from_server(1200)))
        self.assertAlmostEqual(values.seconds_to_data(packets, 2.0), 0.5)
        self.assertAlmostEqual(values.seconds_to_data(packets, 2.0, tcp=True), 0.25)

    def test_time_to_rate(self):
        # 970 bytes of payload are 1000 on the wire: at 80 kbit/s one each 100 ms. Slow until 2.0, and then at full rate.
        slow = [(1.0 + 0.4 * i, from_server(970)) for i in range(3)]
        fast = [(2.0 + 0.01 * i, from_server(970)) for i in range(1, 30)]
        packets = self.read(*slow, *fast)
        # 80 % of 800 kbit/s in 0.1 s are 8000 bytes: eight packets, the last of which comes at 2.08.
        self.assertAlmostEqual(values.seconds_to_rate(packets, 2.0, 800e3), 0.08)
        self.assertAlmostEqual(values.seconds_to_rate(packets, 2.1, 800e3), 0.0)
        with self.assertRaises(values.NoValue):
            values.seconds_to_rate(packets, 2.0, 8e6)

    def test_of_link(self):
        found = values.of_link(statistics_of(), 10000)
        self.assertEqual((found["queue_p95"], found["drops"], found["sent"]), (12.0, 3, 1.1))
        self.assertEqual((found["late_p99"], found["late_max"], found["lost_at_device"]), (0.1, 0.2, 0))
        self.assertEqual(found["burst_1ms"]["max"], 4000)
        self.assertEqual(values.of_link(statistics_of(dropped_device={"packets": 2}), 1)["lost_at_device"], 2)


if __name__ == "__main__":
    unittest.main()
