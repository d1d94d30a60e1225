"""What the Single Use Voucher interface is to answer, on top of the model of vouchers.

Requests happen at most once an id; advices (confirmations, reversals) come in any order and any number of times, also
before what they are about.
"""

from dataclasses import dataclass, replace
from typing import Any, NoReturn

from govstack_model import GovStackModel, Presented
from voucher_model import C, F, R, Refusal, Reply, Slip, V, Voucher, refuse

from connector.domain.voucher import Command

TYPES = {
    F.UNKNOWN_GROUP: "ROUTING_ERROR",
    F.EXHAUSTED: "DO_NOT_HONOUR",
    F.BUDGET: "DO_NOT_HONOUR",
    F.AMOUNT: "INVALID_AMOUNT",
    F.CURRENCY: "INVALID_AMOUNT",
    F.WRONG_PIN: "INVALID_VOUCHER",
    F.WRONG_GROUP: "INVALID_MERCHANT",
    F.MERCHANT: "INVALID_MERCHANT",
    F.FUNDING: "DO_NOT_HONOUR",
    F.STATE: "VOUCHER_NOT_REDEEMABLE",
    F.EXPIRED: "VOUCHER_NOT_REDEEMABLE",
    F.USED: "VOUCHER_ALREADY_REDEEMED",
    F.IN_PROGRESS: "VOUCHER_STATUS_UNKNOWN",
    F.PARTIAL: "TRANSACTION_NOT_SUPPORTED",
    F.INSUFFICIENT: "INSUFFICIENT_AMOUNT",
    F.REVERSAL: "FUNCTION_NOT_SUPPORTED",
    F.REFUND: "FUNCTION_NOT_SUPPORTED",
    F.NUMBER_TAKEN: "VOUCHER_ALREADY_PROVISIONED",
}
NUMBERS = {"USD": "840", "JPY": "392"}
WORD = {"provision": "VOUCHER", "redemption": "REDEMPTION", "refund": "REFUND"}
DONE, CONFIRMED, REVERSED, UNKNOWN = "done", "confirmed", "reversed", "unknown"


class Declined(Exception):
    """A message that is declined."""

    def __init__(self, kind: str, status: int = 400) -> None:
        super().__init__(kind)
        self.reply = Reply(status, {"errorType": kind} if kind else None)


def decline(kind: str, status: int = 400) -> NoReturn:
    raise Declined(kind, status)


NOWHERE = "UNABLE_TO_LOCATE_RECORD"


@dataclass
class Letter:
    """A request as it is remembered. approved: what of it stands; told: its answer."""

    kind: str
    serial: int = 0
    slip: Slip | None = None
    reversible: bool = True
    approved: int = 0
    outcome: str = ""
    decision: str = ""
    by: str = ""
    told: Reply | None = None


def type_of(refusal: Refusal, kind: str) -> str:
    if refusal.fault is F.STATE and refusal.state in {V.SUSPENDED, V.BLOCKED}:
        return "DO_NOT_HONOUR"
    if refusal.fault is F.UNKNOWN_NUMBER:
        return "INVALID_VOUCHER" if kind == "refund" else "VOUCHER_NOT_REDEEMABLE"
    return TYPES[refusal.fault]


