"""GovStack v1.0 vouchers over HTTP: every status of every operation, in the order in which they are checked."""

import pytest
from voucher_shop import BB, CALLER, MERCHANT

from connector.api.settings import Role, Token
from connector.domain.voucher import VoucherState
from connector.flows.vouchers.issue import provision

ADVANCE = "/vouchers/voucher_preactivation"
ACTIVATE = "/vouchers/voucher_activation"
REDEEM = "/vouchers/voucher_redemption"
STATUS = "/vouchers/voucherstatuscheck"
WANTED = {"voucher_amount": "15.21", "voucher_currency": "USD", "voucher_group": "FOOD", "Gov_Stack_BB": BB}
WRONG = {"voucher_amount": None, "voucher_currency": "XXQ", "voucher_group": None, "Gov_Stack_BB": "nobody"}


async def told(answer):
    """The status of an answer; every refusal has a message."""
    body = await answer.json()
    assert answer.status == 200 or (isinstance(body["message"], str) and body["message"]), body
    return answer.status


PREACTIVATIONS = [
    ({}, 200),
    ({"voucher_comment": "School meals"}, 200),
    ({"voucher_amount": "0.50"}, 200),
    ({"voucher_amount": 15.21}, 200),
    ({"voucher_currency": "JPY", "voucher_amount": "100"}, 200),
    ({"voucher_currency": "BHD", "voucher_amount": "1.123"}, 200),
    ({"voucher_amount": None}, 452),
    ({"voucher_amount": ""}, 452),
    ({"voucher_amount": "0"}, 452),
    ({"voucher_amount": "-1"}, 452),
    ({"voucher_amount": "015"}, 452),
    ({"voucher_amount": "1e3"}, 452),
    ({"voucher_amount": " 1"}, 452),
    ({"voucher_amount": "1\n"}, 452),
    ({"voucher_amount": True}, 452),
    ({"voucher_amount": ["1"]}, 452),
    ({"voucher_amount": "1.123"}, 452),
    ({"voucher_amount": "999999999999999999"}, 452),
    ({"voucher_group": "FIXED", "voucher_amount": "25.00"}, 200),
    ({"voucher_group": "FIXED", "voucher_amount": "24.00"}, 452),
    ({"voucher_group": "FIXED", "voucher_currency": "EUR", "voucher_amount": "25.00"}, 453),
    ({"voucher_currency": "XXQ"}, 453),
    ({"voucher_currency": "usd"}, 453),
    ({"voucher_currency": "MRO"}, 453),
    ({"voucher_currency": "MRU"}, 200),
    ({"voucher_currency": None}, 453),
    ({"voucher_group": None}, 454),
    ({"voucher_group": "nothing"}, 454),
    ({"voucher_group": 7}, 454),
    ({"voucher_group": "STOCK"}, 455),
    ({"voucher_group": "POOR"}, 455),
    ({"Gov_Stack_BB": "nobody"}, 460),
    ({"Gov_Stack_BB": None}, 460),
    ({"Gov_Stack_BB": ""}, 460),
]


async def test_a_preactivation_is_answered_with_the_status_of_what_is_wrong(shop):
    for changed, status in PREACTIVATIONS:
        answer = await shop.client.post(ADVANCE, json={**WANTED, **changed})
        assert (changed, await told(answer)) == (changed, status)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ADVANCE), ("PATCH", ACTIVATE), ("POST", REDEEM), ("PATCH", f"{STATUS}/1000000000000001")],
)
async def test_a_body_that_is_no_filled_object_is_a_bad_request(shop, method, path):
    headers = {"Content-Type": "application/json"}
    for content in (b"", b"{}", b"[]", b"null", b"[1]", b"{", b'"x"', b"\xff"):
        answer = await shop.client.request(method, path, data=content, headers=headers)
        assert (content, await told(answer)) == (content, 400)


async def test_a_preactivation_is_checked_in_the_order_amount_currency_group_building_block(shop):
    wrong, seen = dict(WRONG), []
    for name, right in WANTED.items():
        seen.append(await told(await shop.client.post(ADVANCE, json=wrong)))
        wrong[name] = right
    assert [*seen, await told(await shop.client.post(ADVANCE, json=wrong))] == [452, 453, 454, 460, 200]


