"""Certificate chains for a test, made by the openssl command: a root (ca.pem), intermediates, and a leaf for the server's names.

cert.pem holds the chain with the leaf first and without the root, priv.key the leaf's P-256 key. For a chain of several, each
certificate carries a long name: the amplification test wants more bytes than a server may send before it has seen the client
again, and P-256 certificates are small.
"""

import subprocess
from pathlib import Path

NAMES = ("server", "server4", "server6", "server46")
_DAYS = "10"
_LONG_NAME_PARTS = 4


class CertificateFailed(Exception):
    """openssl is missing or failed; the text says how."""


def _openssl(folder, *arguments):
    try:
        done = subprocess.run(["openssl", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
    except FileNotFoundError:
        raise CertificateFailed("openssl is not installed") from None
    except subprocess.TimeoutExpired:
        raise CertificateFailed("openssl took more than a minute") from None
    if done.returncode != 0:
        raise CertificateFailed("openssl %s: %s" % (arguments[0], done.stderr.strip()[-200:]))


def _subject(what, long):
    parts = "".join("/OU=made to be long, part %d: %s" % (i, "x" * 30) for i in range(_LONG_NAME_PARTS))
    return "/O=Interop test %s%s" % (what, parts if long else "")


def make_chain(folder, length=1):
    """Fills the folder with cert.pem, priv.key and ca.pem; `length` certificates stand in cert.pem."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.ext").write_text("basicConstraints=critical,CA:TRUE,pathlen:100\nkeyUsage=critical,keyCertSign\n"
                                   "subjectKeyIdentifier=hash\n")
    (folder / "leaf.ext").write_text("basicConstraints=critical,CA:FALSE\nsubjectAltName=%s\n"
                                     % ",".join("DNS:" + name for name in NAMES))
    for i in range(length + 1):
        _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "%d.sec1" % i)
        _openssl(folder, "pkcs8", "-topk8", "-nocrypt", "-in", "%d.sec1" % i, "-out", "%d.key" % i)
        what = "root" if i == 0 else "leaf" if i == length else "intermediate %d" % i
        _openssl(folder, "req", "-new", "-key", "%d.key" % i, "-subj", _subject(what, length > 1 and i > 0), "-out", "request")
        sign = ["-signkey", "0.key"] if i == 0 else ["-CA", "%d.pem" % (i - 1), "-CAkey", "%d.key" % (i - 1)]
        serial = ["-set_serial", str(1000 + i)]
        _openssl(folder, "x509", "-req", "-sha256", "-days", _DAYS, "-in", "request", *sign, *serial, "-out", "%d.pem" % i,
                 "-extfile", "leaf.ext" if i == length else "ca.ext")
    (folder / "cert.pem").write_text("".join((folder / ("%d.pem" % i)).read_text() for i in range(length, 0, -1)))
    (folder / "priv.key").write_bytes((folder / ("%d.key" % length)).read_bytes())
    (folder / "ca.pem").write_bytes((folder / "0.pem").read_bytes())
    for name in ("cert.pem", "priv.key", "ca.pem"):
        (folder / name).chmod(0o644)
    for scrap in folder.iterdir():
        if scrap.name not in ("cert.pem", "priv.key", "ca.pem"):
            scrap.unlink()
