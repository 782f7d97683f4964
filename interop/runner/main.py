"""The runner's command: which servers, clients and tests, in what order, and what is printed and written of them."""

import argparse
import concurrent.futures
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import certificates
import implementations
import matrix
import results
import testcases
import trial
from sandbox import NOT_PERMITTED, NotPermitted, SandboxFailed, Side

SOURCE = Path(__file__).resolve().parents[2]
BAD_USE = 2
INTERRUPTED = 130


def arguments(words):
    parser = argparse.ArgumentParser(prog="interop/run", description="Runs QUIC interop tests between endpoints, without "
                                     "containers. Exit 0: nothing failed, 1: something failed, 2: bad use, 77: this machine "
                                     "permits no namespaces or no TUN devices.")
    parser.add_argument("--server", metavar="A,B", help="servers (default: every endpoint that is built)")
    parser.add_argument("--client", metavar="A,B", help="clients (default: every endpoint that is built)")
    parser.add_argument("--test", metavar="H,transfer", help="tests by letter or name (default: all)")
    parser.add_argument("--seed", type=int, help="of the link's choices and the files (default: a new one, printed)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs of each test in which chance decides")
    parser.add_argument("--json", metavar="FILE", help="where results go as JSON")
    parser.add_argument("--logs", metavar="DIR", default=str(SOURCE / "build/interop/logs"), help="logs, qlogs, captures")
    parser.add_argument("--keep", action="store_true", help="keep the logs of what succeeded, too")
    parser.add_argument("--list", action="store_true", help="say which endpoints and tests there are, and end")
    parser.add_argument("--build", action="store_true", help="run the endpoints' build scripts first")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="tests at a time (measurements always run alone)")
    parser.add_argument("--client-parameters", metavar="TEXT", default="", help="CLIENT_PARAMS of clients")
    parser.add_argument("--server-parameters", metavar="TEXT", default="", help="SERVER_PARAMS of servers")
    parser.add_argument("--link", metavar="PROGRAM", default=os.environ.get("QUOLL_LINK", str(SOURCE / "build/test/quoll_link")))
    parser.add_argument("--peers", metavar="DIR", default=str(SOURCE / "interop/peers"), help="folders with build and run")
    parser.add_argument("--built", metavar="DIR", default=str(SOURCE / "build/interop/peers"), help="what build has made")
    return parser.parse_args(words)


class Usage(Exception):
    """The person asked for something that there isn't; the text says what."""


def choose(text, available, what):
    """Implementations by a comma-separated list of names; without one, all that are built."""
    if not text:
        return [one for one in available.values() if one.is_built]
    chosen = []
    for name in text.split(","):
        if name not in available:
            raise Usage("no %s named %s; there are: %s" % (what, name, ", ".join(available) or "none"))
        chosen.append(available[name])
    return chosen


