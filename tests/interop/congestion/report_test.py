"""The table of rows, what is judged, and what is printed of it."""

import json
import tempfile
import unittest
from pathlib import Path

from synthetic import capture_of, from_client, from_server, statistics_of

import links
import report
import rows
import run_once
from implementations import Implementation
from main import Usage
from rows import Goal, Row

QUOLL = Implementation("quoll", Path("quoll"), Path("built"))


def run_of(row="usual", sender="bbr2", result="succeeded", **more):
    record = {"row": row, "sender": sender, "result": result, "repetition": 1, "attempt": 1,
              "reason": "" if result == "succeeded" else "why"}
    if result == "succeeded":
        bursts = {"p50": 1500, "p99": 3000, "max": 4500}
        record.update(goodput=9500.0, seconds=8.0, queue_p95=10.0, drops=4, sent=1.05, late_p99=0.1, late_max=0.2,
                      lost_at_device=0, burst_1ms=bursts, burst_10ms=bursts, train=bursts)
    record.update(more)
    return record


class Table(unittest.TestCase):
    def test_every_row_can_be_measured(self):
        self.assertEqual(len({row.name for row in rows.ROWS}), len(rows.ROWS))
        for row in rows.ROWS:
            self.assertIn(row.unit, report._FORMATS)
            self.assertTrue(callable(row.measure), row.name)
            for goal in row.goals:
                self.assertTrue(set(goal.controllers) <= set(rows.CONTROLLERS), row.name)
            test = row.test("cubic", 7)
            self.assertEqual((test.scenario, test.sizes, test.rules), (row.link_for(7), row.sizes_for("cubic"), ()))

    def test_events_come_at_any_time_within_a_second(self):
        usual, outage, step = rows.select("usual,outage,rate-step")
        self.assertEqual([outage.later(seed) for seed in (0, 250, 1999)], [0.0, 0.25, 0.999])
        self.assertIn("--on=5.250s", outage.link_for(250))
        self.assertIn("--rate-steps=10Mbps@5.250s,40Mbps@10.250s", step.link_for(250))
        self.assertEqual((usual.later(250), usual.link_for(250)), (0.0, usual.link))
        phase = next(row for row in rows.ROWS if row.name == "beside-phase")
        delays = {word for seed in (0, 250, 1500) for word in phase.link_for(seed) if word.startswith("--delay")}
        self.assertEqual(delays, {"--delay=14.700ms", "--delay=14.850ms", "--delay=15.000ms"})

    def test_selection(self):
        self.assertEqual([row.name for row in rows.select("shallow,usual")], ["usual", "shallow"])
        self.assertEqual(rows.select(""), list(rows.ROWS))
        self.assertTrue(all(row.quick for row in rows.select("", quick=True)))
        self.assertEqual([row.name for row in rows.select("satellite", quick=True)], ["satellite"])
        with self.assertRaises(KeyError):
            rows.select("usual,other")

    def test_loss_based_controllers_carry_less_where_losses_are_random(self):
        row, = rows.select("random-1")
        self.assertEqual((row.sizes_for("cubic"), row.sizes_for("bbr2")), ((10 << 20,), (100 << 20,)))
        self.assertIn("--queue=833", row.link)


class Judgement(unittest.TestCase):
    def test_median_and_worst(self):
        runs = [run_of(resumed=value) for value in (0.05, 0.4, 0.08)]
        self.assertEqual(report.reached(Goal("resumed", high=0.1), runs), (0.08, True))
        self.assertEqual(report.reached(Goal("resumed", high=0.3, worst=True), runs), (0.4, False))
        self.assertEqual(report.reached(Goal("resumed", low=0.09), runs), (0.08, False))

    def test_a_run_that_failed_holds_nothing(self):
        self.assertEqual(report.reached(Goal("goodput", low=1), [run_of(), run_of(result="failed")]), (None, False))

    def test_words(self):
        self.assertEqual(report.words(Goal("goodput", low=9450), "kbit/s"), "≥ 9450 kbit/s")
        self.assertEqual(report.words(Goal("share", 45, 55), "%"), "45–55 %")
        self.assertEqual(report.words(Goal("resumed", high=0.3, worst=True), "s"), "≤ 0.3 s worst")
        self.assertEqual(report.words(Goal("queue_p95", high=15.0), "kbit/s"), "queue ≤ 15 ms")

    def test_a_late_link(self):
        self.assertFalse(run_once.is_late(run_of()))
        for name, value in (("late_p99", 1.5), ("late_max", 20.0), ("lost_at_device", 1)):
            self.assertTrue(run_once.is_late(run_of(**{name: value})))
        self.assertFalse(run_once.is_late(run_of(result="failed")))


