"""The command interop/links: congestion control over the emulated link, with the real programs."""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import certificates
import implementations
import report
import rows
import run_once
import trial
from main import BAD_USE, SOURCE, Usage, become_root, build, run_in_scrap, seed_of
from matrix import SUCCEEDED
from run_once import TCP, Sender

REPEATS_WHEN_LATE = 2
_TCP_CONTROLLERS = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")


def arguments(words):
    parser = argparse.ArgumentParser(prog="interop/links", description="Measures congestion controllers over the emulated link, "
                                     "with the interop endpoints: a server sends. Prints a table of medians and what is to be "
                                     "reached. Exit 0: everything was measured, 1: a run failed (or, with --strict, a value is "
                                     "not reached), 2: bad use, 77: this machine permits no namespaces or no TUN devices.")
    parser.add_argument("--link", metavar="A,B", help="rows of the table by name (default: all)")
    parser.add_argument("--cc", metavar="A,B", default=",".join(rows.CONTROLLERS),
                        help="controllers of Quoll, names of other endpoints that are built, tcp-cubic or tcp-bbr (the kernel's "
                        "TCP alone); default: %(default)s")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each (default: 3)")
    parser.add_argument("--quick", action="store_true", help="once, and without the rows that take long")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a value is not reached")
    parser.add_argument("--list", action="store_true", help="say which rows there are, and end")
    parser.add_argument("--seed", type=int, help="of the link's choices and the files (default: a new one, printed)")
    parser.add_argument("--json", metavar="FILE", default=str(SOURCE / "build/congestion/links.json"))
    parser.add_argument("--markdown", metavar="FILE", default=str(SOURCE / "build/congestion/links.md"))
    parser.add_argument("--logs", metavar="DIR", default=str(SOURCE / "build/congestion/logs"), help="captures and output")
    parser.add_argument("--keep", action="store_true", help="keep the logs of what succeeded, too")
    parser.add_argument("--traces", action="store_true", help="have endpoints write qlogs and key logs (which takes their time)")
    parser.add_argument("--build", action="store_true", help="run the build scripts of the endpoints first")
    parser.add_argument("--emulator", metavar="PROGRAM",
                        default=os.environ.get("QUOLL_LINK", str(SOURCE / "build/test/quoll_link")))
    parser.add_argument("--peers", metavar="DIR", default=str(SOURCE / "interop/peers"), help="folders with build and run")
    parser.add_argument("--built", metavar="DIR", default=str(SOURCE / "build/interop/peers"), help="what build has made")
    return parser.parse_args(words)


def senders(text, available):
    """Raises Usage."""
    found = []
    for name in text.split(","):
        if name.startswith(TCP):
            if name.removeprefix(TCP) not in _TCP_CONTROLLERS.read_text().split():
                raise Usage("this kernel has no %s for TCP" % name.removeprefix(TCP))
            found.append(Sender(name))
        elif name in rows.CONTROLLERS:
            found.append(Sender(name, available["quoll"], "cc=" + name))
        elif name in available and name != "quoll":
            found.append(Sender(name, available[name]))
        else:
            raise Usage("no sender named %s; there are: %s, tcp-cubic, tcp-bbr" % (
                name, ", ".join([*rows.CONTROLLERS, *(one for one in available if one != "quoll")])))
    return found


