"""One TCP connection with CUBIC, as much as it can carry: `cubic.py send ADDRESS` or `cubic.py receive`. The cross traffic."""

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


def send(address):
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        try:
            connection.connect((address, PORT))
            break
        except OSError:
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    while True:
        connection.sendall(_CHUNK)


if __name__ == "__main__":
    if sys.argv[1:] == ["receive"]:
        receive()
    elif len(sys.argv) == 3 and sys.argv[1] == "send":
        send(sys.argv[2])
    else:
        sys.exit("cubic.py wants `send ADDRESS` or `receive`")
