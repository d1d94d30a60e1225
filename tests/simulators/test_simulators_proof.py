"""The proof of the ledgers, also while money is being booked."""

from types import SimpleNamespace

import pytest

from simulators import inbox, ledger, outbox
from simulators.database import Database
from simulators.ledger import SETTLEMENT, Posting
from simulators.proof import proof
from simulators.world import SWITCH_CODE

PARTICIPANT = "UNIOXU22"


def settle(house, reference, account):
    with house.database.transaction() as link:
        ledger.book(link, "settle", reference, "USD", 0.0, [Posting(account, 100), Posting("OTHER", -100)])


@pytest.fixture
def houses(tmp_path):
    made = [
        SimpleNamespace(
            code=code,
            clock=lambda: 0.0,
            database=Database(tmp_path / f"{code}.sqlite", ledger.SCHEMA, inbox.SCHEMA, outbox.SCHEMA),
        )
        for code in (PARTICIPANT, SWITCH_CODE)
    ]
    yield made
    for house in made:
        house.database.close()


def test_positions_that_do_not_mirror_are_a_fault_when_nothing_moves(houses):
    settle(houses[0], "1", SETTLEMENT)
    found = proof(houses)
    assert (found["balanced"], found["quiet"], found["mirrored"]) == (False, True, False)


def test_what_is_booked_while_ledgers_are_read_is_money_under_way_and_no_fault(houses):
    participant, switch = houses

    def booking():
        settle(participant, "1", SETTLEMENT)
        return 0.0

    switch.clock = booking
    found = proof(houses)
    assert (found["balanced"], found["quiet"], found["mirrored"]) == (True, False, False)
