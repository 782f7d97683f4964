"""What was measured, as a table for people (text or Markdown) and as JSON: medians of the runs beside what is to be reached."""

import json
import os
import platform
import statistics
from pathlib import Path

from matrix import SUCCEEDED

_FORMATS = {"kbit/s": "%.0f", "s": "%.3f", "%": "%.1f", "ms": "%.1f"}
_UNITS = {"goodput": "kbit/s", "queue_p95": "ms", "share": "%"}
HEAD = ("link and work", "sender", "measured", "runs from – to", "queue p95", "drops", "sent", "to reach", "holds")
BURST_HEAD = ("link and work", "sender", "in 1 ms: p50", "p99", "max", "in 10 ms: p50", "p99", "max", "train: p50", "p99",
              "max")


def median(runs, value):
    """Of the runs that have the value; None when there is none."""
    numbers = [run[value] for run in runs if value in run]
    return statistics.median(numbers) if numbers else None


def _number(value, unit):
    return "–" if value is None else _FORMATS[unit] % value


def goals_of(row, sender):
    return [goal for goal in row.goals if sender in goal.controllers]


def reached(goal, runs):
    """What counts of the runs, and whether it is within the goal's bounds."""
    numbers = [run[goal.value] for run in runs if goal.value in run]
    if not numbers or len(numbers) < len(runs):
        return None, False
    value = max(numbers) if goal.worst else statistics.median(numbers)
    return value, goal.low <= value <= goal.high


def words(goal, unit):
    """A goal as `≥ 9450`, `≤ 0.3 s worst`, `45–55`, `queue ≤ 15`."""
    unit = _UNITS.get(goal.value, unit)
    short = lambda number: "%g" % number  # noqa: E731
    if goal.low > float("-inf") and goal.high < float("inf"):
        text = "%s–%s" % (short(goal.low), short(goal.high))
    else:
        text = "≥ " + short(goal.low) if goal.low > float("-inf") else "≤ " + short(goal.high)
    return ("queue " if goal.value == "queue_p95" else "") + text + " " + unit + (" worst" if goal.worst else "")


def summary(row, sender, runs):
    """One row of the table, as a dictionary."""
    good = [run for run in runs if run["result"] == SUCCEEDED]
    numbers = [run[row.value] for run in good]
    goals = [(goal.value, words(goal, row.unit), *reached(goal, runs)) for goal in goals_of(row, sender)]
    return {
        "row": row.name, "title": row.title, "sender": sender, "value": row.value, "unit": row.unit, "runs": len(runs),
        "failed": len(runs) - len(good), "median": median(good, row.value), "low": min(numbers, default=None),
        "high": max(numbers, default=None), "queue_p95": median(good, "queue_p95"), "drops": median(good, "drops"),
        "sent": None if row.cross_traffic else median(good, "sent"), "back": median(good, "back"),
        "late_p99": max((run["late_p99"] for run in good), default=None),
        "late_max": max((run["late_max"] for run in good), default=None),
        "goals": [{"value": name, "words": text, "reached": value, "holds": holds} for name, text, value, holds in goals],
        "bursts": {name: {part: statistics.median(run[name][part] for run in good) for part in ("p50", "p99", "max")}
                   for name in ("burst_1ms", "burst_10ms", "train")} if good else {},
    }


def cells(entry):
    unit = entry["unit"]
    holds = ", ".join("yes" if goal["holds"] else "NO" for goal in entry["goals"]) or "–"
    if entry["failed"]:
        holds += " (%d of %d runs failed)" % (entry["failed"], entry["runs"])
    sent = "–" if entry["sent"] is None else "%.3f ×" % entry["sent"]
    drops = "–" if entry["drops"] is None else "%g" % entry["drops"]
    return (entry["title"], entry["sender"], "%s %s" % (_number(entry["median"], unit), unit),
            "%s – %s" % (_number(entry["low"], unit), _number(entry["high"], unit)), _number(entry["queue_p95"], "ms") + " ms",
            drops, sent, "; ".join(goal["words"] for goal in entry["goals"]) or "–", holds)


