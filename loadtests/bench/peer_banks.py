"""One payment file at two banks, and IsoGate whole: ``python -m loadtests.bench.peer_banks --peers PYTHON``.

In each round mock-bank and IsoGate's payer bank get the very same pain.001 over HTTP, and IsoGate with all its
processes gets as many payments as GovStack JSON; the clock runs from the first byte sent until the report is there
(for IsoGate whole: until the final callback). mock-bank is asked for its report as soon as it has answered, which it
does after it has decided; IsoGate's bank pushes it.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

import mappings
from connector.cli.process import run
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue
from loadtests.bench.peer_subjects import Bank, Connector, MockBank, PayerBank, Refusal, Subject
from loadtests.bench.rounds import machine
from loadtests.bench.samples import credit_transfer

DEBTOR: Final = "XU52TREA9000000001"
"""A programme's account at the payer bank, which mock-bank is told to keep as well."""

SIZES: Final = (1_000, 10_000)
BEYOND: Final = 90_000
"""Payments in a file that is larger than mock-bank takes (32 MiB)."""

OURS: Final = "IsoGate's payer bank"


@dataclass
class Measured:
    """One subject at one size, median of the rounds; cpu_us: of all its processes, a payment.

    ratio: how many times as long as IsoGate's payer bank takes.
    """

    subject: str
    payments: int
    seconds: float
    payments_per_second: float
    cpu_us: float
    ratio: float = 0.0
    rounds: list[float] = field(default_factory=list)


@dataclass
class Compared:
    """All subjects; does: what each does with a payment; limits: what came of a file beyond mock-bank's size."""

    sizes: Sequence[int]
    results: list[Measured]
    does: dict[str, str]
    limits: dict[str, str]
    versions: dict[str, str]
    problems: list[str] = field(default_factory=list)


class Files:
    """Payment files, each under ids of its own, since both banks refuse what they have seen before."""

    def __init__(self) -> None:
        self._engine = Engine(Catalogue(), Path(mappings.__file__).parent)
        self._first = 0

    def next(self, payments: int) -> tuple[str, bytes]:
        """Write one; gives its message id and itself."""
        order = credit_transfer(payments, self._first)
        self._first += payments
        people = [
            each._replace(creditor_account=_account(each.creditor_agent, at))
            for at, each in enumerate(order.transfers)
        ]
        order = replace(order, currency="USD", debtor_account=DEBTOR, transfers=people)
        return order.message_id, self._engine.write("generic", "pain.001.001.09", order)


def iban(own: str) -> str:
    """Give an account number its check digits and its country (ISO 13616)."""
    digits = "".join(str(int(character, 36)) for character in f"{own}XU00")
    return f"XU{98 - int(digits) % 97:02d}{own}"


async def compare(subjects: Sequence[Subject], sizes: Sequence[int], rounds: int) -> tuple[list[Measured], list[str]]:
    """Let all take turns; gives the figures, and what does not come out."""
    files, results = Files(), list[Measured]()
    for subject in subjects:  # what is loaded or compiled with the first file is not measured
        await _turn(subject, files.next(100), 100)
    for size in sizes:
        seconds: dict[str, list[float]] = {each.name: [] for each in subjects}
        cpu = dict.fromkeys(seconds, 0.0)
        for _ in range(rounds):
            file = files.next(size)
            for subject in subjects:
                took, spent = await _turn(subject, file, size)
                seconds[subject.name].append(took)
                cpu[subject.name] += spent
        results += [_measured(name, size, took, cpu[name] / rounds) for name, took in seconds.items()]
    _relate(results)
    return results, [problem for each in subjects for problem in each.problems]


async def limits(banks: Sequence[Bank], payments: int) -> dict[str, str]:
    """Hand a larger file to the banks, and tell what they say."""
    file, said = Files().next(payments), {}
    for bank in banks:
        try:
            seconds = await bank.settle(file, payments)
        except Refusal as refusal:
            said[bank.name] = f"{payments} payments, {len(file[1])} bytes: refused, {refusal}"
        else:
            said[bank.name] = f"{payments} payments, {len(file[1])} bytes: reported after {seconds:.1f} s"
    return said


