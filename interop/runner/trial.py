"""One run of one test: a server and a client in their sandboxes, a link between them, and the verdict on what happened.

A run has a folder, which holds afterwards: server/ and client/ (what each wrote to /logs, and output.txt), link/ (captures,
statistics), www/ and downloads/. The result is a dictionary, as it goes into the JSON document.
"""

import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import capture
import checks
import dissect
import files
from matrix import FAILED, SUCCEEDED, UNSUPPORTED
from sandbox import Link, SandboxFailed, Side

UNSUPPORTED_EXIT = 127
PROBE_SECONDS = 10
STOP_SECONDS = 2
COMPLIANCE_SECONDS = 30
LOOK_SECONDS = 0.25
DRAIN_SECONDS = 0.1  # for what the client sent last to arrive, as it does while containers are stopped
_HERE = Path(__file__).resolve().parent


@dataclass
class Settings:
    """What all runs share. `certificates` maps the length of a chain to its folder. `traces`: endpoints write key logs and
    qlogs."""

    link: Path
    certificates: dict
    client_parameters: str = ""
    server_parameters: str = ""
    traces: bool = True


def environment(implementation, role, testcase, parameters, requests="", traces=True):
    """What an endpoint finds in its environment: the contract, and what any program needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER") if name in os.environ}
    kept.update(LANG="C.UTF-8", ROLE=role, TESTCASE=testcase, PEER_DIR=str(implementation.built))
    if traces:
        kept.update(SSLKEYLOGFILE="/logs/keys.log", QLOGDIR="/logs/qlog/")
    kept["CLIENT_PARAMS" if role == "client" else "SERVER_PARAMS"] = parameters
    if role == "client":
        kept["REQUESTS"] = requests
    return kept


def make_side(name, folder, certificates):
    """The side's private folders lie in the run's folder; a server's /www and a client's /downloads are the shared ones."""
    www, downloads = Path(folder, "www"), Path(folder, "downloads")
    other = Path(folder, "empty-" + name)
    logs = Path(folder, name)
    for path in (www, downloads, other, logs):
        path.mkdir(parents=True, exist_ok=True)
    return Side(name, [("/www", www if name == "server" else other, True), ("/certs", certificates, True),
                       ("/downloads", downloads if name == "client" else other, False), ("/logs", logs, False)], folder)


def compliant(implementation, role, settings, folder):
    """None when the endpoint says 127 to a test that it cannot know, else what it did instead."""
    folder = Path(folder)
    side = make_side(role, folder, settings.certificates[1])
    try:
        side.wait_ready()
        unknown = "".join(chr(ord("a") + byte % 26) for byte in os.urandom(6))
        side.spawn(role, [implementation.run], environment(implementation, role, unknown, "", "https://server4:443/none"),
                   folder / role / "output.txt")
        code = side.wait_exit(role, COMPLIANCE_SECONDS)
    finally:
        side.close()
    if code == UNSUPPORTED_EXIT:
        return None
    did = "runs on" if code is None else "exits with %d" % code
    return "as %s it %s when asked for the unknown test %s, instead of exiting with 127" % (role, did, unknown)


def run(server, client, test, seed, folder, settings, judge=None):
    """Runs the test once. `judge` completes the record in place of the public runner's rules. Raises sandbox.NotPermitted;
    everything else becomes a result."""
    started = time.monotonic()
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder, "link").mkdir(parents=True)
    record = {"server": server.name, "client": client.name, "test": test.name, "seed": seed, "result": FAILED, "reason": ""}
    www = Path(folder, "www")
    www.mkdir()
    names = files.make(www, test.sizes, seed, test.name_length)
    try:
        _converse(server, client, test, names, folder, settings, record)
        (judge or _judge)(test, names, folder, record)
    except SandboxFailed as error:
        record.update(result=FAILED, reason=str(error))
    record["duration"] = round(time.monotonic() - started, 3)
    for name in ("empty-server", "empty-client"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return record


def _converse(server, client, test, names, folder, settings, record):
    """Starts everything, waits for the client, stops everything. Notes exit codes and the client's time in the record."""
    certificates = settings.certificates[test.chain]
    sides = []
    link = None
    try:
        for name in ("server", "client"):
            sides.append(make_side(name, folder, certificates))
        right, left = sides
        for side in sides:
            side.wait_ready()
        link = Link(settings.link, left, right, folder / "link", record["seed"], test.scenario)
        link.wait_ready()
        variables = environment(server, "server", test.server, settings.server_parameters, traces=settings.traces)
        right.spawn("server", [server.run], variables, folder / "server" / "output.txt")
        if right.probe(capture.SERVER_ADDRESSES[0], PROBE_SECONDS):
            link.start()
            if test.cross_traffic:
                start_tcp(left, right, folder, test.cross_traffic)
            _client(left, right, client, test, names, folder, settings, record)
            time.sleep(DRAIN_SECONDS)
        record["server_exit"] = right.stop("server", STOP_SECONDS)
    finally:
        if link is not None and not link.stop():
            record["link"] = link.complaint()
        for side in sides:
            side.close()


