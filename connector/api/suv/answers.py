"""What is answered: the request back, with what was done about it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from connector.api.moments import moment
from connector.api.settings import ApiSettings
from connector.api.suv.models import SuvTransaction
from connector.domain.money import currency_number
from connector.domain.voucher import Issued, Voucher, VoucherState
from connector.flows.vouchers.retail_messages import Approval

_NOT_ECHOED: Final = {"voucher", "tenders", "redemptionId", "receiverTransactionRef"}


def echo(message: SuvTransaction, settings: ApiSettings) -> str:
    """Write down what of a request its answer repeats, and who settles and keeps; no code and no PIN is in it."""
    body = message.model_dump(exclude_none=True, exclude=_NOT_ECHOED)
    body.setdefault("settlementEntity", _institution(settings.suv_settlement_entity))
    body.setdefault("receiver", _institution(settings.suv_receiver))
    return msgspec.json.encode(body).decode()


def provision_answer(echoed: str, issued: Issued, reference: str) -> dict[str, Any]:
    """Answer a provision with the voucher and its code."""
    body = _with_identifiers(echoed, reference, str(issued.serial))
    amounts = body.get("amounts", {}) | {"approvedAmount": amount(issued.amount_minor, issued.currency)}
    return body | {"amounts": amounts, "voucher": issued_voucher(issued)}


def redemption_answer(echoed: str, approval: Approval, reference: str) -> dict[str, Any]:
    """Answer a redemption with what is left; the receiver's identifier names it, for refunds from other systems."""
    body = refund_answer(echoed, approval, reference)
    left = {"balanceAmount": amount(approval.balance_minor, approval.currency)}
    return body | {"amounts": body["amounts"] | left}


def refund_answer(echoed: str, approval: Approval, reference: str) -> dict[str, Any]:
    """Answer a refund with what will be given back."""
    body = _with_identifiers(echoed, reference, approval.redemption)
    amounts = body.get("amounts", {}) | {"approvedAmount": amount(approval.amount_minor, approval.currency)}
    voucher = {"serialNumber": str(approval.serial), "expiryDate": moment(approval.expires_at)}
    return body | {"amounts": amounts, "voucher": _present(voucher)}


def issued_voucher(issued: Issued) -> dict[str, Any]:
    """Show a voucher to whom it was made for."""
    shown = {"code": issued.number, "expiryDate": moment(issued.expires_at), "serialNumber": str(issued.serial)}
    return _present(shown)


def lookup_answer(voucher: Voucher, routing: Mapping[str, str], settings: ApiSettings) -> dict[str, Any]:
    """Tell what is known of a voucher: as a credit, what can be redeemed now. routing: institutions named."""
    usable = voucher.balance_minor if voucher.state is VoucherState.ACTIVATED else 0
    credit = amount(usable, voucher.currency) | {"ledgerIndicator": "CREDIT"}
    shown = {"serialNumber": str(voucher.serial), "expiryDate": moment(voucher.expires_at)}
    body = {
        "settlementEntity": _institution(routing.get("settlementEntity") or settings.suv_settlement_entity),
        "receiver": _institution(routing.get("receiver") or settings.suv_receiver),
        "amounts": {"approvedAmount": credit, "balanceAmount": amount(voucher.balance_minor, voucher.currency)},
        "voucher": _present(shown),
    }
    is_product = voucher.group.isascii() and voucher.group.isalnum() and len(voucher.group) <= 20
    return body | ({"product": {"productId": voucher.group}} if is_product else {})


def amount(minor: int, currency: str) -> dict[str, Any]:
    """Write an amount with the currency's number."""
    return {"amount": minor, "currency": currency_number(currency)}


def _with_identifiers(echoed: str, reference: str, own: str) -> dict[str, Any]:
    """Add the settlement entity's and the receiver's identifiers to those that came."""
    body: dict[str, Any] = msgspec.json.decode(echoed)
    added = [
        {"institutionId": body["settlementEntity"]["id"], "transactionIdentifier": reference},
        {"institutionId": body["receiver"]["id"], "transactionIdentifier": own},
    ]
    return body | {"thirdPartyIdentifiers": [*body["thirdPartyIdentifiers"], *added]}


def _institution(identifier: str) -> dict[str, str]:
    return {"id": identifier, "name": identifier[:40]}


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
