"""Messages as they are shown in the documentation; the redemption is of a voucher of the sandbox's default data."""

from typing import Any, Final

_MOMENT: Final = "2030-01-15T10:00:00.000Z"
_TILL: Final = {
    "institution": {"id": "SHOPS", "name": "Corner shops"},
    "terminalId": "TILL0001",
    "merchant": {
        "merchantType": "5411",
        "merchantId": "CORNERSHOP00001",
        "merchantName": {"name": "Corner shop", "city": "Capital", "region": "CA", "country": "XU"},
    },
}


def _request(identifier: str, minor: int) -> dict[str, Any]:
    return {
        "id": identifier,
        "time": _MOMENT,
        "originator": _TILL,
        "client": {"id": "SHOPS", "name": "Corner shops"},
        "thirdPartyIdentifiers": [{"institutionId": "SHOPS", "transactionIdentifier": "SLIP-1"}],
        "amounts": {"requestAmount": {"amount": minor, "currency": "840"}},
    }


PROVISION: Final = _request("7d0c7a4e-0000-4000-8000-000000000001", 5000) | {"product": {"productId": "RETAIL"}}
REDEMPTION: Final = _request("7d0c7a4e-0000-4000-8000-000000000002", 1500) | {"voucher": {"code": "7000000000000001"}}
REFUND: Final = _request("7d0c7a4e-0000-4000-8000-000000000003", 500) | {
    "voucher": {"code": "7000000000000001"},
    "redemptionId": REDEMPTION["id"],
}


def advice(request: dict[str, Any]) -> dict[str, Any]:
    """Confirm a request."""
    return {
        "id": f"{request['id'][:-2]}11",
        "requestId": request["id"],
        "time": _MOMENT,
        "thirdPartyIdentifiers": request["thirdPartyIdentifiers"],
    }


def reversal(request: dict[str, Any]) -> dict[str, Any]:
    """Reverse a request."""
    return advice(request) | {"id": f"{request['id'][:-2]}12", "reversalReason": "TIMEOUT"}


TENDER: Final = advice(PROVISION) | {
    "tenders": [{"tenderType": "CASH", "amount": {"amount": 5000, "currency": "840"}}]
}
