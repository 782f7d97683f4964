"""Servers of others, for `quoll get` and for other peers: Caddy (quic-go) and ngtcp2's."""

import os

from harness import Server, free_port


def caddy(case, files):
    """Caddy with these files, once it is ready."""
    port = free_port()
    root = case.file("caddy-www")
    os.makedirs(root)
    for name, contents in files.items():
        case.file(os.path.join(root, name), contents)
    certificate, key = case.pair()
    config = case.file("Caddyfile", """
{
  admin off
  auto_https off
  storage file_system %s
  servers {
    protocols h1 h2 h3
  }
}
https://localhost:%d {
  bind 127.0.0.1
  tls %s %s
  root * %s
  file_server
}
""" % (case.file("caddy-storage"), port, certificate, key, root))
    home = {"HOME": case.folder, "XDG_CONFIG_HOME": case.folder, "XDG_DATA_HOME": case.folder}
    process = case.start("caddy", case.tool("caddy"), "run", "--config", config, "--adapter", "caddyfile", environment=home)
    process.wait_bound(port)
    return Server(process, port, root)


def ngtcp2(case, files, *options):
    """ngtcp2's server (with GnuTLS) with these files, once it is ready."""
    port = free_port()
    root = case.file("ngtcp2-www")
    os.makedirs(root)
    for name, contents in files.items():
        case.file(os.path.join(root, name), contents)
    certificate, key = case.pair()
    process = case.start("ngtcp2-server", case.tool("gtlsserver"), "-q", "--htdocs", root, *options, "127.0.0.1", port, key,
                         certificate)
    process.wait_bound(port)
    return Server(process, port, root)
