"""Requests of all dialects, drawn by chance: mostly such as make sense, with what they say to the model."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from govstack_model import SOURCES, Presented, written
from retail_model import RetailModel
from voucher_model import OVER, C, Reply, V, Voucher
from voucher_town import GROUPS, SHOPS, Http, Town, as_client, merchant_id

from connector.domain.voucher import Command

CLIENTS = ("SHOPS", "KIOSK")
CALLERS = (*SOURCES * 5, "NOBODY")
CURRENCIES = {"USD": "840", "JPY": "392"}
AMOUNTS = {"USD": (700, 1500, 2500), "JPY": (90, 400)}
IDS = [str(UUID(int=0xA << 124 | number)) for number in range(40)]
MOMENT = "2030-01-15T10:00:00Z"
FINAL = ("redemption", "confirmed")
MEANT = {
    C.PRE_ACTIVATE: [V.IN_STOCK],
    C.ACTIVATE: [V.PRE_ACTIVATED],
    C.SUSPEND: [V.ACTIVATED],
    C.REACTIVATE: [V.SUSPENDED],
    C.CANCEL: [V.SUSPENDED, V.BLOCKED],
    C.BLOCK: [V.SUSPENDED, V.ACTIVATED],
    C.UNBLOCK: [V.BLOCKED],
}
NOBODYS = 10**15 + 999_999
Act = tuple[Http, Callable[..., Reply], tuple[Any, ...], dict[str, Any]]
"""A request, the model's method that tells what comes of it, and what that is told."""


