"""Receipts of redemptions over HTTP: to whom they go, and that merchants can say where they want to be told."""

import pytest
from voucher_shop import Shop

from connector.flows.vouchers import notices

URL = "http://localhost:1/receipt"


async def told(shop: Shop) -> dict[str, object]:
    """Carry the notice of the redemption that was decided."""
    [entry] = await shop.services.store.queue.take(["voucher-notice"], "test", 5, 0.1)
    await notices.run(shop.services, entry)
    return await shop.callback()


@pytest.mark.parametrize("header", ["X-Callback-URL", "x-callbackurl", "X-Callback_URL"])
async def test_a_redemption_in_v1_has_a_receipt_under_any_spelling_of_the_header(shop, header):
    voucher = await shop.voucher()
    asked = shop.client.post("/vouchers/voucher_redemption", json=shop.redemption(voucher), headers={header: URL})
    assert (await shop.decided(asked, voucher.serial)).status == 200
    called = await told(shop)
    assert called["url"] == URL
    assert called["body"]["status"] == "redeemed"
    assert voucher.number not in str(called)


async def test_a_redemption_in_v3_has_a_receipt_with_its_request_id(shop):
    voucher = await shop.voucher()
    body = {
        "requestID": "REQ00000001",
        "agentID": "CORNER",
        "voucherSerialNumber": str(voucher.serial),
        "voucherSecretNumber": voucher.number,
    }
    headers = {"X-Callback-URL": URL, "X-Registering-Institution-ID": "Gov_Stack_BB"}
    asked = shop.client.post("/vouchers?command=redeem", json=body, headers=headers)
    assert (await shop.decided(asked, voucher.serial)).status == 200
    assert (await told(shop))["body"]["requestID"] == "REQ00000001"


async def test_a_callback_url_that_cannot_be_called_is_refused_before_anything_is_paid(shop):
    voucher = await shop.voucher()
    headers = {"X-Callback-URL": "ftp://nowhere"}
    answer = await shop.client.post("/vouchers/voucher_redemption", json=shop.redemption(voucher), headers=headers)
    assert answer.status == 400
    assert await shop.state(voucher.serial) == "activated"


async def test_an_operator_says_where_a_merchant_is_told(shop):
    body = {"name": "Corner Shop", "institution": "UNIOXU22", "address": "1000000042", "notify_url": URL}
    assert (await shop.client.put("/admin/merchants/CORNER", json=body)).status == 200
    voucher = await shop.voucher()
    asked = shop.client.post("/vouchers/voucher_redemption", json=shop.redemption(voucher))
    await shop.decided(asked, voucher.serial)
    called = await told(shop)
    assert called["url"] == URL
    assert (called["body"]["merchant"], called["body"]["value"]) == ("CORNER", 15.21)


async def test_a_merchants_url_must_be_one(shop):
    body = {"name": "Corner Shop", "notify_url": "javascript:alert(1)"}
    assert (await shop.client.put("/admin/merchants/CORNER", json=body)).status == 400
