"""One run of one row with one sender: Quoll's endpoint by some controller, another endpoint, or a TCP connection of the kernel.

The result is a dictionary: row, sender, seed, `result` and `reason` as the interop runner has them, and what was measured.
"""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import capture
import files
import trial
import values
from implementations import Implementation
from matrix import FAILED, SUCCEEDED
from sandbox import Link, SandboxFailed

TCP = "tcp-"
# A link that delivers later than this, in ms, was not the link that was asked for.
LATE_P99, LATE_MAX = 1.0, 15.0


@dataclass(frozen=True)
class Sender:
    """`parameters` are the server's. For TCP the implementation is None, and `controller` the kernel's name of its."""

    name: str
    implementation: Implementation = None
    parameters: str = ""

    @property
    def controller(self):
        return self.name.removeprefix(TCP)


def is_late(record):
    late = record.get("late_p99", 0.0) > LATE_P99 or record.get("late_max", 0.0) > LATE_MAX
    return late or record.get("lost_at_device", 0) > 0


def evaluate(row, folder, size, record, tcp):
    """Puts what the run's folder shows into the record. Raises values.NoValue, capture.NotACapture, OSError."""
    statistics = json.loads(Path(folder, "link/statistics.json").read_text())
    record.update(values.of_link(statistics, size))
    packets = values.read(Path(folder, "link/left.pcap"))
    record.update(row.measure(row, packets, size, statistics["began_unix_seconds"] + row.later(record["seed"]), tcp))


def run(row, sender, client, seed, folder, settings):
    """Raises sandbox.NotPermitted; everything else becomes a result."""
    record = _tcp(row, sender, seed, folder, settings) if sender.implementation is None else \
        _quic(row, sender, client, seed, folder, settings)
    record.update(row=row.name, sender=sender.name)
    return record


def _evaluated(row, folder, size, record, tcp):
    try:
        evaluate(row, folder, size, record, tcp)
        record.update(result=SUCCEEDED, reason="")
    except (values.NoValue, capture.NotACapture, OSError, ValueError, KeyError) as error:
        record.update(result=FAILED, reason="nothing was measured: %s" % error)


def _quic(row, sender, client, seed, folder, settings):
    test = row.test(sender.name, seed)

    def judge(test, names, folder, record):
        reason = trial.endpoints_failed(test, folder, record) or files.difference(folder / "www", folder / "downloads", names)
        if reason:
            record.update(result=FAILED, reason=reason)
        else:
            _evaluated(row, folder, sum(test.sizes), record, tcp=False)

    return trial.run(sender.implementation, client, test, seed, folder, settings, judge)


def _tcp(row, sender, seed, folder, settings):
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder, "link").mkdir(parents=True)
    size = sum(row.sizes)
    record = {"seed": seed, "result": FAILED, "reason": ""}
    sides, link = [], None
    try:
        for name in ("server", "client"):
            sides.append(trial.make_side(name, folder, settings.certificates[1]))
        for side in sides:
            side.wait_ready()
        right, left = sides
        link = Link(settings.link, left, right, folder / "link", seed, row.link_for(seed))
        link.wait_ready()
        link.start()
        trial.start_tcp(left, right, folder, sender.controller, size)
        if left.wait_exit("receive", row.seconds) != 0:
            record["reason"] = "the TCP connection was not done after %d s" % row.seconds
        time.sleep(trial.DRAIN_SECONDS)
    except SandboxFailed as error:
        record["reason"] = str(error)
    finally:
        if link is not None and not link.stop():
            record["reason"] = "the link failed: " + link.complaint()
        for side in sides:
            side.close()
    if not record["reason"]:
        _evaluated(row, folder, size, record, tcp=True)
    return record
