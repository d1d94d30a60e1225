"""The voucher store beside a plain model of it: any sequence of commands, redemptions and time passing.

After each step: what was created of a lot is in balances, spent or released; the counters of the stock are what
counting gives; nothing is redeemed twice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from voucher_samples import DAY, LOT, made, order

from connector.domain.voucher import (
    GOVSTACK_POLICY,
    RETAIL_POLICY,
    TRANSITIONS,
    Command,
    RedemptionState,
    VoucherFault,
    VoucherRefused,
    VoucherState,
    block_of,
)
from connector.store import Keyring, PayoutOutcome, Store

R, V, F = RedemptionState, VoucherState, VoucherFault
Draw = Callable[[st.SearchStrategy], object]
TIMED = {V.ACTIVATED, V.SUSPENDED, V.BLOCKED}
OVER = {V.REDEEMED, V.CANCELLED, V.EXPIRED, V.PURGED}
FAULTS = {V.EXPIRED: F.EXPIRED, V.REDEEMED: F.USED, V.REDEEMING: F.IN_PROGRESS}
AMOUNTS = [300, 500]
PLACES = st.integers(0, 3)
ACTIONS = ["redeem"] * 4 + ["decide"] * 2 + ["step"] * 6 + ["command"] * 2 + ["pass_time", "purge"]
LOTS = {"R" * 20: RETAIL_POLICY, "G" * 20: GOVSTACK_POLICY}


@dataclass
class Watch:
    """The clock of both."""

    now: float = LOT.created_at

    def __call__(self) -> float:
        return self.now


@dataclass
class Paper:
    """A voucher of the model."""

    lot: str
    amount: int
    balance: int
    state: VoucherState = V.PRE_ACTIVATED
    expires_at: float = 0.0
    before: list[VoucherState] = field(default_factory=list)
    spent: int = 0
    released: int = 0

    @property
    def retail(self) -> bool:
        return LOTS[self.lot].partial

    def become(self, state: VoucherState) -> None:
        self.state = state
        if state in OVER:
            self.released += self.balance
            self.balance, self.before = 0, []

    def touch(self, now: float) -> bool:
        late = self.state in TIMED and 0 < self.expires_at <= now
        if late:
            self.become(V.EXPIRED)
        return late

    def take(self, amount: int) -> None:
        self.balance -= amount
        self.spent += amount
        self.become(V.ACTIVATED if self.balance else V.REDEEMED)

    def give_back(self, amount: int, now: float) -> None:
        self.balance += amount
        self.spent -= amount
        if self.state is V.REDEEMED and amount:
            self.become(V.ACTIVATED)
            self.touch(now)
        else:
            self.become(self.state)


@dataclass
class Slip:
    """A redemption of the model."""

    serial: int
    amount: int
    state: RedemptionState
    by_us: bool


class Beside(RuleBasedStateMachine):
    """Does the same to the store and to the model."""

    store: Store
    runner: asyncio.Runner
    clock: Watch

    @initialize()
    def begin(self) -> None:
        self.clock.now = LOT.created_at
        self.run(self.store.link.ask("FLUSHALL"))
        self.papers = {
            serial: Paper(lot, amount, amount)
            for lot, policy in LOTS.items()
            for serial, amount in zip(
                self.run(made(self.store, AMOUNTS, id=lot, policy=policy, state=V.PRE_ACTIVATED)),
                AMOUNTS,
                strict=True,
            )
        }
        self.serials = list(self.papers)
        self.slips: dict[str, Slip] = {}
        self.presenters = count()
        self.move(Command.ACTIVATE, {0, 1, 2})

    @property
    def now(self) -> float:
        return self.clock.now

    def run(self, step):
        return self.runner.run(step)

    @rule(action=st.sampled_from(ACTIONS), data=st.data())
    def act(self, action: str, data: st.DataObject) -> None:
        """Do something; one rule, as hypothesis would leave some of several out."""
        getattr(self, action)(data.draw)

    def command(self, draw: Draw) -> None:
        commands = st.sampled_from(sorted(set(Command) - {Command.PURGE}))
        self.move(draw(commands), draw(st.sets(PLACES, min_size=1)))

    def move(self, command: Command, chosen: set[int]) -> None:
        serials = [self.serials[place] for place in sorted(chosen)]
        answers = self.run(self.store.vouchers.move(command, serials, actor="a", now=self.now))
        for moved in answers:
            paper = self.papers[moved.serial]
            assert (moved.fault, moved.repeated) == self.moved(paper, command)
            assert moved.state is paper.state

    def moved(self, paper: Paper, command: Command) -> tuple[VoucherFault | None, bool]:
        late = paper.touch(self.now)
        fault = FAULTS.get(paper.state, F.STATE)
        if command is Command.EXPIRE:
            return (None, not late) if paper.state is V.EXPIRED else (fault, False)
        sources, target = TRANSITIONS[command]
        done = {target} if target else {V.ACTIVATED, V.PRE_ACTIVATED}
        if paper.state in done and command is not Command.CANCEL:
            return None, True
        if paper.state not in sources:
            return fault, False
        if command in {Command.SUSPEND, Command.BLOCK}:
            paper.before.insert(0, paper.state)
        if command is Command.ACTIVATE:
            paper.expires_at = self.now + DAY
        paper.become(target or paper.before.pop(0))
        return None, False

    def redeem(self, draw: Draw) -> None:
        serial = self.serials[draw(PLACES)]
        amount, pays = draw(st.sampled_from([0, 0, 100, 350])), draw(st.booleans())
        paper = self.papers[serial]
        asked = order(serial, presenter=str(next(self.presenters)), amount_minor=amount, pays=pays, now=self.now)
        paper.touch(self.now)
        taken = amount or paper.balance
        if paper.state is not V.ACTIVATED:
            return self.refused(self.store.vouchers.redeem(asked), FAULTS.get(paper.state, F.STATE))
        if taken > paper.balance:
            return self.refused(self.store.vouchers.redeem(asked), F.INSUFFICIENT)
        if taken < paper.balance and not paper.retail:
            return self.refused(self.store.vouchers.redeem(asked), F.PARTIAL)
        given = self.run(self.store.vouchers.redeem(asked)).redemption
        self.slips[given.id] = Slip(serial, taken, R.PAYING if pays else R.REDEEMED, pays)
        if pays:
            paper.become(V.REDEEMING)
        else:
            paper.take(taken)
        return None

    def decide(self, draw: Draw) -> None:
        if not self.slips:
            return
        identifier, paid = draw(st.sampled_from(sorted(self.slips))), draw(st.booleans())
        self.run(self.store.vouchers.decide([PayoutOutcome(identifier, paid, batch="B")]))
        slip = self.slips[identifier]
        if slip.state is R.PAYING:
            paper = self.papers[slip.serial]
            slip.state = R.REDEEMED if paid else R.FAILED
            paper.take(slip.amount) if paid else paper.become(V.ACTIVATED)
            paper.touch(self.now)

    def step(self, draw: Draw) -> None:
        if not self.slips:
            return None
        name, whole = draw(st.sampled_from([("reverse", 0), ("refund", 0), ("confirm", None)]))
        amount = draw(st.sampled_from([whole, 100]))
        identifier = draw(st.sampled_from(sorted(self.slips)))
        slip = self.slips[identifier]
        paper = self.papers[slip.serial]
        asked = getattr(self.store.vouchers, name)(identifier, amount, actor="a", now=self.now)
        if slip.state is not R.PAYING:
            paper.touch(self.now)
        fault = self.fault(name, slip, paper, amount)
        if fault:
            return self.refused(asked, fault)
        back = self.run(asked)
        if name == "reverse" and slip.state is R.REDEEMED:
            given, slip.amount, slip.state = slip.amount - amount, amount, R.REVERSED
            paper.give_back(given, self.now)
        elif name == "confirm":
            kept = slip.amount if amount is None else amount
            given, slip.amount, slip.state = slip.amount - kept, kept, R.CONFIRMED
            paper.give_back(given, self.now)
        elif name == "refund":
            given = amount or slip.amount
            slip.amount, slip.state = slip.amount - given, R.REFUNDED
            paper.give_back(given, self.now)
        assert (back.state, back.amount_minor) == (slip.state, slip.amount)
        return None

    def fault(self, name: str, slip: Slip, paper: Paper, amount: int | None) -> VoucherFault | None:
        if slip.state is R.PAYING:
            return F.IN_PROGRESS
        if name == "reverse":
            if slip.state in {R.REVERSED, R.FAILED}:
                return None
            forbidden = slip.state is not R.REDEEMED or slip.by_us or not paper.retail
            return F.REVERSAL if forbidden else F.INSUFFICIENT if amount > slip.amount else None
        if slip.state is R.FAILED and (name == "refund" or amount is None or amount <= slip.amount):
            return F.STATE
        if name == "confirm":
            return self.unconfirmed(slip, paper, slip.amount if amount is None else amount)
        if slip.state is R.REVERSED or slip.by_us or not paper.retail:
            return F.REFUND
        return F.INSUFFICIENT if not slip.amount or amount > slip.amount else None

    def unconfirmed(self, slip: Slip, paper: Paper, final: int) -> VoucherFault | None:
        if slip.state in {R.REVERSED, R.REFUNDED}:
            return F.REVERSAL
        if final > slip.amount:
            return F.INSUFFICIENT
        if slip.state is R.CONFIRMED:
            return None if final == slip.amount else F.STATE
        return F.PARTIAL if final < slip.amount and (slip.by_us or not paper.retail) else None

    def refused(self, asked, fault: VoucherFault) -> None:
        with pytest.raises(VoucherRefused) as caught:
            self.run(asked)
        assert caught.value.fault is fault

    def pass_time(self, draw: Draw) -> None:
        self.clock.now += DAY / 3
        if draw(st.booleans()):
            self.sweep()

    def sweep(self) -> None:
        due = self.run(self.store.vouchers.due(self.now, 100))
        late = {serial for serial, paper in self.papers.items() if paper.touch(self.now)}
        assert set(due) == late
        moved = self.run(self.store.vouchers.move(Command.EXPIRE, due, actor="sweep", now=self.now))
        assert all(one.state is V.EXPIRED and not one.fault for one in moved)

    def purge(self, draw: Draw) -> None:
        if draw(st.integers(0, 2)):
            return
        over = {serial for serial, paper in self.papers.items() if paper.state in OVER - {V.PURGED}}
        archived = self.run(self.store.vouchers.purge(sorted(over), actor="a", now=self.now))
        assert {one.voucher.serial for one in archived} == over
        for serial in over:
            self.papers[serial].become(V.PURGED)
        self.slips = {name: slip for name, slip in self.slips.items() if slip.serial not in over}

    @invariant()
    def is_the_same(self) -> None:
        if not hasattr(self, "papers"):
            return
        found, stock, *accounts = self.run(self.everything())
        for voucher, paper in zip(found, self.papers.values(), strict=True):
            late = replace(paper, before=[*paper.before])
            late.touch(self.now)  # shown expired, though nobody has touched it
            assert (voucher.state, voucher.balance_minor) == (late.state, late.balance)
            assert voucher.before == (late.before[0] if late.before else None)
            assert voucher.expires_at == paper.expires_at
        for account in accounts:
            papers = [paper for paper in self.papers.values() if paper.lot == account.lot.id]
            assert account.spent == sum(paper.spent for paper in papers)
            assert account.released == sum(paper.released for paper in papers)
            assert account.spent + account.released + sum(paper.balance for paper in papers) == sum(AMOUNTS)
        counted = Counter(paper.state for paper in self.papers.values())
        assert {state: tally.payments for (state, _), tally in stock.items()} == counted
        assert sum(tally.minor for tally in stock.values()) == sum(paper.amount for paper in self.papers.values())
        assert all(0 <= paper.spent <= paper.amount for paper in self.papers.values())

    async def everything(self) -> list:
        vouchers, block = self.store.vouchers, block_of(self.serials[0])
        accounts = [vouchers.lot_account(lot, block) for lot in LOTS]
        return await asyncio.gather(vouchers.read(self.serials), vouchers.stock(LOT.group), *accounts)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.cluster
def test_the_store_is_as_the_model(store_url: str, keyring: Keyring, runner: asyncio.Runner) -> None:
    clock = Watch()
    store = runner.run(Store.connect(store_url, keys=keyring, clock=clock))
    machine = type("Machine", (Beside,), {"store": store, "runner": runner, "clock": clock})
    few = settings(
        max_examples=25,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],  # shrinking takes minutes
    )
    try:
        run_state_machine_as_test(machine, settings=few)
    finally:
        runner.run(store.link.ask("FLUSHALL"))
        runner.run(store.close())
