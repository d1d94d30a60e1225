"""Step 5a: from a report to what it says of each credit of its chunk. Pure.

A transaction's own status goes before its block's, and that before the group's. A status that ISO does not give a
transaction (PART, a bank's own) says nothing: an unknown answer is neither success nor failure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Final

from connector.channels.answer import Report
from connector.domain.batch import BatchKind
from connector.domain.chunk import Chunk, ChunkStatus, Update
from connector.domain.errors import Refused
from connector.domain.ids import MessageKind, own_message
from connector.domain.instruction import Reason
from connector.domain.messages import PaymentReturn, StatusReport, TransactionStatus, VerificationReport
from connector.domain.money import decimal_amount
from connector.domain.status import OUTCOME_OF_BYTE, InstructionStatus, Outcome, outcome
from connector.flows.compose import chunk_message_id, transaction_id

MAXIMUM_INFORMATION: Final = 210
"""Of additional information, so much is kept (two lines of Max105Text)."""

VERIFIED: Final = InstructionStatus.ACSC
"""How the positive answer to a verification is stored: final, and good."""

_REPORTED: Final = {status.value: status for status in InstructionStatus if status is not InstructionStatus.RTND}
_DUPLICATE: Final = frozenset({"AM05", "DU01", "DU02"})
"""Reasons for which a whole message is refused because there was one like it."""

_NOT_RECEIVED: Final = frozenset({"UTNV", "NOOR"})
"""Reasons by which an institution says that it never saw the message it was asked about."""

_CODE: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{2}")
_LONG_NUMBER: Final = re.compile(r"\+?[A-Z]{0,2}\d(?:[ .-]?\d){7,}")
"""Account numbers, the digits of IBANs and phone numbers."""

_OPPOSITES: Final = frozenset({Outcome.COMPLETED, Outcome.FAILED})
_END_TO_END: Final = attrgetter("end_to_end_id")
_IDS: Final = (attrgetter("instruction_id"), _END_TO_END, attrgetter("transaction_id"))
_ABSENT: Final = frozenset({"", "NOTPROVIDED"})


class Positions:
    """Finds a chunk's credits by the ids that a report may use."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._by_end_to_end = dict(zip(map(_END_TO_END, chunk.credits), range(len(chunk.credits)), strict=True))
        self._by_transaction: dict[str, int] | None = None

    def of(self, *ids: str, transaction: str = "") -> int:
        """Find the one credit that all given ids mean; raises ``Refused`` for none or for different ones.

        A transaction id that is not ours is the bank's own clearing id, and says nothing where another id is given.
        """
        found = {self._one(name) for name in ids if name not in _ABSENT}
        if transaction not in _ABSENT:
            known = self._transactions().get(transaction)
            found |= set() if found and known is None else {known}
        if len(found) != 1 or None in found:
            raise Refused.because(
                "TxInfAndSts/OrgnlEndToEndId",
                "unknown_transaction",
                "The report names a payment that was not in the message.",
            )
        return next(position for position in found if position is not None)

    def of_all(self, transactions: Sequence[TransactionStatus]) -> list[int]:
        """Find the credits that the transactions of a report mean; raises ``Refused`` as ``of`` does.

        Nearly all reports name each payment by one id only, and that without a mistake: those are looked up together.
        """
        instructions, ids, others = (list(map(field, transactions)) for field in _IDS)
        if not any(others) and (instructions == ids or not any(instructions)) and _ABSENT.isdisjoint(ids):
            found = [position for position in map(self._by_end_to_end.get, ids) if position is not None]
            if len(found) == len(transactions):
                return found
        return [self.of(*names, transaction=other) for *names, other in zip(instructions, ids, others, strict=True)]

    def _one(self, name: str) -> int | None:
        position = self._by_end_to_end.get(name)
        return self._transactions().get(name) if position is None else position

    def _transactions(self) -> dict[str, int]:
        """The index by transaction id, made when it is first needed."""
        if self._by_transaction is None:
            chunk = self._chunk
            self._by_transaction = {transaction_id(chunk.id, c): index for index, c in enumerate(chunk.credits)}
        return self._by_transaction


def updates(report: Report, chunk: Chunk, unsent: Sequence[int] = ()) -> list[Update]:
    """Say what a report means for its chunk; raises ``Refused`` where it does not fit the chunk.

    unsent: the positions of the credits that its message did not carry.
    """
    match report:
        case StatusReport():
            _check_sums(report, chunk, unsent)
            return _status_updates(report, chunk)
        case VerificationReport():
            return list(_verification_updates(report, chunk))
        case PaymentReturn():
            return list(_return_updates(report, chunk))


def refused_as_duplicate(report: Report) -> bool:
    """Whether a report says no more than that the message was seen before."""
    if not isinstance(report, StatusReport) or report.transactions:
        return False
    whole = [(block.status, block.reason) for block in report.blocks] + [(report.group_status, report.group_reason)]
    return any(status == InstructionStatus.RJCT and reason in _DUPLICATE for status, reason in whole)


