"""Recalls on the ordering side: cancels what did not go out yet, and asks the payees' institutions for the rest.

A recall is kept like a message of its own, with a leg for each institution that is asked (camt.056); the first leg,
of nobody, holds what is settled here. The camt.029 goes out when all legs are answered, and before that once with
PDCR where one of them takes its time.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from connector.domain.errors import NotFound
from connector.domain.messages import Recall, RecallAnswer, RecalledTransfer, RecallResult, Transfer
from connector.iso20022.scheme import Job as Purpose
from simulators import inbox, outbox
from simulators.faults import Decision, Magic, Then
from simulators.forwarding import Forwarding
from simulators.house import Answer, House, Outgoing
from simulators.inbox import Envelope, Facts, Kept, Leg, Result, Verdict
from simulators.outbox import Job
from simulators.reporting import transfers_of

ACCEPTED: Final = "ACCR"
REFUSED: Final = "RJCR"
PENDING: Final = "PDCR"
CANCELLED: Final = "CNCL"
PARTLY: Final = "PECR"


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """What one leg of a recall asks for: payments of the message that went out under ``original_id``."""

    original_id: str
    items: list[RecalledTransfer]


_ASKED: Final = msgspec.msgpack.Decoder(Asked)


class _Place(NamedTuple):
    """Where a payment that is recalled is: its leg, its position there, and the payment."""

    leg: Leg
    position: int
    transfer: Transfer


Wish = tuple[RecalledTransfer, _Place | None]
"""A payment that is to be cancelled, and where it is, if it is anywhere."""

_NOBODY: Final = Transfer("", "", "", 0, "", "", "")


class Recalling:
    """The role of the one who is asked to get payments back for a customer or a participant."""

    def __init__(self, house: House, forwarding: Forwarding, magic: Magic) -> None:
        """Take the institution's parts, the role whose payments are recalled, and the magic values."""
        self._house = house
        self._forwarding = forwarding
        self._magic = magic

    def ask(self, recall: Recall, name: str, sender: str) -> Answer:
        """Take a recall once; answered at once where nobody else has to be asked."""
        content = inbox.encode((recall.original_message_id, recall.reason, recall.transfers))
        envelope = Envelope(sender, name, recall.message_id, inbox.digest_of(content))
        with self._house.database.transaction() as link:
            kept = inbox.find(link, sender, name, recall.message_id)
            if kept is None:
                original = inbox.latest(link, sender, recall.original_message_id)
                wishes = _wishes(link, recall, original)
                transfers = [place.transfer if place else _NOBODY for _, place in wishes]
                currency = original.facts.currency if original else recall.currency
                decision = self._house.faults.decide(link, self._magic, transfers, currency)
                if decision.http:
                    return Answer(decision.http)
                kept = inbox.keep(link, envelope, self._house.clock(), _facts(recall, currency))
                self._accept(link, kept, original, wishes, decision)
            answer = self.report(link, kept)
        return answer if answer.status == 200 else Answer(202)

    def report(self, link: sqlite3.Connection, kept: Kept, _only: object = ()) -> Answer:
        """Give the answer, where it is complete."""
        kept = inbox.read(link, kept.number)
        if kept.state != inbox.FINAL:
            return Answer(204)
        return Answer(200, self._house.write(*self._answer(link, kept), kept.sender))

    def answered(self, answer: RecallAnswer) -> None:
        """Take in what an institution says; raises ``NotFound`` where nothing was asked under its case."""
        with self._house.database.transaction() as link:
            leg = inbox.leg_of(link, answer.case_id)
            if leg is None:
                raise NotFound("case", answer.case_id)
            if leg.result is None:
                self._note(link, leg, answer)

    def refused_leg(self, message: int, number: int, reason: str) -> None:
        """Give up a recall that its institution does not take."""
        with self._house.database.transaction() as link:
            leg = inbox.leg(link, message, number)
            every = range(len(_asked(leg).items))
            self._close(link, leg, dict.fromkeys(every, Verdict(REFUSED, reason)))

    def compose(self, job: Job) -> Outgoing:
        """Make the recall for an institution, or the answer to the one who asked."""
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            if job.kind == "recalled":
                return self._house.to(job.target, *self._answer(link, kept))
            leg = inbox.leg(link, job.message, job.leg)
        return self._house.to(job.target, *self._question(kept, leg))

    def _accept(
        self,
        link: sqlite3.Connection,
        kept: Kept,
        original: Kept | None,
        wishes: Sequence[Wish],
        decision: Decision,
    ) -> None:
        """Settle what can be settled here, and ask the others."""
        here: list[tuple[RecalledTransfer, Verdict]] = []
        elsewhere: dict[int, list[RecalledTransfer]] = {}
        cancelled: dict[int, list[int]] = {}
        waits = original is not None and original.facts.opens_at > self._house.clock()
        for number, (item, place) in enumerate(wishes):
            verdict = _objection(place, decision.recalls.get(number))
            if place is None or verdict.status:
                here.append((item, verdict))
            elif waits:
                here.append((item, Verdict(ACCEPTED)))
                cancelled.setdefault(place.leg.number, []).append(place.position)
            else:
                full = item._replace(transaction_id=place.transfer.transaction_id)
                elsewhere.setdefault(place.leg.number, []).append(full)
        if original is not None:
            legs = inbox.legs(link, original.number)
            for number, positions in cancelled.items():
                self._forwarding.cancel(link, original, legs[number], frozenset(positions))
            for number, items in elsewhere.items():
                self._add_leg(link, kept, legs[number], items)
        self._keep_own(link, kept, here)
        if not elsewhere:
            self._finish(link, kept, tell=False)

    def _add_leg(self, link: sqlite3.Connection, kept: Kept, leg: Leg, items: list[RecalledTransfer]) -> None:
        """Ask the institution of a leg; in the lane of the leg itself, so that it is not asked too soon."""
        number = leg.number + 1
        out_id = f"{self._house.code}{kept.number:08d}L{number}"
        content = inbox.encode(Asked(leg.out_id, items))
        inbox.add_leg(link, Leg(kept.number, number, leg.institution, out_id, content, None))
        outbox.put(link, Job(f"leg-{leg.out_id}", "recall", leg.institution, kept.number, number))

    def _keep_own(
        self, link: sqlite3.Connection, kept: Kept, here: Sequence[tuple[RecalledTransfer, Verdict]]
    ) -> None:
        content = inbox.encode(Asked("", [item for item, _ in here]))
        result = Result(ACCEPTED, dict(enumerate(verdict for _, verdict in here)))
        inbox.add_leg(link, Leg(kept.number, 0, "", f"{self._house.code}{kept.number:08d}L0", content, result))

    def _note(self, link: sqlite3.Connection, leg: Leg, answer: RecallAnswer) -> None:
        told = {result.transaction_id or result.end_to_end_id: result for result in answer.results}
        verdicts: dict[int, Verdict] = {}
        for position, item in enumerate(_asked(leg).items):
            result = told.get(item.transaction_id) or told.get(item.end_to_end_id)
            verdicts[position] = (
                Verdict(result.status, result.reason, result.information)
                if result
                else Verdict(ACCEPTED if answer.confirmation == CANCELLED else answer.confirmation, answer.reason)
            )
        if any(verdict.status == PENDING for verdict in verdicts.values()):
            kept = inbox.read(link, leg.message)
            outbox.put(link, Job(f"report-{kept.number}", "recalled", kept.sender, kept.number))
        else:
            self._close(link, leg, verdicts)

    def _close(self, link: sqlite3.Connection, leg: Leg, verdicts: dict[int, Verdict]) -> None:
        if leg.result is None and inbox.answer(link, leg, Result(ACCEPTED, verdicts)):
            self._finish(link, inbox.read(link, leg.message), tell=True)

    def _finish(self, link: sqlite3.Connection, kept: Kept, *, tell: bool) -> None:
        inbox.finish(link, kept.number, inbox.FINAL, self._house.clock())
        if tell:
            outbox.put(link, Job(f"report-{kept.number}", "recalled", kept.sender, kept.number))

    def _question(self, kept: Kept, leg: Leg) -> tuple[str, Recall]:
        asked, tongue = _asked(leg), self._house.towards(leg.institution)
        facts, now = kept.facts, self._house.clock.now()
        recall = Recall(
            message_id=leg.out_id,
            created=now,
            case_id=leg.out_id,
            assigner=self._house.code,
            assignee=leg.institution,
            original_message_id=asked.original_id,
            original_message=tongue.scheme.message(Purpose.INTERBANK),
            currency=facts.currency,
            original_date=now.date(),
            reason=facts.reason,
            transfers=asked.items,
        )
        return tongue.scheme.message(Purpose.INTERBANK_RECALL), recall

    def _answer(self, link: sqlite3.Connection, kept: Kept) -> tuple[str, RecallAnswer]:
        results = tuple(_results(inbox.legs(link, kept.number)))
        return answer_of(self._house, kept, kept.facts.participant, results)


