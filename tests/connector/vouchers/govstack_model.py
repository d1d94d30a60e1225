"""What GovStack v1.0, v3.0 and the administration are to answer, on top of the model of vouchers."""

from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from voucher_model import C, F, Model, R, Refusal, Reply, Shop, Slip, V, Voucher, refuse

from connector.domain.voucher import Command, RedemptionState

SOURCES = ("MINISTRY", "SHOPS")
EXPONENTS = {"USD": 2, "JPY": 0}

PREACTIVATION = {
    F.UNKNOWN_CALLER: 460,
    F.AMOUNT: 452,
    F.CURRENCY: 453,
    F.UNKNOWN_GROUP: 454,
    F.EXHAUSTED: 455,
    F.BUDGET: 455,
}
ACTIVATION = dict.fromkeys((F.UNKNOWN_SERIAL, F.STATE, F.EXPIRED, F.USED, F.IN_PROGRESS), 456)
REDEMPTION = {
    **dict.fromkeys((F.UNKNOWN_NUMBER, F.STATE, F.EXPIRED), 461),
    F.USED: 458,
    F.FUNDING: 462,
    F.MERCHANT: 463,
    F.WRONG_GROUP: 463,
    F.IN_PROGRESS: 503,
    F.WRONG_PIN: 400,  # the contract knows no PIN
}
WORDS = {
    V.IN_STOCK: "Not Pre-Activated",
    V.PRE_ACTIVATED: "Pre-Activated",
    V.ACTIVATED: "Activated",
    V.REDEEMING: "Activated",
    V.SUSPENDED: "Suspended",
    V.BLOCKED: "Blocked",
    V.CANCELLED: "Blocked",
    V.PURGED: "Purged",
}
CODES = {
    V.IN_STOCK: 1,
    V.PRE_ACTIVATED: 1,
    V.ACTIVATED: 2,
    V.REDEEMING: 2,
    V.CANCELLED: 3,
    V.EXPIRED: 4,
    V.REDEEMED: 5,
    V.SUSPENDED: 6,
    V.BLOCKED: 6,
}
FAILURES = {
    F.UNKNOWN_CALLER: "Unknown institution",
    F.UNKNOWN_SERIAL: "Invalid voucher",
    F.WRONG_NUMBER: "Invalid voucher",
    F.MERCHANT: "Cannot credit agent",
    F.FUNDING: "Insufficient funds",
    F.WRONG_GROUP: "Not accepted here",
    F.STATE: "Voucher not active",
    F.EXPIRED: "Voucher expired",
    F.USED: "Already redeemed",
    F.IN_PROGRESS: "Being redeemed",
    F.WRONG_PIN: "Refused",
}
REASONS = {
    F.UNKNOWN_SERIAL: "There is no such voucher",
    F.EXPIRED: "The voucher has expired",
    F.USED: "The voucher has been redeemed",
    F.IN_PROGRESS: "The voucher is being redeemed",
}


@dataclass(frozen=True)
class Presented:
    """A voucher at a counter. serial 0: the dialect has none; shop "": nobody that is known.

    written: how the merchant names itself and its account, where it has no id.
    """

    caller: str
    number: str
    serial: int = 0
    shop: str = ""
    written: tuple[str, ...] = ()
    group: str = ""
    override: bool = False
    amount: int = 0
    currency: str = ""
    request: str = ""
    correlation: str = ""
    pin: str = ""