def never_received(report: Report) -> bool:
    """Whether the answer to an inquiry says of the whole message that it was not received."""
    if not isinstance(report, StatusReport):
        return False
    group = (report.group_status, report.group_reason)
    said = {(item.status, item.reason) for item in report.transactions} or {group}
    return all(status == InstructionStatus.RJCT.value and reason in _NOT_RECEIVED for status, reason in said)


def about_payments(report: Report) -> Report:
    """An answer that names the inquiry as its original: only what it says of single payments is about them."""
    own = own_message(report.original_message_id)
    if not isinstance(report, StatusReport) or own is None or own.kind is not MessageKind.INQUIRY:
        return report
    original = chunk_message_id(BatchKind.DISBURSEMENT, own.chunk)
    return replace(
        report, original_message_id=original, group_status="", blocks=(), original_count=None, original_total=""
    )


def reason_code(code: str) -> str:
    """Keep a code that has the form of ISO's; any other is the institution's own, and told in words."""
    return code if _CODE.fullmatch(code) else "NARR"


def contradicted(status: ChunkStatus, news: Sequence[Update]) -> int:
    """Count the payments that have ended one way for good and of which a report now says the opposite."""
    codes, unsent = status.codes, set(status.unsent)
    return sum(
        {OUTCOME_OF_BYTE[codes[position]], outcome(then)} == _OPPOSITES and position not in unsent
        for position, then, _ in news
    )


def _status_updates(report: StatusReport, chunk: Chunk) -> list[Update]:
    own = _own_statuses(report, Positions(chunk)) if report.transactions else []
    common = _common_status(report)
    if common is None:
        return own
    named = {update.position for update in own}
    status, reason = common
    return own + [Update(index, status, reason) for index in range(len(chunk.credits)) if index not in named]


def _check_sums(report: StatusReport, chunk: Chunk, unsent: Sequence[int]) -> None:
    """The report must be about as many payments and as much money as the message had."""
    count = len(chunk.credits) - len(unsent)
    total = chunk.total_minor - sum(chunk.credits[index].amount_minor for index in unsent)
    if report.original_count is not None and report.original_count != count:
        raise Refused.because("OrgnlGrpInfAndSts/OrgnlNbOfTxs", "AM19", f"The message had {count} transactions.")
    if report.original_total and _decimal(report.original_total) != decimal_amount(total, chunk.currency):
        raise Refused.because("OrgnlGrpInfAndSts/OrgnlCtrlSum", "AM10", "The message had another control sum.")


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _own_statuses(report: StatusReport, positions: Positions) -> list[Update]:
    """What the report says of single transactions."""
    found = positions.of_all(report.transactions)
    statuses = [_REPORTED.get(transaction.status) for transaction in report.transactions]
    reasons = [_reason(transaction.reason, transaction.information) for transaction in report.transactions]
    told = zip(found, statuses, reasons, strict=True)
    return [Update(position, status, reason) for position, status, reason in told if status is not None]


def _reason(code: str, text: str) -> Reason | None:
    return Reason(code or "NARR", information(text)) if code or text else None


def information(text: str) -> str:
    """What an institution says in its own words, as it is kept: cut, and without anything like an account number."""
    return _LONG_NUMBER.sub("…", text)[:MAXIMUM_INFORMATION]


def _common_status(report: StatusReport) -> tuple[InstructionStatus, Reason | None] | None:
    """What the report says of all transactions that it does not name: the block's word, else the group's."""
    for block in report.blocks:
        if block.payment_information_id not in {*_ABSENT, report.original_message_id}:
            raise Refused.because(
                "OrgnlPmtInfAndSts/OrgnlPmtInfId",
                "unknown_block",
                "The message had no such payment information block.",
            )
        if (status := _REPORTED.get(block.status)) is not None:
            return status, _reason(block.reason, block.information)
    if (status := _REPORTED.get(report.group_status)) is not None:
        return status, _reason(report.group_reason, report.group_information)
    return None


def _verification_updates(report: VerificationReport, chunk: Chunk) -> Iterator[Update]:
    positions = Positions(chunk)
    for result in report.results:
        if result.verified:
            yield Update(positions.of(result.id), VERIFIED)
        else:
            yield Update(positions.of(result.id), InstructionStatus.RJCT, Reason(result.reason or "NARR"))


def _return_updates(report: PaymentReturn, chunk: Chunk) -> Iterator[Update]:
    """A payment that comes back before its final report was settled first, and then returned."""
    positions = Positions(chunk)
    for item in report.returns:
        position = positions.of(item.instruction_id, item.end_to_end_id, transaction=item.transaction_id)
        if report.currency != chunk.currency or item.amount_minor != chunk.credits[position].amount_minor:
            raise Refused.because("TxInf/RtrdIntrBkSttlmAmt", "AM09", "A payment is returned with another amount.")
        yield Update(position, InstructionStatus.ACSC)
        yield Update(position, InstructionStatus.RTND, _reason(item.reason, item.information))
