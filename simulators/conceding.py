"""Recalls on the payees' side: a customer agrees to give a credit back, refuses, or takes time to think.

Rules and magic values decide for the customer; without one the credit is given back if the money is still there.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from connector.domain.messages import Recall, RecallAnswer, RecalledTransfer, RecallResult, Transfer
from simulators import inbox, outbox
from simulators.crediting import Crediting
from simulators.faults import Magic, Then
from simulators.house import Answer, House, Outgoing
from simulators.inbox import Envelope, Facts, Kept, Leg, Result, Verdict
from simulators.outbox import Job
from simulators.recalling import ACCEPTED, PENDING, REFUSED, answer_of, item_of
from simulators.reporting import transfers_of

RECALLED: Final = "FOCR"
CONCEDE: Final = "concede"
_ITEMS: Final = msgspec.msgpack.Decoder(list[RecalledTransfer])
_NOBODY: Final = Transfer("", "", "", 0, "", "", "")

Wish = tuple[RecalledTransfer, int | None]
"""A payment that is wanted back, and its position in the message with which it was credited."""

Plan = tuple[int, str]
"""Position of a payment that is being thought about, and the reason with which it will be refused ("": agreed)."""

_PLANS: Final = msgspec.msgpack.Decoder(dict[int, Plan])


class Conceding:
    """The role of the institution whose customers are to give credits back."""

    def __init__(self, house: House, crediting: Crediting, magic: Magic) -> None:
        """Take the institution's parts, the role that credited, and the magic values."""
        self._house = house
        self._crediting = crediting
        self._magic = magic

    def ask(self, recall: Recall, name: str, sender: str) -> Answer:
        """Take a recall once and answer it, at least with "pending"; a repetition is answered as things are now."""
        content = inbox.encode((recall.original_message_id, recall.transfers))
        envelope = Envelope(sender, name, recall.message_id, inbox.digest_of(content))
        with self._house.database.transaction() as link:
            kept = inbox.find(link, sender, name, recall.message_id)
            if kept is None:
                credited = inbox.latest(link, sender, recall.original_message_id)
                kept = self._accept(link, recall, envelope, credited)
            return self.report(link, kept)

    def report(self, link: sqlite3.Connection, kept: Kept, _only: object = ()) -> Answer:
        """Say what the recall has come to; nothing where the institution is to be silent about it."""
        if kept.facts.report == "silent":
            return Answer(202)
        return Answer(200, self._house.write(*self._answer(link, kept), kept.sender))

    def compose(self, job: Job) -> Outgoing:
        """Let the customers make up their minds, once, and write the final answer."""
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            if kept.state == inbox.OPEN:
                self._decide(link, kept, _PLANS.decode(job.payload))
                kept = inbox.read(link, job.message)
            return self._house.to(job.target, *self._answer(link, kept))

    def _accept(self, link: sqlite3.Connection, recall: Recall, envelope: Envelope, credited: Kept | None) -> Kept:
        transfers = _credits(link, credited)
        items = recall.transfers or [item_of(recall, number, one) for number, one in enumerate(transfers)]
        position_of = {_key(transfer): position for position, transfer in enumerate(transfers)}
        positions = [position_of.get(item.transaction_id or item.end_to_end_id) for item in items]
        wanted = [_NOBODY if position is None else transfers[position] for position in positions]
        currency = credited.facts.currency if credited else recall.currency
        decision = self._house.faults.decide(link, self._magic, wanted, currency)
        mute = credited is not None and credited.visible_at == inbox.NEVER
        silent = mute or any(then.recall == "silent" for then in decision.recalls.values())
        kept = inbox.keep(link, envelope, self._house.clock(), _facts(recall, silent=silent))
        if silent:
            return kept
        self._judge(link, kept, credited, list(zip(items, positions, strict=True)), decision.recalls)
        return inbox.read(link, kept.number)

    def _judge(
        self,
        link: sqlite3.Connection,
        kept: Kept,
        credited: Kept | None,
        wishes: Sequence[Wish],
        thens: Mapping[int, Then],
    ) -> None:
        """Settle what is clear, and plan the rest for when the customers have made up their minds."""
        verdicts = {
            number: self._verdict(link, credited, position, thens.get(number))
            for number, (_, position) in enumerate(wishes)
        }
        content = inbox.encode([item for item, _ in wishes])
        inbox.add_leg(link, Leg(kept.number, 0, "", f"own-{kept.number}", content, Result(ACCEPTED, verdicts)))
        agreed = {position for number, (_, position) in enumerate(wishes) if verdicts[number].status == ACCEPTED}
        self._give_back(link, credited, agreed)
        plans = {
            number: (position, thens[number].reason or "NOAS" if thens[number].recall == "pending-refuse" else "")
            for number, (_, position) in enumerate(wishes)
            if verdicts[number].status == PENDING
        }
        if not plans:
            inbox.finish(link, kept.number, inbox.FINAL, kept.at)
            return
        due_at = kept.at + max(thens[number].delay_seconds for number in plans)
        payload = inbox.encode(plans)
        outbox.put(link, Job(f"recall-{kept.number}", CONCEDE, kept.sender, kept.number, 0, payload, due_at))

    def _verdict(
        self, link: sqlite3.Connection, credited: Kept | None, position: int | None, then: Then | None
    ) -> Verdict:
        if credited is None or position is None:
            return Verdict(REFUSED, "NOOR")
        objection = self._crediting.objection(link, credited, position)
        if objection:
            return Verdict(REFUSED, objection)
        if then and then.recall == "refuse":
            return Verdict(REFUSED, then.reason or "CUST", then.information)
        return Verdict(PENDING if then and then.recall.startswith("pending") else ACCEPTED)

    def _decide(self, link: sqlite3.Connection, kept: Kept, plans: Mapping[int, Plan]) -> None:
        """Turn what is pending into what was planned, as far as the money is still there."""
        credited = inbox.latest(link, kept.sender, kept.facts.original_id)
        (leg,) = inbox.legs(link, kept.number)
        verdicts = dict(leg.result.exceptions) if leg.result else {}
        agreed: set[int | None] = set()
        for number, (position, reason) in plans.items():
            refusal = reason or (self._crediting.objection(link, credited, position) if credited else "NOOR")
            verdicts[number] = Verdict(REFUSED, refusal) if refusal else Verdict(ACCEPTED)
            if not refusal:
                agreed.add(position)
        inbox.answer(link, leg, Result(ACCEPTED, verdicts))
        inbox.finish(link, kept.number, inbox.FINAL, self._house.clock())
        self._give_back(link, credited, agreed)

    def _give_back(self, link: sqlite3.Connection, credited: Kept | None, positions: Iterable[int | None]) -> None:
        reasons = {position: RECALLED for position in positions if position is not None}
        if credited is not None and reasons:
            outbox.put(link, self._crediting.recalled(link, credited, reasons, self._house.clock()))

    def _answer(self, link: sqlite3.Connection, kept: Kept) -> tuple[str, RecallAnswer]:
        (leg,) = inbox.legs(link, kept.number)
        verdicts = leg.result.exceptions if leg.result else {}
        results = tuple(
            RecallResult(
                item.recall_id, item.instruction_id, item.end_to_end_id, item.transaction_id, *verdicts[number]
            )
            for number, item in enumerate(_ITEMS.decode(leg.items))
        )
        return answer_of(self._house, kept, kept.sender, results)


def _credits(link: sqlite3.Connection, credited: Kept | None) -> Sequence[Transfer]:
    """The payments of a message, whether they were credited or not."""
    return transfers_of(inbox.legs(link, credited.number)[0]) if credited else ()


def _key(transfer: Transfer) -> str:
    return transfer.transaction_id or transfer.end_to_end_id


def _facts(recall: Recall, *, silent: bool) -> Facts:
    return Facts(
        currency=recall.currency,
        count=len(recall.transfers),
        report="silent" if silent else "",
        case_id=recall.case_id,
        original_id=recall.original_message_id,
        original_name=recall.original_message,
    )
