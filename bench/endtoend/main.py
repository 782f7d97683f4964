"""The command line: which stacks do which works on which networks, in turns, several times; medians in the end."""

import argparse
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import report
from networks import Loopback, Veth, may_be_first
from stacks import Failure, Quoll, Stack, settle
from works import WORKS, Bench, floor

ROOT = Path(__file__).resolve().parents[2]
PEERS = ["quinn", "quiche", "quic-go"]
QUICK = 1 / 8
TOOLCHAIN_MISSING = 77


def say(text):
    print(text, file=sys.stderr, flush=True)


def names(choices):
    def parse(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(choices)}")
        return chosen
    return parse


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("wants a number from 1 on")
    return number


def arguments(words):
    stacks = ["quoll"] + PEERS
    parser = argparse.ArgumentParser(prog="bench/endtoend/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="an eighth of the work, and one round")
    parser.add_argument("--rounds", type=positive, help="how often everything is done; medians are told (default: 3)")
    parser.add_argument("--stacks", type=names(stacks), default=stacks, help=f"of {','.join(stacks)}")
    parser.add_argument("--works", type=names(WORKS), default=list(WORKS), help=f"of {','.join(WORKS)}")
    parser.add_argument("--networks", type=names(["loopback", "veth"]), default=["loopback", "veth"],
                        help="of loopback,veth")
    parser.add_argument("--cores", type=lambda text: text.split(","), default=["0", "1"],
                        help="of the server and of the client (default: 0,1)")
    parser.add_argument("--json", type=Path, help="write every run and the medians there")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where quoll and floor are (default: build)")
    parser.add_argument("--peers", type=Path, default=ROOT / "build" / "bench-peers", help="where the others are built")
    chosen = parser.parse_args(words)
    if len(chosen.cores) != 2:
        parser.error("--cores wants two numbers: 0,1")
    if chosen.rounds is None:
        chosen.rounds = 1 if chosen.quick else 3
    return chosen


def build_peer(name, folder):
    """Its Stack, or None where its toolchain is missing."""
    say(f"{name}: building")
    done = subprocess.run([ROOT / "bench" / "peers" / name / "build", folder / name])
    if done.returncode == TOOLCHAIN_MISSING:
        say(f"{name}: SKIPPED")
        return None
    if done.returncode != 0:
        raise Failure(f"{name} cannot be built")
    return Stack(name, folder / name / f"{name}-perf")


def make_certificate(quoll, folder):
    files = [str(folder / "cert.pem"), str(folder / "key.pem")]
    subprocess.run([quoll, "cert", "make", "--host", "localhost", "--out", files[0], "--key-out", files[1]],
                   check=True, stdout=subprocess.DEVNULL)
    return files


def note(results, network, work, stack, figures):
    of = results.setdefault(network, {}).setdefault(work, {}).setdefault(stack, {})
    for name, value in figures.items():
        of.setdefault(name, []).append(value)


def measure(bench, stacks, chosen, results):
    """All works of all stacks on one network, in turns. Whether all of it worked."""
    network, fine = bench.network.name, True
    for number in range(chosen.rounds):
        for heat in ("hot", "cold"):
            note(results, network, "floor", heat, floor(bench, heat == "cold"))
        for work in chosen.works:
            for stack in stacks:
                settle()
                try:
                    figures = WORKS[work](bench, stack)
                except Failure as failure:
                    say(f"{network}, {work}, {stack.name}: {failure}")
                    fine = False
                    continue
                note(results, network, work, stack.name, figures)
                told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
                say(f"{network} {number + 1}/{chosen.rounds} {work:<12}{stack.name:<8} {told}")
    return fine


def machine():
    model = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"processor": model[0] if model else platform.machine(), "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()}", "date": datetime.date.today().isoformat(),
            "before_all_else": may_be_first()}


def main(words):
    chosen = arguments(words)
    # Networks are taken down in the end, whoever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    quoll, results, fine = Quoll(chosen.build / "quoll"), {}, True
    try:
        others = [build_peer(name, chosen.peers) for name in chosen.stacks if name in PEERS]
    except Failure as failure:
        say(f"bench: {failure}")
        return 1
    stacks = ([quoll] if "quoll" in chosen.stacks else []) + [stack for stack in others if stack]
    with tempfile.TemporaryDirectory() as folder:
        certificate = make_certificate(quoll.program, Path(folder))
        for kind in (Loopback, Veth):
            if kind.name not in chosen.networks:
                continue
            network = kind(chosen.cores)
            if why := network.unavailable():
                say(f"{network.name}: SKIPPED: {why}")
                continue
            try:
                bench = Bench(quoll, chosen.build / "floor", certificate, network, QUICK if chosen.quick else 1)
                fine = measure(bench, stacks, chosen, results) and fine
            except Failure as failure:
                say(f"bench: {network.name}: {failure}")
                fine = False
            finally:
                network.close()
    middle = report.medians(results)
    print(report.table(middle))
    if chosen.json:
        told = {"machine": machine(), "rounds": chosen.rounds, "quick": chosen.quick, "medians": middle, "runs": results}
        chosen.json.write_text(json.dumps(told, indent=2) + "\n")
    return 0 if fine else 1
