"""Funds: budget = available + reserved + spent at every moment, whatever is repeated or comes out of order."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from connector.domain.errors import NotFound, NotPermitted, Refused
from connector.store import EmbeddedServer, FundsBalance, Keyring, Store

pytestmark = pytest.mark.cluster

AMOUNTS = st.integers(0, 1000) | st.integers(2**53, 2**56)
CURRENCIES = st.sampled_from(["USD", "EUR"])
BATCHES = st.sampled_from(["B1", "B2", "B3"])


async def test_a_reservation_takes_all_currencies_or_none(store: Store) -> None:
    await store.funds.open("P", "USD", 100)
    await store.funds.open("P", "EUR", 10)
    assert await store.funds.reserve("P", "B1", {"USD": 60, "EUR": 11}, open_budget=False) == "EUR"
    assert await store.funds.reserve("P", "B2", {"USD": 60, "EUR": 10}, open_budget=False) == ""
    assert await store.funds.reserve("P", "B2", {"USD": 60, "EUR": 10}, open_budget=False) == ""
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(100, 60, 0, 40)


async def test_an_unknown_currency_has_no_money(store: Store) -> None:
    assert await store.funds.reserve("P", "B1", {"USD": 1}, open_budget=False) == "USD"


async def test_an_open_budget_reserves_what_it_does_not_have(store: Store) -> None:
    assert await store.funds.reserve("P", "B1", {"USD": 50}, open_budget=True) == ""
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(0, 50, 0, -50)


async def test_of_racing_reservations_only_as_many_win_as_there_is_money(store: Store) -> None:
    await store.funds.deposit("P", "USD", 100, "D1")
    answers = await asyncio.gather(
        *(store.funds.reserve("P", f"B{n}", {"USD": 30}, open_budget=False) for n in range(10))
    )
    assert answers.count("") == 3


async def test_deposits_and_opening_budgets_count_once(store: Store) -> None:
    for _ in range(2):
        await store.funds.deposit("P", "USD", 5, "D1")
        await store.funds.open("P", "USD", 100)
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(105, 0, 0, 105)
    await store.funds.open("P", "USD", 40)
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(45, 0, 0, 45)


async def test_a_return_gives_spent_money_back(store: Store) -> None:
    await store.funds.open("P", "USD", 100)
    await store.funds.reserve("P", "B1", {"USD": 60}, open_budget=False)
    await store.funds.settle("P", "B1", 0, 1, "USD", 60, 0)
    await store.funds.settle("P", "B1", 0, 2, "USD", 40, 20)
    await store.funds.settle("P", "B1", 0, 1, "USD", 60, 0)
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(100, 0, 40, 60)


async def test_what_cannot_be_settled_says_why(store: Store) -> None:
    await store.funds.open("P", "USD", 100)
    with pytest.raises(NotFound):
        await store.funds.settle("P", "B1", 0, 1, "USD", 1, 0)
    await store.funds.reserve("P", "B1", {"USD": 60}, open_budget=False)
    with pytest.raises(NotPermitted, match="used up"):
        await store.funds.settle("P", "B1", 0, 1, "USD", 60, 1)
    await store.funds.release("P", "B1", "cancelled")
    with pytest.raises(NotPermitted, match="closed"):
        await store.funds.settle("P", "B1", 0, 1, "USD", 1, 0)
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(100, 0, 0, 100)


async def test_nothing_is_reserved_for_a_batch_that_was_released_before(store: Store) -> None:
    await store.funds.open("P", "USD", 100)
    await store.funds.release("P", "B1", "cancelled")
    assert await store.funds.reserve("P", "B1", {"USD": 60}, open_budget=False) == ""
    assert (await store.funds.balances("P"))["USD"] == FundsBalance(100, 0, 0, 100)


@pytest.mark.parametrize("minor", [-1, 2**62 + 1])
async def test_amounts_beyond_the_counters_are_refused(store: Store, minor: int) -> None:
    with pytest.raises(Refused):
        await store.funds.deposit("P", "USD", minor, "D1")


class FundsMachine(RuleBasedStateMachine):
    """Any steps in any order, against a model in plain Python."""

    url: str
    keys: Keyring

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = self.runner.run(Store.connect(self.url, keys=self.keys, clock=lambda: 0.0))
        self.budget = dict.fromkeys(("USD", "EUR"), 0)
        self.deposits: set[str] = set()
        self.holds: dict[str, dict[str, int]] = {}
        self.chunks: dict[tuple[str, str, int], tuple[int, int, int]] = {}
        self.closed: set[str] = set()

    @initialize()
    def clean(self) -> None:
        self.runner.run(self.store.link.ask("FLUSHALL"))

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    def used(self, ref: str, currency: str) -> tuple[int, int]:
        """Spent and released of a batch."""
        parts = [value for key, value in self.chunks.items() if key[:2] == (ref, currency)]
        return sum(part[1] for part in parts), sum(part[2] for part in parts)

    def balance(self, currency: str) -> FundsBalance:
        reserved = spent = 0
        for ref, amounts in self.holds.items():
            batch_spent, released = self.used(ref, currency)
            spent += batch_spent
            reserved += 0 if ref in self.closed else amounts.get(currency, 0) - batch_spent - released
        return FundsBalance(self.budget[currency], reserved, spent, self.budget[currency] - reserved - spent)

    @rule(currency=CURRENCIES, minor=AMOUNTS, reference=st.sampled_from(["D1", "D2", "D3"]))
    def deposit(self, currency: str, minor: int, reference: str) -> None:
        self.runner.run(self.store.funds.deposit("P", currency, minor, reference))
        if reference not in self.deposits:
            self.deposits.add(reference)
            self.budget[currency] += minor

    @rule(ref=BATCHES, amounts=st.dictionaries(CURRENCIES, AMOUNTS, min_size=1), open_budget=st.booleans())
    def reserve(self, ref: str, amounts: dict[str, int], open_budget: bool) -> None:
        short = self.runner.run(self.store.funds.reserve("P", ref, amounts, open_budget))
        if ref in self.holds or ref in self.closed:
            assert short == ""
            return
        lacking = [currency for currency, minor in amounts.items() if self.balance(currency).available < minor]
        assert short == (lacking[0] if lacking and not open_budget else "")
        if not short:
            self.holds[ref] = amounts

    @rule(
        ref=BATCHES,
        chunk=st.integers(0, 2),
        version=st.integers(0, 4),
        currency=CURRENCIES,
        shares=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    )
    def settle(self, ref: str, chunk: int, version: int, currency: str, shares: tuple[int, int]) -> None:
        held = self.holds.get(ref, {}).get(currency, 0)
        spent, released = (held * share // 150 for share in shares)
        key = (ref, currency, chunk)
        others = [value for name, value in self.chunks.items() if name[:2] == key[:2] and name != key]
        room = held - sum(part[1] + part[2] for part in others)
        # a chunk has one currency, as in a batch
        if any(name[0] == ref and name[2] == chunk and name[1] != currency for name in self.chunks):
            return
        wanted = self.store.funds.settle("P", ref, chunk, version, currency, spent, released)
        if currency not in self.holds.get(ref, {}):
            with pytest.raises(NotFound):
                self.runner.run(wanted)
        elif version <= self.chunks.get(key, (-1, 0, 0))[0]:
            self.runner.run(wanted)
        elif ref in self.closed or spent + released > room:
            with pytest.raises(NotPermitted):
                self.runner.run(wanted)
        else:
            self.runner.run(wanted)
            self.chunks[key] = (version, spent, released)

    @rule(ref=BATCHES)
    def release(self, ref: str) -> None:
        self.runner.run(self.store.funds.release("P", ref, "cancelled"))
        self.closed.add(ref)

    @invariant()
    def balances_are_the_models(self) -> None:
        for currency, balance in self.runner.run(self.store.funds.balances("P")).items():
            assert balance == self.balance(currency)
            assert balance.budget == balance.available + balance.reserved + balance.spent


def test_funds_follow_the_model_whatever_happens(store_server: EmbeddedServer, keyring: Keyring) -> None:
    machine = type("Machine", (FundsMachine,), {"url": store_server.url, "keys": keyring})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))


async def test_a_counter_that_is_full_changes_nothing(store: Store) -> None:
    full = {"EUR": 1, "USD": 2**62}
    for ref in ("B1", "B2"):
        assert await store.funds.reserve("P", ref, {"USD": 2**62 - 1}, open_budget=True) == ""
    before = await store.funds.balances("P")
    assert await store.funds.reserve("P", "B3", full, open_budget=True) == "USD"
    after = await store.funds.balances("P")
    assert after["USD"] == before["USD"]
    assert all(balance == FundsBalance(0, 0, 0, 0) for currency, balance in after.items() if currency == "EUR")