class GovStackModel(Model):
    """The model with the synchronous and the callback dialect of GovStack, and the operator."""

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self.creations: dict[tuple[str, str], tuple[object, list[int]]] = {}
        self.batches: dict[tuple[str, str], tuple[str, list[int]]] = {}
        self.changes: dict[tuple[str, Command, str], tuple[str, ...]] = {}
        self.provisions: dict[str, tuple[object, int, int]] = {}
        self.callbacks: list[tuple[str, str, object]] = []

    # --- presenting a voucher, in whatever dialect

    def present(self, dialect: str, said: Presented) -> Slip:
        """Caller, number, merchant, funding, group, state: the first that is wrong is told."""
        if dialect != "suv" and said.caller not in SOURCES:
            raise Refusal(F.UNKNOWN_CALLER)
        shop, voucher = self.shops.get(said.shop), self._presented(said)
        request = said.request or said.correlation
        presenter = (dialect, said.caller, *(said.written or (said.shop,)), request)
        try:
            shop = self._accepting(shop, voucher, said)
        except Refusal:
            last = voucher.slips[-1] if voucher.state is V.REDEEMING else None
            if last and last.presenter == presenter:
                return last
            raise
        pays = voucher.group.pays
        programme = shop.programme if pays and shop.programme else voucher.group.programme
        slip = Slip("", voucher.serial, shop.id, programme, said.amount, R.PAYING, pays, presenter, said.request, 0.0)
        return self.redeem(voucher, slip, said.pin)

    def _presented(self, said: Presented) -> Voucher:
        found = self.by_number(said.number)
        if not said.serial:
            if found is None:
                raise Refusal(F.UNKNOWN_NUMBER)
            return found
        named = self.voucher(said.serial)
        if named is not found:
            self.touch(named)
            self.wrong(named, "wrong-number")
            raise Refusal(F.WRONG_NUMBER, named.state)
        return named

    @staticmethod
    def _accepting(shop: Shop | None, voucher: Voucher, said: Presented) -> Shop:
        pays = voucher.group.pays
        if shop is None or not shop.active or (pays and not shop.account):
            raise Refusal(F.MERCHANT)
        if pays and shop.empty:
            raise Refusal(F.FUNDING)
        if not said.override and not shop.takes(voucher.group, said.group):
            raise Refusal(F.WRONG_GROUP)
        if said.currency not in {"", voucher.currency}:
            raise Refusal(F.CURRENCY)
        return shop

    def awaited(self, slip: Slip, *, waits: bool) -> RedemptionState:
        """Wait for the merchant's money; raises what kept it from coming."""
        if waits and slip.state is R.PAYING:
            self.work()
        if slip.state is R.FAILED:
            assert slip.fault
            raise Refusal(slip.fault, V.ACTIVATED)
        return slip.state

    # --- v1

    def v1_preactivate(self, caller: str, code: str, currency: str, amount: int) -> Reply:
        try:
            worth = self._worth(caller, code, currency, amount)
            group, shelf = self.groups[code], self._shelf(code, currency, worth)
            self.check_limit(group, 1)
            if not (shelf or group.on_demand):
                refuse(F.EXHAUSTED)
            if not shelf:
                self.check_order([(code, currency, amount)])
        except Refusal as refusal:
            return Reply(PREACTIVATION[refusal.fault])

        def learn(body: dict) -> None:
            serial, number = int(body["voucher_serial_number"]), body["voucher_number"]
            if shelf:
                voucher = self.vouchers[shelf[shelf.index(serial)]]
                assert number in {voucher.number, voucher.number or number}
                self.move(C.PRE_ACTIVATE, serial)
            else:
                voucher = self.add(serial, code, currency, worth, V.PRE_ACTIVATED)
            voucher.number = number

        return Reply(200, {"expiry_date_time": self.now + group.days * 86_400}, learn)

    def _worth(self, caller: str, code: str, currency: str, amount: int) -> int:
        """What is wrong is told in this order: currency, group, calling building block, the group's own terms."""
        if currency not in EXPONENTS:
            refuse(F.CURRENCY)
        if code not in self.groups:
            refuse(F.UNKNOWN_GROUP)
        if caller not in SOURCES:
            refuse(F.UNKNOWN_CALLER)
        return self.price(code, currency, amount)

    def _shelf(self, code: str, currency: str, amount: int) -> list[int]:
        wanted = (V.IN_STOCK, code, currency, amount)
        there = ((one, (one.state, one.group.code, one.currency, one.amount)) for one in self.vouchers.values())
        return [one.serial for one, kind in there if kind == wanted]

    def v1_activate(self, caller: str, serial: int) -> Reply:
        if caller not in SOURCES:
            return Reply(460)
        try:
            self.move(C.ACTIVATE, serial)
        except Refusal as refusal:
            return Reply(ACTIVATION[refusal.fault])
        return Reply(200, {"result_status": "Voucher activated"})

    def v1_redeem(self, said: Presented, *, waits: bool) -> Reply:
        try:
            state = self.awaited(self.present("govstack-v1", said), waits=waits)
        except Refusal as refusal:
            return Reply(460 if refusal.fault is F.UNKNOWN_CALLER else REDEMPTION[refusal.fault])
        return Reply(503) if state is R.PAYING else Reply(200, {"result_status": "Voucher redeemed"})

    def v1_cancel(self, caller: str, serial: int) -> Reply:
        if caller not in SOURCES:
            return Reply(463)
        try:
            self.move(C.CANCEL, serial)
        except Refusal as refusal:
            return Reply(464 if refusal.state is V.CANCELLED else 463)
        return Reply(200, {"message": "Voucher cancelled"})

    def v1_status(self, serial: int) -> Reply:
        if serial not in self.vouchers:
            return Reply(456)
        voucher = self.vouchers[serial]
        state, _ = self.shown(voucher)
        if state in {V.REDEEMED, V.EXPIRED}:
            return Reply(458 if state is V.REDEEMED else 459)
        return Reply(
            200, {"voucher_status": WORDS[state], "voucher_amount": written(voucher.amount, voucher.currency)}
        )

    # --- v3

    def v3_create(self, caller: str, request: str, batch: str, wanted: tuple[tuple[str, str, int], ...]) -> Reply:
        """All or none; the details come by callback, once."""
        if caller not in SOURCES or self.batches.get((caller, batch), (request,))[0] != request:
            return Reply(400)
        before = self.creations.get((caller, request))
        if before:
            return self._taken(request) if before[0] == wanted else Reply(400)
        try:
            amounts = self.check_order(list(wanted))
        except Refusal:
            return Reply(400)

        def learn(listed: list[tuple[int, str]]) -> None:
            """By callback: serial and number of each, in the order asked for."""
            for (serial, number), (code, currency, _), amount in zip(listed, wanted, amounts, strict=True):
                assert serial > max(self.vouchers, default=0)
                self.add(serial, code, currency, amount, V.PRE_ACTIVATED).number = number
            serials = [serial for serial, _ in listed]
            self.creations[caller, request] = (wanted, serials)
            if batch:
                self.batches[caller, batch] = (request, serials)

        return replace(self._taken(request), learn=learn)

    def v3_change(self, caller: str, command: Command, request: str, serials: tuple[str, ...]) -> Reply:
        """Each for itself; who could not be changed is told by callback, once a request."""
        if caller not in SOURCES:
            return Reply(400)
        before = self.changes.setdefault((caller, command, request), serials)
        if before != serials:
            return Reply(400)
        taken = self._taken(request, lower=command is C.CANCEL)
        if (caller, command.value, request) not in {told[:3] for told in self.callbacks}:
            self.callbacks.append((caller, command.value, request, self._failed(command, serials)))
        return taken

    def _failed(self, command: Command, serials: tuple[str, ...]) -> dict[str, str]:
        failed = {}
        for serial in serials:
            try:
                self.move(command, int(serial))
            except Refusal as refusal:
                already = "already " if refusal.state is V.CANCELLED else ""
                failed[serial] = REASONS.get(refusal.fault, f"The voucher is {already}{refusal.state}")
        return failed

    @staticmethod
    def _taken(request: str, *, lower: bool = False) -> Reply:
        return Reply(200, {"responseCode": "00", "requestID": request} if lower else {"ResponseCode": "00"})

    def v3_redeem(self, said: Presented, *, waits: bool) -> Reply:
        """A redemption that fails is answered with 200, too."""
        try:
            slip = self.present("govstack-v3", said)
            state = self.awaited(slip, waits=waits)
        except Refusal as refusal:
            return Reply(200, {"status": 0, "message": FAILURES[refusal.fault], "value": 0})
        value = float(written(slip.amount, self.vouchers[slip.serial].currency))
        if state is R.PAYING:
            return Reply(503, {"status": 0, "message": "In progress", "value": value})
        return Reply(200, {"status": 1, "message": "Redeemed", "value": value, "serialNumber": str(slip.serial)})

    def v3_status(self, serial: int) -> Reply:
        if serial not in self.vouchers or self.vouchers[serial].state is V.PURGED:
            return Reply(400, {"status": 9, "value": 0})
        voucher = self.vouchers[serial]
        state, _ = self.shown(voucher)
        return Reply(200, {"status": CODES[state], "value": float(written(voucher.amount, voucher.currency))})

    def v3_batch(self, caller: str, batch: str) -> Reply:
        if (caller, batch) not in self.batches:
            return Reply(404)
        request, serials = self.batches[caller, batch]
        shown = [(self.shown(self.vouchers[serial])[0], self.vouchers[serial]) for serial in serials]
        counted = Counter((state.value, one.currency) for state, one in shown)

        def learn(body: dict) -> None:
            assert {(line["state"], line["currency"]): line["number"] for line in body["vouchers"]} == counted

        return Reply(200, {"requestID": request, "total": len(serials)}, learn)

    # --- the operator

    def admin_change(self, command: Command, serials: tuple[int, ...]) -> Reply:
        items = []
        for serial in serials:
            state, fault, repeated = None, "", False
            try:
                repeated = self.move(command, serial)
            except Refusal as refusal:
                fault = refusal.fault.value
            if serial in self.vouchers:
                state = self.vouchers[serial].state.value
            items.append({"serial": str(serial), "state": state, "fault": fault, "repeated": repeated})
        return Reply(200, {"items": items})

    def admin_provision(self, code: str, currency: str, amount: int, count: int, reference: str) -> Reply:
        content = (code, currency, amount, count)
        if code not in self.groups:
            return Reply(404)
        before = self.provisions.get(reference)
        if before:
            same = before[0] == content
            return Reply(201, {"first_serial": str(before[1]), "count": count}) if same else Reply(409)
        try:
            worth = self.check_order([(code, currency, amount)] * count, out=False)[0]
        except Refusal:
            return Reply(400)

        def learn(body: dict) -> None:
            first, last = int(body["first_serial"]), int(body["last_serial"])
            assert first > max(self.vouchers, default=0)
            for serial in range(first, last + 1):
                self.add(serial, code, currency, worth, V.IN_STOCK)
            self.provisions[reference] = (content, first, count)

        return Reply(201, {"count": count}, learn)

    def admin_purge(self, older_than_days: float) -> Reply:
        return Reply(200, {"vouchers": self.purge(older_than_days * 86_400)})

    def admin_show(self, serial: int) -> Reply:
        if serial not in self.vouchers:
            return Reply(404)
        voucher = self.vouchers[serial]
        state, balance = self.shown(voucher)
        late = state is not voucher.state
        before = voucher.before[0].value if voucher.before and not late else None
        known = {"state": state.value, "amount_minor": voucher.amount, "balance_minor": balance}
        if state is V.PURGED:
            return Reply(200, known)
        return Reply(
            200, {**known, "before": before, "redemptions": voucher.redemptions, "wrong_tries": voucher.tries}
        )


def written(minor: int, currency: str) -> str:
    return format(Decimal(minor).scaleb(-EXPONENTS[currency]), "f")