def answer_of(house: House, kept: Kept, assignee: str, results: Sequence[RecallResult]) -> tuple[str, RecallAnswer]:
    """Compose the camt.029 to a kept recall, and name its version; assignee "": the connector."""
    facts = kept.facts
    stage = "F" if kept.state == inbox.FINAL else "P"
    answer = RecallAnswer(
        message_id=f"{house.code}R{kept.number}{stage}",
        created=house.clock.now(),
        case_id=facts.case_id,
        assigner=house.code,
        assignee=assignee or house.settings.connector_id,
        confirmation=confirmation(results),
        original_message_id=facts.original_id,
        original_message=facts.original_name,
        results=results,
    )
    return house.towards(kept.sender).report(kept.name, Purpose.RECALL_ANSWER), answer


def confirmation(results: Sequence[RecallResult]) -> str:
    """Say in one word what became of a whole recall."""
    statuses = {result.status for result in results}
    if PENDING in statuses:
        return PENDING
    if statuses == {REFUSED}:
        return REFUSED
    return CANCELLED if statuses == {ACCEPTED} else PARTLY


def item_of(recall: Recall, number: int, transfer: Transfer) -> RecalledTransfer:
    """Make of a payment of a message that is recalled as a whole one that is recalled by itself."""
    return RecalledTransfer(
        f"{recall.message_id[:27]}.{number}",
        transfer.instruction_id,
        transfer.end_to_end_id,
        transfer.transaction_id,
        transfer.amount_minor,
        recall.reason or "CUST",
        recall.information,
    )


