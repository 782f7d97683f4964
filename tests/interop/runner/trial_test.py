"""Whole runs, with endpoints that only pretend and a link that carries nothing: what the sandbox gives, what is noticed, and that
nothing stays behind. Skipped where namespaces are not permitted."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import builders  # noqa: F401, it makes the runner's modules known

import capture
import testcases
import trial
from dataclasses import replace
from implementations import Implementation
from matrix import FAILED, SUCCEEDED, UNSUPPORTED
from sandbox import NotPermitted, Side

FAKES = Path(__file__).resolve().parent / "fakes"
H, C20, LR = (testcases.select(name)[0] for name in ("H", "C20", "LR"))


def mounts_and_processes(folder):
    """What would be left behind: mounts below the folder, and processes that have it in their command line."""
    left = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(folder) in line]
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            if str(folder).encode() in words and int(entry.name) != os.getpid():
                left.append(words)
        except OSError:
            pass
    return left


class Trials(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        try:
            side = Side("probe", [], self.folder)
            try:
                side.wait_ready()
            finally:
                side.close()
        except NotPermitted as reason:
            self.skipTest("no namespaces here: %s" % reason)
        for name in ("certificates", "peer", "careless"):
            (self.folder / name).mkdir()
        self.peer = Implementation("peer", FAKES / "peer", self.folder / "peer")
        self.addCleanup(lambda: self.assertEqual(mounts_and_processes(self.folder), []))

    def settings(self, client="", server=""):
        return trial.Settings(FAKES / "link", {1: self.folder / "certificates"}, client, server)

    def run_test(self, test=H, **words):
        return trial.run(self.peer, self.peer, test, 1, self.folder / "run", self.settings(**words))

    def test_success_and_what_the_client_sees(self):
        (self.folder / "certificates" / "ca.pem").write_text("")
        record = self.run_test(client="look")
        self.assertEqual((record["result"], record["reason"]), (SUCCEEDED, ""))
        seen = json.loads((self.folder / "run/client/seen").read_text())
        self.assertEqual(seen["name"], ["193.167.100.100", "fd00:cafe:cafe:100::100"])
        name, = os.listdir(self.folder / "run/www")
        self.assertEqual(seen["requests"], "https://server4:443/" + name)
        self.assertEqual((seen["folders"], seen["www"], seen["devices"]), (["ca.pem"], [], ["lo"]))
        self.assertLess(max(seen["processes"]), 100)
        self.assertEqual(seen["traces"], ["QLOGDIR", "SSLKEYLOGFILE"])
        self.assertEqual((self.folder / "run/client/output.txt").read_text(), "a line of the client\n")

    def test_another_judge_and_no_traces(self):
        def judge(test, names, folder, record):
            seen.update(json.loads((folder / "client/seen").read_text()), names=names)
            record.update(result=SUCCEEDED, reason="as it likes")

        seen = {}
        settings = trial.Settings(FAKES / "link", {1: self.folder / "certificates"}, "look", "", traces=False)
        record = trial.run(self.peer, self.peer, H, 1, self.folder / "run", settings, judge)
        self.assertEqual((record["result"], record["reason"]), (SUCCEEDED, "as it likes"))
        self.assertEqual((seen["traces"], len(seen["names"])), ([], 1))

    def test_tcp_of_a_size(self):
        side = trial.make_side("client", self.folder, self.folder / "certificates")
        try:
            side.wait_ready()
            (self.folder / "link").mkdir()
            side.configure([["ip", "link", "set", "lo", "up"],
                            ["ip", "address", "add", capture.CLIENT_ADDRESSES[0] + "/24", "dev", "lo"]])
            trial.start_tcp(side, side, self.folder, "cubic", 100_000)
            self.assertEqual((side.wait_exit("receive", 20), side.wait_exit("send", 20)), (0, 0))
            self.assertEqual((self.folder / "link/tcp.txt").read_text(), "")
        finally:
            side.close()

    def test_unsupported(self):
        record = self.run_test(C20)
        self.assertEqual((record["result"], record["reason"]), (UNSUPPORTED, "the server does not know the test"))

    def test_failures(self):
        self.assertEqual(self.run_test(client="fail")["reason"], "the client exits with 1: it went wrong")
        self.assertEqual(self.run_test(server="fail")["reason"], "the server exits with 1: it went wrong")
        self.assertEqual(self.run_test(server="leave", client="hang")["reason"],
                         "the server had ended with 3: a line of the server")

    def test_endless_client_and_its_children(self):
        record = self.run_test(replace(H, seconds=1), client="ignore-stop hang")
        self.assertEqual((record["result"], record["reason"]), (FAILED, "the client was not done after 1 s"))
        self.assertLess(record["duration"], 30)

    def test_link_that_refuses(self):
        self.assertIn("the link does not say ready: this link refuses", self.run_test(LR)["reason"])

    def test_no_answer_to_the_probe(self):
        before, trial.PROBE_SECONDS = trial.PROBE_SECONDS, 1
        self.addCleanup(setattr, trial, "PROBE_SECONDS", before)
        self.assertIn("does not answer a version it cannot know within 1 s", self.run_test(server="hang")["reason"])

    def test_compliance(self):
        for role in ("server", "client"):
            self.assertIsNone(trial.compliant(self.peer, role, self.settings(), self.folder / role))
            careless = Implementation("careless", FAKES / "peer", self.folder / "careless")
            self.assertIn("it exits with 0", trial.compliant(careless, role, self.settings(), self.folder / ("careless-" + role)))

    def test_nothing_outlives_a_killed_runner(self):
        program = ("import sys; sys.path[:0] = %r\nimport trial, testcases\nfrom pathlib import Path\n"
                   "from implementations import Implementation\npeer = Implementation('peer', Path(%r), Path(%r))\n"
                   "settings = trial.Settings(%r, {1: %r}, 'ignore-stop hang', 'ignore-stop')\n"
                   "trial.run(peer, peer, testcases.ALL[0], 1, %r, settings)"
                   % (sys.path[:2], str(FAKES / "peer"), str(self.folder / "peer"), str(FAKES / "link"),
                      str(self.folder / "certificates"), str(self.folder / "run")))
        runner = subprocess.Popen([sys.executable, "-B", "-c", program], start_new_session=True)
        output = self.folder / "run/client/output.txt"
        end = time.monotonic() + 20
        while time.monotonic() < end and not (output.exists() and output.read_text()):
            time.sleep(0.01)
        self.assertGreater(len(mounts_and_processes(self.folder)), 3)
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        end = time.monotonic() + 10
        while time.monotonic() < end and mounts_and_processes(self.folder):
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
