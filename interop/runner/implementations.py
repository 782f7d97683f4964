"""The endpoints that lie in interop/peers: a folder each, with a `build` and a `run` program, and what `build` has made."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

TOOLCHAIN_MISSING = 77
BUILD_SECONDS = 3600


@dataclass(frozen=True)
class Implementation:
    """`folder` holds the sources, `built` what its build script made."""

    name: str
    folder: Path
    built: Path

    @property
    def run(self):
        return self.folder / "run"

    @property
    def is_built(self):
        return self.built.is_dir() and any(self.built.iterdir())

    def build(self, log):
        """Runs the build script. Returns None, or in one line why there is no endpoint."""
        self.built.mkdir(parents=True, exist_ok=True)
        with open(log, "wb") as output:
            try:
                done = subprocess.run([self.folder / "build", self.built], stdin=subprocess.DEVNULL, stdout=output,
                                      stderr=subprocess.STDOUT, timeout=BUILD_SECONDS)
            except subprocess.TimeoutExpired:
                return "its build took more than %d s" % BUILD_SECONDS
            except OSError as error:
                return "its build script does not start: %s" % error.strerror
        if done.returncode == 0:
            return None
        lines = Path(log).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "its build exits with %d" % done.returncode


def find(folder, build_folder):
    """All implementations by name: every folder with an executable `run`."""
    found = {}
    for entry in sorted(Path(folder).iterdir() if Path(folder).is_dir() else []):
        if os.access(entry / "run", os.X_OK):
            found[entry.name] = Implementation(entry.name, entry.resolve(), Path(build_folder, entry.name).resolve())
    return found
