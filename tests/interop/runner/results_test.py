"""The tables, the JSON, and the verdict on a run from what its programs did."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from builders import CLIENT_ID, CLIENT, SERVER, SERVER_ID, FIRST_ID, long_packet, pcap, udp_packet

import files
import implementations
import main
import matrix
import results
import testcases
import trial
from headers import INITIAL
from matrix import FAILED, SUCCEEDED, UNSUPPORTED

H, C20, L1, G = (testcases.select(name)[0] for name in ("H", "C20", "L1", "G"))


def run(test, result, server="a", client="b", **more):
    return {"server": server, "client": client, "test": test.name, "result": result, "reason": "", **more}


class Matrix(unittest.TestCase):
    def test_letters(self):
        table = matrix.tests_table([H, C20, L1], ["a", "long-name"], ["b", "a"],
                                   {("a", "b"): {"handshake": SUCCEEDED, "chacha20": UNSUPPORTED, "handshakeloss": FAILED}})
        self.assertEqual(table.splitlines(), ["+---+-----+-----------+",
                                              "|   |  a  | long-name |",
                                              "+---+-----+-----------+",
                                              "| b |  H  |           |",
                                              "|   | C20 |           |",
                                              "|   |  L1 |           |",
                                              "+---+-----+-----------+",
                                              "| a |     |           |",
                                              "+---+-----+-----------+"])

    def test_colors(self):
        table = matrix.tests_table([H], ["a"], ["b"], {("a", "b"): {"handshake": FAILED}}, color=True)
        self.assertIn("\033[31m H ", table)

    def test_measurements(self):
        table = matrix.measurements_table([G], ["a"], ["b", "c"], {("a", "b"): {"goodput": (SUCCEEDED, [9000.0, 9010.0])},
                                                                   ("a", "c"): {"goodput": (FAILED, [])}})
        self.assertIn("| G: 9005 (± 7) kbps |", table)
        self.assertIn("| c |         G          |", table)
        self.assertEqual(matrix.spread([100]), "100 (± 0) kbps")

    def test_one_failure_fails(self):
        self.assertEqual(matrix.overall([SUCCEEDED, FAILED, UNSUPPORTED]), FAILED)
        self.assertEqual(matrix.overall([SUCCEEDED, UNSUPPORTED]), UNSUPPORTED)
        self.assertEqual(matrix.overall([SUCCEEDED, SUCCEEDED]), SUCCEEDED)
        self.assertIsNone(matrix.overall([]))


class Document(unittest.TestCase):
    def document(self, *runs):
        about = {"start_time": 1.5, "end_time": 2.5, "log_dir": "logs", "seed": 9}
        return results.document(about, ["a", "s"], ["b"], [H, L1, G], list(runs))

    def test_keys_of_the_public_runner(self):
        data = self.document(run(H, SUCCEEDED))
        for key in ("start_time", "end_time", "log_dir", "servers", "clients", "urls", "tests", "quic_version", "results",
                    "measurements"):
            self.assertIn(key, data)
        self.assertEqual(data["quic_version"], "0x1")
        self.assertEqual(sorted(data["urls"]), ["a", "b", "s"])
        self.assertEqual(data["tests"]["H"], {"name": "handshake", "desc": H.description})
        self.assertEqual(data["seed"], 9)

    def test_a_list_for_each_pair_clients_outside(self):
        data = self.document(run(H, SUCCEEDED), run(H, FAILED, server="s"), run(L1, SUCCEEDED), run(L1, FAILED),
                             run(L1, SUCCEEDED))
        self.assertEqual([[entry["result"] for entry in pair] for pair in data["results"]],
                         [["succeeded", "failed"], ["failed", None]])
        self.assertEqual(data["results"][0][1], {"abbr": "L1", "name": "handshakeloss", "result": "failed", "passes": "2/3"})
        self.assertEqual(len(data["runs"]), 5)

    def test_measurements(self):
        data = self.document(run(G, SUCCEEDED, value=9000), run(G, SUCCEEDED, value=9010))
        self.assertEqual(data["measurements"], [[{"abbr": "G", "name": "goodput", "result": "succeeded",
                                                  "details": "9005 (± 7) kbps"}], []])
        failed = self.document(run(G, SUCCEEDED, value=9000), run(G, FAILED))
        self.assertEqual(failed["measurements"][0][0]["details"], "")


class Verdict(unittest.TestCase):
    """Of the handshake test, on a folder as a run leaves it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("www", "downloads", "link", "server", "client"):
            (self.folder / name).mkdir()
        self.names = files.make(self.folder / "www", H.sizes, 1)
        (self.folder / "downloads" / self.names[0]).write_bytes((self.folder / "www" / self.names[0]).read_bytes())
        self.capture(SERVER_ID)

    def capture(self, *ids):
        records = [(1, udp_packet(CLIENT, SERVER, long_packet(INITIAL, FIRST_ID, CLIENT_ID)))]
        records += [(2, udp_packet(SERVER, CLIENT, long_packet(INITIAL, CLIENT_ID, scid))) for scid in ids]
        for name in ("left.pcap", "right.pcap"):
            (self.folder / "link" / name).write_bytes(pcap(records))

    def judge(self, **record):
        record = {"client_exit": 0, "server_exit": 0, **record}
        record = {name: value for name, value in record.items() if value != "absent"}
        trial._judge(H, self.names, self.folder, record)
        return record["result"], record["reason"]

    def test_success(self):
        self.assertEqual(self.judge(), (SUCCEEDED, ""))
        self.assertEqual(self.judge(server_exit=-15), (SUCCEEDED, ""))

    def test_unsupported(self):
        self.assertEqual(self.judge(client_exit=127), (UNSUPPORTED, "the client does not know the test"))
        self.assertEqual(self.judge(client_exit="absent", server_exit=127), (UNSUPPORTED, "the server does not know the test"))

    def test_programs_fail(self):
        (self.folder / "client" / "output.txt").write_text("begin\nno route\n")
        self.assertEqual(self.judge(client_exit=1), (FAILED, "the client exits with 1: no route"))
        self.assertEqual(self.judge(client_exit=None), (FAILED, "the client was not done after 60 s"))
        self.assertEqual(self.judge(client_exit=None, server_ended_early=1), (FAILED, "the server had ended with 1"))
        self.assertEqual(self.judge(client_exit="absent", server_exit=1), (FAILED, "the server exits with 1"))
        self.assertIn("a version it cannot know", self.judge(client_exit="absent", server_exit=-15)[1])
        self.assertEqual(self.judge(link="gone"), (FAILED, "the link failed: gone"))

    def test_files(self):
        (self.folder / "downloads" / self.names[0]).write_bytes(b"")
        self.assertIn("0 bytes instead of 1024", self.judge()[1])

    def test_notes(self):
        for code, words in ((0, []), (-15, []), (1, []), (-9, ["the server did not stop by itself"]),
                            (-11, ["the server ended by signal 11"])):
            record = {"client_exit": 0, "server_exit": code}
            trial._judge(H, self.names, self.folder, record)
            self.assertEqual((record["result"], record["notes"]), (SUCCEEDED, words))

    def test_rules(self):
        self.capture(SERVER_ID, b"SERVER-2")
        self.assertEqual(self.judge(), (FAILED, "2 handshakes instead of 1"))

    def test_no_capture(self):
        (self.folder / "link" / "left.pcap").unlink()
        self.assertEqual(self.judge()[0], FAILED)


