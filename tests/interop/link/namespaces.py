"""Network namespaces without names and without processes: each is a file descriptor of this process, and is gone with it.

Sockets belong to the namespace of the thread that made them, so one process can talk in several at once.
"""

import ctypes
import os
import socket
import threading

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def in_new_thread(function):
    """What the function returns or raises, run in a thread that ends with it."""
    results = []

    def run():
        try:
            results.append((function(), None))
        except OSError as error:
            results.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = results[0]
    if error is not None:
        raise error
    return value


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))


class Namespace:
    """A new network namespace, in which nothing is configured."""

    def __init__(self):
        def make():
            check(libc.unshare(CLONE_NEWNET), "unshare")
            return os.open("/proc/self/task/%d/ns/net" % threading.get_native_id(), os.O_RDONLY | os.O_CLOEXEC)

        self.fd = in_new_thread(make)
        self.path = "/proc/%d/fd/%d" % (os.getpid(), self.fd)

    def within(self, function):
        """Calls the function in the namespace."""

        def enter():
            check(libc.setns(self.fd, CLONE_NEWNET), "setns")
            return function()

        return in_new_thread(enter)

    def socket(self, family, kind, address=None, timeout=10):
        """A socket of the namespace, bound when there is an address."""

        def make():
            made = socket.socket(family, kind)
            made.settimeout(timeout)
            if address is not None:
                made.bind(address)
            return made

        return self.within(make)

    def close(self):
        os.close(self.fd)
