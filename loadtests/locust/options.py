"""The options that Locust takes beside its own; its master hands them to its workers.

What differs between machines is in environment variables instead: tokens (as the instance reads them itself),
``ISOGATE_LOAD_CA`` and where callbacks reach a machine.
"""

import os
import socket
from argparse import ArgumentParser
from contextlib import closing
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from loadtests.locust.process import Terms
from loadtests.locust.shapes import SHAPES

CALLBACK_HOST: Final = "ISOGATE_LOAD_CALLBACK_HOST"
CALLBACK_PORT: Final = "ISOGATE_LOAD_CALLBACK_PORT"
SYNCS: Final = ("callback", "poll")
LONGEST_INTERVALS: Final = 600


class Address(NamedTuple):
    """Where callbacks are received: the address listened on, the name that others use, the port (0: any)."""

    bind: str
    host: str
    port: int


def add_options(parser: ArgumentParser) -> None:
    """Declare the options."""
    usual = Terms()
    group = parser.add_argument_group("IsoGate")
    group.add_argument("--shape", choices=tuple(SHAPES), default="steady", help="How the load goes")
    group.add_argument("--peak-users", type=int, default=8, help="The most users at once")
    group.add_argument("--minutes", type=float, default=1.0, help="How long the load lasts")
    group.add_argument("--sync", choices=SYNCS, default=usual.sync, help="How a Source BB learns the outcome")
    group.add_argument("--batch-size", type=int, default=usual.batch_size, help="Payments in a batch")
    group.add_argument("--people", type=int, default=usual.people, help="People whom each Source BB pays")
    group.add_argument("--programme", default=usual.programme, help="Programme that pays")
    group.add_argument("--currency", default=usual.currency, help="Currency of payments and vouchers")
    group.add_argument("--voucher-group", default=usual.voucher_group, help="Group of the vouchers")
    group.add_argument("--payer-bank", default=usual.payer_bank, help="Institution that reports")
    group.add_argument("--pause", type=float, default=usual.pause, help="Seconds between two tasks of a user")
    group.add_argument("--patience", type=float, default=usual.patience, help="Seconds that an outcome may take")
    group.add_argument("--poll", type=float, default=usual.poll, help="Seconds between two questions")
    group.add_argument("--record-folder", default="", help="Folder for timeline.json")


def interval_of(minutes: float) -> float:
    """Choose the interval of the record, so that a night fits in as well as a minute; in seconds."""
    return float(max(1, round(minutes * 60 / LONGEST_INTERVALS)))


def callback_address(target: str) -> Address:
    """Tell where callbacks of the instance at ``target`` are received; the address towards it, if none is set."""
    port = int(os.environ.get(CALLBACK_PORT) or 0)
    named = os.environ.get(CALLBACK_HOST, "")
    host = named or _own_address(target)
    return Address("127.0.0.1" if host in {"127.0.0.1", "localhost"} else "0.0.0.0", host, port)  # noqa: S104 - reached from elsewhere


def _own_address(target: str) -> str:
    """Find the address of this machine from which it reaches a URL; nothing is sent."""
    parts = urlsplit(target)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect((parts.hostname or "127.0.0.1", parts.port or 80))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
