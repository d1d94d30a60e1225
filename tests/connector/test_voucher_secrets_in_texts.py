"""Whatever has a voucher's number, PIN or a merchant's account hides it from every text that is made of it."""

import pytest

from connector.api.vouchers.models_v1 import RedemptionV1
from connector.api.vouchers.models_v3 import RedeemVoucherV3
from connector.domain.retail import RetailKind
from connector.domain.voucher import Issued, Merchant, NewVoucher, VoucherState
from connector.flows.vouchers.plan import Wanted
from connector.flows.vouchers.redemption import Presentation
from connector.flows.vouchers.retail_messages import Draft
from connector.flows.vouchers.retail_refund import RefundOrder
from connector.store.plans import Plan
from connector.store.vouchers.messages import Message, MessageId
from connector.store.vouchers.records import Facts

SECRET = "4711471147114711"
WANTED = Wanted("FOOD", "USD", 5, number=SECRET, pin=SECRET, pin_hash=SECRET)
ISSUED = Issued(1, SECRET, 5, "USD", "FOOD", VoucherState.ACTIVATED, 0.0)
V1 = {
    "voucher_number": SECRET,
    "Gov_Stack_BB": "BB",
    "merchant_name": "Shop",
    "merchant_bank_details": SECRET,
    "merchant_voucher_group": "FOOD",
    "override": False,
}
V3 = {"requestID": "R", "voucherSerialNumber": "1", "agentID": "A", "voucherSecretNumber": SECRET}


@pytest.mark.parametrize(
    "holder",
    [
        WANTED,
        [WANTED],
        ISSUED,
        NewVoucher(1, SECRET, 5, pin_hash=SECRET),
        Merchant("M", "Shop", address=SECRET),
        Presentation(SECRET, pin=SECRET, merchant_account=SECRET),
        RefundOrder(SECRET),
        Draft("", WANTED),
        Message(MessageId("till", "1"), RetailKind.PROVISION, 0.0, draft=SECRET, answer=SECRET),
        Plan("P", "v3", "S", "R", "a", 1, 1, lots=((None, (NewVoucher(1, SECRET, 5),)),)),
        Facts(SECRET, payee_functional_id=SECRET),
        RedemptionV1(**V1),
        RedeemVoucherV3(**V3),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_no_text_of_a_value_has_its_secrets(holder: object) -> None:
    for text in (repr(holder), str(holder), f"{holder}"):
        assert SECRET not in text