class Measurement:
    """Runs everything that was asked for, a run at a time, and collects records."""

    def __init__(self, options, chosen, all_senders, client, seed):
        self.options, self.rows, self.senders, self.client, self.seed = options, chosen, all_senders, client, seed
        self.records = []
        self.date = time.strftime("%Y-%m-%d")

    def run(self, scrap):
        chain = Path(scrap, "certificates")
        certificates.make_chain(chain, 1)
        # Repetitions are the outer loop: what disturbs the machine for a minute does not spoil all runs of one sender.
        for repetition in range(self.options.repeat):
            for row in self.rows:
                for sender in self.senders:
                    if sender.implementation or row.tcp:
                        self._one(row, sender, repetition, chain)

    def _one(self, row, sender, repetition, chain):
        folder = Path(self.options.logs, row.name, sender.name, str(repetition + 1))
        settings = trial.Settings(Path(self.options.emulator), {1: chain}, "", sender.parameters, self.options.traces)
        seed = seed_of(self.seed, row, repetition)
        record = {}
        for attempt in range(1 + REPEATS_WHEN_LATE):
            record = run_once.run(row, sender, self.client, seed, folder, settings)
            record.update(repetition=repetition + 1, attempt=attempt + 1)
            if not run_once.is_late(record):
                break
        self.records.append(record)
        if record["result"] == SUCCEEDED and not self.options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        print(line_of(row, record), flush=True)

    def entries(self):
        found = []
        for row in self.rows:
            for sender in self.senders:
                runs = [run for run in self.records if (run["row"], run["sender"]) == (row.name, sender.name)]
                if runs:
                    found.append(report.summary(row, sender.name, runs))
        return found

    def report(self):
        """Prints the table and writes the files; what has run so far when it comes early."""
        entries = self.entries()
        print(report.text_table(report.HEAD, list(map(report.cells, entries))))
        late = sum(run_once.is_late(run) for run in self.records)
        again = sum(run["attempt"] > 1 for run in self.records)
        print("%d runs, of which %d were repeated because the link was late, and %d stayed late"
              % (len(self.records), again, late))
        print("seed %d" % self.seed, flush=True)
        about = {"date": self.date, "seed": self.seed, "repeat": self.options.repeat, "command": command()}
        for path in (self.options.json, self.options.markdown):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        report.write_json(self.options.json, about, entries, self.records)
        report.write_markdown(self.options.markdown, about, entries)
        return entries


def command():
    return "interop/links " + " ".join(sys.argv[1:])


def line_of(row, record):
    text = "%-14s %-10s %d  %s" % (row.name, record["sender"], record["repetition"], record["result"])
    if record["result"] != SUCCEEDED:
        return "%s  %s" % (text, record["reason"])
    text += "  %9.3f %-6s" % (record[row.value], row.unit)
    text += "  queue p95 %6.1f ms  drops %5d  sent %.3f  late p99 %.2f max %.1f ms" % (
        record["queue_p95"], record["drops"], record["sent"], record["late_p99"], record["late_max"])
    if "back" in record and row.value != "back":
        text += "  back to 80 %% after %.3f s" % record["back"]
    return text + ("  late link, %d attempts" % record["attempt"] if record["attempt"] > 1 else "")


def prepare(options):
    """The rows and senders that were asked for, and the client. Raises Usage."""
    available = implementations.find(options.peers, options.built)
    try:
        chosen = rows.select(options.link, options.quick)
    except KeyError as error:
        raise Usage("no row named %s; --list names them" % error.args[0]) from None
    found = senders(options.cc, available)
    names = {"quoll"} | {sender.name for sender in found if sender.implementation}.difference(rows.CONTROLLERS)
    if options.build:
        build(available, names, options.logs)
    for name in names:
        if not available[name].is_built:
            raise Usage("%s is not built in %s; --build builds it" % (name, options.built))
    if options.repeat < 1:
        raise Usage("--repeat wants a number from 1 on")
    if not os.access(options.emulator, os.X_OK):
        raise Usage("there is no link emulator at %s; --emulator names it" % options.emulator)
    for tool in ("openssl", "ip", "setpriv"):
        if shutil.which(tool) is None:
            raise Usage("%s is not installed" % tool)
    return chosen, found, available["quoll"]


def _come_first():
    """Endpoints inherit it: before whatever else the machine does, but not before the link, where that is permitted. A sender
    that waits some milliseconds for its turn measures the machine."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        print("no real-time priority here: what else runs on this machine disturbs", file=sys.stderr)


def main(words):
    options = arguments(words)
    if options.list:
        for row in rows.ROWS:
            print("%-15s %s" % (row.name, row.title))
        return 0
    become_root()
    options.repeat = 1 if options.quick else options.repeat
    options.logs = str(Path(options.logs).resolve())
    try:
        chosen, found, client = prepare(options)
    except Usage as error:
        print("interop/links: " + str(error), file=sys.stderr)
        return BAD_USE
    _come_first()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big") >> 1
    Path(options.logs).mkdir(parents=True, exist_ok=True)
    measurement = Measurement(options, chosen, found, client, seed)

    code = run_in_scrap("interop/links", measurement, options.logs)
    if code is not None:
        return code
    entries = measurement.report()
    missed = options.strict and not all(goal["holds"] for entry in entries for goal in entry["goals"])
    return 1 if missed or any(entry["failed"] for entry in entries) else 0