class RetailModel(GovStackModel):
    """The model with the retail dialect."""

    def __init__(self, *world: Any) -> None:
        super().__init__(*world)
        self.letters: dict[tuple[str, str], Letter] = {}
        self.early: dict[tuple[str, str, str], str] = {}
        self.holds: dict[str, tuple[str, str]] = {}

    # --- requests: once an id

    def suv_provide(
        self, client: str, name: str, wanted: tuple[str, str, int], number: str = "", pin: str = ""
    ) -> Reply:
        letter = Letter("provision")
        try:
            self._claim((client, name), letter)
            code, currency, _ = wanted
            group = self.groups.get(code)
            if number and group and group.pays:
                decline("FUNCTION_NOT_SUPPORTED")
            (amount,) = self.check_order([wanted], number=number)
        except (Refusal, Declined) as refused:
            return self._declined(letter, refused)

        def learn(body: dict) -> None:
            made = self.add(int(body["voucher"]["serialNumber"]), code, currency, amount, V.PRE_ACTIVATED)
            made.number, made.pin = body["voucher"]["code"], pin
            assert number in {"", made.number}
            letter.outcome, letter.serial, letter.approved = "approved", made.serial, amount

        return Reply(201, {"amounts": {"approvedAmount": {"amount": amount}}}, learn)

    def suv_redeem(self, client: str, name: str, said: Presented, *, waits: bool) -> Reply:
        voucher = self.by_number(said.number)
        letter = Letter("redemption", voucher.serial if voucher else 0)
        if voucher:
            letter.reversible = voucher.group.back and not voucher.group.pays
        try:
            self._claim((client, name), letter)
            if voucher is None:
                refuse(F.UNKNOWN_NUMBER)
            own = replace(said, caller=client, request=name)
            by_us = voucher.group.pays
            letter.slip = self.present("suv", own) if by_us else self._settled_elsewhere(voucher, own)
            if self.awaited(letter.slip, waits=waits) is R.PAYING:
                return Reply(504, {"errorType": "VOUCHER_STATUS_UNKNOWN"})
        except (Refusal, Declined) as refused:
            return self._declined(letter, refused)
        return replace(self._approve(letter, voucher), status=201)

    def _settled_elsewhere(self, voucher: Voucher, said: Presented) -> Slip:
        """The merchant need not be known here; one that is must be open and take the product."""
        shop = self.shops.get(said.shop)
        if shop and shop.known:
            if not shop.active:
                raise Refusal(F.MERCHANT)
            if not shop.takes(voucher.group, ""):
                raise Refusal(F.WRONG_GROUP)
        if said.currency not in {"", voucher.currency}:
            raise Refusal(F.CURRENCY)
        presenter = ("suv", said.caller, said.request)
        slip = Slip(
            "", voucher.serial, said.shop, "", said.amount, R.PAYING, False, presenter, said.request, self.now
        )
        return self.redeem(voucher, slip, said.pin)

    def suv_refund(  # what a message may say
        self, client: str, name: str, number: str, request: str, reference: str, minor: int, currency: str
    ) -> Reply:
        voucher = self.by_number(number) if number else None
        slip = self._meant(client, voucher, request, reference)
        letter = Letter("refund", slip.serial if slip else 0, slip)
        try:
            self._claim((client, name), letter)
            if number and voucher is None:
                refuse(F.UNKNOWN_NUMBER)
            if slip is None:
                decline("VOUCHER_NOT_REDEEMED")
            self._check_refund(slip, voucher or self.vouchers[slip.serial], minor, currency)
        except (Refusal, Declined) as refused:
            return self._declined(letter, refused)
        self.holds[slip.id] = (client, name)
        letter.outcome, letter.approved = "approved", minor or slip.amount
        return Reply(201, {"amounts": {"approvedAmount": {"amount": letter.approved}}})

    def _meant(self, client: str, voucher: Voucher | None, request: str, reference: str) -> Slip | None:
        """The redemption that is named, else the voucher's latest, a confirmed one first."""
        if request:
            own = self.letters.get((client, request))
            there = own and own.slip and own.kind == "redemption" and own.outcome == "approved"
            return own.slip if there and own.slip in self.vouchers[own.serial].slips else None
        if reference:
            return next((one for each in self.vouchers.values() for one in each.slips if one.id == reference), None)
        made = voucher.slips if voucher else []
        return ([one for one in made if one.state is R.CONFIRMED] or made or [None])[-1]

    def _check_refund(self, slip: Slip, voucher: Voucher, minor: int, currency: str) -> None:
        if slip.serial != voucher.serial:
            raise Declined("INVALID_VOUCHER")
        if not voucher.group.back or voucher.group.pays:
            raise Refusal(F.REFUND)
        if currency not in {"", NUMBERS[voucher.currency]}:
            raise Refusal(F.CURRENCY)
        if 0 < minor < slip.amount and not voucher.group.partial:
            raise Refusal(F.PARTIAL)
        if slip.id in self.holds:
            raise Declined("VOUCHER_ALREADY_REFUNDED")
        self._check_refundable(slip, minor)

    @staticmethod
    def _check_refundable(slip: Slip, minor: int) -> None:
        if slip.state is R.REDEEMED:
            raise Declined("REDEMPTION_NOT_CONFIRMED")
        if slip.state is not R.CONFIRMED:
            raise Declined("VOUCHER_NOT_REDEEMED")
        if minor > slip.amount:
            raise Declined("INVALID_AMOUNT")

    def _claim(self, key: tuple[str, str], letter: Letter) -> None:
        if key in self.letters:
            letter.outcome = "duplicate"
            raise Declined("DUPLICATE_RECORD")
        if (*key, letter.kind) in self.early:
            letter.outcome = "early"
            raise Declined(f"{WORD[letter.kind]}_ALREADY_REVERSED")
        self.letters[key] = letter

    def _declined(self, letter: Letter, refused: Refusal | Declined) -> Reply:
        if isinstance(refused, Refusal):
            refused = Declined(type_of(refused, letter.kind))
        if not letter.outcome:
            letter.outcome, letter.told = "refused", refused.reply
        return refused.reply

    def _approve(self, letter: Letter, voucher: Voucher) -> Reply:
        assert letter.slip
        letter.outcome, letter.approved = "approved", letter.slip.amount
        left = {"amount": self.shown(voucher)[1]}
        letter.told = Reply(200, {"amounts": {"approvedAmount": {"amount": letter.approved}, "balanceAmount": left}})
        return letter.told

    # --- advices: in any order, any number of times

    def suv_advise(
        self, kind: str, what: str, client: str, request: str, advice: str, final: int | None = None
    ) -> Reply:
        act = getattr(self, f"_{what}_{kind}")
        try:
            act((client, request), advice, final)
        except (Refusal, Declined) as refused:
            return self._declined(Letter(kind, outcome="told"), refused)
        return Reply(202, {"id": advice, "requestId": request})

    def _decide(self, key: tuple[str, str], kind: str, decision: str, advice: str, final: int | None) -> str:
        """Decide about a request, once; its reversal may come before it."""
        letter = self.letters.get(key)
        if letter is None or letter.kind != kind:
            return self._unseen((*key, kind), decision, advice)
        if letter.decision:
            return DONE if (letter.decision, letter.by) == (decision, advice) else letter.decision
        self._check_decision(letter, decision, final)
        letter.decision, letter.by = decision, advice
        if final is not None or decision == REVERSED:
            letter.approved = final or 0
        return DONE

    def _unseen(self, name: tuple[str, str, str], decision: str, advice: str) -> str:
        if decision == REVERSED and name[:2] not in self.letters:
            self.early.setdefault(name, advice)
        if decision == CONFIRMED and name in self.early:
            return REVERSED
        raise Declined(NOWHERE, 404)

    def _check_decision(self, letter: Letter, decision: str, final: int | None) -> None:
        if letter.outcome == "refused":
            raise Declined(NOWHERE, 404)
        if decision == REVERSED and not letter.reversible:
            raise Refusal(F.REVERSAL) if self._stands(letter) else Declined(NOWHERE, 404)
        if not letter.outcome:
            raise Declined("VOUCHER_STATUS_UNKNOWN", 504)
        if final is not None and final > letter.approved:
            raise Declined("INVALID_AMOUNT")

    def _stands(self, letter: Letter) -> bool:
        slip = letter.slip
        return slip is not None and slip in self.vouchers[letter.serial].slips and slip.state is not R.FAILED

    def _confirm_provision(self, key: tuple[str, str], advice: str, final: int | None) -> None:
        letter = self.letters.get(key)
        made = letter is not None and letter.kind == "provision" and letter.outcome == "approved"
        if final is not None and made and letter.decision != REVERSED and final != letter.approved:
            raise Declined("INVALID_AMOUNT" if final > letter.approved else "FUNCTION_NOT_SUPPORTED")
        if self._decide(key, "provision", CONFIRMED, advice, None) == REVERSED:
            raise Declined("VOUCHER_ALREADY_REVERSED")
        voucher = self.vouchers[self.letters[key].serial]
        try:
            self.move(Command.ACTIVATE, voucher.serial)
        except Refusal as refusal:
            lived = any(event[0] == "activate" for event in voucher.history)
            if refusal.fault not in {F.USED, F.IN_PROGRESS, F.EXPIRED} and not lived:
                raise

    def _reverse_provision(self, key: tuple[str, str], advice: str, final: int | None) -> None:
        if final:
            raise Declined("FUNCTION_NOT_SUPPORTED")
        if self._decide(key, "provision", REVERSED, advice, None) == CONFIRMED:
            raise Declined("VOUCHER_ALREADY_CONFIRMED")
        try:
            self.move(C.CANCEL, self.letters[key].serial)
        except Refusal as refusal:
            if refusal.fault in {F.USED, F.IN_PROGRESS}:
                raise Declined("VOUCHER_ALREADY_REDEEMED") from None

    def _confirm_redemption(self, key: tuple[str, str], advice: str, final: int | None) -> None:
        self._prepare(key, final)
        verdict = self._decide(key, "redemption", CONFIRMED, advice, final)
        if verdict == REVERSED:
            raise Declined("REDEMPTION_ALREADY_REVERSED")
        letter = self.letters[key]
        self.confirm(self._there(letter), letter.approved)
        if verdict == CONFIRMED:
            raise Declined("VOUCHER_NOT_REDEEMED")

    def _reverse_redemption(self, key: tuple[str, str], advice: str, final: int | None) -> None:
        if final:
            self._prepare(key, final)
        verdict = self._decide(key, "redemption", REVERSED, advice, final or None)
        if verdict == CONFIRMED:
            raise Declined("REDEMPTION_ALREADY_CONFIRMED")
        letter = self.letters[key]
        self.reverse(self._there(letter), letter.approved)
        if verdict == REVERSED:
            raise Declined(NOWHERE, 404)

    def _confirm_refund(self, key: tuple[str, str], advice: str, final: int | None) -> None:
        verdict = self._decide(key, "refund", CONFIRMED, advice, final)
        if verdict == REVERSED:
            raise Declined("REFUND_ALREADY_REVERSED")
        self._carry_refund_out(key)
        if verdict == CONFIRMED:
            raise Declined("VOUCHER_NOT_REFUNDED")

    def _reverse_refund(self, key: tuple[str, str], advice: str, final: int | None) -> None:
        verdict = self._decide(key, "refund", REVERSED, advice, final or None)
        if verdict == CONFIRMED:
            raise Declined("REFUND_ALREADY_CONFIRMED")
        self._carry_refund_out(key)
        if verdict == REVERSED:
            raise Declined(NOWHERE, 404)

    def _carry_refund_out(self, key: tuple[str, str]) -> None:
        letter = self.letters[key]
        if letter.approved:
            self.refund(self._there(letter), letter.approved, "/".join(key))
        assert letter.slip
        if self.holds.get(letter.slip.id) == key:
            del self.holds[letter.slip.id]

    def _there(self, letter: Letter) -> Slip:
        """A redemption; that of a purged voucher is not there any more."""
        if letter.slip is None or letter.slip not in self.vouchers[letter.slip.serial].slips:
            raise Declined(NOWHERE, 404)
        return letter.slip

    def _prepare(self, key: tuple[str, str], final: int | None) -> None:
        """What was not answered is, once its outcome is known; only some products can be confirmed in part."""
        letter = self.letters.get(key)
        if letter is None or letter.kind != "redemption":
            return
        self._settle(letter)
        group = self.vouchers[letter.serial].group if letter.serial else None
        if final is not None and final < letter.approved and group and (group.pays or not group.partial):
            raise Refusal(F.PARTIAL)

    def _settle(self, letter: Letter) -> None:
        """Answer a redemption late, from what became of it."""
        slip = letter.slip
        if letter.outcome or slip is None or slip.state is R.PAYING:
            return
        if slip.state is R.FAILED:
            assert slip.fault
            self._declined(letter, Refusal(slip.fault))
        else:
            self._approve(letter, self.vouchers[slip.serial])

    # --- looking

    def suv_recall(self, client: str, name: str) -> Reply:
        letter = self.letters.get((client, name))
        if letter is None or letter.kind != "redemption":
            others = [key for key, other in self.letters.items() if key[1] == name and other.kind == "redemption"]
            return Reply(403 if others and letter is None else 404)
        self._settle(letter)
        return letter.told or Reply(504, {"errorType": "VOUCHER_STATUS_UNKNOWN"})

    def suv_look(self, serial: int) -> Reply:
        if serial not in self.vouchers or self.vouchers[serial].state is V.PURGED:
            return Reply(404, {"errorType": NOWHERE})
        state, balance = self.shown(self.vouchers[serial])
        usable = {"amount": balance if state is V.ACTIVATED else 0}
        return Reply(200, {"amounts": {"approvedAmount": usable, "balanceAmount": {"amount": balance}}})
