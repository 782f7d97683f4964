"""Ports for servers of tests."""

import random
import socket
import threading

_given = set()
_lock = threading.Lock()


def free_port():
    """A port that is free for UDP and TCP, below those that the kernel gives to outgoing connections; never the same twice."""
    with _lock:
        while True:
            port = random.randrange(12000, 30000)
            if port in _given:
                continue
            with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
                try:
                    tcp.bind(("", port))
                    udp.bind(("", port))
                except OSError:
                    continue
            _given.add(port)
            return port
