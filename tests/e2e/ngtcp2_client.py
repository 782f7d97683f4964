"""ngtcp2's client (with GnuTLS): downloads into a folder."""

import os

from harness import NAME


def download(case, port, paths, *options, quiet=True):
    """Runs it for these paths over one connection; the folder with the files, and what the program said."""
    folder = case.file("ngtcp2-downloads")
    os.makedirs(folder, exist_ok=True)
    done = case.run(case.tool("gtlsclient"), "--download", folder, "--exit-on-all-streams-close", "--no-quic-dump",
                    "--no-http-dump", "--timeout=20s", *(["-q"] if quiet else []), *options, "127.0.0.1", port,
                    *["https://%s:%d%s" % (NAME, port, path) for path in paths])
    return folder, done
