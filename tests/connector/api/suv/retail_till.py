"""A till: what a retail client sends, and what it does with the answers."""

import json
import os
from pathlib import Path
from uuid import uuid4

import jsonschema_rs
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient

from connector.domain.voucher import VoucherState
from connector.flows.services import Services

BASE = "/suv/v1"
SHARED = Path(os.environ.get("ISOGATE_SHARED", Path(__file__).parents[5] / "shared"))
SWAGGER = SHARED / "contracts" / "electrum-suv" / "suv-v1.14.0.swagger.json"
PATHS = {"provision": "/vouchers", "redemption": "/redemptions", "refund": "/refunds"}
TIME = "2030-01-15T10:00:00.123+02:00"


def new_id() -> str:
    return str(uuid4())


def originator(merchant: str = "CORNERSHOP00001") -> dict:
    name = {"name": "Corner shop", "city": "Capital", "region": "CA", "country": "XU"}
    merchant = {"merchantType": "5411", "merchantId": merchant, "merchantName": name}
    return {"institution": {"id": "SHOPS", "name": "Shops"}, "terminalId": "TILL0001", "merchant": merchant}


def money(minor: int, currency: object = "840") -> dict:
    return {"amount": minor, "currency": currency}


def message(client: str = "SHOPS", minor: int | None = None, currency: object = "840", **more: object) -> dict:
    amounts = {} if minor is None else {"amounts": {"requestAmount": money(minor, currency)}}
    return {
        "id": new_id(),
        "time": TIME,
        "originator": originator(),
        "client": {"id": client, "name": "Shops"},
        "thirdPartyIdentifiers": [{"institutionId": "SHOPS", "transactionIdentifier": "SLIP-1"}],
        **amounts,
        **more,
    }


def about(request: str, **more: object) -> dict:
    return {"id": new_id(), "requestId": request, "time": TIME, "thirdPartyIdentifiers": [], **more}


def standing(minor: int, currency: str = "840") -> dict:
    return {"amounts": {"approvedAmount": money(minor, currency)}}


def basic(name: str, password: str = "secret") -> dict[str, str]:
    return {"Authorization": encode_basic_auth(name, password)}


class Till:
    """Sends messages as one client, whose password is ``secret``."""

    def __init__(self, client: TestClient, services: Services, name: str = "SHOPS") -> None:
        self.client = client
        self.services = services
        self.name = name

    async def post(self, path: str, body: object) -> tuple[int, dict]:
        answer = await self.client.post(f"{BASE}{path}", json=body, headers=basic(self.name))
        text = await answer.text()
        _check_against_the_contract(path, answer.status, text)
        return answer.status, json.loads(text)

    async def get(self, path: str, **query: str) -> tuple[int, dict | None]:
        answer = await self.client.get(f"{BASE}{path}", params=query, headers=basic(self.name))
        text = await answer.text()
        _check_against_the_contract(path, answer.status, text, "get")
        return answer.status, json.loads(text) if text else None

    async def ask(self, kind: str, minor: int | None = None, **more: object) -> tuple[int, dict]:
        return await self.post(PATHS[kind], message(self.name, minor, **more))

    async def confirm(self, kind: str, request: str, **more: object) -> tuple[int, dict]:
        extra = {"tenders": []} if kind == "provision" else {}
        return await self.post(f"{PATHS[kind]}/confirmations", about(request, **extra, **more))

    async def reverse(self, kind: str, request: str, **more: object) -> tuple[int, dict]:
        return await self.post(f"{PATHS[kind]}/reversals", about(request, reversalReason="TIMEOUT", **more))

    async def sold(self, minor: int = 1000, **more: object) -> dict:
        """Sell a voucher; gives the answer."""
        status, body = await self.ask("provision", minor, **more)
        assert status == 201, body
        assert (await self.confirm("provision", body["id"]))[0] == 202
        return body

    async def redeemed(self, code: str, minor: int | None = None, *, confirmed: bool = False) -> dict:
        status, body = await self.ask("redemption", minor, voucher={"code": code})
        assert status == 201, body
        if confirmed:
            assert (await self.confirm("redemption", body["id"]))[0] == 202
        return body

    async def redeem(self, code: str, minor: int | None = None, **more: object) -> tuple[int, dict]:
        return await self.ask("redemption", minor, voucher={"code": code}, **more)

    async def refund(self, code: str, minor: int | None = None, **more: object) -> tuple[int, dict]:
        return await self.ask("refund", minor, voucher={"code": code}, **more)

    async def look(self, provisioned: dict) -> tuple[VoucherState, int]:
        """Tell the voucher's state and what is left in it."""
        [found] = await self.services.store.vouchers.read([int(provisioned["voucher"]["serialNumber"])])
        return found.state, found.balance_minor


def failed(answer: tuple[int, dict | None]) -> tuple[int, str]:
    """Give status and type of an error, and check its form."""
    status, body = answer
    assert set(body) <= {"id", "originalId", "errorType", "errorMessage", "detailMessage"} | {
        "providerErrorCode",
        "providerErrorMessage",
    }
    assert len(body["errorMessage"]) <= 80
    assert body["id"]
    return status, body["errorType"]


def _swagger() -> dict | None:
    return json.loads(SWAGGER.read_text()) if SWAGGER.exists() else None


_CONTRACT = _swagger()


def _check_against_the_contract(path: str, status: int, text: str, verb: str = "post") -> None:
    """Check an answer against the published models, where they are at hand."""
    assert ":null" not in text.replace(" ", "")
    if _CONTRACT is None:
        return
    parts = path.rstrip("/").split("/")
    known = "/redemptions/{requestId}" if verb == "get" and parts[1] == "redemptions" else path.rstrip("/")
    declared = _CONTRACT["paths"][known][verb]["responses"]
    assert str(status) in declared, (path, status, text)
    schema = declared[str(status)].get("schema")
    if schema is None:
        assert text == ""
    else:
        whole = {**schema, "definitions": _CONTRACT["definitions"]}
        jsonschema_rs.validator_for(whole).validate(json.loads(text))
