"""What Locust runs: the users, the shape of the load, and the record of what happens, on any number of machines.

``locust -f locustfile.py --host http://127.0.0.1:3333 --shape ramp --peak-users 32 --minutes 2``; roles are chosen
by the names of their classes. With ``--master`` and ``--worker`` it is distributed as every locustfile is; each
worker has a receiver of callbacks of its own.
"""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any, Final

import gevent
from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import WORKER_REPORT_INTERVAL, MasterRunner, WorkerRunner

from loadtests.locust.callbacks import Book, listening
from loadtests.locust.options import add_options, callback_address, interval_of
from loadtests.locust.process import Process, Tokens, terms_of
from loadtests.locust.shapes import shape_of
from loadtests.locust.timeline import Timeline
from loadtests.locust.tls import callback_context
from loadtests.locust.users import Merchant, Operator, PayerBank, SourceBB
from loadtests.locust.users.role import Role

__all__ = ["Load", "Merchant", "Operator", "PayerBank", "SourceBB"]

RECORD: Final = "isogate"
"""Under this name the workers' records are in Locust's own reports to the master."""

LOOK_SECONDS: Final = 0.1
REPORTED_SECONDS: Final = WORKER_REPORT_INTERVAL + 1.5
"""Time after which a master has been told everything."""

events.init_command_line_parser.add_listener(add_options)


class Load(LoadTestShape):
    """The shape that the options name."""

    began_at = 0.0
    idle_since = 0.0

    def reset_time(self) -> None:
        """Note when it begins."""
        super().reset_time()
        self.began_at, self.idle_since = time.time(), 0.0

    def tick(self) -> tuple[int, float] | None:
        """Give the number of users of this moment, who come and leave within a second; ``None``: all is reported.

        When the load is over its users finish what they began: a master that just stops would not wait for that.
        """
        options = self.runner.environment.parsed_options if self.runner else None
        if options is None:
            return None
        shape = shape_of(options.shape, users=options.peak_users, seconds=options.minutes * 60)
        users = shape.users_at(self.get_run_time())
        if users is not None:
            return users, float(users)
        late = self.get_run_time() > shape.seconds + options.patience + REPORTED_SECONDS
        return None if self._reported() or late else (0, float(options.peak_users))

    def _reported(self) -> bool:
        """Tell whether all users are gone, and long enough so for what they did last to be known."""
        if self.get_current_user_count():
            self.idle_since = 0.0
            return False
        self.idle_since = self.idle_since or time.time()
        return not isinstance(self.runner, MasterRunner) or time.time() - self.idle_since > REPORTED_SECONDS


@events.init.add_listener
def _begin(environment: Environment, **_: object) -> None:
    """Set up what this process needs: a master keeps the record, a worker has users, a lone process does both."""
    runner, options = environment.runner, environment.parsed_options
    if isinstance(runner, MasterRunner):
        _Keeper(environment, Timeline(interval_of(options.minutes)))
        return
    process = _process(environment)
    if isinstance(runner, WorkerRunner):
        environment.events.report_to_master.add_listener(
            lambda client_id, data: data.update({RECORD: process.timeline.drain()})  # noqa: ARG005 - Locust's names
        )
    else:
        _Keeper(environment, process.timeline)


def _process(environment: Environment) -> Process:
    """Begin to receive callbacks and to record answers; the users find the process at their class."""
    book, options = Book(), environment.parsed_options
    receiver = listening(book, *callback_address(environment.host or ""), callback_context())
    receiver.start()
    process = Role.process = Process(
        terms_of(vars(options)),
        Tokens.of_environment(),
        callback_url=receiver.url,
        book=book,
        interval_seconds=interval_of(options.minutes),
    )

    @environment.events.test_start.add_listener
    def start(environment: Environment, **_: object) -> None:
        """Take the terms anew: they come from the master, or were changed on Locust's page."""
        options = environment.parsed_options
        process.begin(
            terms_of(vars(options)), getattr(environment.runner, "worker_index", 0), interval_of(options.minutes)
        )

    @environment.events.request.add_listener
    def answered(request_type: str, name: str, response_time: float, exception: object, **_: object) -> None:
        if request_type != "END":
            failed = exception is not None
            process.timeline.answer(time.time(), f"{request_type} {name}", response_time / 1000, failed=failed)

    gevent.spawn(_watch, process)
    return process


def _watch(process: Process) -> None:
    """Record every second how busy this process is, how late it comes, and how many callbacks came."""
    name, received, contradictions = f"cpu {socket.gethostname()}:{os.getpid()}", 0, 0
    while True:
        began, used, late = time.monotonic(), time.process_time(), 0.0
        while time.monotonic() - began < 1:
            slept = time.monotonic()
            gevent.sleep(LOOK_SECONDS)
            late = max(late, time.monotonic() - slept - LOOK_SECONDS)
        now, book = time.time(), process.book
        process.timeline.peak(now, name, (time.process_time() - used) / (time.monotonic() - began))
        process.timeline.peak(now, "late", late)
        process.timeline.count(now, "callbacks", book.received - received)
        process.timeline.count(now, "contradicting callbacks", book.contradictions - contradictions)
        received, contradictions = book.received, book.contradictions


class _Keeper:
    """Keeps the record of all processes, and writes it when the test ends."""

    def __init__(self, environment: Environment, record: Timeline) -> None:
        self.environment = environment
        self.record = record
        listen = environment.events
        listen.test_start.add_listener(self.start)
        listen.worker_report.add_listener(self.take)
        listen.test_stop.add_listener(self.write)
        listen.quitting.add_listener(self.quit)
        gevent.spawn(self.watch)

    def start(self, environment: Environment, **_: object) -> None:
        """Begin a record."""
        self.record.drain()
        self.record.interval_seconds = interval_of(environment.parsed_options.minutes)

    def take(self, data: dict[str, Any], **_: object) -> None:
        """Add what a worker recorded."""
        self.record.merge(data.get(RECORD) or Timeline().as_json())

    def watch(self) -> None:
        """Record how many users there are."""
        while True:
            gevent.sleep(1)
            self.record.peak(time.time(), "users", self.environment.runner.user_count)

    def quit(self, environment: Environment, **_: object) -> None:
        """Write once more; whether it was good is judged elsewhere."""
        clients = getattr(environment.runner, "clients", None)
        self.record.count(time.time(), "workers lost", len(clients.missing) if clients else 0)
        self.write(environment)
        if environment.parsed_options.record_folder:
            environment.process_exit_code = 0

    def write(self, environment: Environment, **_: object) -> None:
        """Write the record."""
        shape, folder = environment.shape_class, environment.parsed_options.record_folder
        if folder and isinstance(shape, Load):
            self.record.started_at = shape.began_at
            self.record.ended = bool(shape.idle_since)
            Path(folder, "timeline.json").write_text(json.dumps(self.record.as_json()))
