"""How a bank books: the debtor's money waits in suspense until the payees' institutions have answered."""

import sqlite3

from connector.domain.messages import CreditTransfer, PaymentReturn
from connector.domain.money import is_currency
from simulators import details, ledger
from simulators.house import House
from simulators.inbox import Kept, Leg, Verdict
from simulators.ledger import CAPITAL, SETTLEMENT, SUSPENSE, Posting
from simulators.outbox import Job
from simulators.settling import Advice, settle_job
from simulators.world import OPENING_MINOR


class Book:
    """The payer bank's bookings; its references make each of them happen once."""

    def __init__(self, house: House) -> None:
        """Take the institution's parts."""
        self._house = house

    def objection(self, link: sqlite3.Connection, order: CreditTransfer) -> Verdict | None:
        """Say why the order cannot be booked: another bank's debtor, an unknown account or currency, no funds."""
        if order.debtor_agent not in {"", self._house.code}:
            return Verdict("RJCT", "AGNT", "The debtor agent is another institution.")
        if not is_currency(order.currency):
            return Verdict("RJCT", "AM03", "The currency is not in ISO 4217.")
        return self.shortage(link, order.debtor_account, order.currency, order.total_minor)

    def shortage(self, link: sqlite3.Connection, account: str, currency: str, minor: int) -> Verdict | None:
        """Say what is wrong with taking so much from an account."""
        if account not in self._house.player.programmes:
            return Verdict("RJCT", "AC02", "The debtor account is not known.")
        self.open(link, account, currency)
        if ledger.balance(link, account, currency) < minor:
            return Verdict("RJCT", "AM04", "The debtor account has not enough funds.")
        return None

    def open(self, link: sqlite3.Connection, account: str, currency: str) -> None:
        """Give a programme account its opening balance, once a currency."""
        if self._house.player.programmes.get(account):
            postings = [Posting(account, OPENING_MINOR), Posting(CAPITAL, -OPENING_MINOR)]
            ledger.book(link, "opening", f"{account} {currency}", currency, self._house.clock(), postings)

    def reserve(self, link: sqlite3.Connection, kept: Kept, minor: int) -> None:
        """Take the order's money from the debtor's account into suspense."""
        postings = [Posting(kept.facts.debtor_account, -minor), Posting(SUSPENSE, minor)]
        ledger.book(link, "order", str(kept.number), kept.facts.currency, kept.at, postings)

    def conclude(self, link: sqlite3.Connection, kept: Kept, leg: Leg, accepted: int, rejected: int) -> list[Job]:
        """Owe the payees' institution what it took, and give the debtor back what it did not."""
        facts, code = kept.facts, self._house.code
        postings = [
            Posting(SUSPENSE, -accepted - rejected),
            Posting(SETTLEMENT, accepted),
            Posting(facts.debtor_account, rejected),
        ]
        ledger.book(link, "leg", leg.out_id, facts.currency, self._house.clock(), postings)
        return settle_job(code, leg.institution, leg.out_id, facts.currency, accepted)

    def take_back(
        self, link: sqlite3.Connection, kept: Kept, leg: Leg, reference: str, given: PaymentReturn
    ) -> list[Job] | None:
        """Credit the debtor with what was returned; ``None`` where that was done before."""
        del leg
        facts, minor = kept.facts, given.total_minor
        postings = [Posting(SETTLEMENT, -minor), Posting(facts.debtor_account, minor)]
        fresh = ledger.book(link, "returned", reference, facts.currency, self._house.clock(), postings)
        return [] if fresh else None

    def advise(self, advice: Advice) -> bool:
        """Book what the switch settled for one of our customers; ``False`` where that was done before."""
        with self._house.database.transaction() as link:
            self.open(link, advice.account, advice.currency)
            postings = [Posting(advice.account, -advice.minor), Posting(SETTLEMENT, advice.minor)]
            details.keep(link, "advice", advice.reference, advice.message_id, advice.items)
            return ledger.book(link, "advice", advice.reference, advice.currency, self._house.clock(), postings)
