"""Results as JSON: the public runner's keys, and beside them the seed and every single run."""

import json

from headers import VERSION_1
from matrix import SUCCEEDED, overall, spread


def cells(runs):
    """{(server, client): {test name: [run, ...]}} of a list of runs."""
    found = {}
    for run in runs:
        found.setdefault((run["server"], run["client"]), {}).setdefault(run["test"], []).append(run)
    return found


def result_of(runs):
    return overall([run["result"] for run in runs])


def passes(runs):
    return "%d/%d" % (sum(run["result"] == SUCCEEDED for run in runs), len(runs))


def _test_entry(test, runs):
    entry = {"abbr": test.abbreviation, "name": test.name, "result": result_of(runs)}
    if len(runs) > 1:
        entry["passes"] = passes(runs)
    return entry


def _measurement_entry(test, runs):
    result = result_of(runs)
    values = [run["value"] for run in runs if run.get("value") is not None]
    details = spread(values) if result == SUCCEEDED else ""
    return {"abbr": test.abbreviation, "name": test.name, "result": result, "details": details}


def document(settings, servers, clients, tests, runs):
    """`settings` has start_time, end_time, log_dir and seed; `runs` are dictionaries as trial.py makes them."""
    by_pair = cells(runs)
    ordinary = [test for test in tests if not test.measurement]
    measurements = [test for test in tests if test.measurement]
    pairs = [by_pair.get((server, client), {}) for client in clients for server in servers]
    return {
        "start_time": settings["start_time"],
        "end_time": settings["end_time"],
        "log_dir": settings["log_dir"],
        "servers": servers,
        "clients": clients,
        "urls": {name: "interop/peers/" + name for name in servers + clients},
        "tests": {test.abbreviation: {"name": test.name, "desc": test.description} for test in tests},
        "quic_version": hex(VERSION_1),
        "results": [[_test_entry(test, pair.get(test.name, [])) for test in ordinary] for pair in pairs],
        "measurements": [[_measurement_entry(test, pair[test.name]) for test in measurements if test.name in pair]
                         for pair in pairs],
        "seed": settings["seed"],
        "not_compliant": settings.get("not_compliant", {}),
        "runs": runs,
    }


def write(path, data):
    with open(path, "w") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
