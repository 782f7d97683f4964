"""The certificates of the interoperability cases: ours where we can make the key, openssl's for RSA."""

import os
import subprocess

NAME = "server.example"
DAYS = "30"


class Certificates:
    """Files NAME.pem (a chain, leaf first), NAME.rest.pem (what follows the leaf, if anything) and NAME.key in one folder.

    root, other-root        authorities; intermediate is issued by root
    p256, p384, ed25519     servers', issued by root
    rsa2048, rsa3072, pss   the same with keys that openssl makes; pss is an RSASSA-PSS key
    chain                   a server's, issued by intermediate, which follows it
    second                  a server's for second.example
    client, client-rsa      clients'
    stranger                a client's, issued by other-root
    """

    def __init__(self, quoll, folder):
        self.quoll = quoll
        self.folder = folder
        os.makedirs(folder)
        self._make("root", "--ca", "--cn", "Test Root")
        self._make("other-root", "--ca", "--cn", "Other Root")
        self._make("intermediate", "--ca", "--cn", "Test Intermediate", *self._issued_by("root"))
        for key_type in ("p256", "p384", "ed25519"):
            self._make(key_type, "--host", NAME, "--key-type", key_type, *self._issued_by("root"))
        for name, algorithm in (("rsa2048", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
                                ("rsa3072", ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"]),
                                ("pss", ["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"])):
            self._run(["openssl", "genpkey", "-algorithm", *algorithm, "-out", self.path(name + ".key")])
            self._make(name, "--host", NAME, "--key", self.path(name + ".key"), *self._issued_by("root"))
        self._make("chain", "--host", NAME, *self._issued_by("intermediate"))
        self._make("second", "--host", "second.example", *self._issued_by("root"))
        self._make("client", "--client", "--cn", "Test Client", *self._issued_by("root"))
        self._make("client-rsa", "--client", "--cn", "Test Client", "--key", self.path("rsa2048.key"),
                   *self._issued_by("root"))
        self._make("stranger", "--client", "--cn", "Test Stranger", *self._issued_by("other-root"))
        self._make_ocsp_response()

    def path(self, name):
        return os.path.join(self.folder, name)

    def pair(self, name):
        """Our options for a chain and its key."""
        key = {"client-rsa": "rsa2048"}.get(name, name)
        return ["--cert", self.path(name + ".pem"), "--key", self.path(key + ".key")]

    def openssl_pair(self, name):
        """The same for openssl, which wants what follows the leaf in a file of its own."""
        options = ["-cert", self.path(name + ".pem"), "-key", self.pair(name)[3]]
        rest = self.path(name + ".rest.pem")
        return options + ["-cert_chain", rest] if os.path.exists(rest) else options

    def _issued_by(self, name):
        return ["--issuer", self.path(name + ".pem"), "--issuer-key", self.path(name + ".key")]

    def _make(self, name, *options):
        arguments = [self.quoll, "cert", "make", "--days", DAYS, *options, "--out", self.path(name + ".pem")]
        if "--key" not in options:
            arguments += ["--key-out", self.path(name + ".key")]
        self._run(arguments)
        # Now, since cases that run beside each other read it.
        with open(self.path(name + ".pem")) as chain:
            rest = chain.read().partition("-----END CERTIFICATE-----\n")[2]
        if rest:
            with open(self.path(name + ".rest.pem"), "w") as out:
                out.write(rest)

    def _make_ocsp_response(self):
        """ocsp.der: a response of root that p256.pem is good."""
        serial = self._run(["openssl", "x509", "-in", self.path("p256.pem"), "-noout", "-serial"]).split("=")[1].strip()
        with open(self.path("index.txt"), "w") as index:
            index.write("V\t491231235959Z\t\t%s\tunknown\t/CN=%s\n" % (serial, NAME))
        root = self.path("root.pem")
        self._run(["openssl", "ocsp", "-index", self.path("index.txt"), "-CA", root, "-rsigner", root, "-rkey",
                   self.path("root.key"), "-issuer", root, "-cert", self.path("p256.pem"), "-ndays", "30",
                   "-respout", self.path("ocsp.der")])

    def _run(self, arguments):
        done = subprocess.run(arguments, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (" ".join(arguments), done.stderr))
        return done.stdout
