"""What came of the demo's payments: a table per institution and reason, and what does not come out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self

from rich.console import Console
from rich.table import Table

from connector.cli.ledgers import LedgerProof
from connector.cli.people import Person
from connector.domain.money import minor_units
from connector.iso20022.codes import Sentences, load_sentences

NOWHERE: Final = "(not routed)"


class Record(NamedTuple):
    """What a batch's detail says of one payment; amount in minor units."""

    instruction_id: str
    institution: str
    outcome: str
    status: str
    reason: str
    minor: int

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one entry of ``GET /api/v1/batch/detail``."""
        return cls(
            body["transactionId"],
            body["payeeDfspId"] or NOWHERE,
            body["status"].lower(),
            body["statusDetail"],
            body["errorInformation"],
            minor_units(Decimal(str(body["amount"])), body["currency"]),
        )


def reckon(people: Sequence[Person], amounts: Sequence[int], records: Sequence[Record]) -> list[str]:
    """Compare the records with what was asked for: each payment once, in a final status, nothing lost."""
    problems = []
    if len({record.instruction_id for record in records}) != len(records) or len(records) != len(people):
        problems.append(f"{len(people)} payments were asked for, {len(records)} records were found")
    if sum(record.minor for record in records) != sum(amounts):
        problems.append("the sum of the records is not the sum that was asked for")
    if ongoing := sum(record.outcome == "ongoing" for record in records):
        problems.append(f"{ongoing} payments have no final status")
    return problems


def show(
    console: Console,
    records: Sequence[Record],
    seconds: Mapping[str, float],
    ledgers: LedgerProof,
    problems: Sequence[str],
) -> None:
    """Print outcomes, times and the proof."""
    console.print(_table(records))
    console.print("time: " + ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))
    for line in ledgers.lines:
        console.print(line, markup=False)
    if problems:
        for problem in problems:
            console.print(f"[red]wrong:[/] {problem}")
    else:
        console.print("[green]The ledgers balance[/], and every payment has exactly one final status.")


def _table(records: Sequence[Record]) -> Table:
    sentences = load_sentences()
    counts: Counter[tuple[str, str, str]] = Counter()
    sums: Counter[tuple[str, str, str]] = Counter()
    for each in records:
        key = each.institution, each.outcome, _why(each, sentences)
        counts[key] += 1
        sums[key] += each.minor
    table = Table(title=f"{len(records)} payments")
    for column in ("institution", "outcome", "status and reason"):
        table.add_column(column)
    for column in ("payments", "amount"):
        table.add_column(column, justify="right")
    for key in sorted(counts):
        table.add_row(*key, f"{counts[key]:,}", f"{Decimal(sums[key]) / 100:,.2f}")
    return table


def _why(record: Record, sentences: Sentences) -> str:
    """Status and reason, as codes and in words; what is to be done about it stays out of the table."""
    code, _, words = record.reason.partition(" ")
    told = words or (sentences.reason(code) if code else sentences.status(record.status))
    return " ".join(filter(None, (record.status, code, told.partition(";")[0].rstrip("."))))