def burst_cells(entry):
    thousands = lambda part: "%.1f" % (part / 1000)  # noqa: E731
    found = entry["bursts"]
    return (entry["title"], entry["sender"],
            *(thousands(found[name][part]) for name in ("burst_1ms", "burst_10ms") for part in ("p50", "p99", "max")),
            *("%g" % found["train"][part] for part in ("p50", "p99", "max")))


def _without_repeats(rows):
    """A title stands at the first of its rows only."""
    before = None
    for row in rows:
        yield ("" if row[0] == before else row[0],) + row[1:]
        before = row[0]


def text_table(head, rows):
    rows = [head, *_without_repeats(rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def markdown_table(head, rows):
    lines = ["| %s |" % " | ".join(head), "|" + "---|" * len(head)]
    return "\n".join(lines + ["| %s |" % " | ".join(row) for row in rows])


def _measured(entry):
    """The median and, where a goal is a worst value, the largest."""
    if entry["median"] is None:
        return "**failed**"
    text = _number(entry["median"], entry["unit"])
    if any(goal["words"].endswith("worst") for goal in entry["goals"]):
        text += " (%s)" % _number(entry["high"], entry["unit"])
    return _bold_if_missed(text, entry, entry["value"])


def _waiting(entry):
    if entry["queue_p95"] is None:
        return "–"
    return _bold_if_missed("%.1f ms" % entry["queue_p95"], entry, "queue_p95") + ", %g" % entry["drops"]


def _bold_if_missed(text, entry, value):
    return text if all(goal["holds"] for goal in entry["goals"] if goal["value"] == value) else "**%s**" % text


def _to_reach(entries):
    """What the senders of one row are to reach, and which of them, if not all that have anything to reach have the same."""
    by_goals = {}
    for entry in entries:
        if entry["goals"]:
            by_goals.setdefault("; ".join(goal["words"] for goal in entry["goals"]), []).append(entry["sender"])
    if len(by_goals) == 1 and len(next(iter(by_goals.values()))) > 3:
        return next(iter(by_goals))
    return "<br>".join("%s: %s" % (", ".join(names), text) for text, names in by_goals.items()) or "–"


def wide_table(entries, cell, to_reach=False):
    """A row for each of the table, and a column for each sender."""
    senders = list(dict.fromkeys(entry["sender"] for entry in entries))
    lines = []
    for name in dict.fromkeys(entry["row"] for entry in entries):
        found = {entry["sender"]: entry for entry in entries if entry["row"] == name}
        first = next(iter(found.values()))
        title = first["title"] + ", " + first["unit"] if to_reach else first["title"]
        lines.append([title, *[_to_reach(found.values())] * to_reach,
                      *(cell(found[sender]) if sender in found else "–" for sender in senders)])
    return markdown_table(["link and work", *["to reach"] * to_reach, *senders], lines)


def machine():
    """Its kind, without its name."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"processor": model, "processors": os.cpu_count(), "kernel": "Linux " + ".".join(platform.release().split(".")[:2])}


def write_json(path, about, entries, runs):
    with open(path, "w") as file:
        json.dump({**about, "machine": machine(), "rows": entries, "runs": runs}, file, indent=1)
        file.write("\n")


def write_markdown(path, about, entries):
    found = machine()
    bursts = [burst_cells(entry) for entry in entries if entry["bursts"]]
    lines = ["%s, `%s`; %s, %d processors, %s. Medians of %d runs; bold: not reached." % (
                 about["date"], about["command"], found["processor"], found["processors"], found["kernel"], about["repeat"]),
             "", wide_table(entries, _measured, to_reach=True), "",
             "Queueing delay of the server's packets (p95), and packets for which the queue had no room:",
             "", wide_table(entries, _waiting), "",
             "Thousands of bytes that the server handed over within a time, and packets of a train:",
             "", markdown_table(BURST_HEAD, list(_without_repeats(bursts))), ""]
    Path(path).write_text("\n".join(lines))
