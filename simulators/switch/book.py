"""How the switch books: each participant has one settlement account, in debt at most up to its net debit cap."""

import sqlite3
from collections import Counter

from connector.domain.messages import CreditTransfer, PaymentReturn
from connector.domain.money import is_currency
from simulators import inbox, ledger
from simulators.details import Detail, returned_detail
from simulators.house import House
from simulators.inbox import Kept, Leg, Verdict
from simulators.ledger import SUSPENSE, Posting
from simulators.outbox import Job
from simulators.reporting import settled
from simulators.settling import Advice, Settlement, advise_job
from simulators.world import NET_DEBIT_CAP_MINOR, WORLD


class Book:
    """The switch's bookings; its references make each of them happen once."""

    def __init__(self, house: House) -> None:
        """Take the institution's parts."""
        self._house = house

    def objection(self, link: sqlite3.Connection, order: CreditTransfer) -> Verdict | None:
        """Say why the order cannot be booked: no participant, an unknown currency, the cap would be passed."""
        payer = order.instructing_agent or order.debtor_agent
        if payer not in WORLD or payer == self._house.code:
            return Verdict("RJCT", "RC01", "The instructing agent is not a participant.")
        if not is_currency(order.currency):
            return Verdict("RJCT", "AM03", "The currency is not in ISO 4217.")
        if ledger.balance(link, payer, order.currency) - order.total_minor < -NET_DEBIT_CAP_MINOR:
            return Verdict("RJCT", "AM04", "The participant's net debit cap would be passed.")
        return None

    def reserve(self, link: sqlite3.Connection, kept: Kept, minor: int) -> None:
        """Take the order's money from the participant into suspense."""
        self._move(
            link, "order", str(kept.number), kept.facts.currency, {kept.facts.participant: -minor, SUSPENSE: minor}
        )

    def conclude(self, link: sqlite3.Connection, kept: Kept, leg: Leg, accepted: int, rejected: int) -> list[Job]:
        """Settle what the institution took; advise the participant whose customer ordered through the connector."""
        facts = kept.facts
        moves = Counter({SUSPENSE: -accepted - rejected})
        moves[leg.institution] += accepted
        moves[facts.participant] += rejected
        self._move(link, "leg", leg.out_id, facts.currency, moves)
        if kept.sender:
            return []
        whole = inbox.leg(link, leg.message, leg.number)._replace(result=leg.result)
        return self._advice(kept, leg.out_id, accepted, settled(whole))

    def take_back(
        self, link: sqlite3.Connection, kept: Kept, leg: Leg, reference: str, given: PaymentReturn
    ) -> list[Job] | None:
        """Settle a return the other way round; ``None`` where that was done before."""
        minor = given.total_minor
        moves = Counter({leg.institution: -minor})
        moves[kept.facts.participant] += minor
        if not self._move(link, "returned", reference, kept.facts.currency, moves):
            return None
        return self._advice(kept, f"returned-{reference}", -minor, [returned_detail(one) for one in given.returns])

    def settle(self, note: Settlement, sender: str) -> bool:
        """Move money between two participants on the payer's note; ``False`` where that was done before."""
        with self._house.database.transaction() as link:
            moves = {note.payer: -note.minor, note.payee: note.minor}
            return self._move(link, "settlement", f"{sender}|{note.reference}", note.currency, moves)

    def _advice(self, kept: Kept, reference: str, minor: int, items: list[Detail]) -> list[Job]:
        facts = kept.facts
        if kept.sender:
            return []
        advice = Advice(reference, facts.currency, minor, facts.debtor_account, kept.message_id, items)
        return advise_job(facts.participant, advice)

    def _move(
        self, link: sqlite3.Connection, kind: str, reference: str, currency: str, moves: dict[str, int]
    ) -> bool:
        postings = [Posting(account, minor) for account, minor in moves.items()]
        return ledger.book(link, kind, reference, currency, self._house.clock(), postings)
