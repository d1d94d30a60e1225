"""Which lines of the statements are about which instruction. Pure, and a message of ours at a time.

The messages are to be given in the order of the days on which they were sent; then a line without ids goes to the
first payment of its amount within the tolerance, whatever order the statements came in.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from connector.domain.booking import Line
from connector.domain.ids import own_transaction
from connector.domain.reconciliation import (
    Finding,
    Instruction,
    Terms,
    judged,
    missing,
    not_due,
    summed,
    unexpected,
)

BY_ID: Final = "end-to-end id"
BY_DAY: Final = "amount and date"


class Matcher:
    """Gives every instruction and every line to exactly one finding.

    loose: the lines that name no message of ours. Those that name one come with its instructions, see ``take``.
    """

    def __init__(self, loose: Iterable[Line], terms: Terms) -> None:
        self._terms = terms
        self._named: dict[str, list[Line]] = {}
        self._plain: dict[tuple[str, int], list[Line]] = {}
        self._strange: list[Line] = []
        self._claims: dict[str, list[tuple[Instruction, list[Line]]]] = {}
        for line in sorted(loose):
            self._keep(line)

    def take(self, message: Sequence[Instruction], own: Iterable[Line] = ()) -> Iterator[Finding]:
        """Match the instructions of one message with the lines that name it, and with loose ones."""
        by_id = {name: one.position for one in message for name in (one.end_to_end_id, one.transaction_id) if name}
        found: dict[int, list[Line]] = {}
        sums: list[Line] = []
        for line in sorted(own):
            position = next((by_id[name] for name in _names(line) if name in by_id), None)
            if position is not None:
                found.setdefault(position, []).append(line)
            elif line.remainder or _names(line):
                yield unexpected(line)
            else:
                sums.append(line)
        rest = []
        for one in message:
            lines = found.pop(one.position, []) + self._named.pop(one.transaction_id, [])
            if one.end_to_end_id in self._named:
                self._claims.setdefault(one.end_to_end_id, []).append((one, lines))
            elif lines:
                yield from self._judge(one, lines)
            else:
                rest.append(one)
        yield from self._sums(rest, sums)

    def finish(self) -> Iterator[Finding]:
        """Match what several messages might have meant, and report the lines that are left."""
        for name, claims in sorted(self._claims.items()):
            for one, lines in _shared(claims, self._named.pop(name), self._terms):
                yield from self._judge(one, lines) if lines else self._without(one)
        for lines in (*self._named.values(), *self._plain.values()):
            yield from map(unexpected, lines)
        yield from map(unexpected, self._strange)

    def _keep(self, line: Line) -> None:
        """Lay a loose line where it will be looked for."""
        names = _names(line)
        if names:
            self._named.setdefault(names[0], []).append(line)
        elif line.remainder or line.credit:
            self._strange.append(line)
        else:
            insort(self._plain.setdefault((line.currency, line.amount_minor), []), line, key=attrgetter("booked"))

    def _sums(self, message: list[Instruction], sums: list[Line]) -> Iterator[Finding]:
        """Match what no line names with the lines that sum it up."""
        fitting, others = _in_one_currency(sums, message[0].currency) if message else ([], sums)
        yield from map(unexpected, others)
        if fitting:
            yield from summed(message, fitting)
            return
        for one in message:
            yield from self._without(one)

    def _judge(self, one: Instruction, lines: list[Line]) -> Iterator[Finding]:
        """Compare an instruction with its lines."""
        fitting, others = _in_one_currency(lines, one.currency)
        yield judged(one, fitting, self._terms, BY_ID)
        yield from map(unexpected, others)

    def _without(self, one: Instruction) -> Iterator[Finding]:
        """Look for a line by amount and date where there is none by id."""
        line = self._alike(one) if one.owed else None
        if line:
            yield judged(one, [line], self._terms, BY_DAY)
        else:
            yield missing(one, self._terms) if one.owed else not_due(one)

    def _alike(self, one: Instruction) -> Line | None:
        lines = self._plain.get((one.currency, one.amount_minor), [])
        at = bisect_left(lines, one.sent - timedelta(days=self._terms.tolerance_days), key=attrgetter("booked"))
        return lines.pop(at) if at < len(lines) and self._terms.near(lines[at].booked, one.sent) else None


def reconcile(instructions: Iterable[Instruction], lines: Iterable[Line], terms: Terms) -> list[Finding]:
    """Match everything at once, whatever its order."""
    ordered = sorted(instructions, key=_order)
    messages = {name: list(group) for name, group in groupby(ordered, attrgetter("message_id"))}
    own: dict[str, list[Line]] = {name: [] for name in messages}
    loose: list[Line] = []
    for line in lines:
        own.get(line.message_id, loose).append(line)
    matcher = Matcher(loose, terms)
    found = [finding for name, message in messages.items() for finding in matcher.take(message, own[name])]
    return [*found, *matcher.finish()]


def _order(one: Instruction) -> tuple[object, ...]:
    return one.sent, one.message_id, one.position


def _in_one_currency(lines: list[Line], currency: str) -> tuple[list[Line], list[Line]]:
    """Part lines into those of this currency, else of the first that there is, and those of others."""
    currencies = {line.currency for line in lines}
    chosen = currency if currency in currencies else min(currencies, default="")
    return [line for line in lines if line.currency == chosen], [line for line in lines if line.currency != chosen]


def _names(line: Line) -> list[str]:
    """The ids by which a line may find its instruction. Transaction ids that are not ours are the bank's own."""
    return [
        name
        for name in (
            line.end_to_end_id,
            line.instruction_id,
            line.transaction_id if own_transaction(line.transaction_id) else "",
        )
        if name
    ]


def _shared(
    claims: list[tuple[Instruction, list[Line]]], lines: list[Line], terms: Terms
) -> list[tuple[Instruction, list[Line]]]:
    """Give lines to the instructions with their end-to-end id; several have it where a payment was retried."""
    if len(claims) == 1:
        claims[0][1].extend(lines)
        return claims
    for line in lines:
        min(claims, key=lambda claim: _fit(claim, line, terms))[1].append(line)
    return claims


def _fit(claim: tuple[Instruction, list[Line]], line: Line, terms: Terms) -> tuple[object, ...]:
    """How badly a line fits an instruction that has these lines already; smaller is better."""
    one, lines = claim
    return (
        any(other.credit == line.credit for other in lines),
        line.credit and not lines,
        not one.owed,
        (one.amount_minor, one.currency) != (line.amount_minor, line.currency),
        not terms.near(one.sent, line.booked),
        abs(one.sent - line.booked) if line.booked >= one.sent else timedelta.max,
        _order(one),
    )
