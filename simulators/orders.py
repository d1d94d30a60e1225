"""Orders as values: what is kept of one, when it is executed, who is to credit its payments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final

from connector.domain.messages import CreditTransfer, Transfer
from simulators.faults import SECONDS_A_DAY, Decision
from simulators.inbox import Facts, Verdict
from simulators.world import SWITCH_CODE, WORLD, institution_of


@dataclass(frozen=True, slots=True)
class Reply:
    """Where the sender of an order wants its answers; url "" for ISO 20022 reports."""

    url: str = ""
    correlation_id: str = ""
    batch_id: str = ""


def facts_of(
    order: CreditTransfer, sender: str, decision: Decision, objection: Verdict | None, reply: Reply
) -> Facts:
    """Note what stays of an order beside its payments."""
    status, reason, information = objection or Verdict("")
    return Facts(
        currency=order.currency,
        count=len(order.transfers),
        total_minor=order.total_minor,
        debtor_account=order.debtor_account,
        debtor_name=order.debtor_name,
        debtor_agent=order.debtor_agent,
        participant=sender or order.instructing_agent or order.debtor_agent,
        initiating_party=order.initiating_party,
        payment_information_id=order.payment_information_id,
        modality=order.modality,
        status=status,
        reason=reason,
        information=information,
        report=decision.report,
        delay_seconds=decision.delay_seconds,
        inquiry=decision.inquiry,
        time_out=decision.time_out,
        notify=decision.notify,
        reply_url=reply.url,
        correlation_id=reply.correlation_id,
        batch_id=reply.batch_id,
    )


def opens_at(order: CreditTransfer, decision: Decision, now: datetime) -> float:
    """An order for a later day waits for it, one that comes after the cut-off for tomorrow; all else goes at once."""
    days = max((order.execution_date - now.date()).days, 0)
    if decision.cut_off and not days and now.strftime("%H:%M") >= decision.cut_off:
        days = 1
    return now.timestamp() + days * SECONDS_A_DAY


def wrong_total(order: CreditTransfer) -> Verdict | None:
    """Say that the control sum is wrong, where it is."""
    if order.transfers and total_of(order.transfers) == order.total_minor:
        return None
    return Verdict("RJCT", "AM10", "The control sum is not the sum of the payments.")


def by_institution(order: CreditTransfer, decision: Decision) -> tuple[dict[str, list[Transfer]], list[Verdict]]:
    """Sort the payments by who is to credit them; those under "" are refused, for the reasons given beside."""
    agents = {transfer.creditor_agent for transfer in order.transfers}
    if not decision.verdicts and len(agents) == 1 and _credits(*agents):
        return {agents.pop(): list(order.transfers)}, []
    parts: dict[str, list[Transfer]] = {}
    verdicts: list[Verdict] = []
    for position, transfer in enumerate(order.transfers):
        place = transfer.creditor_agent or order.creditor_agent or institution_of(transfer.creditor_account)
        verdict = decision.verdicts.get(position)
        if verdict is None and not _credits(place):
            verdict = Verdict("RJCT", "RC01", "The creditor agent is not a participant.")
        if verdict is not None:
            place = ""
            verdicts.append(verdict)
        parts.setdefault(place, []).append(transfer)
    return parts, verdicts


def total_of(transfers: Sequence[Transfer]) -> int:
    """Add up payments."""
    return sum(map(_AMOUNT, transfers))


def _credits(place: str) -> bool:
    """Whether an institution has customers who can be credited."""
    return place in WORLD and place != SWITCH_CODE


_AMOUNT: Final = attrgetter("amount_minor")
