"""The proof that the money is right: every ledger adds up to zero, and positions mirror those at the switch."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from simulators import ledger, outbox
from simulators.house import House
from simulators.ledger import SETTLEMENT
from simulators.world import SWITCH_CODE


def proof(houses: Sequence[House]) -> dict[str, Any]:
    """Check all ledgers of this process.

    ``balanced``: everything below holds; ``quiet``: no money is under way, so that positions must mirror (they may
    not while a payee's answer or a settlement note is still to come). Ledgers are read one after the other: what is
    booked meanwhile is money under way as well.
    """
    before = _newest_entries(houses)
    ledgers = [_ledger(house) for house in houses]
    mirrors = _mirrors(houses)
    quiet = not any(one["under_way"] for one in ledgers) and _newest_entries(houses) == before
    mirrored = all(not mirror["difference_minor"] for mirror in mirrors)
    return {
        "balanced": all(one["balanced"] for one in ledgers) and (mirrored or not quiet),
        "quiet": quiet,
        "mirrored": mirrored,
        "ledgers": ledgers,
        "mirrors": mirrors,
    }


def _newest_entries(houses: Sequence[House]) -> list[int]:
    """Tell how far each ledger is; the same a second time, and nothing was booked in between."""
    newest = []
    for house in houses:
        with house.database.transaction() as link:
            newest.append(ledger.newest_entry(link))
    return newest


def _ledger(house: House) -> dict[str, Any]:
    with house.database.transaction() as link:
        totals = ledger.totals(link)
        unbalanced = ledger.unbalanced_entries(link)
        jobs = outbox.counts(link)
        under_way = _under_way(link, house.clock())
    return {
        "institution": house.code,
        "balanced": not unbalanced and not any(totals.values()),
        "totals_minor": totals,
        "unbalanced_entries": unbalanced,
        "under_way": under_way,
        "dead": jobs.get(outbox.DEAD, 0),
    }


def _under_way(link: sqlite3.Connection, now: float) -> int:
    """Count what will still move money: unanswered legs of orders, settlement notes, returns that are due."""
    legs = link.execute(
        "SELECT count(*) FROM leg JOIN message ON message.number = message WHERE result IS NULL"
        " AND (name LIKE 'pa__.%' OR name = 'json-raw')"
    ).fetchone()[0]
    notes = link.execute(
        "SELECT count(*) FROM job WHERE state = 'waiting' AND (kind IN ('settle', 'advise', 'withdraw')"
        " OR (kind = 'return' AND (due_at <= ? OR attempts > 0)))",
        (now,),
    ).fetchone()[0]
    return int(legs + notes)


def _mirrors(houses: Sequence[House]) -> list[dict[str, Any]]:
    """Compare what each participant says that it owes the switch with what the switch says; they cancel out."""
    switch = next((house for house in houses if house.code == SWITCH_CODE), None)
    if switch is None:
        return []
    with switch.database.transaction() as link:
        positions = {(account, currency): minor for account, currency, minor in ledger.balances(link, 10_000)}
    return [mirror for house in houses if house.code != SWITCH_CODE for mirror in _mirrors_of(house, positions)]


def _mirrors_of(house: House, positions: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    with house.database.transaction() as link:
        currencies = set(ledger.totals(link)) | {currency for code, currency in positions if code == house.code}
        own = {currency: ledger.balance(link, SETTLEMENT, currency) for currency in currencies}
    return [
        {
            "institution": house.code,
            "currency": currency,
            "own_minor": own[currency],
            "switch_minor": positions.get((house.code, currency), 0),
            "difference_minor": own[currency] + positions.get((house.code, currency), 0),
        }
        for currency in sorted(currencies)
    ]