class Tables(unittest.TestCase):
    USUAL, = rows.select("usual")

    def entries(self):
        return [report.summary(self.USUAL, "bbr2", [run_of(), run_of(goodput=9000.0), run_of(goodput=9460.0, queue_p95=20.0)]),
                report.summary(self.USUAL, "quic-go", [run_of(sender="quic-go"), run_of(sender="quic-go", result="failed")]),
                report.summary(self.USUAL, "cubic", [run_of(result="failed")])]

    def test_cells(self):
        bbr2, other, failed = map(report.cells, self.entries())
        self.assertEqual(bbr2, (self.USUAL.title, "bbr2", "9460 kbit/s", "9000 – 9500", "10.0 ms", "4", "1.050 ×",
                                "≥ 9450 kbit/s; queue ≤ 15 ms", "yes, yes"))
        self.assertEqual(other[2:], ("9500 kbit/s", "9500 – 9500", "10.0 ms", "4", "1.050 ×", "–", "– (1 of 2 runs failed)"))
        self.assertEqual(failed[2], "– kbit/s")
        self.assertEqual(failed[-1], "NO (1 of 1 runs failed)")

    def test_text_and_markdown(self):
        entries = self.entries()
        text = report.text_table(report.HEAD, list(map(report.cells, entries))).splitlines()
        self.assertEqual(len(text), 4)
        self.assertEqual([line.startswith(self.USUAL.title) for line in text], [False, True, False, False])
        with tempfile.TemporaryDirectory() as folder:
            report.write_markdown(Path(folder, "a.md"), {"date": "2000-01-01", "command": "interop/links", "repeat": 3}, entries)
            report.write_json(Path(folder, "a.json"), {"seed": 7}, entries, [run_of()])
            lines = Path(folder, "a.md").read_text().splitlines()
            self.assertIn("| %s, kbit/s | bbr2: ≥ 9450 kbit/s; queue ≤ 15 ms<br>cubic: ≥ 9450 kbit/s | 9460 | 9500 "
                          "| **failed** |" % self.USUAL.title, lines)
            self.assertIn("| %s | 10.0 ms, 4 | 10.0 ms, 4 | – |" % self.USUAL.title, lines)
            self.assertIn("| " + self.USUAL.title + " | bbr2 | 1.5 | 3.0 | 4.5 | 1.5 | 3.0 | 4.5 | 1500 | 3000 | 4500 |", lines)
            document = json.loads(Path(folder, "a.json").read_text())
        self.assertEqual((document["seed"], document["rows"][0]["median"], len(document["runs"])), (7, 9460.0, 1))

    def test_what_is_not_reached_is_bold(self):
        entries = [report.summary(self.USUAL, "bbr2", [run_of(queue_p95=20.0)]),
                   report.summary(self.USUAL, "cubic", [run_of(sender="cubic", goodput=9000.0)])]
        self.assertIn("| %s | **20.0 ms**, 4 | 10.0 ms, 4 |" % self.USUAL.title, report.wide_table(entries, report._waiting))
        self.assertTrue(report.wide_table(entries, report._measured).endswith("| 9500 | **9000** |"))

    def test_line_of_a_run(self):
        line = links.line_of(self.USUAL, run_of(attempt=2))
        self.assertIn("9500.000 kbit/s", line)
        self.assertIn("late link, 2 attempts", line)
        self.assertIn("failed  why", links.line_of(self.USUAL, run_of(result="failed")))


class Evaluation(unittest.TestCase):
    def evaluate(self, name, statistics, *records, seed=0):
        row, = rows.select(name)
        record = {"seed": seed}
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "link").mkdir()
            Path(folder, "link/left.pcap").write_bytes(capture_of(*records))
            Path(folder, "link/statistics.json").write_text(json.dumps(statistics))
            run_once._evaluated(row, folder, 1_000_000, record, tcp=False)
        return record

    def test_an_outage(self):
        back = [(107.03 + 0.001 * i, from_server(1200)) for i in range(200)]
        record = self.evaluate("outage", statistics_of(began=100.0), (100.1, from_client(1200)), (104.9, from_server(1200)),
                               *back, (108.0, from_client(40)))
        self.assertEqual(record["result"], "succeeded")
        self.assertAlmostEqual(record["resumed"], 0.03, places=6)
        self.assertAlmostEqual(record["back"], 0.03 + 0.081, places=6)  # 82 packets of 1230 bytes are 80 % of 0.1 s
        self.assertEqual(record["queue_p95"], 12.0)

    def test_an_outage_that_came_later(self):
        back = [(107.3 + 0.001 * i, from_server(1200)) for i in range(200)]
        records = [(100.1, from_client(1200)), *back, (108.0, from_client(40))]
        record = self.evaluate("outage", statistics_of(began=100.0), *records, seed=250)
        self.assertAlmostEqual(record["resumed"], 0.05, places=6)

    def test_what_shows_nothing_fails(self):
        record = self.evaluate("outage", statistics_of(began=100.0), (100.1, from_client(1200)), (104.9, from_server(1200)),
                               (105.0, from_client(40)))
        self.assertEqual((record["result"], record["reason"]),
                         ("failed", "nothing was measured: no data came after the link was back"))


class CommandLine(unittest.TestCase):
    def test_senders(self):
        available = {"quoll": QUOLL, "other": Implementation("other", Path("other"), Path("built"))}
        found = links.senders("cubic,tcp-cubic,other", available)
        self.assertEqual([(one.name, one.parameters) for one in found],
                         [("cubic", "cc=cubic"), ("tcp-cubic", ""), ("other", "")])
        self.assertEqual((found[1].implementation, found[1].controller), (None, "cubic"))
        for wrong in ("vegas", "quoll", "tcp-nothing", ""):
            with self.assertRaises(Usage):
                links.senders(wrong, available)

    def test_bad_use(self):
        with tempfile.TemporaryDirectory() as built:
            for words, reason in ((["--link", "nowhere"], "no row named nowhere"), (["--cc", "vegas"], "no sender named vegas"),
                                  ([], "quoll is not built in")):
                with self.assertRaisesRegex(Usage, reason):
                    links.prepare(links.arguments([*words, "--built", built]))


if __name__ == "__main__":
    unittest.main()
