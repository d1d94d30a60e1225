"""Comparing an account's statements with what our records say was paid from it. Pure.

Every instruction and every line ends in exactly one finding; the findings' amounts add up to both sides. Lines find
their instruction by end-to-end id or transaction id, a line that sums a whole message by its message id, and what has
no id by amount and date. A finding changes nothing: it is for people to look into.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from connector.domain.booking import Line
from connector.domain.status import InstructionStatus, Outcome, outcome

OWED: Final = frozenset({Outcome.COMPLETED, Outcome.RETURNED})
"""Outcomes of which the statement must show that money left."""


class FindingKind(StrEnum):
    """What came of looking for an instruction on the statement, or for a line in our records."""

    MATCHED = "matched"
    MISSING = "missing"  # paid by our records, not on the statement
    UNEXPECTED = "unexpected"  # on the statement, not in our records
    DIFFERING = "differing"  # on both sides, but not alike
    NOT_DUE = "not due"  # not paid by our records, and not on the statement


class Instruction(NamedTuple):
    """One instruction by our records; sent, changed: the days (UTC) on which its message went out and last moved."""

    message_id: str
    programme: str
    institution: str
    batch: str
    position: int
    instruction_id: str
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    currency: str
    status: InstructionStatus
    sent: date
    changed: date

    @property
    def owed(self) -> bool:
        """Whether the statement must show that money left."""
        return outcome(self.status) in OWED


class Finding(NamedTuple):
    """One result. ``amount_minor`` is the instruction's, ``statement_minor`` what left the account by the statement.

    by: what matched, ``end-to-end id``, ``message`` or ``amount and date``; difference: ``amount``, ``currency``,
    ``status``, ``twice``, or ``returned`` (the money came back, which only the statement says); payments: how many
    instructions it is about (a whole message where the statement gives one sum for it), 0 for an unexpected line.
    """

    kind: FindingKind
    sentence: str
    by: str = ""
    difference: str = ""
    programme: str = ""
    institution: str = ""
    batch: str = ""
    message_id: str = ""
    instruction_id: str = ""
    end_to_end_id: str = ""
    status: str = ""
    amount_minor: int = 0
    currency: str = ""
    paid_on: date | None = None
    statement_minor: int = 0
    statement_currency: str = ""
    booked_on: date | None = None
    statement: str = ""
    reference: str = ""
    reason: str = ""
    payments: int = 1

    @property
    def day(self) -> date:
        """The day to which it belongs: of the last booking, else of the sending."""
        return self.booked_on or self.paid_on or date.min


@dataclass(frozen=True, slots=True)
class Terms:
    """How to compare.

    tolerance_days: that booking and sending may be apart; covered: currency and day of which there are statements.
    """

    tolerance_days: int
    covered: frozenset[tuple[str, date]] = frozenset()

    def near(self, one: date, other: date) -> bool:
        """Whether two days are close enough."""
        return abs((one - other).days) <= self.tolerance_days

    def told(self, one: Instruction) -> bool:
        """Whether there are statements of all days on which an instruction may have been booked."""
        days = range(self.tolerance_days + 1)
        return all((one.currency, one.sent + timedelta(days=number)) in self.covered for number in days)


def judged(one: Instruction, lines: Sequence[Line], terms: Terms, by: str) -> Finding:
    """Compare an instruction with the lines (at least one) that are about it."""
    out = sum(line.amount_minor for line in lines if not line.credit)
    back = sum(line.amount_minor for line in lines if line.credit)
    difference, sentence = _compared(one, lines, out, back)
    if not difference and one.status is InstructionStatus.RTND and not back:
        difference, sentence = _return_awaited(one, lines, terms)
    kind = FindingKind.DIFFERING if difference else FindingKind.MATCHED
    return _described(kind, sentence, one, lines, by, difference)


def _compared(one: Instruction, lines: Sequence[Line], out: int, back: int) -> tuple[str, str]:
    """Name the difference, if there is one, and say it in a sentence."""
    if any(line.currency != one.currency for line in lines):
        return "currency", f"The statement has it in {lines[0].currency}, our records in {one.currency}."
    if one.owed:
        return _of_owed(one, out, back)
    if out == back:
        return "", "Booked and given back; by our records it was not paid."
    return "status", f"The statement shows money moving, but by our records the payment is {one.status}."


def _of_owed(one: Instruction, out: int, back: int) -> tuple[str, str]:
    """The same for an instruction that was paid."""
    amount, result = one.amount_minor, outcome(one.status)
    if out > amount and out % amount == 0:
        return "twice", f"The statement shows it {out // amount} times."
    if not {out, back} <= {0, amount} or not out + back:
        return "amount", "The statement has another amount than our records."
    if back and result is Outcome.COMPLETED:
        return "returned", "The money came back; only the statement says so, no return message has come."
    return "", _MATCHES[result]


_MATCHES: Final = {
    Outcome.COMPLETED: "Paid as our records say.",
    Outcome.RETURNED: "Paid and returned, as our records say.",
}


def _return_awaited(one: Instruction, lines: Sequence[Line], terms: Terms) -> tuple[str, str]:
    """A return by our records that the statement does not show (yet)."""
    last = max(line.booked for line in lines)
    if (one.currency, one.changed) in terms.covered and one.changed >= last:
        return "status", "By our records the money was returned; the statement does not show it coming back."
    return "", "Paid as our records say; it was returned later."


def missing(one: Instruction, terms: Terms) -> Finding:
    """Report an instruction that was paid and that no line is about."""
    when = one.sent + timedelta(days=terms.tolerance_days)
    if terms.told(one):
        sentence = "Paid by our records, but not on the statement."
    else:
        sentence = f"Paid by our records, but not on the statements received; they do not reach to {when} yet."
    return _described(FindingKind.MISSING, sentence, one)


def not_due(one: Instruction) -> Finding:
    """Account for an instruction that was not paid and is not on the statement."""
    return _described(FindingKind.NOT_DUE, f"By our records {one.status}, and not on the statement.", one)


def unexpected(line: Line) -> Finding:
    """Report a line that no instruction is behind."""
    way = "came in" if line.credit else "left"
    what = "beyond what its entry names" if line.remainder else "and our records do not know of it"
    return Finding(
        FindingKind.UNEXPECTED,
        f"Money {way} {what}.",
        message_id=line.message_id,
        instruction_id=line.instruction_id,
        end_to_end_id=line.end_to_end_id,
        statement_minor=line.out_minor,
        statement_currency=line.currency,
        booked_on=line.booked,
        statement=line.statement,
        reference=line.reference,
        reason=line.reason,
        payments=0,
    )


def summed(message: Sequence[Instruction], lines: Sequence[Line]) -> list[Finding]:
    """Compare the instructions of a message, of which no line tells by itself, with the lines that sum them up.

    Where the sum is what was paid, with what was returned or without it, each payment is matched; else the message as
    a whole differs. All lines are of one currency.
    """
    out = sum(line.out_minor for line in lines)
    owed = [one for one in message if one.owed]
    paid = [one for one in owed if one.status is not InstructionStatus.RTND]
    parts = (paid, owed) if lines[0].currency == message[0].currency else ()
    part = next((part for part in parts if out == sum(one.amount_minor for one in part)), None)
    others = [not_due(one) for one in message if not one.owed]
    if part is None or not owed:
        return [_sum_differs(owed or message[:1], lines), *others[0 if owed else 1 :]]
    shown = {one.position for one in part}
    return [*(_part_of_sum(one, lines, shown=one.position in shown) for one in owed), *others]


def _part_of_sum(one: Instruction, lines: Sequence[Line], *, shown: bool) -> Finding:
    """One payment of a sum that fits; one that was returned may be missing in it."""
    sentence = "Part of a sum on the statement that fits our records."
    found = _described(FindingKind.MATCHED, sentence, one, lines, "message")
    return found._replace(statement_minor=one.amount_minor if shown else 0)


def _sum_differs(owed: Sequence[Instruction], lines: Sequence[Line]) -> Finding:
    known = lines[0].currency == owed[0].currency
    difference = ("amount" if known else "currency") if owed[0].owed else "status"
    sentence = f"The statement has a sum for the message that differs in {difference} from its payments here."
    whole = _described(FindingKind.DIFFERING, sentence, owed[0], lines, "message", difference)
    total = sum(one.amount_minor for one in owed)
    return whole._replace(instruction_id="", end_to_end_id="", amount_minor=total, payments=len(owed))


def _described(
    kind: FindingKind,
    sentence: str,
    one: Instruction,
    lines: Sequence[Line] = (),
    by: str = "",
    difference: str = "",
) -> Finding:
    last = max(lines) if lines else None
    return Finding(
        kind,
        sentence,
        by,
        difference,
        one.programme,
        one.institution,
        one.batch,
        one.message_id,
        one.instruction_id,
        one.end_to_end_id,
        one.status.value,
        one.amount_minor,
        one.currency,
        one.sent,
        sum(line.out_minor for line in lines),
        last.currency if last else "",
        max(line.booked for line in lines) if lines else None,
        last.statement if last else "",
        last.reference if last else "",
        last.reason if last else "",
    )
