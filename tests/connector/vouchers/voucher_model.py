"""What vouchers are meant to do, in plain Python: no store, no network, one thing after another.

``Model`` knows vouchers, redemptions, budgets and merchants' accounts; the dialects on top of it
(``govstack_model``, ``retail_model``) say what is answered. It is written from the contracts and the documentation,
to be read beside them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from connector.domain.voucher import Command, RedemptionState, VoucherFault, VoucherState

V, F, R, C = VoucherState, VoucherFault, RedemptionState, Command
DAY = 86_400.0
ASKED_AFTER_SECONDS = 30.0
REPEAT_SECONDS = 1.0
WRONG_TRIES = 3

LIVING = {V.PRE_ACTIVATED, V.ACTIVATED}
OUT = {V.PRE_ACTIVATED, V.ACTIVATED, V.REDEEMING, V.SUSPENDED, V.BLOCKED}
TIMED = {V.ACTIVATED, V.SUSPENDED, V.BLOCKED}
OVER = {V.REDEEMED, V.CANCELLED, V.EXPIRED, V.PURGED}
FAULTS = {V.EXPIRED: F.EXPIRED, V.REDEEMED: F.USED, V.REDEEMING: F.IN_PROGRESS}
MOVES = {
    C.PRE_ACTIVATE: ({V.IN_STOCK}, V.PRE_ACTIVATED),
    C.ACTIVATE: ({V.PRE_ACTIVATED}, V.ACTIVATED),
    C.SUSPEND: (LIVING, V.SUSPENDED),
    C.REACTIVATE: ({V.SUSPENDED}, None),
    C.CANCEL: (LIVING | {V.IN_STOCK, V.SUSPENDED, V.BLOCKED}, V.CANCELLED),
    C.BLOCK: (LIVING | {V.SUSPENDED}, V.BLOCKED),
    C.UNBLOCK: ({V.BLOCKED}, None),
}


class Refusal(Exception):
    """Something that cannot be done."""

    def __init__(self, fault: VoucherFault, state: VoucherState | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.state = state


def refuse(fault: VoucherFault, state: VoucherState | None = None) -> NoReturn:
    raise Refusal(fault, state)


@dataclass(frozen=True)
class Group:
    """A product. back: reversal and refund; pays: a redemption credits the merchant at once; price 0: any amount."""

    code: str
    programme: str
    partial: bool = False
    back: bool = False
    pays: bool = True
    currency: str = ""
    price: int = 0
    on_demand: bool = True
    limit: int = 0
    days: int = 90
    accepted_at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shop:
    """A merchant. fault: why crediting it fails; silent: the payer's bank says what became of it only when asked.

    programme: that pays it ("": the voucher's); empty: that has no money; known: somebody has entered it.
    """

    id: str
    account: str = ""
    institution: str = "UNIOXU22"
    groups: tuple[str, ...] = ("*",)
    fault: VoucherFault | None = None
    silent: bool = False
    active: bool = True
    programme: str = ""
    empty: bool = False
    known: bool = True

    def takes(self, group: Group, presented_as: str) -> bool:
        wanted = {group.code, *group.accepted_at}
        return presented_as in wanted if presented_as else "*" in self.groups or bool(wanted & {*self.groups})


@dataclass
class Slip:
    """A redemption. presenter: by whom a retry is told from another redeemer; request: the redeemer's own id."""

    id: str
    serial: int
    shop: str
    programme: str
    amount: int
    state: RedemptionState
    pays: bool
    presenter: tuple[str, ...]
    request: str
    decided_at: float
    fault: VoucherFault | None = None
    refunds: dict[str, int] = field(default_factory=dict)


@dataclass
class Voucher:
    """A voucher: what is in it, what was spent of it and what went back to the budget."""

    serial: int
    number: str
    group: Group
    currency: str
    amount: int
    state: VoucherState
    created_at: float
    pin: str = ""
    balance: int = 0
    spent: int = 0
    released: int = 0
    expires_at: float = 0.0
    changed_at: float = 0.0
    tries: int = 0
    before: list[VoucherState] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    redemptions: int = 0
    history: list[tuple[str, str, str, int]] = field(default_factory=list)


@dataclass
class Reply:
    """What is to be answered. body: what it has at least; learn: takes what only the answer can tell."""

    status: int
    body: Any = None
    learn: Callable[[Any], None] | None = None


class Model:
    """Everything there is."""

    def __init__(self, groups: list[Group], shops: list[Shop], budgets: dict[tuple[str, str], int]) -> None:
        self.now = 0.0
        self.groups = {group.code: group for group in groups}
        self.shops = {shop.id: shop for shop in shops}
        self.budgets = budgets
        self.vouchers: dict[int, Voucher] = {}
        self.credited: Counter[str] = Counter()
        self.ordered: list[Slip] = []
        self.unheard: list[tuple[float, list[Slip]]] = []

    # --- the vouchers there are

    def voucher(self, serial: int) -> Voucher:
        if serial not in self.vouchers:
            raise Refusal(F.UNKNOWN_SERIAL)
        return self.vouchers[serial]

    def by_number(self, number: str) -> Voucher | None:
        found = (one for one in self.vouchers.values() if one.number == number and one.state is not V.PURGED)
        return next(found, None)

    def shown(self, voucher: Voucher) -> tuple[VoucherState, int]:
        """State and balance as everybody sees them: what is late is expired, though nobody has touched it."""
        return (V.EXPIRED, 0) if self.is_late(voucher) else (voucher.state, voucher.balance)

    def is_late(self, voucher: Voucher) -> bool:
        return voucher.state in TIMED and 0 < voucher.expires_at <= self.now

    def available(self, programme: str, currency: str) -> int:
        held = sum(
            one.amount - one.released
            for one in self.vouchers.values()
            if (one.group.programme, one.currency) == (programme, currency)
        )
        return self.budgets.get((programme, currency), 0) - held

    # --- how they come about

    def price(self, code: str, currency: str, amount: int) -> int:
        if code not in self.groups:
            raise Refusal(F.UNKNOWN_GROUP)
        group = self.groups[code]
        if group.currency not in {"", currency} or currency not in {"USD", "JPY"}:
            raise Refusal(F.CURRENCY)
        if (amount or group.price) <= 0 or (group.price and amount not in {0, group.price}):
            raise Refusal(F.AMOUNT)
        return amount or group.price

    def check_limit(self, group: Group, more: int) -> None:
        """A voucher that is late still counts until somebody has noticed."""
        out = sum(one.group is group and one.state in OUT for one in self.vouchers.values())
        if group.limit and out + more > group.limit:
            raise Refusal(F.EXHAUSTED)

    def check_order(self, wanted: list[tuple[str, str, int]], *, out: bool = True, number: str = "") -> list[int]:
        """All of an order or nothing; gives the amounts."""
        amounts = [self.price(*one) for one in wanted]
        codes = Counter(code for code, _, _ in wanted)
        if out and not all(self.groups[code].on_demand for code in codes):
            raise Refusal(F.EXHAUSTED)
        for code, count in codes.items() if out else ():
            self.check_limit(self.groups[code], count)
        if number and self.by_number(number):
            raise Refusal(F.NUMBER_TAKEN)
        sums: Counter[tuple[str, str]] = Counter()
        for (code, currency, _), amount in zip(wanted, amounts, strict=True):
            sums[self.groups[code].programme, currency] += amount
        if any(self.available(*key) < total for key, total in sums.items()):
            raise Refusal(F.BUDGET)
        return amounts

    def add(self, serial: int, code: str, currency: str, amount: int, state: VoucherState) -> Voucher:
        assert serial not in self.vouchers
        made = Voucher(serial, "", self.groups[code], currency, amount, state, self.now, balance=amount)
        made.changed_at = self.now
        made.history.append(("create", "", state.value, 0))
        self.vouchers[serial] = made
        return made

    # --- what happens to them

    def turn(self, voucher: Voucher, state: VoucherState, action: str, amount: int = 0) -> None:
        voucher.history.append((action, voucher.state.value, state.value, amount))
        voucher.state, voucher.changed_at = state, self.now
        if state in OVER:
            voucher.released += voucher.balance
            voucher.balance, voucher.before = 0, []

    def touch(self, voucher: Voucher) -> None:
        if self.is_late(voucher):
            self.turn(voucher, V.EXPIRED, "expire")

    def move(self, command: Command, serial: int) -> bool:
        """Do a command; true where it was done before."""
        voucher = self.voucher(serial)
        self.touch(voucher)
        state = voucher.state
        sources, target = MOVES[command]
        if state in ({target} if target else LIVING) and command is not C.CANCEL:
            return True
        if state not in sources:
            raise Refusal(FAULTS.get(state, F.STATE), state)
        if command in {C.SUSPEND, C.BLOCK}:
            voucher.before.insert(0, state)
        if command is C.ACTIVATE:
            voucher.expires_at = self.now + voucher.group.days * DAY
        if state is V.BLOCKED:
            voucher.tries = 0
        self.turn(voucher, target or voucher.before.pop(0), command.value)
        return False

    def wrong(self, voucher: Voucher, action: str) -> None:
        """Somebody guesses: a voucher that may be blocked counts it, and is blocked after too many."""
        if voucher.state not in LIVING | {V.SUSPENDED}:
            return
        voucher.tries += 1
        state = voucher.state
        if voucher.tries >= WRONG_TRIES:
            voucher.before.insert(0, state)
            state = V.BLOCKED
        self.turn(voucher, state, action)

    def purge(self, older_than: float) -> int:
        over = [one for one in self.vouchers.values() if one.state in OVER - {V.PURGED}]
        gone = [one for one in over if one.changed_at < self.now - older_than]
        for voucher in gone:
            self.turn(voucher, V.PURGED, "purge")
            voucher.slips = []
        return len(gone)

    # --- redemption

    def redeem(self, voucher: Voucher, slip: Slip, pin: str) -> Slip:
        """Redeem ``slip.amount`` (0: all that is left), or find the redemption that this repeats."""
        for made in reversed(voucher.slips if slip.request else voucher.slips[-1:]):
            fresh = made.state is R.PAYING or self.now - made.decided_at < REPEAT_SECONDS
            if (made.presenter, made.request) == (slip.presenter, slip.request) and (slip.request or fresh):
                return made
        self.touch(voucher)
        if voucher.pin not in {"", pin} and voucher.state in LIVING | {V.SUSPENDED}:  # else a guess would not count
            self.wrong(voucher, "wrong-pin")
            raise Refusal(F.WRONG_PIN, voucher.state)
        if voucher.state is not V.ACTIVATED:
            raise Refusal(FAULTS.get(voucher.state, F.STATE), voucher.state)
        slip.amount = slip.amount or voucher.balance
        if slip.amount > voucher.balance:
            raise Refusal(F.INSUFFICIENT, voucher.state)
        if slip.amount < voucher.balance and not voucher.group.partial:
            raise Refusal(F.PARTIAL, voucher.state)
        voucher.redemptions += 1
        voucher.tries = 0
        slip.id = f"{voucher.serial}-{voucher.redemptions}"
        voucher.slips.append(slip)
        if slip.pays:
            self.turn(voucher, V.REDEEMING, "redeem", slip.amount)
            self.ordered.append(slip)
        else:
            slip.state, slip.decided_at = R.REDEEMED, self.now
            self.spend(voucher, slip.amount)
            self.turn(voucher, V.ACTIVATED if voucher.balance else V.REDEEMED, "redeem", slip.amount)
        return slip

    def spend(self, voucher: Voucher, amount: int) -> None:
        voucher.balance -= amount
        voucher.spent += amount

    def work(self) -> None:
        """All merchants with open payments are paid, or not; who is silent is asked after a while."""
        for slips in self._messages():
            for slip in slips:
                shop, currency = self.shops[slip.shop], self.vouchers[slip.serial].currency
                self.credited[f"{shop.account.removeprefix('+')} {currency}"] += 0 if shop.fault else slip.amount
            if any(self.shops[slip.shop].silent for slip in slips):
                self.unheard.append((self.now + ASKED_AFTER_SECONDS, slips))
            else:
                self.decide(slips)
        self.ordered = []
        for due, slips in self.unheard:
            if due <= self.now:
                self.decide(slips)
        self.unheard = [waiting for waiting in self.unheard if waiting[0] > self.now]

    def _messages(self) -> Iterator[list[Slip]]:
        """What goes to a bank together: one programme's payments to one institution in one currency."""
        together: dict[tuple[str, ...], list[Slip]] = {}
        for slip in self.ordered:
            currency = self.vouchers[slip.serial].currency
            key = (slip.programme, self.shops[slip.shop].institution, currency)
            together.setdefault(key, []).append(slip)
        yield from together.values()

    def decide(self, slips: list[Slip]) -> None:
        for slip in slips:
            voucher, shop = self.vouchers[slip.serial], self.shops[slip.shop]
            slip.decided_at, slip.fault = self.now, shop.fault
            slip.state = R.FAILED if shop.fault else R.REDEEMED
            if not shop.fault:
                self.spend(voucher, slip.amount)
            action = "not-redeemed" if shop.fault else "redeemed"
            self.turn(voucher, V.ACTIVATED if voucher.balance else V.REDEEMED, action, slip.amount)
            self.touch(voucher)

    # --- after a redemption

    def give_back(self, voucher: Voucher, amount: int, action: str) -> None:
        self.spend(voucher, -amount)
        revived = voucher.state is V.REDEEMED and amount > 0
        self.turn(voucher, V.ACTIVATED if revived else voucher.state, action, amount)
        self.touch(voucher)

    def step(self, slip: Slip) -> Voucher:
        voucher = self.vouchers[slip.serial]
        if slip.state is R.PAYING:
            raise Refusal(F.IN_PROGRESS, voucher.state)
        self.touch(voucher)
        return voucher

    def confirm(self, slip: Slip, final: int) -> None:
        """What is confirmed stays so, whatever came after it."""
        if slip.state in {R.CONFIRMED, R.REFUNDED}:
            return
        voucher = self.step(slip)
        if slip.state is not R.REDEEMED:
            raise Refusal(F.REVERSAL if slip.state is R.REVERSED else F.STATE, voucher.state)
        self.give_back(voucher, slip.amount - final, "confirm")
        slip.state, slip.amount = R.CONFIRMED, final

    def reverse(self, slip: Slip, keep: int) -> None:
        voucher = self.step(slip)
        if slip.state in {R.REVERSED, R.FAILED}:
            return
        if slip.state is not R.REDEEMED or slip.pays or not voucher.group.back:
            raise Refusal(F.REVERSAL, voucher.state)
        self.give_back(voucher, slip.amount - keep, "reverse")
        slip.state, slip.amount = R.REVERSED, keep

    def refund(self, slip: Slip, amount: int, name: str) -> None:
        voucher = self.step(slip)
        if name in slip.refunds:
            return
        if not 0 < amount <= slip.amount:
            raise Refusal(F.INSUFFICIENT, voucher.state)
        self.give_back(voucher, amount, "refund")
        slip.refunds[name] = amount
        slip.state, slip.amount = R.REFUNDED, slip.amount - amount
