"""What an institution does about a transfer without answer: it asks (pacs.028) a few times, then gives up or not.

It gives up only where a rule says so: the payments are rejected, and the silent institution is told (pacs.002), so
that it takes back what it may have credited. Otherwise they stay pending for as long as the silence lasts.
"""

import sqlite3
from dataclasses import replace
from typing import Final

from connector.domain.messages import StatusInquiry, StatusReport
from connector.iso20022.scheme import Job as Purpose
from simulators import inbox, outbox, reporting
from simulators.forwarding import Forwarding
from simulators.house import House, Outgoing
from simulators.inbox import Leg, Verdict
from simulators.outbox import Job

ASK: Final = "ask"
WITHDRAW: Final = "withdraw"
LEG: Final = "leg"
ASKED_ABOUT: Final = frozenset({LEG, ASK})
_SENTENCE: Final = "The institution did not answer in time."


class Inquiring:
    """The patience of the ordering role."""

    def __init__(self, house: House, forwarding: Forwarding) -> None:
        """Take the institution's parts and the role whose legs are asked about."""
        self._house = house
        self._forwarding = forwarding

    def sent(self, job: Job) -> None:
        """Plan the next question, or give up, when neither a leg nor a question about it was answered."""
        with self._house.database.transaction() as link:
            leg = inbox.leg(link, job.message, job.leg, items=False)
            if leg.result is not None or outbox.follows(link, job, ASK):
                return
            asked = int(job.payload or b"0") if job.kind == ASK else 0
            scheme = self._house.towards(leg.institution).scheme
            if asked < scheme.inquiries:
                self._plan(link, leg, asked + 1, scheme.answer_seconds)
            elif inbox.read(link, job.message).facts.time_out:
                self._give_up(link, leg)

    def unknown(self, job: Job) -> None:
        """Send a leg again that the other side says it never saw."""
        with self._house.database.transaction() as link:
            leg = inbox.leg(link, job.message, job.leg)
            if leg.result is None and not outbox.follows(link, job, LEG):
                outbox.put(link, Job(job.lane, LEG, job.target, job.message, job.leg))

    def compose(self, job: Job) -> Outgoing | None:
        """Write a question or a withdrawal; nothing where the answer came meanwhile."""
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            leg = inbox.leg(link, job.message, job.leg)
        if job.kind == WITHDRAW:
            reason = Verdict(reporting.REJECTED, kept.facts.time_out, _SENTENCE)
            return self._house.to(job.target, *self._withdrawal(leg, reason))
        return None if leg.result is not None else self._house.to(job.target, *self._question(leg, job.payload))

    def _plan(self, link: sqlite3.Connection, leg: Leg, number: int, wait: float) -> None:
        due_at = self._house.clock() + wait
        payload = str(number).encode()
        outbox.put(link, Job(f"leg-{leg.out_id}", ASK, leg.institution, leg.message, leg.number, payload, due_at))

    def _give_up(self, link: sqlite3.Connection, leg: Leg) -> None:
        kept, leg = inbox.read(link, leg.message), inbox.leg(link, leg.message, leg.number)
        self._forwarding.reject(link, leg, Verdict(reporting.REJECTED, kept.facts.time_out, _SENTENCE))
        outbox.put(link, Job(f"leg-{leg.out_id}", WITHDRAW, leg.institution, leg.message, leg.number))

    def _question(self, leg: Leg, number: bytes) -> tuple[str, StatusInquiry]:
        tongue = self._house.towards(leg.institution)
        question = StatusInquiry(
            message_id=f"{leg.out_id}Q{number.decode()}",
            created=self._house.clock.now(),
            original_message_id=leg.out_id,
            original_message=tongue.scheme.message(Purpose.INTERBANK),
            instructing_agent=self._house.code,
            instructed_agent=leg.institution,
        )
        return tongue.scheme.message(Purpose.INQUIRY), question

    def _withdrawal(self, leg: Leg, verdict: Verdict) -> tuple[str, StatusReport]:
        tongue = self._house.towards(leg.institution)
        asked = tongue.scheme.message(Purpose.INTERBANK)
        name = tongue.report(asked, Purpose.INTERBANK_REPORT)
        report = StatusReport(name, f"{leg.out_id}W", self._house.clock.now(), leg.out_id, asked)
        report = replace(report, instructing_agent=self._house.code, instructed_agent=leg.institution)
        return name, reporting.refused(report, verdict)
