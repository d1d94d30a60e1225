import json
from pathlib import Path

import connector.demo
from connector.api.vouchers.v1 import OPERATIONS

DEMO = json.loads((Path(connector.demo.__file__).parent / "default.json").read_text())
BODIES = {operation.path: operation.body.example for operation in OPERATIONS if operation.body}


def test_the_examples_of_the_documentation_page_are_of_the_demo_data():
    vouchers = {int(voucher["number"]): voucher for voucher in DEMO["vouchers"]}
    states = {int(voucher["serial"]): voucher["state"] for voucher in DEMO["vouchers"]}
    asked, redeemed = BODIES["/vouchers/voucher_preactivation"], BODIES["/vouchers/voucher_redemption"]
    [group] = [group for group in DEMO["groups"] if group["code"] == asked["voucher_group"]]
    [merchant] = [one for one in DEMO["merchants"] if one["name"] == redeemed["merchant_name"]]
    assert (group["amount"], group["currency"]) == (asked["voucher_amount"], asked["voucher_currency"])
    assert states[BODIES["/vouchers/voucher_activation"]["voucher_serial_number"]] == "pre-activated"
    assert vouchers[redeemed["voucher_number"]]["state"] == "activated"
    assert vouchers[redeemed["voucher_number"]]["group"] in merchant["groups"]
    assert merchant["address"] == redeemed["merchant_bank_details"]
