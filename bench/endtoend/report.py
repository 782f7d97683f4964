"""Medians as tables for people, in text or Markdown."""

import statistics

# Of each work: figure, heading, format.
COLUMNS = {
    "download": [("gbits", "Gbit/s", ".1f"), ("share", "of the floor", ".2f"),
                 ("server_cpu_s_per_gib", "server s/GiB", ".2f"), ("client_cpu_s_per_gib", "client s/GiB", ".2f")],
    "requests": [("per_second", "requests/s", ",.0f"), ("own_client_per_second", "with its own client", ",.0f"),
                 ("server_cpu_us", "server us each", ".2f"), ("p50_ms", "p50 ms", ".2f"), ("p99_ms", "p99 ms", ".2f")],
    "handshakes": [("per_second", "connections/s", ",.0f"), ("server_cpu_ms", "server ms each", ".3f"),
                   ("first_byte_p50_ms", "first byte p50 ms", ".2f"), ("first_byte_p99_ms", "p99 ms", ".2f")],
    "idle": [("kib_per_connection", "KiB a connection", ".1f")],
}
COLUMNS["download100"] = COLUMNS["upload"] = COLUMNS["download"]
COLUMNS["resumed"] = COLUMNS["handshakes"]

TITLES = {
    "download": "Download, one stream",
    "download100": "Download, 100 streams",
    "upload": "Upload, one stream",
    "requests": "Small requests, one connection, 100 at a time",
    "handshakes": "New connection and one GET",
    "resumed": "Resumed connection and one GET",
    "idle": "Memory of an idle connection, server",
}


def medians(results):
    """The same tree with the median of each figure instead of its runs; goodput as a share of the floor of its network."""
    out = {}
    for network, works in results.items():
        out[network] = {}
        for work, stacks in works.items():
            out[network][work] = {
                stack: {figure: statistics.median(values) for figure, values in figures.items()}
                for stack, figures in stacks.items()
            }
        floor = out[network].get("floor", {}).get("hot", {}).get("gbits")
        for work in ("download", "download100", "upload"):
            for figures in out[network].get(work, {}).values():
                if floor and "gbits" in figures:
                    figures["share"] = figures["gbits"] / floor
    return out


def table(middle):
    """Markdown, aligned so that it reads as text too."""
    lines = []
    for network, works in middle.items():
        if "floor" in works:
            for heat, figures in works["floor"].items():
                lines.append(f"{network}: the floor, {heat} data: {figures['gbits']:.1f} Gbit/s, sender "
                             f"{figures['sender_cpu_s_per_gib']:.2f} s/GiB, receiver {figures['receiver_cpu_s_per_gib']:.2f} s/GiB")
                lines.append("")
        for work, stacks in works.items():
            if work not in COLUMNS:
                continue
            columns = COLUMNS[work]
            rows = [[f"{TITLES[work]} ({network})"] + [heading for _, heading, _ in columns]]
            rows += [[stack] + [format(figures[name], form) if name in figures else "-" for name, _, form in columns]
                     for stack, figures in stacks.items()]
            widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
            text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
            text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
            lines += text + [""]
    return "\n".join(lines)
