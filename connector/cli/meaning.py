"""What a message from a bank says, in lines for a person: status reports, returns, recall answers, statements."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from connector.domain.messages import (
    AccountStatement,
    PaymentReturn,
    RecallAnswer,
    Rejection,
    Statement,
    StatusReport,
    VerificationReport,
)
from connector.domain.money import decimal_amount
from connector.iso20022.explain import masked

LONGEST: Final = 20
"""So many single transactions are named; the others are counted."""


def meaning(value: object, message: str) -> list[str]:
    """Say in lines what a value that was read from ``message`` says; empty where there is nothing to explain."""
    lines = _LINES.get(type(value))
    return [] if lines is None else lines(value, message)


def _status_report(report: StatusReport, _: str) -> list[str]:
    lines = [
        f"{report.message} {report.message_id} of {report.created:%Y-%m-%d %H:%M}",
        f"answers {report.original_message or 'a message'} {report.original_message_id}",
    ]
    if report.group_status:
        lines.append(
            _sentence("the message as a whole", report.group_status, report.group_reason, report.group_information)
        )
    lines += [
        _sentence(f"payment block {block.payment_information_id}", block.status, block.reason, block.information)
        for block in report.blocks
        if block.status
    ]
    return [*lines, *_outcomes(report)]


def _outcomes(report: StatusReport) -> list[str]:
    if not report.transactions:
        return ["no single payments are named"]
    lines = [f"{len(report.transactions)} payments are named:"]
    lines += _counted((each.status, each.reason) for each in report.transactions)
    failed = [each for each in report.transactions if each.status == "RJCT"]
    single = [
        _sentence(each.end_to_end_id or each.instruction_id, each.status, each.reason, each.information)
        for each in failed
    ]
    return [*lines, *_cut(single, "that were rejected")]


def _payment_return(returned: PaymentReturn, message: str) -> list[str]:
    total = _money(returned.total_minor, returned.currency)
    single = [
        f"{each.end_to_end_id or each.transaction_id}: {_money(each.amount_minor, returned.currency)} "
        f"come back, reason {each.reason} {masked(each.information)}".rstrip()
        for each in returned.returns
    ]
    return [
        f"{message} {returned.message_id} of {returned.created:%Y-%m-%d %H:%M}",
        f"gives back payments of {returned.original_message or 'a message'} {returned.original_message_id}",
        f"{len(returned.returns)} payments come back, {total} in all, settled on {returned.settlement_date}:",
        *_cut(single, "that come back"),
    ]


def _recall_answer(answer: RecallAnswer, message: str) -> list[str]:
    lines = [
        f"{message} {answer.message_id} of {answer.created:%Y-%m-%d %H:%M}",
        f"answers the recall of {answer.original_message or 'a message'} {answer.original_message_id}".rstrip(),
    ]
    if answer.confirmation:
        lines.append(_sentence("the recall as a whole", answer.confirmation, answer.reason, answer.information))
    if not answer.results:
        return [*lines, "no single payments are named"]
    lines.append(f"{len(answer.results)} payments are named:")
    lines += _counted((each.status, each.reason) for each in answer.results)
    single = [
        _sentence(each.end_to_end_id or each.transaction_id, each.status, each.reason, each.information)
        for each in answer.results
        if each.status == "RJCR"
    ]
    return [*lines, *_cut(single, "whose recall was refused")]


def _statement(statement: Statement, message: str) -> list[str]:
    lines = [f"{message} {statement.message_id} of {statement.created:%Y-%m-%d %H:%M}"]
    for each in statement.statements:
        lines += _account(each)
    return lines


def _account(account: AccountStatement) -> list[str]:
    lines = [f"account {masked(account.account)}, {account.id}:"]
    lines += [
        f"  balance {BALANCES.get(each.kind, each.kind)}: "
        f"{_money(each.amount_minor if each.credit else -each.amount_minor, each.currency)}"
        for each in account.balances
    ]
    booked: dict[tuple[str, bool, str], list[int]] = {}
    for entry in account.entries:
        booked.setdefault((entry.status, entry.credit, entry.currency), []).append(entry.amount_minor)
    lines += [
        f"  {len(amounts):>7}  {'credits' if credit else 'debits'} {ENTRIES.get(status, status)}, "
        f"{_money(sum(amounts), currency)} in all"
        for (status, credit, currency), amounts in sorted(booked.items())
    ]
    named = sum(len(entry.transactions) for entry in account.entries)
    return [*lines, f"  {named:>7}  single transactions are named" if account.entries else "  no entries"]


def _verification_report(report: VerificationReport, message: str) -> list[str]:
    counts = Counter((each.verified, each.reason) for each in report.results)
    return [
        f"{message} {report.message_id} of {report.created:%Y-%m-%d %H:%M}",
        f"answers the verification {report.original_message_id}",
        f"{len(report.results)} accounts are named:",
        *(
            f"  {count:>7}  {'match' if verified else 'do not match'}" + (f", reason {reason}" if reason else "")
            for (verified, reason), count in counts.most_common()
        ),
    ]


def _rejection(rejection: Rejection, message: str) -> list[str]:
    lines = [f"{message}: the message {rejection.reference} was refused as a whole, reason {rejection.reason}"]
    lines += [f"at {rejection.location}"] if rejection.location else []
    return [*lines, masked(rejection.description)] if rejection.description else lines


def _money(minor: int, currency: str) -> str:
    return f"{decimal_amount(minor, currency)} {currency}"


def _counted(outcomes: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {count:>7}  {_named(status, reason)}" for (status, reason), count in Counter(outcomes).most_common()]


def _cut(single: Sequence[str], which: str) -> list[str]:
    lines = [f"  {line}" for line in single[:LONGEST]]
    return lines if len(single) <= LONGEST else [*lines, f"  and {len(single) - LONGEST} more {which}"]


def _sentence(what: str, status: str, reason: str, information: str) -> str:
    return f"{what}: {_named(status, reason)} {information}".rstrip()


def _named(status: str, reason: str) -> str:
    meaning_ = MEANINGS.get(status, "a status of the bank's own")
    return f"{status} ({meaning_})" + (f", reason {reason}" if reason else "")


_LINES: Final[dict[type, Callable[[Any, str], list[str]]]] = {
    StatusReport: _status_report,
    PaymentReturn: _payment_return,
    RecallAnswer: _recall_answer,
    Statement: _statement,
    VerificationReport: _verification_report,
    Rejection: _rejection,
}

BALANCES: Final = {
    "OPBD": "at the opening",
    "CLBD": "at the closing",
    "ITBD": "of the day so far",
    "OPAV": "available at the opening",
    "CLAV": "available at the closing",
    "ITAV": "available now",
    "PRCD": "at the closing before",
    "FWAV": "available from a later day",
}
"""Kinds of balances in words (external code set ExternalBalanceType1Code)."""

ENTRIES: Final = {"BOOK": "booked", "PDNG": "pending", "INFO": "for information", "FUTR": "to come"}
"""States of entries in words (external code set ExternalEntryStatus1Code)."""

MEANINGS: Final = {
    "RCVD": "received",
    "PDNG": "pending",
    "PART": "accepted in part",
    "PATC": "partially authorised",
    "ACTC": "technically valid",
    "ACCP": "customer checked",
    "ACFC": "funds checked",
    "ACWC": "accepted with a change",
    "ACSP": "settlement in process",
    "ACPD": "accepted by the clearing",
    "ACWP": "accepted, not yet posted",
    "ACIS": "cheque issued",
    "ACSC": "settled at the debtor's bank",
    "ACCC": "settled on the payee's account",
    "CPUC": "cash picked up",
    "BLCK": "blocked",
    "RJCT": "rejected",
    "CANC": "cancelled",
    "CNCL": "cancelled as asked for",
    "ACCR": "recall accepted",
    "RJCR": "recall refused",
    "PDCR": "recall pending",
    "PECR": "recall accepted in part",
}
"""Statuses in words (external code sets of payment and of cancellation statuses, and PART of the group statuses)."""
