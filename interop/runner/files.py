"""The files of a test: random contents and names from the run's seed, and the comparison of what arrived."""

import filecmp
import os
import random
import string
from pathlib import Path

KB, MB = 1 << 10, 1 << 20
NAME_LENGTH = 12


def make(folder, sizes, seed, name_length=NAME_LENGTH):
    """Writes a file for each size, and returns their names in order. The same seed makes the same files."""
    source = random.Random(seed)
    names = []
    while len(names) < len(sizes):
        name = "".join(source.choices(string.ascii_lowercase, k=name_length))
        if name not in names:
            names.append(name)
    for name, size in zip(names, sizes):
        Path(folder, name).write_bytes(source.randbytes(size))
    return names


def difference(source, downloads, names):
    """What is wrong with the downloaded files, in one line, or None when they are exactly the asked ones."""
    there = {entry.name for entry in os.scandir(downloads) if entry.is_file()}
    missing = [name for name in names if name not in there]
    if missing:
        return "%d of %d files are missing, %s first" % (len(missing), len(names), missing[0])
    unexpected = sorted(there - set(names))
    if unexpected:
        return "a file that nobody asked for: " + unexpected[0]
    for name in names:
        want, got = Path(source, name), Path(downloads, name)
        if want.stat().st_size != got.stat().st_size:
            return "%s has %d bytes instead of %d" % (name, got.stat().st_size, want.stat().st_size)
        if not filecmp.cmp(want, got, shallow=False):
            return name + " differs in its contents"
    return None
