"""What an institution's answer to a leg means for the payments in it."""

from collections.abc import Sequence

from connector.domain.messages import StatusReport, Transfer
from simulators import reporting
from simulators.inbox import Leg, Result, Verdict
from simulators.reporting import transfers_of


def is_uniform(report: StatusReport) -> bool:
    """Tell whether a report says the same of all payments, and that they were not rejected."""
    return not report.transactions and report.group_status != reporting.REJECTED


def uniform(report: StatusReport) -> Result:
    """Give what a uniform report comes to; needs no look at the payments."""
    return Result(_usual(report))


def judged(transfers: Sequence[Transfer], report: StatusReport) -> Result:
    """Give what any report comes to for these payments."""
    position_of, usual = _positions(transfers, report), _usual(report)
    if usual != reporting.REJECTED:
        exceptions = {
            position_of[one.transaction_id]: Verdict(one.status, one.reason, one.information)
            for one in report.transactions
            if one.transaction_id in position_of and one.status != usual
        }
        return Result(usual, exceptions)
    group = Verdict("RJCT", report.group_reason or "NARR", report.group_information)
    told = {
        position_of[one.transaction_id]: Verdict("RJCT", one.reason, one.information)
        for one in report.transactions
        if one.transaction_id in position_of
    }
    return Result(usual, {position: told.get(position, group) for position in range(len(transfers))})


def rejected(transfers: Sequence[Transfer], why: Verdict) -> Result:
    """Reject all payments for one reason."""
    return Result(reporting.REJECTED, dict.fromkeys(range(len(transfers)), why))


def rejected_minor(leg: Leg) -> int:
    """Add up the payments of an answered leg that were rejected; its items are looked at where there are any."""
    exceptions = leg.result.exceptions if leg.result else {}
    transfers = transfers_of(leg) if exceptions else []
    return sum(
        transfers[position].amount_minor
        for position, verdict in exceptions.items()
        if verdict.status == reporting.REJECTED
    )


def _usual(report: StatusReport) -> str:
    """The status of the payments that the report does not name."""
    return reporting.SETTLED if report.group_status == reporting.PARTLY else report.group_status


def _positions(transfers: Sequence[Transfer], report: StatusReport) -> dict[str, int]:
    """Find the payments that a report names; most name none."""
    named = {one.transaction_id for one in report.transactions}
    return {
        transfer.transaction_id: position
        for position, transfer in enumerate(transfers if named else ())
        if transfer.transaction_id in named
    }
