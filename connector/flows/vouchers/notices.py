"""What a building block is told about vouchers: durable callbacks, repeated until they are taken.

Restock notices are ours; everything else is written by the dialect in which the vouchers were asked for.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from connector.domain.batch import CallbackTarget
from connector.domain.event import Event
from connector.domain.money import decimal_amount
from connector.domain.voucher import Redemption, VoucherGroup
from connector.flows import alerts, tasks
from connector.flows.notify import headers
from connector.flows.services import Services
from connector.flows.vouchers.groups import standing
from connector.store import Callback, Entry

ONLY: Final = "voucher"
RECEIPT: Final = "voucher-receipt"
RECEIPT_LIFE_SECONDS: Final = 90 * 86_400.0

_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_TURN: Final = "voucher-restock"
_TURN_LIFE_SECONDS: Final = 10 * 365 * 86_400.0


async def notify(services: Services, identifier: str, target: CallbackTarget, body: str) -> bool:
    """Queue a callback, once an identifier (no blanks); False where there is nobody to call, or it was queued before.

    body: JSON, made by the dialect; it is sealed in the store, so that it may have encrypted numbers.
    """
    if not target.url:
        return False
    kept = Callback(
        id=ONLY,
        batch=identifier,
        url=target.url,
        body=body,
        verb=target.verb or services.settings.callback_verb,
        headers=headers(target.correlation_id, identifier),
        changed_at=services.clock(),
    )
    return await services.store.callbacks.put(kept, then=[tasks.callback(identifier, ONLY)])


async def restock(services: Services, group: VoucherGroup) -> None:
    """Tell the group's owner and the operator, once until it is stocked again, that its stock is low."""
    if not group.restock_threshold:
        return
    in_stock = (await standing(services, group)).in_stock
    if in_stock >= group.restock_threshold:
        return
    identifier = f"restock-{group.code}-{await services.store.records.get(_TURN, group.code) or 0}"
    if await services.store.requests.claim(_TURN, group.code, identifier, "", "") == "new":
        said = f"{in_stock} left of group {group.code}, threshold {group.restock_threshold}"
        event = Event(services.clock(), "isogate", "voucher stock low", "", "restock", said)
        await alerts.raise_alert(services, f"group-{group.code}", event)
    await notify(services, identifier, CallbackTarget(group.restock_url), restock_body(identifier, group, in_stock))


async def restocked(services: Services, group: str, first: int) -> None:
    """Note that a group was stocked (from this serial number on), so that the next shortage is told again."""
    await services.store.records.put(_TURN, group, str(first), _TURN_LIFE_SECONDS)


def restock_body(identifier: str, group: VoucherGroup, in_stock: int) -> str:
    """Write a restock notice. Pure."""
    said = {
        "noticeID": identifier,
        "groupCode": group.code,
        "programme": group.programme,
        "vouchersInStock": in_stock,
        "restockThreshold": group.restock_threshold,
    }
    return msgspec.json.encode(said).decode()


async def expect_receipt(services: Services, redemption: str, target: CallbackTarget) -> None:
    """Note whom to tell how a redemption ends; to be called before it can end, and again as often as one likes."""
    if target.url:
        kept = msgspec.json.encode(target).decode()
        await services.store.records.put(RECEIPT, redemption, kept, RECEIPT_LIFE_SECONDS)


async def run(services: Services, entry: Entry) -> None:
    """Step ``voucher-notice``: send the receipt of a redemption that was decided, where one is wanted."""
    redemption = await services.store.vouchers.redemption(entry.task.data)
    kept = await services.store.records.get(RECEIPT, entry.task.data)
    if redemption is not None and kept is not None:
        target = msgspec.json.decode(kept, type=CallbackTarget)
        identifier = f"receipt-{redemption.id}-{redemption.state.value}"
        await notify(services, identifier, target, receipt_body(redemption))
    await services.store.queue.done(entry)


def receipt_body(redemption: Redemption) -> str:
    """Write a redemption's receipt. Pure."""
    said = {
        "transactionId": redemption.id,
        "requestID": redemption.request,
        "serialNumber": str(redemption.serial),
        "status": redemption.state.value,
        "value": decimal_amount(redemption.amount_minor, redemption.currency),
        "currency": redemption.currency,
        "merchant": redemption.merchant,
        "reason": redemption.reason,
        "timestamp": datetime.fromtimestamp(redemption.decided_at, UTC).isoformat(),
    }
    return _JSON.encode(said).decode()
