"""How a customer pays who was asked to: out of any account of a form that exists here, with money to begin with."""

import sqlite3
from typing import Final

from simulators import ledger
from simulators.bank.book import Book
from simulators.house import House
from simulators.inbox import Verdict
from simulators.ledger import CAPITAL, Posting

BROUGHT_MINOR: Final = 1_000_000
"""What a customer brings in when first asked to pay: 10,000.00 of a currency with cents."""


class Purse(Book):
    """The books of an institution, for a debtor who is any customer."""

    def __init__(self, house: House) -> None:
        """Take the institution's parts."""
        super().__init__(house)
        self._customers = house

    def shortage(self, link: sqlite3.Connection, account: str, currency: str, minor: int) -> Verdict | None:
        """Say what is wrong with taking so much from a customer's account."""
        if account in self._customers.player.programmes:
            return super().shortage(link, account, currency, minor)
        if not self._customers.player.owns(account):
            return Verdict("RJCT", "AC02", "The debtor account is not known.")
        postings = [Posting(account, BROUGHT_MINOR), Posting(CAPITAL, -BROUGHT_MINOR)]
        ledger.book(link, "opening", f"{account} {currency}", currency, self._customers.clock(), postings)
        if ledger.balance(link, account, currency) < minor:
            return Verdict("RJCT", "AM04", "The debtor account has not enough funds.")
        return None
