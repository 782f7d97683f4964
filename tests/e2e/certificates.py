"""The certificates of the end-to-end cases. They are openssl's, so that no case rests on ours alone.

Files NAME.pem (a chain, leaf first) and NAME.key in one folder:
    root            an authority, that nobody's trust store has
    server, second  of localhost and the loopback addresses, issued by root, with keys of their own
    other           of other.example, issued by root
    expired         of localhost, issued by root, over since yesterday
    stranger        of localhost, self-signed
"""

import base64
import hashlib
import os
import subprocess

HOSTS = "DNS:localhost,IP:127.0.0.1,IP:::1"


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self._key("root")
        self._openssl("req", "-x509", "-new", "-key", "root.key", "-subj", "/CN=End-to-end root", "-days", "30",
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
                      "-out", "root.pem")
        self._leaf("server", HOSTS)
        self._leaf("second", HOSTS)
        self._leaf("other", "DNS:other.example")
        self._leaf("expired", HOSTS, days="-1")
        self._key("stranger")
        self._openssl("req", "-x509", "-new", "-key", "stranger.key", "-subj", "/CN=localhost", "-days", "10",
                      "-addext", "subjectAltName=" + HOSTS, "-out", "stranger.pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def pin(self, name):
        """Base64 of the SHA-256 of its SubjectPublicKeyInfo."""
        der = self._openssl("pkey", "-in", name + ".key", "-pubout", "-outform", "DER")
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def _key(self, name):
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name + ".key")

    def _leaf(self, name, hosts, days="10"):
        self._key(name)
        self._openssl("req", "-new", "-key", name + ".key", "-subj", "/CN=" + name, "-out", name + ".csr")
        with open(self.path(name + ".ext"), "w") as extensions:
            extensions.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
                             "extendedKeyUsage=serverAuth\n" % hosts)
        self._openssl("x509", "-req", "-in", name + ".csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                      "-days", days, "-extfile", name + ".ext", "-out", name + ".pem")

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError("openssl %s: %s" % (" ".join(arguments), done.stderr.decode()))
        return done.stdout