async def test_a_preactivated_voucher_has_numbers_an_expiry_and_its_exact_amount(shop):
    first, second = [await (await shop.client.post(ADVANCE, json=WANTED)).json() for _ in range(2)]
    assert first.keys() == {"voucher_number", "voucher_serial_number", "expiry_date_time"}
    assert all(isinstance(value, str) for value in first.values())
    assert len(first["voucher_number"]) == len(first["voucher_serial_number"]) == 16
    assert first["voucher_number"] != second["voucher_number"]
    assert int(second["voucher_serial_number"]) == int(first["voucher_serial_number"]) + 1
    assert first["expiry_date_time"] == "2027-04-15T08:00:00Z"
    answer = await shop.client.get(f"{STATUS}/{first['voucher_serial_number']}")
    assert await answer.json() == {"voucher_status": "Pre-Activated", "voucher_amount": "15.21"}


async def test_stock_is_handed_out_until_it_is_exhausted(shop):
    await provision(shop.services, CALLER, "STOCK", "USD", 1521, 2, "REQ1")
    body = {**WANTED, "voucher_group": "STOCK"}
    assert [await told(await shop.client.post(ADVANCE, json=body)) for _ in range(3)] == [200, 200, 455]


ACTIVATIONS = {
    "pre-activated": 200,
    "activated": 200,
    "in-stock": 456,
    "suspended": 456,
    "cancelled": 456,
    "blocked": 456,
    "expired": 456,
    "redeemed": 456,
    "redeeming": 456,
}


async def test_what_can_be_activated_and_again(shop):
    for state, status in ACTIVATIONS.items():
        voucher = await shop.voucher(state)
        for serial in (voucher.serial, str(voucher.serial)):
            answer = await shop.client.patch(ACTIVATE, json={"voucher_serial_number": serial, "Gov_Stack_BB": BB})
            assert (state, await told(answer)) == (state, status)


WRONG_ACTIVATIONS = [
    ({"voucher_serial_number": 1}, 400),
    ({"Gov_Stack_BB": BB}, 400),
    ({"voucher_serial_number": None, "Gov_Stack_BB": BB}, 400),
    ({"voucher_serial_number": True, "Gov_Stack_BB": BB}, 400),
    ({"voucher_serial_number": 1.5, "Gov_Stack_BB": BB}, 400),
    ({"voucher_serial_number": 1, "Gov_Stack_BB": None}, 400),
    ({"voucher_serial_number": "nothing", "Gov_Stack_BB": BB}, 456),
    ({"voucher_serial_number": -1, "Gov_Stack_BB": BB}, 456),
    ({"voucher_serial_number": "0", "Gov_Stack_BB": BB}, 456),
    ({"voucher_serial_number": "", "Gov_Stack_BB": BB}, 456),
    ({"voucher_serial_number": 10**40, "Gov_Stack_BB": BB}, 456),
    ({"voucher_serial_number": 1000000000999999, "Gov_Stack_BB": BB}, 456),
    ({"voucher_serial_number": 1000000000999999, "Gov_Stack_BB": "nobody"}, 460),
]


async def test_an_activation_that_cannot_be(shop):
    for body, status in WRONG_ACTIVATIONS:
        assert (body, await told(await shop.client.patch(ACTIVATE, json=body))) == (body, status)


@pytest.mark.parametrize("path", [REDEEM, "/vouchers/voucher_redeemption"])
async def test_a_redeemed_voucher_is_consumed_when_the_merchant_is_paid(shop, path):
    voucher = await shop.voucher()
    request = shop.client.post(path, json=shop.redemption(voucher, voucher_number=voucher.number))
    answer = await shop.decided(request, voucher.serial)
    assert (answer.status, await answer.json()) == (200, {"result_status": "Voucher redeemed"})
    assert await told(await shop.client.get(f"{STATUS}/{voucher.serial}")) == 458


WRONG_REDEMPTIONS = [
    ({"override": None}, 400),
    ({"override": "maybe"}, 400),
    ({"override": 1}, 400),
    ({"voucher_number": None}, 400),
    ({"voucher_number": 1.5}, 400),
    ({"merchant_name": None}, 400),
    ({"merchant_bank_details": 7}, 400),
    ({"Gov_Stack_BB": None}, 400),
    ({"Gov_Stack_BB": "nobody"}, 460),
    ({"Gov_Stack_BB": "nobody", "voucher_number": 1}, 460),
    ({"voucher_number": 1}, 461),
    ({"voucher_number": "no number"}, 461),
    ({"voucher_number": 1, "merchant_name": "Cash Only", "merchant_bank_details": ""}, 461),
    ({"merchant_name": "Cash Only", "merchant_bank_details": ""}, 463),
    ({"merchant_name": "Nobody", "merchant_bank_details": "nowhere"}, 463),
    ({"merchant_name": "Poor Shop", "merchant_bank_details": "1000000045"}, 462),
    ({"merchant_voucher_group": "BREAD"}, 463),
    ({"merchant_voucher_group": "BREAD", "override": "false"}, 463),
]