class Command(unittest.TestCase):
    def test_seeds(self):
        self.assertEqual(main.seed_of(1, H, 0), main.seed_of(1, H, 0))
        self.assertEqual(len({main.seed_of(seed, test, i) for seed in (1, 2) for test in (H, L1) for i in (0, 1)}), 8)

    def test_repetitions(self):
        self.assertEqual([main.repetitions(test, 4) for test in (H, L1, G)], [1, 4, 5])

    def test_line(self):
        line = main.line_of(run(H, FAILED, seconds=1.5) | {"reason": "why"}, H)
        self.assertEqual(line.split(), ["a", "b", "H", "failed", "1.500", "s", "why"])
        value = main.line_of(run(G, SUCCEEDED, seconds=9.0, value=9501.2, share=0.5, notes=["odd"]), G)
        self.assertIn("9501 kbps, 50.0 % beside TCP  note: odd", value)

    def test_build(self):
        """What cannot be built is left out, unless somebody asked for it."""
        with tempfile.TemporaryDirectory() as folder:
            for name, code in (("good", 0), ("bad", 77)):
                Path(folder, name).mkdir()
                for script in ("build", "run"):
                    Path(folder, name, script).write_text("#!/bin/sh\necho no toolchain for $1 >&2\nexit %d\n" % code)
                    Path(folder, name, script).chmod(0o755)
            found = implementations.find(folder, Path(folder, "built"))
            self.assertEqual(list(found), ["bad", "good"])
            with contextlib.redirect_stdout(io.StringIO()) as said:
                self.assertEqual(list(main.build(found, set(), folder)), ["good"])
            self.assertIn("bad is left out: no toolchain for " + str(Path(folder, "built/bad").resolve()), said.getvalue())
            self.assertEqual(list(main.build(found, {"good"}, folder)), ["good"])
            with self.assertRaisesRegex(main.Usage, "bad cannot be built: no toolchain"):
                main.build(found, {"bad"}, folder)

    def test_unknown_names(self):
        with self.assertRaises(main.Usage):
            main.choose("nobody", {}, "server")


if __name__ == "__main__":
    unittest.main()