def seed_of(seed, test, repetition):
    """A run's own seed. It does not depend on the endpoints: every pair meets the same losses and the same files."""
    digest = hashlib.sha256(("%d/%s/%d" % (seed, test.name, repetition)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def repetitions(test, repeat):
    return test.repetitions or (repeat if test.lossy else 1)


def check_permitted(scrap):
    """Makes a namespace with a TUN device, and throws it away. Raises NotPermitted."""
    side = Side("probe", [], Path(scrap))
    try:
        side.wait_ready()
        side.configure([["ip", "tuntap", "add", "dev", "eth0", "mode", "tun"]])
    except SandboxFailed as error:
        raise NotPermitted(str(error)) from None
    finally:
        side.close()


class Runner:
    """Runs what was asked, and collects records."""

    def __init__(self, options, servers, clients, tests, seed):
        self.options = options
        self.servers, self.clients, self.tests, self.seed = servers, clients, tests, seed
        self.records = []
        self.not_compliant = {}
        self.started = time.time()
        self._lock = threading.Lock()

    def run(self, scrap):
        chains = {length: Path(scrap, "certificates-%d" % length) for length in {1} | {test.chain for test in self.tests}}
        for length, folder in chains.items():
            certificates.make_chain(folder, length)
        settings = trial.Settings(Path(self.options.link), chains, self.options.client_parameters,
                                  self.options.server_parameters)
        self._check_compliance(settings, scrap)
        tasks = [(server, client, test, repetition) for server in self.servers for client in self.clients for test in self.tests
                 for repetition in range(repetitions(test, self.options.repeat))
                 if server.name not in self.not_compliant and client.name not in self.not_compliant]
        # Threads end with the pool, and the kernel ends what they have started when they end: nothing is left behind.
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for future in [pool.submit(self._task, task, settings) for task in tasks if not task[2].measurement]:
                future.result()
        for task in tasks:
            if task[2].measurement:
                self._task(task, settings)

    def _check_compliance(self, settings, scrap):
        roles = {("server", one) for one in self.servers} | {("client", one) for one in self.clients}
        for role, one in sorted(roles, key=lambda pair: (pair[1].name, pair[0])):
            wrong = trial.compliant(one, role, settings, Path(scrap, "compliance-%s-%s" % (one.name, role)))
            if wrong:
                self.not_compliant[one.name] = wrong
                print("%s is left out: %s" % (one.name, wrong), flush=True)

    def _task(self, task, settings):
        server, client, test, repetition = task
        folder = Path(self.options.logs, "%s_%s" % (server.name, client.name), test.name)
        if repetitions(test, self.options.repeat) > 1:
            folder = folder / str(repetition + 1)
        record = trial.run(server, client, test, seed_of(self.seed, test, repetition), folder, settings)
        record["repetition"] = repetition + 1
        if record["result"] != matrix.FAILED and not self.options.keep:
            shutil.rmtree(folder, ignore_errors=True)
            for parent in list(folder.parents)[:2]:
                if parent.is_dir() and parent != Path(self.options.logs) and not any(parent.iterdir()):
                    parent.rmdir()
        with self._lock:
            self.records.append(record)
            print(line_of(record, test), flush=True)

    def report(self):
        """Prints the tables and writes the JSON; what has run so far when it comes early."""
        names = [one.name for one in self.servers], [one.name for one in self.clients]
        by_pair = results.cells(self.records)
        color = sys.stdout.isatty()
        ordinary = [test for test in self.tests if not test.measurement]
        measured = [test for test in self.tests if test.measurement]
        if ordinary:
            cells = {pair: {name: results.result_of(runs) for name, runs in tests.items()} for pair, tests in by_pair.items()}
            print(matrix.tests_table(ordinary, *names, cells, color))
        if measured:
            values = {pair: {name: (results.result_of(runs), [run["value"] for run in runs if "value" in run])
                             for name, runs in tests.items()} for pair, tests in by_pair.items()}
            print(matrix.measurements_table(measured, *names, values, color))
        for (server, client), tests in sorted(by_pair.items()):
            counts = ["%s %s" % (test.abbreviation, results.passes(tests[test.name])) for test in ordinary
                      if len(tests.get(test.name, [])) > 1]
            if counts:
                print("server %s, client %s: %s" % (server, client, ", ".join(counts)))
        print("seed %d" % self.seed, flush=True)
        if self.options.json:
            about = {"start_time": self.started, "end_time": time.time(), "log_dir": self.options.logs, "seed": self.seed,
                     "not_compliant": self.not_compliant}
            results.write(self.options.json, results.document(about, *names, self.tests, self.records))

    @property
    def failed(self):
        return bool(self.not_compliant) or any(record["result"] == matrix.FAILED for record in self.records)


def line_of(record, test):
    text = "%-12s %-12s %-3s %-11s %8.3f s" % (record["server"], record["client"], test.abbreviation, record["result"],
                                              record.get("seconds", 0.0))
    if "value" in record:
        text += "  %.0f kbps" % record["value"]
    if "share" in record:
        text += ", %.1f %% beside TCP" % (100 * record["share"])
    notes = ["note: " + note for note in record.get("notes", [])]
    return "  ".join([text] + [record["reason"]] * bool(record["reason"]) + notes)


def show(available):
    for one in available.values():
        print("%-14s %s" % (one.name, "built" if one.is_built else "not built"))
    for test in testcases.ALL:
        print("%-4s %-20s %s" % (test.abbreviation, test.name, test.description))


def build(available, asked, logs):
    """Builds the endpoints that were asked for by name, or all. One that cannot be built is named and left out; if it was asked
    for, that raises Usage."""
    Path(logs).mkdir(parents=True, exist_ok=True)
    ready = {}
    for name, one in available.items():
        if asked and name not in asked:
            continue
        problem = one.build(Path(logs, "build-%s.txt" % name))
        if problem is None:
            ready[name] = one
        elif name in asked:
            raise Usage("%s cannot be built: %s" % (name, problem))
        else:
            print("%s is left out: %s" % (name, problem), flush=True)
    return ready


def prepare(options):
    """The servers, clients and tests that were asked for. Raises Usage."""
    available = implementations.find(options.peers, options.built)
    if options.build:
        asked = set(",".join([options.server, options.client]).split(",")) if options.server and options.client else set()
        for name in asked - set(available):
            raise Usage("no endpoint named %s; there are: %s" % (name, ", ".join(available) or "none"))
        available = build(available, asked, options.logs)
    try:
        tests = testcases.select(options.test)
    except KeyError as error:
        raise Usage("no test named %s; --list names them" % error.args[0]) from None
    servers, clients = choose(options.server, available, "server"), choose(options.client, available, "client")
    if not servers or not clients:
        raise Usage("no endpoint is built in %s; --build builds them" % options.built)
    for one in servers + clients:
        if not one.is_built:
            raise Usage("%s is not built in %s; --build builds it" % (one.name, one.built))
    if not os.access(options.link, os.X_OK):
        raise Usage("there is no link emulator at %s; --link names it" % options.link)
    if options.jobs < 1 or options.repeat < 1:
        raise Usage("--jobs and --repeat want a number from 1 on")
    for tool in ("tshark", "openssl", "ip", "setpriv"):
        if shutil.which(tool) is None:
            raise Usage("%s is not installed" % tool)
    return servers, clients, tests


def become_root():
    """Without privileges a user namespace gives the ones that are needed, where the system permits that."""
    if os.geteuid() == 0 or os.environ.get("INTEROP_IN_USER_NAMESPACE"):
        return
    os.environ["INTEROP_IN_USER_NAMESPACE"] = "1"
    command = ["unshare", "--user", "--map-root-user", "--kill-child", sys.executable, *sys.argv]
    probe = os.spawnlp(os.P_WAIT, "unshare", "unshare", "--user", "--map-root-user", "true")
    if probe == 0:
        os.execvp(command[0], command)


def run_in_scrap(name, work, logs):
    """work.run(folder) in a folder that is gone afterwards, also when a signal comes, which reports what there is. An exit code when it
    could not be done, else None."""
    with tempfile.TemporaryDirectory(prefix="interop-", dir=logs) as scrap:

        def interrupted(number, _):
            signal.signal(number, signal.SIG_IGN)  # once is enough
            print("interrupted", flush=True)
            work.report()
            shutil.rmtree(scrap, ignore_errors=True)
            os._exit(INTERRUPTED)  # whatever runs ends with this process

        signal.signal(signal.SIGINT, interrupted)
        signal.signal(signal.SIGTERM, interrupted)
        try:
            check_permitted(scrap)
            work.run(scrap)
        except NotPermitted as error:
            print("%s: this machine does not permit network and mount namespaces and TUN devices: %s" % (name, error), file=sys.stderr)
            return NOT_PERMITTED
        except certificates.CertificateFailed as error:
            print("%s: %s" % (name, error), file=sys.stderr)
            return BAD_USE
    return None


def main(words):
    options = arguments(words)
    if options.list:
        show(implementations.find(options.peers, options.built))
        return 0
    become_root()
    try:
        servers, clients, tests = prepare(options)
    except Usage as error:
        print("interop/run: " + str(error), file=sys.stderr)
        return BAD_USE
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big") >> 1
    print("seed %d" % seed, flush=True)
    options.logs = str(Path(options.logs).resolve())
    Path(options.logs).mkdir(parents=True, exist_ok=True)
    runner = Runner(options, servers, clients, tests, seed)

    code = run_in_scrap("interop/run", runner, options.logs)
    if code is not None:
        return code
    runner.report()
    return 1 if runner.failed else 0
