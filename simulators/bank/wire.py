"""The payer bank's JSON interface as values: what comes in becomes the bank's own orders, what goes out is made here.

Sources: GovStack v3.0 BulkPayment, BulkValidateAccountRequest and Response, GetAuthorizationRequest and Response,
BulkPaymentStatusUpdate, BatchDetails. Amounts are read as decimals, never as floats.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from connector.domain.errors import Refused
from connector.domain.messages import (
    AccountToVerify,
    CreditTransfer,
    TransactionStatus,
    Transfer,
    VerificationRequest,
)
from connector.domain.money import amount_text, exponent, minor_units
from simulators.inbox import Facts
from simulators.world import institution_of

VALIDATE: Final = "json-validate"
RAW: Final = "json-raw"
_INSTITUTION_KEYS: Final = ("bankinginstitutioncode", "institution", "institutioncode", "agent", "bic", "fspid")
_NAME_KEYS: Final = ("name", "partyname")


def load(body: bytes) -> Any:  # noqa: ANN401 - what JSON holds is not known before it is looked at
    """Parse JSON with exact numbers; raises ``Refused``."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as fault:
        raise Refused.because("/", "malformed", "The body is not JSON.") from fault


def raw_order(body: bytes, *, code: str, message_id: str, now: datetime) -> CreditTransfer:
    """Read a BulkPayment as an order; raises ``Refused`` with the JSON pointer of what is wrong."""
    items = load(body)
    if not isinstance(items, list) or not items:
        raise Refused.because("/", "malformed", "A list of at least one credit instruction is expected.")
    currencies = {_text(item, "currency", f"/{index}") for index, item in enumerate(items)}
    if len(currencies) > 1:
        raise Refused.because("/", "AM03", "All instructions of a batch have the same currency.")
    currency = currencies.pop()
    transfers = [_transfer(item, currency, f"/{index}") for index, item in enumerate(items)]
    debtor = _party(items[0].get("debitParty"))
    return CreditTransfer(
        message_id=message_id,
        created=now,
        currency=currency,
        total_minor=sum(transfer.amount_minor for transfer in transfers),
        initiating_party=debtor.get("name", code),
        debtor_name=debtor.get("name", code),
        debtor_account=_address(debtor, _INSTITUTION_KEYS + _NAME_KEYS),
        debtor_agent=code,
        execution_date=now.date(),
        transfers=transfers,
    )


def verification(body: bytes, *, key: str, now: datetime) -> tuple[VerificationRequest, str]:
    """Read a Bulk_ValidateAccount request, and the batch id that its answer repeats; raises ``Refused``.

    key: what tells two requests about one batch apart; a message id is derived from it.
    """
    asked = load(body)
    agent = _text(asked, "destinationDFSPID", "")
    items = asked.get("creditInstructions")
    if not isinstance(items, list) or not items:
        raise Refused.because("/creditInstructions", "malformed", "At least one credit instruction is expected.")
    accounts = [
        AccountToVerify(_text(item, "instructionID", where), _text(item, "financialAddress", where), "", agent)
        for where, item in ((f"/creditInstructions/{index}", item) for index, item in enumerate(items))
    ]
    batch_id = _text(asked, "batchId", "")
    message_id = hashlib.sha256(f"{key}|{batch_id}|{agent}".encode()).hexdigest()[:32]
    return VerificationRequest(message_id, now, agent, agent, accounts), batch_id


def authorisation(body: bytes) -> tuple[str, str, int]:
    """Read a getAuthorization request as account, currency and minor units; raises ``Refused``."""
    asked = load(body)
    currency = _text(asked, "currency", "")
    return _text(asked, "payerIdentifier", ""), currency, _minor(asked, currency, "")


def authorisation_answer(correlation_id: str, reason: str) -> dict[str, str]:
    """Answer getAuthorization: granted where there is no reason against it."""
    return {"clientCorrelationId": correlation_id, "status": "N" if reason else "Y", "reason": reason}


def validation_answer(facts: Facts, failed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Answer Bulk_ValidateAccount with the instructions whose accounts cannot be credited."""
    return {
        "clientCorrelationId": facts.correlation_id,
        "batchId": facts.batch_id,
        "numberOfFailedCases": len(failed),
        "failedAccountLookups": [{"instructionID": one, "failureReason": reason} for one, reason in failed],
    }


def status_push(facts: Facts, paid: tuple[int, int], failed: tuple[int, int], at: datetime) -> dict[str, Any]:
    """Write a batch's status; paid and failed: how many payments and how many minor units."""
    amount = _amounts(facts.currency)
    return {
        "requestId": facts.correlation_id[:12],
        "batchId": facts.batch_id,
        "TotalTransactions": facts.count,
        "ongoing": facts.count - paid[0] - failed[0],
        "failed": failed[0],
        "completed": paid[0],
        "currency": facts.currency,
        "totalAmount": amount(facts.total_minor),
        "completed_amount": amount(paid[1]),
        "ongoing_amount": amount(facts.total_minor - paid[1] - failed[1]),
        "failed_amount": amount(failed[1]),
        "result_file": None,
        "resultGeneratedAt": at.isoformat().replace("+00:00", "Z"),
        "note": facts.information,
    }


def detail(facts: Facts, each: Iterable[tuple[Transfer, TransactionStatus]]) -> list[dict[str, Any]]:
    """List what became of every payment of a batch; no account numbers."""
    amount = _amounts(facts.currency)
    return [
        {
            "transactionId": status.instruction_id,
            "status": status.status,
            "statusDetail": status.reason,
            "amount": amount(transfer.amount_minor),
            "currency": facts.currency,
            "payeeDfspId": transfer.creditor_agent,
            "batchId": facts.batch_id,
            "errorInformation": status.information,
        }
        for transfer, status in each
    ]


def _amounts(currency: str) -> Any:  # noqa: ANN401 - a function from minor units to the contract's JSON number
    decimals = exponent(currency)
    return lambda minor: float(amount_text(minor, decimals))


def _transfer(item: Mapping[str, Any], currency: str, where: str) -> Transfer:
    party = _party(item.get("creditParty"))
    address = _address(party, _INSTITUTION_KEYS + _NAME_KEYS)
    named = next((party[key] for key in _INSTITUTION_KEYS if key in party), "")
    identifier = _text(item, "requestId", where)
    return Transfer(
        instruction_id=identifier,
        end_to_end_id=identifier,
        transaction_id="",
        amount_minor=_minor(item, currency, where),
        creditor_agent=named or institution_of(address),
        creditor_name=next((party[key] for key in _NAME_KEYS if key in party), ""),
        creditor_account=address,
        remittance=str(item.get("descriptionText") or ""),
    )


def _party(pairs: object) -> dict[str, str]:
    if not isinstance(pairs, list):
        return {}
    return {str(pair.get("key", "")).lower(): str(pair.get("value", "")) for pair in pairs if isinstance(pair, dict)}


def _address(party: Mapping[str, str], other_keys: Sequence[str]) -> str:
    return next((value for key, value in party.items() if key not in other_keys), "")


def _minor(item: Mapping[str, Any], currency: str, where: str) -> int:
    amount = item.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise Refused.because(f"{where}/amount", "malformed", "A number is expected.")
    return minor_units(Decimal(amount), currency, f"{where}/amount")


def _text(item: object, key: str, where: str) -> str:
    value = item.get(key) if isinstance(item, dict) else None
    if not isinstance(value, str) or not value:
        raise Refused.because(f"{where}/{key}", "missing", "A text is expected.")
    return value
