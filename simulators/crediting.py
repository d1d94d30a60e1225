"""The receiving side of an institution: credits its customers, verifies their accounts, gives payments back later."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from connector.domain.messages import (
    AccountToVerify,
    CreditTransfer,
    InquiredTransfer,
    PaymentReturn,
    ReturnedTransfer,
    StatusReport,
    Transfer,
    Verification,
    VerificationReport,
    VerificationRequest,
)
from connector.iso20022.scheme import Job as Purpose
from simulators import details, inbox, ledger, outbox, reporting
from simulators.details import returned_detail
from simulators.faults import SECONDS_A_DAY, Decision, Magic
from simulators.house import Answer, House, Outgoing
from simulators.inbox import Envelope, Facts, Kept, Leg, Result, Verdict
from simulators.ledger import SETTLEMENT, Posting
from simulators.outbox import Job
from simulators.reporting import transfers_of
from simulators.settling import settle_job


class GivenBack(NamedTuple):
    """A credit that is to be returned: what the return says, and the account that it is taken from."""

    returned: ReturnedTransfer
    account: str


class Due(msgspec.Struct, frozen=True, array_like=True):
    """A return that is to be made when its day comes."""

    currency: str
    items: list[GivenBack]


_DUE: Final = msgspec.msgpack.Decoder(Due)


class Crediting:
    """The payee role. ``account_of`` turns an account as it is written into the one in the ledger."""

    def __init__(self, house: House, magic: Magic, account_of: Callable[[str], str]) -> None:
        """Take the institution's parts and its magic values."""
        self._house = house
        self._magic = magic
        self._account_of = account_of

    def credit(self, order: CreditTransfer, name: str, sender: str) -> Answer:
        """Book the credits of a pacs.008 once, and report; a repetition gets the same report again."""
        with self._house.stages.measure("book credits", len(order.transfers)):
            content = inbox.encode(order.transfers)
            envelope = Envelope(sender, name, order.message_id, inbox.digest_of(content))
            with self._house.database.transaction() as link:
                known = inbox.find(link, sender, name, order.message_id)
                taken = known or self._take(link, order, envelope, content)
                news = taken if isinstance(taken, Answer) else self._news(link, taken, envelope)
        return news if isinstance(news, Answer) else self._reported(news, sender)

    def report(self, link: sqlite3.Connection, kept: Kept, only: Sequence[InquiredTransfer] = ()) -> Answer:
        """Repeat the report about a message, where there is one by now; only: the payments that it is about."""
        if kept.visible_at > self._house.clock():
            return Answer(204)
        if only:
            legs = inbox.legs(link, kept.number)
            return self._reported(reporting.narrowed(self._base(kept), kept, legs, only), kept.sender)
        return self._reported(self._status(link, kept), kept.sender)

    def withdrawn(self, report: StatusReport, sender: str) -> bool:
        """Take credits back whose payer's side has given up waiting; ``False`` where the report is about no credit.

        The payer's institution never heard of them and rejects the payments, so no return is due.
        """
        with self._house.database.transaction() as link:
            kept = inbox.latest(link, sender, report.original_message_id)
            if kept is None or report.group_status != reporting.REJECTED or not kept.name.startswith("pacs.008"):
                return False
            (leg,) = inbox.legs(link, kept.number)
            transfers = transfers_of(leg)
            exceptions = leg.result.exceptions if leg.result else {}
            postings = [
                Posting(self._account_of(one.creditor_account), -one.amount_minor, key)
                for position, (one, key) in enumerate(zip(transfers, _keys(transfers), strict=True))
                if position not in exceptions
            ]
            postings.append(Posting(SETTLEMENT, -sum(posting.minor for posting in postings)))
            now = self._house.clock()
            ledger.book(link, "withdrawal", f"{kept.sender}|{kept.message_id}", kept.facts.currency, now, postings)
            verdict = Verdict("RJCT", report.group_reason, report.group_information)
            every = dict.fromkeys(range(len(transfers)), verdict)
            inbox.answer(link, leg, Result(reporting.REJECTED, {**every, **exceptions}))
            return True

    def verify(self, request: VerificationRequest, name: str, sender: str) -> Answer:
        """Tell of each account whether it can be credited."""
        report = VerificationReport(
            message_id=f"{self._house.code}V{request.message_id}"[:35],
            created=self._house.clock.now(),
            original_message_id=request.message_id,
            initiating_party=request.initiating_party,
            results=self._verifications(request.accounts),
        )
        answer = self._house.towards(sender).report(name, Purpose.VERIFICATION_REPORT)
        return Answer(200, self._house.write(answer, report, sender))

    def push(self, job: Job) -> Outgoing:
        """Make a report that is sent later than the answer."""
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            report = self._status(link, kept)
        return self._house.to(job.target, report.message, report)

    def give_back(self, job: Job) -> Outgoing | None:
        """Take returned credits off their accounts, once, and write the pacs.004; nothing where others did it."""
        due = _DUE.decode(job.payload)
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            (leg,) = inbox.legs(link, kept.number)
            if leg.result and leg.result.status == reporting.REJECTED:
                return None
            taken = _returned(link, [item.returned.return_id for item in due.items], but=str(job.number))
            due = Due(due.currency, [item for item in due.items if item.returned.return_id not in taken])
            if not due.items:
                return None
            self._book_return(link, job, kept, due)
        name = self._house.towards(job.target).given_back(kept.name)
        return self._house.to(job.target, name, self._return(job, kept, due))

    def recalled(self, link: sqlite3.Connection, kept: Kept, positions: dict[int, str], at: float) -> Job:
        """Plan the return of credits that are recalled; positions: with the reason of each."""
        (leg,) = inbox.legs(link, kept.number)
        transfers = transfers_of(leg)
        items = [self._given_back(kept, position, transfers[position], why) for position, why in positions.items()]
        payload = inbox.encode(Due(kept.facts.currency, items))
        return Job(f"return-{kept.number}", "return", kept.sender, kept.number, payload=payload, due_at=at)

    def objection(self, link: sqlite3.Connection, kept: Kept, position: int) -> str:
        """Say why a credit cannot be given back: it was rejected or returned, the money is gone; "" if it can."""
        (leg,) = inbox.legs(link, kept.number)
        if leg.result and position in leg.result.exceptions:
            return "ARJT"
        transfer = transfers_of(leg)[position]
        if _returned(link, [self._return_id(kept, position)], but=""):
            return "ARDT"
        balance = ledger.balance(link, self._account_of(transfer.creditor_account), kept.facts.currency)
        return "" if balance >= transfer.amount_minor else "AM04"

    def _take(
        self, link: sqlite3.Connection, order: CreditTransfer, envelope: Envelope, content: bytes
    ) -> Kept | Answer:
        """Take new credits, or answer that they were not taken."""
        decision = self._house.decided(link, self._magic, order, envelope.sender)
        if isinstance(decision, Answer):
            return decision
        return self._accept(link, order, envelope, content, decision)

    def _accept(
        self,
        link: sqlite3.Connection,
        order: CreditTransfer,
        envelope: Envelope,
        content: bytes,
        decision: Decision,
    ) -> Kept:
        now = self._house.clock()
        verdicts = self._verdicts(order, decision)
        facts = Facts(
            currency=order.currency,
            count=len(order.transfers),
            total_minor=order.total_minor,
            report=decision.report,
            delay_seconds=decision.delay_seconds,
            inquiry=decision.inquiry,
            notify=decision.notify,
        )
        kept = inbox.keep(link, envelope, now, facts)
        result = Result(reporting.SETTLED, verdicts)
        inbox.add_leg(link, Leg(kept.number, 0, "", f"own-{kept.number}", content, result))
        self._book_credits(link, kept, order, verdicts)
        visible_at = now + decision.delay_seconds if decision.report == "late" else now
        inbox.finish(link, kept.number, inbox.FINAL, inbox.NEVER if decision.report == "mute" else visible_at)
        outbox.put(link, *self._returns(kept, order, verdicts, decision, now))
        if decision.notify:
            about = f"credit|{kept.sender}|{kept.message_id}".encode()
            outbox.put(link, Job(f"notify-{kept.number}", "notify", "", kept.number, payload=about))
        if decision.report in {"late", "twice"}:
            outbox.put(link, Job(f"report-{kept.number}", "push", kept.sender, kept.number, due_at=visible_at))
        return kept

    def _verdicts(self, order: CreditTransfer, decision: Decision) -> dict[int, Verdict]:
        """Say which payments are not credited, and why."""
        if decision.group:
            return dict.fromkeys(range(len(order.transfers)), decision.group)
        exists = re.compile(self._house.player.accounts).fullmatch
        unknown = [
            position for position, transfer in enumerate(order.transfers) if not exists(transfer.creditor_account)
        ]
        again = Verdict("RJCT", "AM05", "This transaction id stands twice in the message.")
        return {
            **dict.fromkeys(unknown, Verdict("RJCT", "AC01")),
            **decision.verdicts,
            **dict.fromkeys(_repeated(_keys(order.transfers)), again),
        }

    def _book_credits(
        self, link: sqlite3.Connection, kept: Kept, order: CreditTransfer, verdicts: dict[int, Verdict]
    ) -> None:
        credited: Sequence[Transfer] = order.transfers
        if verdicts:
            credited = [transfer for position, transfer in enumerate(credited) if position not in verdicts]
        accounts = map(self._account_of, [transfer.creditor_account for transfer in credited])
        amounts = [transfer.amount_minor for transfer in credited]
        postings = list(zip(accounts, amounts, _keys(credited), strict=True))
        postings.append(Posting(SETTLEMENT, -sum(amounts)))
        ledger.book(link, "credit", f"{kept.sender}|{kept.message_id}", order.currency, kept.at, postings)

    def _returns(
        self,
        kept: Kept,
        order: CreditTransfer,
        verdicts: dict[int, Verdict],
        decision: Decision,
        now: float,
    ) -> list[Job]:
        """Put down what is to be given back, one job for each day on which something is; the mute say nothing."""
        if decision.report == "mute":
            return []
        days: dict[float, list[GivenBack]] = {}
        for position, (after, reason) in decision.returns.items():
            if position in verdicts:
                continue
            item = self._given_back(kept, position, order.transfers[position], reason)
            days.setdefault(after, []).append(item)
        return [
            Job(
                f"return-{kept.number}-{after}",
                "return",
                kept.sender,
                kept.number,
                payload=inbox.encode(Due(order.currency, items)),
                due_at=now + after * SECONDS_A_DAY,
            )
            for after, items in days.items()
        ]

    def _given_back(self, kept: Kept, position: int, transfer: Transfer, reason: str) -> GivenBack:
        returned = ReturnedTransfer(
            self._return_id(kept, position),
            transfer.instruction_id,
            transfer.end_to_end_id,
            transfer.transaction_id,
            transfer.amount_minor,
            reason,
        )
        return GivenBack(returned, self._account_of(transfer.creditor_account))

    def _return_id(self, kept: Kept, position: int) -> str:
        return f"{self._house.code}{kept.number}.{position}"

    def _book_return(self, link: sqlite3.Connection, job: Job, kept: Kept, due: Due) -> None:
        postings = [Posting(item.account, -item.returned.amount_minor, item.returned.return_id) for item in due.items]
        total = -sum(posting.minor for posting in postings)
        postings.append(Posting(SETTLEMENT, total))
        house = self._house
        if ledger.book(link, "return", str(job.number), due.currency, house.clock(), postings):
            outbox.put(link, *settle_job(house.code, kept.sender, f"return-{job.number}", due.currency, total))
            details.keep(
                link,
                "return",
                str(job.number),
                kept.message_id,
                [returned_detail(item.returned) for item in due.items],
            )

    def _return(self, job: Job, kept: Kept, due: Due) -> PaymentReturn:
        now = self._house.clock.now()
        return PaymentReturn(
            message_id=f"{self._house.code}T{job.number}",
            created=now,
            currency=due.currency,
            total_minor=sum(item.returned.amount_minor for item in due.items),
            original_message_id=kept.message_id,
            original_message=kept.name,
            settlement_date=now.date(),
            returns=[item.returned for item in due.items],
            instructing_agent=self._house.code,
            instructed_agent=kept.sender,
        )

    def _news(self, link: sqlite3.Connection, kept: Kept, envelope: Envelope) -> StatusReport | Answer:
        """Report at once, unless the message asked for something else, or its id stands for another one."""
        if kept.digest != envelope.digest:
            verdict = Verdict("RJCT", "DU01", "This message id was used before with other content.")
            return reporting.refused(self._base(kept), verdict)
        if kept.facts.report in {"late", "silent", "mute"}:
            return Answer(202)
        return self._status(link, kept)

    def _reported(self, report: StatusReport, sender: str) -> Answer:
        return Answer(200, self._house.write(report.message, report, sender))

    def _status(self, link: sqlite3.Connection, kept: Kept) -> StatusReport:
        """Report a status for all, and one by one what differs from it, or every payment where that is wanted."""
        leg, every = inbox.leg(link, kept.number, 0, items=False), self._house.settings.reports_each
        exceptions = leg.result.exceptions if leg.result else {}
        if not exceptions and not every:
            return replace(self._base(kept), group_status=reporting.SETTLED)
        leg = inbox.leg(link, kept.number, 0)
        refused = reporting.REJECTED if len(exceptions) == kept.facts.count else reporting.PARTLY
        status = refused if exceptions else reporting.SETTLED
        told = tuple(reporting.each([leg]) if every else reporting.exceptional(leg))
        return replace(self._base(kept), group_status=status, transactions=told)

    def _base(self, kept: Kept) -> StatusReport:
        house = self._house
        name = house.towards(kept.sender).report(kept.name, Purpose.INTERBANK_REPORT)
        report = reporting.base_report(name, f"{house.code}R{kept.number}", house.clock.now(), kept)
        return replace(report, instructing_agent=house.code, instructed_agent=kept.sender)

    def _verifications(self, accounts: Sequence[AccountToVerify]) -> list[Verification]:
        """Judge accounts as if they were to be credited."""
        code, owns = self._house.code, self._house.player.owns
        probes = [Transfer(asked.id, asked.id, "", 0, code, asked.name, asked.account) for asked in accounts]
        with self._house.database.transaction() as link:
            verdicts = self._house.faults.decide(link, self._magic, probes, "").verdicts
        unknown = Verdict("RJCT", "AC01")
        found = [
            verdicts.get(position) or (None if owns(asked.account) else unknown)
            for position, asked in enumerate(accounts)
        ]
        return [
            Verification(asked.id, verdict is None, verdict.reason if verdict else "")
            for asked, verdict in zip(accounts, found, strict=True)
        ]


def _returned(link: sqlite3.Connection, return_ids: Sequence[str], but: str) -> set[str]:
    """Find which of these returns are booked, other than under the reference ``but``."""
    marks = ",".join("?" * len(return_ids))
    question = (
        "SELECT line FROM posting JOIN entry ON number = entry"  # noqa: S608 - only marks are put in
        f" WHERE kind = 'return' AND reference <> ? AND line IN ({marks})"
    )
    return {line for (line,) in link.execute(question, (but, *return_ids))}


def _keys(transfers: Sequence[Transfer]) -> list[str]:
    """By what the ledger knows payments of a message."""
    return [transfer.transaction_id or transfer.end_to_end_id for transfer in transfers]


def _repeated(keys: Sequence[str]) -> list[int]:
    """Find the positions of keys that stood there before; most often there are none."""
    if len(set(keys)) == len(keys):
        return []
    first = {key: position for position, key in reversed(list(enumerate(keys)))}
    return [position for position, key in enumerate(keys) if first[key] != position]