@pytest.mark.parametrize("state", ["activated", "redeemed"])
async def test_a_redemption_that_cannot_be_has_the_same_status_before_and_after_the_voucher_was_used(shop, state):
    voucher = await shop.voucher(state)
    for changed, status in WRONG_REDEMPTIONS:
        answer = await shop.client.post(REDEEM, json=shop.redemption(voucher, **changed))
        assert (changed, await told(answer)) == (changed, status)
    assert await shop.state(voucher.serial) == state


async def test_every_field_of_a_redemption_is_required(shop):
    whole = shop.redemption(await shop.voucher())
    for missing in ("voucher_number", "Gov_Stack_BB", "override", *MERCHANT):
        body = {name: value for name, value in whole.items() if name != missing}
        assert (missing, await told(await shop.client.post(REDEEM, json=body))) == (missing, 400)


async def test_an_override_lets_a_voucher_be_redeemed_in_any_group(shop):
    for override in (True, "true", "TRUE"):
        voucher = await shop.voucher()
        body = shop.redemption(voucher, merchant_voucher_group="BREAD", override=override)
        assert await told(await shop.decided(shop.client.post(REDEEM, json=body), voucher.serial)) == 200


UNREDEEMABLE = {
    "redeemed": 458,
    "in-stock": 461,
    "pre-activated": 461,
    "suspended": 461,
    "cancelled": 461,
    "blocked": 461,
    "expired": 461,
}


async def test_the_state_of_the_voucher_is_looked_at_last(shop, clock):
    for state, status in UNREDEEMABLE.items():
        voucher = await shop.voucher(state)
        clock.pass_seconds(5)
        answer = await shop.client.post(REDEEM, json=shop.redemption(voucher))
        assert (state, await told(answer)) == (state, status)


async def test_the_same_redemption_twice_is_answered_alike_and_pays_once(shop):
    voucher = await shop.voucher()
    body = shop.redemption(voucher)
    await shop.begin(body)
    await shop.decide(voucher.serial)
    assert await told(await shop.client.post(REDEEM, json=body)) == 200
    assert (await shop.services.store.vouchers.read([voucher.serial]))[0].redemptions == 1


async def test_an_outcome_that_is_not_known_is_told_and_the_same_request_continues_it(shop):
    voucher = await shop.voucher()
    answer = await shop.hasty.post(REDEEM, json=shop.redemption(voucher))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert "in progress" in (await answer.json())["message"]
    other = {**shop.redemption(voucher), "Gov_Stack_BB": "Gov_Stack_BB"}
    assert await told(await shop.client.post(REDEEM, json=other)) == 503
    assert (await shop.client.get(f"{STATUS}/{voucher.serial}")).status == 200
    request = shop.client.post(REDEEM, json=shop.redemption(voucher))
    assert await told(await shop.decided(request, voucher.serial)) == 200


async def test_a_merchant_whose_bank_refuses_leaves_the_voucher_free(shop):
    for reason, status in (("AC04 closed", 463), ("AM04 no funds", 462)):
        voucher = await shop.voucher()
        request = shop.client.post(REDEEM, json=shop.redemption(voucher))
        assert await told(await shop.decided(request, voucher.serial, paid=False, reason=reason)) == status
        assert await shop.state(voucher.serial) == "activated"


STATUSES = {
    "in-stock": "Not Pre-Activated",
    "pre-activated": "Pre-Activated",
    "activated": "Activated",
    "redeeming": "Activated",
    "suspended": "Suspended",
    "blocked": "Blocked",
    "cancelled": "Blocked",
    "redeemed": 458,
    "expired": 459,
}


async def test_the_status_of_a_voucher(shop):
    for state, expected in STATUSES.items():
        answer = await shop.client.get(f"{STATUS}/{(await shop.voucher(state)).serial}")
        if isinstance(expected, int):
            assert (state, await told(answer)) == (state, expected)
        else:
            assert await answer.json() == {"voucher_status": expected, "voucher_amount": "15.21"}