def _client(left, right, client, test, names, folder, settings, record):
    urls = " ".join("https://%s:443/%s" % (test.host, name) for name in names or [""])
    begin = time.monotonic()
    variables = environment(client, "client", test.client, settings.client_parameters, urls, settings.traces)
    left.spawn("client", [client.run], variables, folder / "client" / "output.txt")
    code = None
    while code is None and time.monotonic() < begin + test.seconds and "server" not in right.exits:
        code = left.wait_exit("client", min(LOOK_SECONDS, begin + test.seconds - time.monotonic()))
    record["seconds"] = round(time.monotonic() - begin, 3)
    code = left.exits.get("client", code)
    record["client_exit"] = code
    if code is None and "server" in right.exits:  # as when one of several containers ends: the others are stopped
        record["server_ended_early"] = right.exits["server"]
    left.stop("client", STOP_SECONDS)


def start_tcp(left, right, folder, controller, size=None):
    """A TCP connection of the kernel from the server's side to the client's; without a size it goes on for ever."""
    program = [sys.executable, "-I", _HERE / "tcp_flow.py"]
    left.spawn("receive", [*program, "receive"], dict(os.environ), folder / "link" / "tcp.txt")
    sizes = [] if size is None else [size]
    right.spawn("send", [*program, "send", controller, capture.CLIENT_ADDRESSES[0], *sizes], dict(os.environ),
                folder / "link" / "tcp.txt")


def _last_line(path):
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return ": " + lines[-1][:200] if lines else ""


def endpoints_failed(test, folder, record):
    """In one line what went wrong with the programs themselves, or None."""
    if "client_exit" not in record:
        if record["server_exit"] is not None and record["server_exit"] > 0:
            return "the server exits with %d%s" % (record["server_exit"], _last_line(folder / "server" / "output.txt"))
        return "the server does not answer a version it cannot know within %d s" % PROBE_SECONDS
    if "server_ended_early" in record:
        return "the server had ended with %d%s" % (record["server_ended_early"], _last_line(folder / "server" / "output.txt"))
    if record["client_exit"] is None:
        return "the client was not done after %d s" % test.seconds
    if record["client_exit"] != 0:
        return "the client exits with %d%s" % (record["client_exit"], _last_line(folder / "client" / "output.txt"))
    if "link" in record:
        return "the link failed: " + record["link"]
    return None


def _notes(record):
    """What the public runner does not look at: how the server took the wish to stop."""
    code = record.get("server_exit")
    if code is None or code >= 0 or code == -signal.SIGTERM:
        return []
    return ["the server did not stop by itself" if code == -signal.SIGKILL else "the server ended by signal %d" % -code]


def _judge(test, names, folder, record):
    for role in ("server", "client"):
        if record.get(role + "_exit") == UNSUPPORTED_EXIT:
            record.update(result=UNSUPPORTED, reason="the %s does not know the test" % role)
            return
    record["notes"] = _notes(record)
    reason = endpoints_failed(test, folder, record) or files.difference(folder / "www", folder / "downloads", names)
    if reason is None:
        try:
            found = evidence(test, folder)
            for rule in test.rules:
                rule(found)
            record["notes"] += found.notes
            if test.measurement:
                _measure(test, found, record)
        except checks.NoKeys as missing:
            record.update(result=UNSUPPORTED, reason=str(missing))
            return
        except (checks.Broken, dissect.DissectionFailed, capture.NotACapture, OSError) as broken:
            reason = str(broken)
        except (ValueError, LookupError) as mistake:  # of ours, or of tshark: the other tests can go on
            reason = "a check stumbled: %s: %s" % (type(mistake).__name__, mistake)
    record.update(result=FAILED if reason else SUCCEEDED, reason=reason or "")


def evidence(test, folder):
    """The captures of a run's folder, with tshark's fields where the test's rules want them."""
    keys = dissect.key_log([folder / "client" / "keys.log", folder / "server" / "keys.log"])
    traces = []
    for name in ("left.pcap", "right.pcap"):
        pcap = folder / "link" / name
        trace = capture.read(pcap)
        if test.one_path:
            capture.write_as_one_path(pcap, pcap.with_suffix(".one-path.pcap"))
            pcap = pcap.with_suffix(".one-path.pcap")
        if test.fields:
            trace.add_fields(dissect.rows(pcap, keys, checks.FIELDS))
        if test.one_path:
            pcap.unlink()
        traces.append(trace)
    return checks.Evidence(traces[0], traces[1], keys is not None)


def _measure(test, found, record):
    record["value"] = round(checks.goodput(found, sum(test.sizes)), 1)
    if test.cross_traffic:
        record["tcp"] = round(checks.share_of_tcp(found), 1)
        record["share"] = round(record["value"] / (record["value"] + record["tcp"]), 4)