class Requests:
    """Draws requests about what the model knows."""

    model: RetailModel
    town: Town
    chance: Random

    def one(self, *options: Any) -> Any:
        return self.chance.choice(options)

    def paper(self, *states: V) -> Voucher | None:
        """A voucher, mostly one that is alive or, where states are named, in one of them."""
        papers = list(self.model.vouchers.values())
        wanted = [paper for paper in papers if paper.state in states]
        if wanted and self.one(True, True, True, False):
            return self.one(*wanted)
        alive = [paper for paper in papers if paper.state not in OVER]
        return self.one(*(self.one(alive, alive, papers) or papers)) if papers else None

    def serial(self, *states: V) -> int:
        paper = self.paper(*states)
        return paper.serial if paper and self.one(*[True] * 19, False) else NOBODYS

    def wanted(self) -> tuple[str, str, int]:
        group = self.one(*GROUPS)
        currency = group.currency or self.one("USD", "USD", "JPY")
        amount = self.one(*AMOUNTS[currency]) if not group.price else self.one(group.price, group.price, 700)
        return group.code, currency, amount

    def number(self, paper: Voucher | None) -> str:
        right = paper.number if paper and paper.number else ""
        return right if right and self.one(*[True] * 9, False) else "4000000000000001"

    # --- GovStack v1

    def v1_preactivate(self) -> Act:
        code, currency, amount = self.wanted()
        return self.handing_out(self.one(*CALLERS), code, self.one(*[currency] * 9, "JPY"), amount)

    def handing_out(self, caller: str, code: str, currency: str, amount: int) -> Act:
        body = {
            "voucher_amount": written(amount, currency),
            "voucher_currency": currency,
            "voucher_group": code,
            "Gov_Stack_BB": caller,
        }
        http = Http("POST", "/vouchers/voucher_preactivation", body)
        return http, self.model.v1_preactivate, (caller, code, currency, amount), {}

    def v1_activate(self) -> Act:
        serial, caller = self.serial(V.PRE_ACTIVATED), self.one(*CALLERS)
        body = {"voucher_serial_number": serial, "Gov_Stack_BB": caller}
        return Http("PATCH", "/vouchers/voucher_activation", body), self.model.v1_activate, (caller, serial), {}

    def v1_redeem(self) -> Act:
        paper, shop = self.paper(V.ACTIVATED, V.REDEEMING), self.one(*SHOPS, *[SHOPS[0]] * 12)
        group = self.one(*["", paper.group.code if paper else "FOOD"] * 3, "GROCERY", "BREAD")
        said = Presented(
            self.one(*CALLERS),
            self.number(paper),
            shop=shop.id,
            written=(shop.id.title(), self.one(shop.account, f"{shop.institution}/{shop.account}")),
            group=group,
            override=self.one(False, False, True),
            correlation=self.one("", "", "A", "B"),
        )
        body = {
            "voucher_number": int(said.number),
            "Gov_Stack_BB": said.caller,
            "merchant_name": said.written[0],
            "merchant_bank_details": said.written[1],
            "merchant_voucher_group": group,
            "override": said.override,
        }
        path = self.one("/vouchers/voucher_redemption", "/vouchers/voucher_redeemption")
        headers = {"X-CorrelationID": said.correlation} if said.correlation else {}
        return Http("POST", path, body, headers), self.model.v1_redeem, (said,), {"waits": True}

    def v1_cancel(self) -> Act:
        serial, caller = self.serial(), self.one(*CALLERS)
        body = {"voucherserialnumber": str(serial), "Gov_Stack_BB": caller}
        http = Http("PATCH", f"/vouchers/voucherstatuscheck/{serial}", body)
        return http, self.model.v1_cancel, (caller, serial), {}

    # --- GovStack v3

    def v3_headers(self, caller: str) -> dict[str, str]:
        url = f"{self.town.urls['listener']}/{caller}"
        return {"X-Registering-Institution-ID": caller, "X-Callback-URL": url}

    def v3_create(self) -> Act:
        caller, request, batch = self.one(*CALLERS), self.request(), self.one("", "BATCH1", "BATCH2", "BATCH3")
        wanted = tuple(self.wanted() for _ in range(self.one(1, 1, 2, 3)))
        lines = [
            {"instructionID": f"I{i}", "groupCode": code, "currency": currency, "amount": written(amount, currency)}
            for i, (code, currency, amount) in enumerate(wanted)
        ]
        body = {"requestID": request, "voucherInstructions": lines} | ({"batchID": batch} if batch else {})
        http = Http("POST", "/vouchers", body, self.v3_headers(caller))
        return http, self.model.v3_create, (caller, request, batch, wanted), {}

    def request(self) -> str:
        return f"REQ{self.one(*range(15)):09}"

    def v3_change(self) -> Act:
        caller, request = self.one(*CALLERS), self.request()
        command = self.one(C.ACTIVATE, C.ACTIVATE, C.ACTIVATE, C.SUSPEND, C.REACTIVATE, C.CANCEL)
        serials = tuple(dict.fromkeys(str(self.serial(*MEANT[command])) for _ in range(self.one(1, 2, 3))))
        body = {"RequestID": request, "VoucherInstructions": [{"serialNumber": serial} for serial in serials]}
        method = "POST" if command is C.CANCEL else "PUT"
        http = Http(method, f"/vouchers?command={command}", body, self.v3_headers(caller))
        return http, self.model.v3_change, (caller, command, request, serials), {}

    def v3_redeem(self) -> Act:
        paper, shop = self.paper(V.ACTIVATED, V.REDEEMING), self.one(*SHOPS[:-1], *[SHOPS[0]] * 12)
        serial = paper.serial if paper else 5
        number = self.number(self.one(*[paper] * 6, self.paper()))
        said = Presented(self.one(*CALLERS), number, serial, shop.id, request=self.request())
        body = {
            "requestID": said.request,
            "voucherSerialNumber": str(serial),
            "agentID": shop.id,
            "voucherSecretNumber": number,
        }
        http = Http("POST", "/vouchers?command=redeem", body, {"X-Registering-Institution-ID": said.caller})
        return http, self.model.v3_redeem, (said,), {"waits": True}

    def v3_batch(self) -> Act:
        caller, batch = self.one(*SOURCES), self.one("BATCH1", "BATCH2", "BATCH3")
        http = Http("GET", f"/vouchers/batches/{batch}", None, {"X-Registering-Institution-ID": caller})
        return http, self.model.v3_batch, (caller, batch), {}

    # --- retail

    def suv(self, path: str, client: str, body: dict[str, Any]) -> Http:
        return Http("POST", f"/suv/v1{path}", body, as_client(client))

    def asked(self, client: str, name: str, shop: str, minor: int, currency: str) -> dict[str, Any]:
        place = {"name": "Corner shop", "city": "Capital", "region": "CA", "country": "XU"}
        merchant = {"merchantType": "5411", "merchantId": merchant_id(shop), "merchantName": place}
        amounts = {"requestAmount": {"amount": minor, "currency": CURRENCIES[currency]}}
        return {
            "id": name,
            "time": MOMENT,
            "originator": {"institution": {"id": "S", "name": "S"}, "terminalId": "TILL0001", "merchant": merchant},
            "client": {"id": client, "name": client},
            **({"amounts": amounts} if minor else {}),
        }

    def name(self) -> tuple[str, str]:
        """A client and an id, mostly one that was not used."""
        client = self.one(*CLIENTS, "SHOPS")
        fresh = [name for name in IDS if (client, name) not in self.model.letters]
        return client, self.one(*IDS) if not fresh or self.one(*[False] * 4, True) else self.one(*fresh)

    def suv_provide(self) -> Act:
        (client, name), (code, currency, amount) = self.name(), self.wanted()
        if self.one(True, False):
            code, currency, amount = "RETAIL", "USD", 1500
        chosen, pin = self.one("", "", "", "7000000000000007"), self.one("", "", "", "1234")
        body = self.asked(client, name, "CORNER", amount, currency) | {"product": {"productId": code}}
        secret = ({"code": chosen} if chosen else {}) | ({"pin": clear(pin)} if pin else {})
        body |= {"voucher": secret} if secret else {}
        said = (client, name, (code, currency, amount), chosen, pin)
        return self.suv("/vouchers", client, body), self.model.suv_provide, said, {}

    def suv_redeem(self) -> Act:
        (client, name), paper = self.name(), self.paper(V.ACTIVATED, V.REDEEMING)
        shop = self.one(*SHOPS[:-1], *[SHOPS[0]] * 12).id
        minor, pin = self.one(0, 0, 0, 50, 50, 600), self.one(*[paper.pin if paper else ""] * 5, "", "9999")
        currency = self.one(*[paper.currency if paper else "USD"] * 9, "JPY")
        body = self.asked(client, name, shop, minor, currency)
        number = self.number(paper)
        body |= {"voucher": {"code": number} | ({"pin": clear(pin)} if pin else {})}
        currency = currency if minor else ""
        said = Presented(client, number, shop=shop, amount=minor, currency=currency, pin=pin)
        return self.suv("/redemptions", client, body), self.model.suv_redeem, (client, name, said), {"waits": True}

    def suv_refund(self) -> Act:
        """Mostly of a redemption that is confirmed; by the voucher's number, its request, or our reference."""
        (client, name), paper = self.name(), self.paper(V.REDEEMED)
        request = self.one("", self.one(*IDS))
        confirmed = [key for key, one in self.model.letters.items() if (one.kind, one.decision) == FINAL]
        if confirmed and self.one(True, True, True, False):
            client, request = self.one(*confirmed)
            paper = self.model.vouchers[self.model.letters[client, request].serial]
        number, reference = self.number(paper), ""
        if paper and self.one(True, False):
            request = ""
            reference = self.one("", f"{paper.serial}-{self.one(1, 2)}")
        minor = self.one(0, 0, 50, 600)
        body = self.asked(client, name, "CORNER", minor, paper.currency if paper else "USD")
        number = self.one(number, "") if request else number
        body |= {"voucher": {"code": number} if number else {}}
        body |= {"redemptionId": request} if request else {}
        body |= {"receiverTransactionRef": reference} if reference else {}
        currency = body["amounts"]["requestAmount"]["currency"] if minor else ""
        said = (client, name, number, request, reference, minor, currency)
        return self.suv("/refunds", client, body), self.model.suv_refund, said, {}

    def suv_advise(self) -> Act:
        """Confirm or reverse, mostly something that there is."""
        there = [(letter.kind, *key) for key, letter in self.model.letters.items()]
        letters = self.model.letters
        due = [one for one in there if letters[one[1:]].outcome == "approved" and not letters[one[1:]].decision]
        anything = (self.one("provision", "redemption", "refund"), *self.name())
        kind, client, request = self.one(*(self.one(due, due, due, there, [anything]) or [anything]))
        what = self.one("confirm", "confirm", "reverse")
        advice = self.one(*(str(UUID(int=0xB << 124 | int(request[-4:], 16) << 8 | n)) for n in (1, 1, 1, 2)))
        letter = self.model.letters.get((client, request))
        whole = letter.approved if letter else 0
        final = self.one(*[None] * 6, whole, 0, 50, 5000)
        voucher = self.model.vouchers.get(letter.serial) if letter else None
        body = {"id": advice, "requestId": request, "time": MOMENT, "thirdPartyIdentifiers": []}
        if final is not None:
            money = {"amount": final, "currency": CURRENCIES[voucher.currency if voucher else "USD"]}
            body |= {"amounts": {"approvedAmount": money}}
        body |= {"reversalReason": "TIMEOUT"} if what == "reverse" else {}
        place = {"provision": "/vouchers", "redemption": "/redemptions", "refund": "/refunds"}[kind]
        http = self.suv(f"{place}/{'confirmations' if what == 'confirm' else 'reversals'}", client, body)
        return http, self.model.suv_advise, (kind, what, client, request, advice, final), {}

    def suv_recall(self) -> Act:
        asked = [key for key, letter in self.model.letters.items() if letter.kind == "redemption"]
        client, name = self.one(*asked) if asked and self.one(True, True, False) else self.name()
        http = Http("GET", f"/suv/v1/redemptions/{name}", None, as_client(client))
        return http, self.model.suv_recall, (client, name), {}

    # --- the operator

    def admin_change(self) -> Act:
        command = self.one(
            C.PRE_ACTIVATE, C.ACTIVATE, C.SUSPEND, C.REACTIVATE, C.CANCEL, C.BLOCK, C.UNBLOCK, C.UNBLOCK
        )
        serials = tuple(dict.fromkeys(self.serial(*MEANT[command]) for _ in range(self.one(1, 2))))
        return self.commanding(command, serials)

    def commanding(self, command: Command, serials: tuple[int, ...]) -> Act:
        http = Http("POST", f"/admin/vouchers?command={command}", {"serials": [*map(str, serials)]})
        return http, self.model.admin_change, (command, serials), {}

    def admin_provision(self) -> Act:
        code, currency, amount = self.wanted()
        code, count = self.one(code, "STOCK"), self.one(1, 2)
        reference = self.one("LOT1", "LOT2", "LOT3", "LOT4")
        body = {"currency": currency, "amount_minor": amount, "count": count, "reference": reference}
        http = Http("POST", f"/admin/voucher-groups/{code}/stock", body)
        return http, self.model.admin_provision, (code, currency, amount, count, reference), {}

    def admin_purge(self) -> Act:
        days = self.one(0, 1, 20)
        http = Http("POST", "/admin/vouchers/purge", {"older_than_days": days})
        return http, self.model.admin_purge, (days,), {}


def clear(pin: str) -> dict[str, str]:
    return {"type": "CLEAR_PIN", "pin": pin}
