"""Status reports: from what is in the books to pain.002 and pacs.002, honest or misbehaving."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from connector.domain.messages import BlockStatus, InquiredTransfer, StatusReport, TransactionStatus, Transfer
from connector.domain.money import amount_text, exponent
from simulators.desk import BULKY_PAYMENTS
from simulators.details import Detail
from simulators.inbox import Kept, Leg, Result, Verdict
from simulators.outbox import Job
from simulators.versions import OLD_WORDS

REJECTED: Final = "RJCT"
PARTLY: Final = "PART"
SETTLED: Final = "ACCC"
IN_PROCESS: Final = "ACSP"
ACCEPTED: Final = "ACCP"
FINAL_STATUSES: Final = frozenset({"ACSC", "ACCC", REJECTED, PARTLY})
PARTS: Final = 3

_TRANSFERS: Final = msgspec.msgpack.Decoder(list[Transfer])


def transfers_of(leg: Leg) -> list[Transfer]:
    """Unpack the transfers of a leg."""
    return _TRANSFERS.decode(leg.items)


def jobs_for(kept: Kept, now: float) -> list[Job]:
    """Say which reports are sent when a message is settled, and when."""
    late = now + kept.facts.delay_seconds
    plan: dict[str, list[tuple[str, float]]] = {
        "late": [("final", late)],
        "pending": [("interim", now), ("final", late)],
        "twice": [("final", now), ("final", now)],
        "out-of-order": [("final", now), ("interim", now)],
        "parts": [(f"part-{part}", now) for part in reversed(range(PARTS))],
        "silent": [],
        "mute": [],
    }
    stages = plan.get(kept.facts.report, [("final", now)])
    if kept.facts.report in {"malformed", "wrong-totals", "unknown-message"}:
        stages = [(kept.facts.report, now)]
    bulky = kept.facts.count > BULKY_PAYMENTS
    return [
        Job(f"report-{kept.number}", f"report:{stage}", kept.sender, kept.number, due_at=due_at, bulky=bulky)
        for stage, due_at in stages
    ]


def worded(report: StatusReport) -> StatusReport:
    """Say it in the words that the report's version has."""
    words = OLD_WORDS.get(report.message)
    if words is None:
        return report
    return replace(
        report,
        group_status=words.get(report.group_status, report.group_status),
        blocks=[one._replace(status=words.get(one.status, one.status)) for one in report.blocks],
        transactions=[one._replace(status=words.get(one.status, one.status)) for one in report.transactions],
    )


def base_report(name: str, message_id: str, created: datetime, kept: Kept) -> StatusReport:
    """Begin a report about a message; it says nothing yet of what became of it."""
    facts = kept.facts
    return StatusReport(
        message=name,
        message_id=message_id,
        created=created,
        original_message_id=kept.message_id,
        original_message=kept.name,
        original_count=facts.count,
        original_total=amount_text(facts.total_minor, exponent(facts.currency)) if facts.currency else "",
        initiating_party=facts.initiating_party,
    )


def with_outcome(report: StatusReport, kept: Kept, legs: Sequence[Leg], *, one_by_one: bool = False) -> StatusReport:
    """Say what became of every payment: one status for all where that is the truth and is wanted, else one by one."""
    if alike(legs) and not one_by_one:
        return replace(report, group_status=next(leg.result.status for leg in legs if leg.result))
    transactions = tuple(each(legs))
    only = {transaction.status for transaction in transactions}
    return _listing(report, kept, only.pop() if len(only) == 1 else PARTLY, transactions)


def alike(legs: Sequence[Leg]) -> bool:
    """Tell whether all payments of the answered legs came to the same; needs no items of the legs."""
    results = [leg.result for leg in legs if leg.result]
    return len({result.status for result in results}) == 1 and not any(result.exceptions for result in results)


def part_of(report: StatusReport, kept: Kept, legs: Sequence[Leg], part: int) -> StatusReport:
    """Give one of the parts in which a report is sent: every third payment."""
    return _listing(report, kept, PARTLY, tuple(each(legs))[part::PARTS])


def refused(report: StatusReport, verdict: Verdict) -> StatusReport:
    """Refuse a message as a whole."""
    return replace(
        report, group_status=verdict.status, group_reason=verdict.reason, group_information=verdict.information
    )


def _listing(
    report: StatusReport, kept: Kept, status: str, transactions: Sequence[TransactionStatus]
) -> StatusReport:
    """List payments in the one block that an order has."""
    block = BlockStatus(kept.facts.payment_information_id or kept.message_id, status)
    return replace(report, group_status=status, blocks=(block,), transactions=transactions)


def settled(leg: Leg) -> list[Detail]:
    """List the payments of an answered leg that were settled."""
    exceptions = leg.result.exceptions if leg.result else {}
    return [
        Detail(
            transfer.instruction_id,
            transfer.end_to_end_id,
            transfer.transaction_id,
            transfer.amount_minor,
            transfer.creditor_account,
            remittance=transfer.remittance,
        )
        for position, transfer in enumerate(transfers_of(leg))
        if exceptions.get(position, Verdict("")).status != REJECTED
    ]


def narrowed(
    report: StatusReport, kept: Kept, legs: Sequence[Leg], asked: Sequence[InquiredTransfer]
) -> StatusReport:
    """Say of single payments how they stand; those that are not in the message are left out."""
    wanted = {one.transaction_id or one.end_to_end_id or one.instruction_id for one in asked}
    open_legs = (leg if leg.result else leg._replace(result=Result(IN_PROCESS)) for leg in legs)
    told = tuple(
        one for one in each(open_legs) if wanted & {one.transaction_id, one.end_to_end_id, one.instruction_id}
    )
    only = {one.status for one in told}
    return _listing(report, kept, only.pop() if len(only) == 1 else PARTLY, told)


def exceptional(leg: Leg) -> Iterator[TransactionStatus]:
    """Say of the payments of an answered leg that are not as usual what became of them."""
    transfers = transfers_of(leg)
    for position, verdict in sorted(leg.result.exceptions.items() if leg.result else ()):
        transfer = transfers[position]
        yield TransactionStatus(transfer.instruction_id, transfer.end_to_end_id, transfer.transaction_id, *verdict)


def each(legs: Iterable[Leg]) -> Iterator[TransactionStatus]:
    """Say of every payment of the answered legs what became of it."""
    for leg in legs:
        result = leg.result
        if result is None:
            continue
        usual = Verdict(result.status)
        exceptions = result.exceptions
        for position, transfer in enumerate(transfers_of(leg)):
            verdict = exceptions.get(position, usual)
            yield TransactionStatus(
                transfer.instruction_id, transfer.end_to_end_id, transfer.transaction_id, *verdict
            )
