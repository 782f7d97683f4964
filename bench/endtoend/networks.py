"""Where server and client meet: loopback, or two network namespaces joined by a pair of virtual Ethernet devices with an
MTU of 1500. Each gives the words that stand before a command: the server runs on one core, the client on another, both before
whatever else the machine does where that is permitted."""

import os
import subprocess


NICE = ["nice", "-n", "-20"]


def may_be_first():
    """Whether the system lets us run programs before all others."""
    return subprocess.run(NICE + ["nice"], capture_output=True, text=True).stdout.strip() == "-20"


def on_core(core):
    return (NICE if may_be_first() else []) + ["taskset", "-c", core]


class Loopback:
    name = "loopback"
    address = "127.0.0.1"

    def __init__(self, cores):
        self._words = [on_core(core) for core in cores]

    def unavailable(self):
        return None

    def server(self):
        return self._words[0]

    def client(self):
        return self._words[1]

    def close(self):
        pass


class Veth:
    name = "veth"
    address = "10.99.0.1"

    def __init__(self, cores):
        self._words = [on_core(core) for core in cores]
        self._spaces = [f"quoll-bench-{os.getpid()}-{end}" for end in ("server", "client")]

    def unavailable(self):
        """Why there is no such network here, or None; makes it."""
        server, client = self._spaces
        commands = [
            f"ip netns add {server}",
            f"ip netns add {client}",
            f"ip -n {server} link add veth0 mtu 1500 type veth peer name veth0 mtu 1500 netns {client}",
            f"ip -n {server} address add {self.address}/24 dev veth0",
            f"ip -n {client} address add 10.99.0.2/24 dev veth0",
            f"ip -n {server} link set veth0 up",
            f"ip -n {client} link set veth0 up",
        ]
        for command in commands:
            try:
                done = subprocess.run(command.split(), capture_output=True, text=True)
            except FileNotFoundError:
                return "no `ip` (Debian: iproute2)"
            if done.returncode != 0:
                self.close()
                return f"{command}: {done.stderr.strip()}"
        return None

    def server(self):
        return ["ip", "netns", "exec", self._spaces[0], *self._words[0]]

    def client(self):
        return ["ip", "netns", "exec", self._spaces[1], *self._words[1]]

    def close(self):
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
