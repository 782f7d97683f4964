"""Results as tables for people: clients as rows, servers as columns, a letter for each test."""

import statistics

SUCCEEDED, FAILED, UNSUPPORTED = "succeeded", "failed", "unsupported"
_COLORS = {SUCCEEDED: "\033[32m", UNSUPPORTED: "\033[90m", FAILED: "\033[31m"}


def overall(results):
    """The result of a test from those of its repetitions: one failure fails it."""
    if not results:
        return None
    if FAILED in results:
        return FAILED
    return UNSUPPORTED if UNSUPPORTED in results else SUCCEEDED


def spread(values, unit="kbps"):
    """A measurement's values in words, as the public runner says them."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return "%.0f (± %.0f) %s" % (statistics.mean(values), deviation, unit)


def letters(tests, cell):
    """Three lines: the letters of the tests that succeeded, that are unsupported, that failed."""
    lines = []
    for result in (SUCCEEDED, UNSUPPORTED, FAILED):
        lines.append((result, "".join(test.abbreviation for test in tests if cell.get(test.name) == result)))
    return lines


def _table(servers, clients, cell, color):
    """A grid of cells, each a list of (result, text) lines."""
    rows = [[[(None, "")]] + [[(None, server)] for server in servers]]
    for client in clients:
        rows.append([[(None, client)]] + [cell(server, client) or [(None, "")] for server in servers])
    widths = [max(len(text) for row in rows for _, text in row[column]) for column in range(len(servers) + 1)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = [rule]
    for row in rows:
        for i in range(max(len(entry) for entry in row)):
            line = "|"
            for entry, width in zip(row, widths):
                result, text = entry[i] if i < len(entry) else (None, "")
                padded = " " + text.center(width) + " "
                line += (_COLORS[result] + padded + "\033[0m" if color and result in _COLORS else padded) + "|"
            lines.append(line)
        lines.append(rule)
    return "\n".join(lines)


def tests_table(tests, servers, clients, cells, color=False):
    """`cells` maps (server, client) to {test name: result}; a pair that did not run has none."""

    def cell(server, client):
        return letters(tests, cells[server, client]) if cells.get((server, client)) else None

    return _table(servers, clients, cell, color)


def measurements_table(tests, servers, clients, values, color=False):
    """`values` maps (server, client) to {test name: (result, [value, ...])}."""

    def cell(server, client):
        lines = []
        for test in tests:
            result, numbers = values.get((server, client), {}).get(test.name, (None, []))
            if result == SUCCEEDED:
                lines.append((result, "%s: %s" % (test.abbreviation, spread(numbers))))
            elif result is not None:
                lines.append((result, test.abbreviation))
        return lines

    return _table(servers, clients, cell, color)