async def measure(peers: str, sizes: Sequence[int], rounds: int, beyond: int) -> Compared:
    """Start everybody and compare them; beyond 0: without the larger file."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="isogate-peers-")))
        mock = await stack.enter_async_context(MockBank.started("mock-bank", peers, folder / "mock.db", DEBTOR))
        memory = await stack.enter_async_context(MockBank.started("mock-bank in memory", peers, None, DEBTOR))
        ours = await stack.enter_async_context(PayerBank.started(OURS, folder / "bank"))
        whole = await stack.enter_async_context(Connector.started("IsoGate whole", folder / "whole", max(sizes)))
        results, problems = await compare([mock, memory, ours, whole], sizes, rounds)
        beyond_size = await limits([mock, ours], beyond) if beyond else {}
        does = {each.name: each.does for each in (mock, memory, ours, whole)}
        return Compared(sizes, results, does, beyond_size, {**machine(), "mock-bank": mock.version}, problems)


async def _turn(subject: Subject, file: tuple[str, bytes], payments: int) -> tuple[float, float]:
    """Let one do its work; gives seconds by the clock, and of the processor."""
    before = subject.cpu_seconds()
    seconds = await subject.settle(file, payments)
    return seconds, subject.cpu_seconds() - before


def _account(agent: str, number: int) -> str:
    return iban(f"{'UNIO10' if agent == 'UNIOXU22' else 'HARB20'}{number % 1_000_000:06d}00")


def _measured(name: str, payments: int, seconds: Sequence[float], cpu: float) -> Measured:
    median = statistics.median(seconds)
    rounds = [round(each, 4) for each in seconds]
    rate, cpu_us = round(payments / median, 1), round(cpu / payments * 1e6, 1)
    return Measured(name, payments, round(median, 4), rate, cpu_us, rounds=rounds)


def _relate(results: Sequence[Measured]) -> None:
    """The ratio is the median of the rounds' own ratios."""
    ours = {each.payments: each.rounds for each in results if each.subject == OURS}
    for each in results:
        if base := ours.get(each.payments):
            ratios = [took / own for took, own in zip(each.rounds, base, strict=True)]
            each.ratio = round(statistics.median(ratios), 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; the table goes to standard error, the JSON object to standard output."""
    parser = argparse.ArgumentParser(description="Pay one file at mock-bank and at IsoGate, over HTTP.")
    parser.add_argument("--peers", required=True, help="Python of the environment that has mock-bank")
    parser.add_argument("--payments", type=int, nargs="+", default=list(SIZES), help="Sizes of the files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beyond", type=int, default=BEYOND, help="Size of the one large file; 0: none")
    options = parser.parse_args(arguments)
    compared = run(measure(options.peers, options.payments, options.rounds, options.beyond))
    Console(stderr=True, width=140).print(_table(compared.results), *_remarks(compared.does, compared.limits))
    sys.stdout.write(f"{json.dumps(asdict(compared))}\n")
    return 1 if compared.problems else 0


def _table(results: Sequence[Measured]) -> Table:
    table = Table(title="One file of payments over HTTP, from the first byte sent to the report")
    table.add_column("who")
    for heading in ("payments", "seconds", "per second", "processor us a payment", "times the payer bank"):
        table.add_column(heading, justify="right")
    for each in results:
        numbers = (each.payments, each.seconds, each.payments_per_second, each.cpu_us, each.ratio)
        table.add_row(each.subject, *(f"{number:,}" for number in numbers))
    return table


def _remarks(*said: Mapping[str, str]) -> list[str]:
    return [f"\n{name}: {sentence}" for each in said for name, sentence in each.items()]


if __name__ == "__main__":
    sys.exit(main())