def _wishes(link: sqlite3.Connection, recall: Recall, original: Kept | None) -> list[Wish]:
    """List what is to be cancelled: the payments that are named, or all of the message."""
    places = [
        _Place(leg, position, transfer)
        for leg in (inbox.legs(link, original.number) if original else ())
        for position, transfer in enumerate(transfers_of(leg))
    ]
    if not recall.transfers:
        return [(item_of(recall, number, place.transfer), place) for number, place in enumerate(places)]
    by_id = {place.transfer.end_to_end_id: place for place in places}
    by_id |= {place.transfer.instruction_id: place for place in places if place.transfer.instruction_id}
    by_id |= {place.transfer.transaction_id: place for place in places}
    return [(item, _place_of(item, by_id)) for item in recall.transfers]


def _place_of(item: RecalledTransfer, by_id: dict[str, _Place]) -> _Place | None:
    ids = (item.transaction_id, item.end_to_end_id, item.instruction_id)
    return next((by_id[one] for one in ids if one and one in by_id), None)


def _objection(place: _Place | None, then: Then | None) -> Verdict:
    """Say why a payment is not recalled at all: unknown, rejected already, forbidden by a rule."""
    if place is None:
        return Verdict(REFUSED, "NOOR")
    result = place.leg.result
    if result and result.exceptions.get(place.position, Verdict(result.status)).status == "RJCT":
        return Verdict(REFUSED, "ARJT")
    if then and then.recall == "refuse":
        return Verdict(REFUSED, then.reason or "CUST", then.information)
    return Verdict("")


def _results(legs: Iterable[Leg]) -> Iterator[RecallResult]:
    for leg in legs:
        verdicts = leg.result.exceptions if leg.result else {}
        for position, item in enumerate(_asked(leg).items):
            verdict = verdicts.get(position, Verdict(PENDING))
            yield RecallResult(item.recall_id, item.instruction_id, item.end_to_end_id, item.transaction_id, *verdict)


def _asked(leg: Leg) -> Asked:
    return _ASKED.decode(leg.items)


def _facts(recall: Recall, currency: str) -> Facts:
    return Facts(
        currency=currency,
        count=len(recall.transfers),
        participant=recall.assigner,
        reason=recall.reason or next((one.reason for one in recall.transfers), ""),
        case_id=recall.case_id,
        original_id=recall.original_message_id,
        original_name=recall.original_message,
    )
