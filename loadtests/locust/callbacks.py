"""The receiver of callbacks: a small server within the process that sends, so that the time to the end is measured.

It is the standard library's threading server: under Locust its threads are greenlets, elsewhere they are threads.
"""

import json
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

from connector.domain.errors import Unavailable

REMEMBERED: Final = 50_000
"""Finished batches of which one knows what was said last, to see that it is not said differently later."""

LARGEST_BODY: Final = 1 << 20
PORTS: Final = 64
"""Ports that are tried, from the one that is asked for."""


class Said(NamedTuple):
    """The word that nothing is ongoing any more; at: when it came, Unix seconds."""

    at: float
    body: Mapping[str, Any]


class Book:
    """What the callbacks said, by batch."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._finals: OrderedDict[str, Said] = OrderedDict()
        self._waiting: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self.received = 0
        self.contradictions = 0

    def take(self, body: Mapping[str, Any], at: float) -> None:
        """Note a callback; one that repeats another is fine, one that says something else is a contradiction."""
        batch = str(body.get("batchId") or body.get("batchID") or "")
        with self._lock:
            self.received += 1
            if body.get("ongoing") != 0:
                return
            said = self._finals.setdefault(batch, Said(at, body))
            self.contradictions += _figures(said.body) != _figures(body)
            while len(self._finals) > REMEMBERED:
                self._finals.popitem(last=False)
            event = self._waiting.pop(batch, None)
        if event:
            event.set()

    def final(self, batch: str, timeout_seconds: float) -> Said | None:
        """Wait for the last word on a batch; ``None``: it did not come in time."""
        with self._lock:
            if batch in self._finals:
                return self._finals[batch]
            event = self._waiting.setdefault(batch, threading.Event())
        event.wait(timeout_seconds)
        with self._lock:
            self._waiting.pop(batch, None)
            return self._finals.get(batch)


class Receiver:
    """A server for callbacks; url: what is handed over as X-Callback-URL."""

    def __init__(
        self,
        book: Book,
        *,
        bind: str = "127.0.0.1",
        port: int = 0,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen on ``bind``; port 0 is any free one; host: the name under which this machine is reached."""
        self._server = _Server((bind, port), _handler(book))
        if tls:  # who connects shakes hands with the thread that serves it, not with the one that takes all
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = int(self._server.server_address[1])
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}/callback"

    def start(self) -> None:
        """Begin to take callbacks."""
        threading.Thread(target=self._server.serve_forever, name="callbacks", daemon=True).start()

    def stop(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


def listening(book: Book, bind: str, host: str, port: int, tls: ssl.SSLContext | None = None) -> Receiver:
    """Open a receiver; a port that another process of this machine has taken is passed over, the next one tried."""
    for more in range(PORTS if port else 1):
        try:
            return Receiver(book, bind=bind, host=host, port=port + more, tls=tls)
        except OSError:
            continue
    raise Unavailable("callback receiver", f"no port from {port} to {port + PORTS - 1} is free on {bind}")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = False

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's signature
        """Say nothing when a connection is closed on us: what was not answered is sent again."""


def _handler(book: Book) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Take a callback."""
            at = time.time()
            body = _body(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LARGEST_BODY)))
            if body is not None:
                book.take(body, at)
            self.send_response(200 if body is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_PUT = do_POST  # noqa: N815 - the name that the library looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the library's signature
            """Say nothing: callbacks are counted, not told."""

    return Handler


def _body(content: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _figures(body: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(body.get(name) for name in ("completed", "failed", "completed_amount", "failed_amount"))
