"""Imports every file that defines cases; those that rest on aioquic only where it is there."""

import importlib

from harness import CASES, Entry

PLAIN = ("with_chromium", "with_caddy", "with_ngtcp2", "with_quic_go", "with_tshark")
WITH_AIOQUIC = ("peers_alone", "with_aioquic_client", "with_aioquic_server", "faults", "under_load", "misbehave_server",
                "misbehave_client")

for name in PLAIN:
    importlib.import_module(name)
for name in WITH_AIOQUIC:
    try:
        importlib.import_module(name)
    except ImportError as missing:
        if missing.name is None or not missing.name.startswith("aioquic"):
            raise
        CASES.append(Entry(name + " (all of it)", None, ("aioquic",), False))
