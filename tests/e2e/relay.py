"""A relay for datagrams between a client and a server on loopback, which writes a capture as it forwards, and may lose some.

Each client address has a socket of its own towards the server. Captures are pcap files of IPv4 packets (LINKTYPE_RAW); they
show the client's own address and the relay's port as the server's.
"""

import os
import selectors
import socket
import struct
import threading
import time

LINKTYPE_RAW = 101
SNAPLEN = 65535
LOOPBACK = socket.inet_aton("127.0.0.1")


class Capture:
    def __init__(self, path):
        self._file = open(path, "wb")
        self._file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW))

    def add(self, source_port, target_port, payload):
        now = time.time()
        udp = struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload  # 0: no checksum
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, LOOPBACK, LOOPBACK)
        words = struct.unpack("!10H", ip)
        total = sum(words)
        total = (total & 0xFFFF) + (total >> 16)
        ip = ip[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + ip[12:]
        packet = ip + udp
        self._file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(packet), len(packet)) + packet)

    def close(self):
        self._file.close()


class Relay:
    """Runs in a thread for as long as the `with` lasts. `drop` is asked for each datagram, with its direction ("up" or "down")
    and payload, whether it is lost."""

    def __init__(self, server_port, capture=None, drop=None):
        self._server = ("127.0.0.1", server_port)
        self._capture = capture
        self._drop = drop or (lambda direction, payload: False)
        self._front = self._socket()
        self.port = self._front.getsockname()[1]
        self._clients = {}  # client address -> socket towards the server
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @staticmethod
    def _socket():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        return made

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self._stopped)
        self._thread.join()
        os.close(self._stop)
        for used in [self._front, *self._clients.values()]:
            used.close()
        if self._capture:
            self._capture.close()

    def _run(self):
        selector = selectors.DefaultSelector()
        selector.register(self._stop, selectors.EVENT_READ, "stop")
        selector.register(self._front, selectors.EVENT_READ, None)
        while True:
            for key, _ in selector.select():
                if key.data == "stop":
                    return
                if key.data is None:
                    self._up(selector)
                else:
                    self._down(key.fileobj, key.data)

    def _up(self, selector):
        payload, client = self._front.recvfrom(SNAPLEN)
        back = self._clients.get(client)
        if back is None:
            back = self._clients[client] = self._socket()
            selector.register(back, selectors.EVENT_READ, client)
        if self._drop("up", payload):
            return
        if self._capture:
            self._capture.add(client[1], self.port, payload)
        self._send(back, payload, self._server)

    def _down(self, back, client):
        payload, _ = back.recvfrom(SNAPLEN)
        if self._drop("down", payload):
            return
        if self._capture:
            self._capture.add(self.port, client[1], payload)
        self._send(self._front, payload, client)

    @staticmethod
    def _send(through, payload, target):
        try:
            through.sendto(payload, target)
        except OSError:
            pass  # full, or nobody is there any more: lost, as on a network
