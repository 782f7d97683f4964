"""One TCP connection of the kernel, by the congestion controller that is named: `tcp_flow.py send CONTROLLER ADDRESS [BYTES]` or
`tcp_flow.py receive`. Without a size it sends as much as it can, for ever: the cross traffic."""

import socket
import sys
import time

PORT = 5201
CONNECT_SECONDS = 10
_CHUNK = bytes(1 << 16)


def receive():
    with socket.create_server(("", PORT)) as listener:
        connection, _ = listener.accept()
        while connection.recv(1 << 16):
            pass


def _connect(controller, address):
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, controller.encode())
        try:
            connection.connect((address, PORT))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def send(controller, address, size=None):
    connection = _connect(controller, address)
    while size is None:
        connection.sendall(_CHUNK)
    while size > 0:
        connection.sendall(_CHUNK[:size])
        size -= len(_CHUNK)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)  # the other end closes when it has read everything


if __name__ == "__main__":
    if sys.argv[1:] == ["receive"]:
        receive()
    elif len(sys.argv) in (4, 5) and sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
    else:
        sys.exit("tcp_flow.py wants `send CONTROLLER ADDRESS [BYTES]` or `receive`")
