"""A cluster for tests: three primaries on this machine, which share the slots, from the connector's binary."""

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from redis.crc import key_slot

from connector.store.embedded import find_binary

SLOTS: Final = 16384
READY_SECONDS: Final = 20.0


class Node:
    """One primary, which keeps its data and its view of the cluster in its folder."""

    def __init__(self, folder: Path, number: int, port: int, bus: int) -> None:
        self.folder = folder
        self.number = number
        self.port = port
        self.bus = bus
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def identifier(self) -> str:
        return f"{self.number + 1:040x}"

    def start(self) -> None:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "cluster-enabled": "yes",
            "cluster-port": self.bus,
            "cluster-announce-ip": "127.0.0.1",
            "cluster-node-timeout": 5000,
        }
        with (self.folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                [find_binary(), *(part for name, value in options.items() for part in (f"--{name}", str(value)))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, command: str) -> bytes:
        """Send one inline command and give the first piece of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5.0) as line:
            line.sendall(f"{command}\r\n".encode())
            return line.recv(65536)

    def is_ready(self) -> bool:
        with suppress(OSError):
            return b"cluster_state:ok" in self.ask("CLUSTER INFO")
        return False


class ValkeyCluster:
    """Three primaries; a context manager. url: what ``ISOGATE_REDIS_URL`` is to be."""

    def __init__(self, folder: Path) -> None:
        ports = _free_ports(6)
        self.nodes = [Node(folder / str(number), number, *ports[number::3]) for number in range(3)]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def __enter__(self) -> Self:
        """Start the nodes with a file that says who is who: they need not find each other first."""
        for node in self.nodes:
            node.folder.mkdir(parents=True)
            (node.folder / "nodes.conf").write_text(self._introduction(node))
            node.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def wait_until_ready(self) -> None:
        """Wait until all know that all are there; a node that starts takes two seconds before it takes part."""
        deadline = time.monotonic() + READY_SECONDS
        while not all(node.is_ready() for node in self.nodes):
            assert time.monotonic() < deadline, "the cluster did not come up"
            time.sleep(0.01)

    def node_of(self, key: str) -> Node:
        """The node that holds a key."""
        return next(node for node in self.nodes if key_slot(key.encode()) in _share(node.number))

    def begin_to_move(self, key: str, source: Node, target: Node) -> None:
        """Carry the keys of a key's slot over; the slot stays where it was."""
        slot = key_slot(key.encode())
        target.ask(f"CLUSTER SETSLOT {slot} IMPORTING {source.identifier}")
        source.ask(f"CLUSTER SETSLOT {slot} MIGRATING {target.identifier}")
        for there in source.ask(f"CLUSTER GETKEYSINSLOT {slot} 1000").decode().split("\r\n")[2::2]:
            source.ask(f"MIGRATE 127.0.0.1 {target.port} {there} 0 1000")

    def finish_moving(self, key: str, source: Node, target: Node) -> None:
        """Give the slot to where its keys are."""
        others = [node for node in self.nodes if node not in (source, target)]
        for node in (target, source, *others):
            node.ask(f"CLUSTER SETSLOT {key_slot(key.encode())} NODE {target.identifier}")

    def _introduction(self, reader: Node) -> str:
        lines = [
            f"{node.identifier} 127.0.0.1:{node.port}@{node.bus} {'myself,' if node is reader else ''}master "
            f"- 0 0 {node.number + 1} connected {_share(node.number)[0]}-{_share(node.number)[-1]}"
            for node in self.nodes
        ]
        return "\n".join([*lines, "vars currentEpoch 3 lastVoteEpoch 0", ""])


def _share(number: int) -> range:
    return range(SLOTS * number // 3, SLOTS * (number + 1) // 3)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    lines = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [line.getsockname()[1] for line in lines]
    finally:
        for line in lines:
            line.close()
