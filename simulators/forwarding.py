"""The ordering side of an institution: takes an order, passes it on leg by leg, gathers the answers, reports.

The payer bank does this with a pain.001, the switch with a pacs.008; what differs is how they book (``Booking``) and
what they call their messages (``Names``).
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final, Protocol

import msgspec
from msgspec import structs

from connector.domain.errors import NotFound, Unavailable
from connector.domain.messages import (
    CreditTransfer,
    InquiredTransfer,
    PaymentReturn,
    ReturnedTransfer,
    StatusReport,
    Transfer,
)
from connector.iso20022.scheme import Job as Purpose
from simulators import details, inbox, judging, orders, outbox, reporting
from simulators.desk import BULKY_PAYMENTS
from simulators.details import returned_detail
from simulators.faults import Decision, Magic
from simulators.house import Answer, House, Outgoing
from simulators.inbox import Envelope, Kept, Leg, Result, Verdict
from simulators.orders import Reply, total_of
from simulators.outbox import Job
from simulators.reporting import transfers_of

_PURPOSES: Final = {"pacs.008": Purpose.INTERBANK_REPORT, "pain.013": Purpose.REQUEST_TO_PAY_REPORT}
NOTIFY: Final = "notify"
_FOREIGN_MESSAGE: Final = "ZZZZZZZZZZZZZZZZZZZZP0"
_RETURNED: Final = msgspec.msgpack.Decoder(list[ReturnedTransfer])


class Booking(Protocol):
    """How an institution books an order; all inside the caller's transaction."""

    def objection(self, link: sqlite3.Connection, order: CreditTransfer) -> Verdict | None:
        """Say why the order cannot be booked at all: an unknown debtor, no funds."""
        ...

    def reserve(self, link: sqlite3.Connection, kept: Kept, minor: int) -> None:
        """Take the money for the order from the debtor."""
        ...

    def conclude(self, link: sqlite3.Connection, kept: Kept, leg: Leg, accepted: int, rejected: int) -> list[Job]:
        """Settle what a leg's institution took, give the debtor the rest, and say whom to tell."""
        ...

    def take_back(
        self, link: sqlite3.Connection, kept: Kept, leg: Leg, reference: str, given: PaymentReturn
    ) -> list[Job] | None:
        """Give the debtor what was returned later, and say whom to tell; ``None`` where that was done before."""
        ...