NO_VOUCHERS = {
    "%7B%7D": 400,
    "{}": 400,
    "%5B%5D": 400,
    "a%20b": 400,
    "%C2%B2": 400,
    "1" * 99: 400,
    "abc": 456,
    "12x": 456,
    "-1": 456,
    "1.0": 456,
    "0": 456,
    "1000000000999999": 456,
    "1" * 30: 456,
}


async def test_the_status_of_what_is_no_voucher(shop):
    for serial, status in NO_VOUCHERS.items():
        assert (serial, await told(await shop.client.get(f"{STATUS}/{serial}"))) == (serial, status)


async def test_amounts_are_written_exactly(shop):
    for minor, currency, text in ((5, "USD", "0.05"), (700, "JPY", "700"), (1, "BHD", "0.001")):
        voucher = await shop.voucher(amount_minor=minor, currency=currency)
        assert (await (await shop.client.get(f"{STATUS}/{voucher.serial}")).json())["voucher_amount"] == text


CANCELLATIONS = {
    "in-stock": [200, 464],
    "pre-activated": [200, 464],
    "activated": [200, 464],
    "suspended": [200, 464],
    "blocked": [200, 464],
    "cancelled": [464, 464],
    "redeemed": [463, 463],
    "redeeming": [463, 463],
    "expired": [463, 463],
}


async def test_what_can_be_cancelled_once(shop):
    for state, statuses in CANCELLATIONS.items():
        voucher = await shop.voucher(state)
        body, path = {"voucherserialnumber": str(voucher.serial), "Gov_Stack_BB": BB}, f"{STATUS}/{voucher.serial}"
        assert (state, [await told(await shop.client.patch(path, json=body)) for _ in range(2)]) == (state, statuses)


async def test_a_cancellation_is_checked_in_the_order_body_voucher_or_building_block_state(shop):
    voucher, cancelled = await shop.voucher(), await shop.voucher("cancelled")
    known, unknown = str(cancelled.serial), "1000000000999999"

    async def cancel(path, serial, caller):
        body = {"voucherserialnumber": serial, "Gov_Stack_BB": caller}
        return await told(await shop.client.patch(f"{STATUS}/{path}", json=body))

    assert await told(await shop.client.patch(f"{STATUS}/{unknown}", json={"Gov_Stack_BB": "nobody"})) == 400
    assert await cancel("%7B%7D", known, BB) == 400
    assert await cancel(unknown, unknown, BB) == 463
    assert await cancel("abc", "abc", BB) == 463
    assert await cancel(unknown, known, BB) == await cancel(known, unknown, BB) == 463
    assert await cancel(str(voucher.serial), known, BB) == 400
    assert await cancel(known, known, "nobody") == 463
    assert await cancel(known, int(known), BB) == 464


async def test_in_production_a_token_is_needed_and_speaks_for_its_owner_only(shop, guarded):
    production = await guarded(Token.of("secret", Role.SOURCE, BB), Token.of("bank", Role.INSTITUTION, "UNIOXU22"))
    client, voucher = production.client, await shop.voucher()

    def bearer(secret):
        return {"Authorization": f"Bearer {secret}"}

    paths = [
        ("POST", ADVANCE),
        ("PATCH", ACTIVATE),
        ("POST", REDEEM),
        ("GET", f"{STATUS}/1"),
        ("PATCH", f"{STATUS}/1"),
    ]
    for method, path in paths:
        assert await told(await client.request(method, path, json={})) == 401
        assert await told(await client.request(method, path, json={}, headers=bearer("bank"))) == 403
    own = await client.post(ADVANCE, json=WANTED, headers=bearer("secret"))
    other = await client.post(ADVANCE, json={**WANTED, "Gov_Stack_BB": "Gov_Stack_BB"}, headers=bearer("secret"))
    assert [await told(own), await told(other)] == [200, 403]
    body = {**shop.redemption(voucher), "Gov_Stack_BB": "Gov_Stack_BB"}
    assert await told(await client.post(REDEEM, json=body, headers=bearer("secret"))) == 403
    assert await shop.state(voucher.serial) == VoucherState.ACTIVATED


async def test_a_defect_has_a_message_too(shop, monkeypatch):
    async def broken():
        raise KeyError("1234567890123456")

    monkeypatch.setattr(shop.services.store.directory, "load", broken)
    answer = await shop.client.post(ADVANCE, json=WANTED)
    assert await told(answer) == 500
    assert "1234567890123456" not in await answer.text()
