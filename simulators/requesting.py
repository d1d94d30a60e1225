"""Requests to pay: the debtor's institution asks its customer, and pays the creditor if the customer agrees.

Rules and magic values decide for the customer, by the account that is to pay; without one the customer agrees.
A request is kept as the order that it becomes, so that paying it and reporting about it is the ordering role's work.
"""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Final

import msgspec

from connector.domain.messages import CreditTransfer, PaymentRequest, RequestedPayment, Transfer
from simulators import inbox, orders, outbox
from simulators.bank.book import Book
from simulators.faults import Decision, Magic
from simulators.forwarding import Forwarding
from simulators.house import Answer, House
from simulators.inbox import Envelope, Kept, Verdict
from simulators.orders import Reply
from simulators.outbox import Job
from simulators.purse import Purse
from simulators.reporting import REJECTED

CONSENT: Final = "consent"
EXPIRE: Final = "expire"
_RECEIVED: Final = "RCVD"
_EXPIRED: Final = Verdict(REJECTED, "EDTR", "The request to pay has expired.")
_ORDER: Final = msgspec.msgpack.Decoder(CreditTransfer)


class Requesting:
    """The role of the debtor's institution. ``account_of`` turns a written account into the one in the ledger."""

    def __init__(self, house: House, magic: Magic, account_of: Callable[[str], str]) -> None:
        """Take the institution's parts and its magic values; customers pay out of their purses."""
        self._house = house
        self._magic = magic
        self._account_of = account_of
        self._purse: Book = Purse(house)
        self.forwarding = Forwarding(house, self._purse, Magic())

    def ask(self, request: PaymentRequest, name: str, sender: str) -> Answer:
        """Take a request once; a repetition is answered as things are now."""
        order = self._order(request)
        envelope = Envelope(sender, name, request.message_id, inbox.digest_of(inbox.encode(order.transfers)))
        with self._house.database.transaction() as link:
            kept = inbox.find(link, sender, name, request.message_id)
            if kept is None:
                account = Transfer("", "", "", request.total_minor, "", "", request.debtor_account)
                decision = self._house.faults.decide(link, self._magic, [account], request.currency)
                if decision.http:
                    return Answer(decision.http)
                kept = self._accept(link, request, order, envelope, decision)
            return self.forwarding.report(link, inbox.read(link, kept.number))

    def compose(self, job: Job) -> None:
        """Let the customer agree, or the request expire, and say so; sends nothing by itself."""
        order = _ORDER.decode(job.payload)
        with self._house.database.transaction() as link:
            kept = inbox.read(link, job.message)
            if kept.state != inbox.OPEN or inbox.legs(link, kept.number):
                return
            if job.kind == CONSENT:
                self._pay(link, kept, order)
            else:
                self.forwarding.refuse(link, kept, order, _EXPIRED)
            self._tell_refusal(link, kept.number)

    def _accept(
        self,
        link: sqlite3.Connection,
        request: PaymentRequest,
        order: CreditTransfer,
        envelope: Envelope,
        decision: Decision,
    ) -> Kept:
        then = decision.request
        wish = then.request if then else "accept"
        expires_at = _expiry(request)
        now = self._house.clock()
        waits = Verdict(_RECEIVED) if wish in {"pending", "ignore"} else None
        kept = inbox.keep(link, envelope, now, orders.facts_of(order, envelope.sender, Decision(), waits, Reply()))
        if expires_at <= now:
            self.forwarding.refuse(link, kept, order, Verdict(REJECTED, "AEXR", "The request to pay has expired."))
        elif then and wish == "refuse":
            self.forwarding.refuse(link, kept, order, Verdict(REJECTED, then.reason or "DS02", then.information))
        elif then and wish == "pending" and now + then.delay_seconds < expires_at:
            self._plan(link, kept, order, CONSENT, now + then.delay_seconds)
        elif wish in {"pending", "ignore"}:
            self._plan(link, kept, order, EXPIRE, expires_at)
        else:
            self._pay(link, kept, order)
        return kept

    def _plan(self, link: sqlite3.Connection, kept: Kept, order: CreditTransfer, kind: str, due_at: float) -> None:
        if due_at < inbox.NEVER:
            payload = inbox.encode(order)
            outbox.put(link, Job(f"request-{kept.number}", kind, "", kept.number, payload=payload, due_at=due_at))

    def _pay(self, link: sqlite3.Connection, kept: Kept, order: CreditTransfer) -> None:
        """Pay like any order, unless the customer has not the money, or the account is not there."""
        objection = self._purse.objection(link, order)
        if objection:
            self.forwarding.refuse(link, kept, order, objection)
        else:
            self.forwarding.carry_out(link, kept, order, Decision())

    def _tell_refusal(self, link: sqlite3.Connection, number: int) -> None:
        """Report a refusal that comes later than the answer; what is paid is reported when it is settled."""
        kept = inbox.read(link, number)
        if kept.state == inbox.REFUSED:
            outbox.put(link, Job(f"report-{number}", "report:final", kept.sender, number))

    def _order(self, request: PaymentRequest) -> CreditTransfer:
        return CreditTransfer(
            message_id=request.message_id,
            created=request.created,
            currency=request.currency,
            total_minor=request.total_minor,
            initiating_party=request.initiating_party,
            debtor_name=request.debtor_name,
            debtor_account=self._account_of(request.debtor_account),
            debtor_agent=request.debtor_agent,
            execution_date=request.execution_date,
            transfers=[_transfer(one) for one in request.requests],
            payment_information_id=request.payment_information_id,
        )


def _transfer(asked: RequestedPayment) -> Transfer:
    return Transfer(
        asked.instruction_id,
        asked.end_to_end_id,
        "",
        asked.amount_minor,
        asked.creditor_agent,
        asked.creditor_name,
        asked.creditor_account,
        asked.remittance,
        asked.purpose,
    )


def _expiry(request: PaymentRequest) -> float:
    """The end of the last day on which the request holds."""
    if request.expiry_date is None:
        return inbox.NEVER
    return datetime.combine(request.expiry_date + timedelta(days=1), time(), UTC).timestamp()
