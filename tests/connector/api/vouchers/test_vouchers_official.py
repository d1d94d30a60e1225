"""Answers and callbacks about vouchers, good and bad, against the official OpenAPI files."""

import json
import os
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from voucher_shop import BB

from connector.api import ApiSettings
from connector.api.application import OPERATIONS
from connector.api.openapi import describe

from test_vouchers_v1 import ACTIVATE, ADVANCE, REDEEM, STATUS, WANTED  # isort: skip
from test_vouchers_v3 import HEADERS, change, create, delivered, presented  # isort: skip

SHARED = Path(os.environ.get("ISOGATE_SHARED", Path(__file__).parents[5] / "shared"))
FOLDER = SHARED / "contracts" / "govstack"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the official OpenAPI files are not beside the repository"
)


def read(file):
    """Read an official file, its references resolved as far as these files go, its unknown types said in JSON."""
    text = (FOLDER / file).read_text().replace("type: float", "type: number")
    described = json.loads(text) if file.endswith(".json") else yaml.safe_load(text)
    schemas = described.get("components", {}).get("schemas", {})

    def resolved(part):
        if isinstance(part, dict):
            named = part.get("$ref", "").rpartition("/")[2]
            return resolved(schemas[named]) if named else {key: resolved(each) for key, each in part.items()}
        return [resolved(each) for each in part] if isinstance(part, list) else part

    return resolved(described["paths"])


def fits(value, content):
    jsonschema_rs.validator_for(content["application/json"]["schema"]).validate(value)


async def check(answer, described):
    fits(await answer.json(), described["responses"][str(answer.status)]["content"])


async def test_v1_answers_are_the_official_ones(shop):
    paths = read("v1.0/VoucherAPIS.json")
    wrong = [
        {},
        {"voucher_amount": None},
        {"voucher_currency": "XXQ"},
        {"voucher_group": None},
        {"Gov_Stack_BB": "?"},
    ]
    operation = paths[ADVANCE]["post"]
    for sent in ({**WANTED, **each} for each in wrong):
        await check(await shop.client.post(ADVANCE, json=sent), operation)
    await check(await shop.client.post(ADVANCE, json={}), operation)
    states = ("pre-activated", "activated", "suspended", "cancelled", "redeemed", "expired")
    vouchers = {state: await shop.voucher(state) for state in states}
    for voucher in vouchers.values():
        body = {"voucher_serial_number": voucher.serial, "Gov_Stack_BB": BB}
        await check(await shop.client.patch(ACTIVATE, json=body), paths[ACTIVATE]["patch"])
    operation = paths["/vouchers/voucher_redeemption"]["post"]
    for changed in (
        {"Gov_Stack_BB": "?"},
        {"voucher_number": 1},
        {"merchant_bank_details": "?", "merchant_name": "?"},
    ):
        answer = await shop.client.post(REDEEM, json=shop.redemption(vouchers["activated"], **changed))
        await check(answer, operation)
    for path in (f"{STATUS}/{each}" for each in ("%7B%7D", "abc", *(each.serial for each in vouchers.values()))):
        described = paths[f"{STATUS}/{{voucherserialnumber}}"]
        await check(await shop.client.get(path), described["get"])
        body = {"voucherserialnumber": path.rpartition("/")[2], "Gov_Stack_BB": BB}
        await check(await shop.client.patch(path, json=body), described["patch"])


def allowing(schema, **lengths):
    """Serial numbers have 16 digits as v1.0 demands; some of the files allow fewer."""
    properties = schema["items"]["properties"] if schema.get("type") == "array" else schema.get("properties", {})
    for name, each in properties.items():
        if name in lengths:
            each["maxLength"] = lengths[name]
        allowing(each, **lengths)
    return schema


async def callback(shop, file, path):
    """Check the callback that waits, and take it out of the way."""
    schema = read(f"v3.0/{file}.yml")[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body = (await shop.callback())["body"]
    jsonschema_rs.validator_for(allowing(schema, serialNumber=16)).validate(body)
    await delivered(shop)
    return body


async def test_v3_answers_and_callbacks_are_the_official_ones(shop):
    await check(await create(shop), read("v3.0/VoucherPreactivationRequest.yml")["/vouchers"]["post"])
    body = await callback(shop, "VoucherCreationResponse", "/voucher-details-return")
    first, second, _ = [each["serialNumber"] for each in body["voucherInstructions"]]
    activated = await shop.client.put("/vouchers?command=activate", json=change(first, "?"), headers=HEADERS)
    await check(activated, read("v3.0/VoucherActivate.yml")["/vouchers"]["put"])
    await callback(shop, "VoucherActivateResponse", "/callback-url")
    cancelled = await shop.client.post("/vouchers?command=cancel", json=change(second, "?"), headers=HEADERS)
    await check(cancelled, read("v3.0/VoucherCancellation.yml")["/vouchers"]["post"])
    await callback(shop, "VoucherCancellationResponse", "/vouchers/cancellation/confirmation")
    described = read("v3.0/VoucherStatus.yml")["/vouchers/{serialNumber}"]["get"]
    for serial in (first, second, "?", "1999999999999999"):
        await check(await shop.client.get(f"/vouchers/{serial.replace('?', 'x')}?fields=status"), described)


async def test_v3_redemptions_are_answered_as_officially(shop):
    operation = read("v3.0/VoucherRedemption.yml")["/vouchers"]["post"]
    voucher = await shop.voucher()
    for changed in ({"agentID": "NOBODY"}, {"voucherSecretNumber": "1"}):
        await check(await shop.client.post("/vouchers?command=redeem", json=presented(voucher, **changed)), operation)
    request = shop.client.post("/vouchers?command=cancel", json=presented(voucher))
    await check(await shop.decided(request, voucher.serial), operation)


def test_every_official_status_that_can_happen_is_described():
    """460 of a status check cannot happen, since it names no building block; 599 is for gateways."""
    ours = describe(OPERATIONS, ApiSettings())["paths"]
    for path, methods in read("v1.0/VoucherAPIS.json").items():
        for method, described in methods.items():
            impossible = {"599"} | (
                {"460"} if (path, method) == (f"{STATUS}/{{voucherserialnumber}}", "get") else set()
            )
            assert described["responses"].keys() - impossible <= ours[path][method]["responses"].keys()
