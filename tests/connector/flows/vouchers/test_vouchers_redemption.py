"""Redemption with the real payment of the merchant, at a bank of a few lines."""

from redeem_world import RedeemWorld

from connector.domain.voucher import RedemptionState


async def test_a_redemption_pays_the_merchant_and_consumes_the_voucher(shop: RedeemWorld) -> None:
    [voucher] = await shop.make(1500)
    [redeemed] = await shop.redeem_paid(voucher)
    assert redeemed.state is RedemptionState.REDEEMED
    assert await shop.states(voucher) == ["redeemed"]
    [message] = shop.fsp.messages
    [transfer] = message.transfers
    assert (transfer.end_to_end_id, transfer.amount_minor) == (redeemed.id, 1500)
    assert (transfer.creditor_agent, transfer.creditor_account) == ("UNIOXU22", "1000000042")