class Forwarding:
    """The ordering role."""

    def __init__(self, house: House, booking: Booking, magic: Magic) -> None:
        """Take the institution's parts, its way of booking and its magic values."""
        self._house = house
        self._magic = magic
        self._booking = booking

    def order(self, order: CreditTransfer, name: str, sender: str, reply: Reply | None = None) -> Answer:
        """Take an order once; a repetition is answered again and never booked again."""
        with self._house.stages.measure("book orders", len(order.transfers)):
            content = inbox.encode(order.transfers)
            envelope = Envelope(sender, name, order.message_id, inbox.digest_of(content))
            with self._house.database.transaction() as link:
                known = inbox.find(link, sender, name, order.message_id)
                taken = known or self._take(link, order, envelope, reply or Reply())
        if isinstance(taken, Answer):
            return taken
        if known is None:
            return self._first_answer(taken)
        if known.digest != envelope.digest:
            verdict = Verdict("RJCT", "DU01", "This message id was used before with other content.")
            return self._xml(reporting.refused(self._base(known, "D"), verdict), known)
        return self._acknowledgement(known)

    def report(self, link: sqlite3.Connection, kept: Kept, only: Sequence[InquiredTransfer] = ()) -> Answer:
        """Give the newest report: the acknowledgement, or the final one from the time on when it may be seen.

        only: the payments that it is about, where not all.
        """
        if kept.facts.report == "mute":
            return Answer(204)
        if only and kept.visible_at <= self._house.clock():
            legs = inbox.legs(link, kept.number)
            return self._xml(reporting.narrowed(self._base(kept, "Q"), kept, legs, only), kept)
        if kept.state == inbox.FINAL and kept.visible_at <= self._house.clock():
            legs = inbox.legs(link, kept.number)
            return self._xml(self._whole(self._base(kept, "F"), kept, legs), kept)
        return self._acknowledgement(kept)

    def answered(self, report: StatusReport) -> None:
        """Take in an institution's report about a leg; what is known already changes nothing.

        Raises ``NotFound`` where no leg went out under the report's original message id.
        """
        house = self._house
        with house.stages.measure("book answers", report.original_count or 1), house.database.transaction() as link:
            leg = inbox.leg_of(link, report.original_message_id, items=False)
            if leg is None:
                raise NotFound("message", report.original_message_id)
            if leg.result is None and report.group_status in reporting.FINAL_STATUSES:
                self._conclude(link, leg, report)

    def refused_leg(self, message: int, number: int, reason: str) -> None:
        """Give up a leg that its institution does not take at all."""
        with self._house.database.transaction() as link:
            leg = inbox.leg(link, message, number)
            if leg.result is None:
                self.reject(link, leg, Verdict("RJCT", reason))

    def reject(self, link: sqlite3.Connection, leg: Leg, why: Verdict) -> None:
        """Reject all payments of a leg that was not answered."""
        self._settle(link, leg, judging.rejected(transfers_of(leg), why))

    def returned(self, given: PaymentReturn, sender: str) -> None:
        """Book a pacs.004 once and pass it on to whom the order came from.

        Raises ``NotFound`` for a foreign message, ``Unavailable`` while the transfer itself is not settled.
        """
        with self._house.database.transaction() as link:
            leg = inbox.leg_of(link, given.original_message_id)
            if leg is None:
                raise NotFound("message", given.original_message_id)
            kept = inbox.read(link, leg.message)
            if kept.state != inbox.FINAL:
                raise Unavailable("transfer", "it is not settled yet")
            reference = f"{sender}|{given.message_id}"
            jobs = self._booking.take_back(link, kept, leg, reference, given)
            if jobs is not None:
                outbox.put(link, *jobs, self._return_job(kept, given), *self._notices(kept, "returned", reference))
                items = [returned_detail(one) for one in given.returns]
                details.keep(link, "returned", reference, kept.message_id, items)

    def cancel(self, link: sqlite3.Connection, kept: Kept, leg: Leg, positions: Collection[int]) -> None:
        """Cancel payments of a leg that did not go out yet, and give the debtor the money back."""
        transfers, cancelled = transfers_of(leg), Verdict("RJCT", "CUST", "Cancelled on request.")
        if len(positions) == len(transfers):
            self._settle(link, leg, judging.rejected(transfers, cancelled))
            return
        gone = [transfer for position, transfer in enumerate(transfers) if position in positions]
        left = [transfer for position, transfer in enumerate(transfers) if position not in positions]
        number = len(inbox.legs(link, kept.number))
        out_id = f"{self._house.code}{kept.number:08d}L{number}"
        result = judging.rejected(gone, cancelled)
        own = Leg(kept.number, number, "", out_id, inbox.encode(gone), result)
        inbox.cut_leg(link, leg, inbox.encode(left))
        inbox.add_leg(link, own)
        outbox.put(link, *self._booking.conclude(link, kept, own, 0, total_of(gone)))

    def compose(self, job: Job) -> Outgoing | None:
        """Make the message of a job of this role: a leg, a report or a return."""
        if job.kind == "leg":
            return self._leg_message(job)
        if job.kind == "return-on":
            return self._return_message(job)
        return self._report_message(job)

    def _take(
        self, link: sqlite3.Connection, order: CreditTransfer, envelope: Envelope, reply: Reply
    ) -> Kept | Answer:
        """Take a new order, or answer that it was not taken."""
        decision = self._house.decided(link, self._magic, order, envelope.sender)
        if isinstance(decision, Answer):
            return decision
        return self._accept(link, order, envelope, decision, reply)

    def _accept(
        self,
        link: sqlite3.Connection,
        order: CreditTransfer,
        envelope: Envelope,
        decision: Decision,
        reply: Reply,
    ) -> Kept:
        now = self._house.clock()
        objection = decision.group or orders.wrong_total(order) or self._booking.objection(link, order)
        facts = orders.facts_of(order, envelope.sender, decision, objection, reply)
        facts = structs.replace(facts, opens_at=orders.opens_at(order, decision, self._house.clock.now()))
        kept = inbox.keep(link, envelope, now, facts)
        if objection:
            return self.refuse(link, kept, order, objection)
        self.carry_out(link, kept, order, decision)
        return kept

    def refuse(self, link: sqlite3.Connection, kept: Kept, order: CreditTransfer, why: Verdict) -> Kept:
        """Refuse an order as a whole."""
        facts = structs.replace(kept.facts, status=why.status, reason=why.reason, information=why.information)
        self._add_leg(link, kept, 0, "", order.transfers, [why] * len(order.transfers))
        inbox.refuse(link, kept.number, facts, self._house.clock())
        outbox.put(link, *_callback(kept))
        return kept._replace(state=inbox.REFUSED, facts=facts)

    def carry_out(self, link: sqlite3.Connection, kept: Kept, order: CreditTransfer, decision: Decision) -> None:
        """Reserve the money of an order that nothing speaks against, and pass its payments on."""
        parts, verdicts = orders.by_institution(order, decision)
        for number, (place, transfers) in enumerate(parts.items()):
            self._add_leg(link, kept, number, place, transfers, verdicts)
        routed = sum(total_of(transfers) for place, transfers in parts.items() if place)
        self._booking.reserve(link, kept, routed)
        if set(parts) <= {""}:
            self._finish(link, kept)

    def _add_leg(
        self,
        link: sqlite3.Connection,
        kept: Kept,
        number: int,
        place: str,
        transfers: Sequence[Transfer],
        verdicts: Sequence[Verdict],
    ) -> None:
        out_id = f"{self._house.code}{kept.number:08d}L{number}"
        items = [
            transfer if transfer.transaction_id else (*transfer[:2], f"{out_id}.{position}", *transfer[3:])
            for position, transfer in enumerate(transfers)
        ]
        result = None if place else Result("RJCT", dict(enumerate(verdicts)))
        inbox.add_leg(link, Leg(kept.number, number, place, out_id, inbox.encode(items), result))
        if place:
            opens_at, bulky = kept.facts.opens_at, len(items) > BULKY_PAYMENTS
            outbox.put(link, Job(f"leg-{out_id}", "leg", place, kept.number, number, due_at=opens_at, bulky=bulky))

    def _first_answer(self, kept: Kept) -> Answer:
        """Acknowledge at once, unless the message asked for something else."""
        if kept.facts.report == "lost-answer":
            return Answer(503)
        if kept.facts.report in {"out-of-order", "mute"} or kept.facts.reply_url:
            return Answer(202)
        return self._acknowledgement(kept)

    def _acknowledgement(self, kept: Kept) -> Answer:
        facts = kept.facts
        verdict = Verdict(facts.status or reporting.ACCEPTED, facts.reason, facts.information)
        return self._xml(reporting.refused(self._base(kept, "A"), verdict), kept)

    def _conclude(self, link: sqlite3.Connection, leg: Leg, report: StatusReport) -> None:
        if judging.is_uniform(report):
            self._settle(link, leg, judging.uniform(report))
        else:
            leg = inbox.leg(link, leg.message, leg.number)
            self._settle(link, leg, judging.judged(transfers_of(leg), report))

    def _settle(self, link: sqlite3.Connection, leg: Leg, result: Result) -> None:
        """Book what became of a leg; it comes with its items where the result has exceptions."""
        kept = inbox.read(link, leg.message)
        answered = leg._replace(result=result)
        rejected = judging.rejected_minor(answered)
        accepted = self._total(link, kept, leg) - rejected
        outbox.put(link, *self._booking.conclude(link, kept, answered, accepted, rejected))
        outbox.put(link, *self._notices(kept, "leg", leg.out_id))
        if inbox.answer(link, leg, result):
            self._finish(link, kept)

    def _total(self, link: sqlite3.Connection, kept: Kept, leg: Leg) -> int:
        if inbox.is_sole(link, leg):
            return kept.facts.total_minor
        return total_of(transfers_of(inbox.leg(link, leg.message, leg.number)))

    def _finish(self, link: sqlite3.Connection, kept: Kept) -> None:
        now = self._house.clock()
        facts = kept.facts
        seen_at = {"late": now + facts.delay_seconds, "pending": now + facts.delay_seconds, "mute": inbox.NEVER}
        inbox.finish(link, kept.number, inbox.FINAL, seen_at.get(facts.report, now))
        outbox.put(link, *(_callback(kept) or reporting.jobs_for(kept, now)))

    def _leg_message(self, job: Job) -> Outgoing | None:
        """Write a leg; nothing where it was cancelled before it went out."""
        laps = self._house.stages.laps()
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            leg = inbox.leg(link, job.message, job.leg)
        if leg.result is not None:
            return None
        transfer = self._transfer(kept, leg)
        laps.end("forward")
        laps.count("", len(transfer.transfers))
        name = self._house.towards(leg.institution).scheme.message(Purpose.INTERBANK)
        return self._house.to(leg.institution, name, transfer)

    def _transfer(self, kept: Kept, leg: Leg) -> CreditTransfer:
        facts, now = kept.facts, self._house.clock.now()
        transfers = transfers_of(leg)
        return CreditTransfer(
            message_id=leg.out_id,
            created=now,
            currency=facts.currency,
            total_minor=total_of(transfers),
            initiating_party=facts.initiating_party,
            debtor_name=facts.debtor_name,
            debtor_account=facts.debtor_account,
            debtor_agent=facts.debtor_agent or self._house.code,
            execution_date=now.date(),
            transfers=transfers,
            modality=facts.modality or "00",
            creditor_agent=leg.institution,
            instructing_agent=self._house.code,
            instructed_agent=leg.institution,
        )

    def _report_message(self, job: Job) -> Outgoing:
        """Write the report that a job stands for, with whatever is to be wrong with it."""
        stage, laps = job.kind.partition(":")[2], self._house.stages.laps()
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            legs = inbox.legs(link, job.message, items=False)
            if stage.startswith("part-") or self._house.settings.reports_each or not reporting.alike(legs):
                legs = inbox.legs(link, job.message)
        report = reporting.worded(self._staged(kept, legs, stage))
        laps.end("report")
        laps.count("", kept.facts.count)
        outgoing = self._house.to(job.target, report.message, report)
        return outgoing._replace(body=outgoing.body[: len(outgoing.body) // 2]) if stage == "malformed" else outgoing

    def _staged(self, kept: Kept, legs: Sequence[Leg], stage: str) -> StatusReport:
        base = self._base(kept, stage[0].upper() + stage[-1])
        if stage == "interim":
            return replace(base, group_status=reporting.IN_PROCESS)
        if stage.startswith("part-"):
            return reporting.part_of(base, kept, legs, int(stage[-1]))
        whole = self._whole(base, kept, legs)
        if stage == "wrong-totals":
            return replace(whole, original_count=kept.facts.count + 1, original_total="0.01")
        if stage == "unknown-message":
            return replace(whole, original_message_id=_FOREIGN_MESSAGE)
        return whole

    def _whole(self, base: StatusReport, kept: Kept, legs: Sequence[Leg]) -> StatusReport:
        return reporting.with_outcome(base, kept, legs, one_by_one=self._house.settings.reports_each)

    def _notices(self, kept: Kept, kind: str, reference: str) -> list[Job]:
        """Notify the debtor of a booking, where that was asked for."""
        if not kept.facts.notify:
            return []
        return [Job(f"notify-{reference}", NOTIFY, kept.sender, kept.number, payload=f"{kind}|{reference}".encode())]

    def _return_job(self, kept: Kept, given: PaymentReturn) -> Job:
        payload = inbox.encode(given.returns)
        return Job(f"report-{kept.number}", "return-on", kept.sender, kept.number, payload=payload)

    def _return_message(self, job: Job) -> Outgoing:
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
        returns = _RETURNED.decode(job.payload)
        now = self._house.clock.now()
        value = PaymentReturn(
            message_id=f"{self._house.code}B{job.number}",
            created=now,
            currency=kept.facts.currency,
            total_minor=sum(one.amount_minor for one in returns),
            original_message_id=kept.message_id,
            original_message=kept.name,
            settlement_date=now.date(),
            returns=returns,
            instructing_agent=self._house.code,
        )
        return self._house.to(job.target, self._house.towards(job.target).given_back(kept.name), value)

    def _base(self, kept: Kept, suffix: str) -> StatusReport:
        message_id = f"{self._house.code}R{kept.number}{suffix}"
        purpose = _PURPOSES.get(kept.name[:8], Purpose.INITIATION_REPORT)
        name = self._house.towards(kept.sender).report(kept.name, purpose)
        return reporting.base_report(name, message_id, self._house.clock.now(), kept)

    def _xml(self, report: StatusReport, kept: Kept) -> Answer:
        return Answer(200, self._house.write(report.message, reporting.worded(report), kept.sender))


def _callback(kept: Kept) -> list[Job]:
    """An order that came as JSON is answered in JSON."""
    return [Job(f"report-{kept.number}", "callback", "", kept.number)] if kept.facts.reply_url else []
