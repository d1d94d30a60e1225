"""The bodies of callbacks to the Source BB. Pure.

Sources: GovStack v3.0 v1_0_1_fixed_BulkPaymentStatusUpdate (one body per currency), RegisterBeneficiaryResponse,
UpdateBeneficiaryResponse.
"""

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from connector.domain.batch import FINISHED, Batch, BatchProgress
from connector.domain.beneficiary import FailedCase
from connector.domain.chunk import Tally
from connector.domain.money import decimal_amount
from connector.domain.status import Outcome

MAXIMUM_NOTE: Final = 200
MAXIMUM_REASON: Final = 100

_JSON = msgspec.json.Encoder(decimal_format="number")
_NOTHING: Final = Tally(0, 0)


def status_bodies(batch: Batch, progress: BatchProgress, now: float) -> dict[str, str]:
    """Write how a batch stands, as JSON by currency."""
    return {
        currency: _JSON.encode(status_body(batch, progress, currency, now)).decode()
        for currency in sorted(batch.expected)
    }


def status_body(
    batch: Batch, progress: BatchProgress, currency: str, now: float
) -> dict[str, str | int | Decimal | None]:
    """Tell how a batch stands in one currency; what was returned counts as failed, and the note tells it apart."""
    totals = progress.totals.get(currency, {})
    returned = totals.get(Outcome.RETURNED, _NOTHING)
    failed = totals.get(Outcome.FAILED, _NOTHING)
    lost = Tally(failed.payments + returned.payments, failed.minor + returned.minor)
    completed, ongoing = totals.get(Outcome.COMPLETED, _NOTHING), totals.get(Outcome.ONGOING, _NOTHING)
    expected = batch.expected[currency]
    return {
        "requestId": batch.request_id,
        "batchId": batch.batch_id,
        "TotalTransactions": expected.payments,
        "ongoing": ongoing.payments,
        "failed": lost.payments,
        "completed": completed.payments,
        "currency": currency,
        "totalAmount": decimal_amount(expected.minor, currency),
        "completed_amount": decimal_amount(completed.minor, currency),
        "ongoing_amount": decimal_amount(ongoing.minor, currency),
        "failed_amount": decimal_amount(lost.minor, currency),
        "result_file": None,
        "resultGeneratedAt": datetime.fromtimestamp(progress.finished_at or now, UTC).isoformat(),
        "note": _note(progress, returned)[:MAXIMUM_NOTE],
    }


def _note(progress: BatchProgress, returned: Tally) -> str:
    state = f"{progress.state.capitalize()}."
    if returned.payments:
        state += f" {returned.payments} of the failed payments were returned after settlement."
    if progress.reason:
        return f"{state} {progress.reason}"
    return state if progress.state in FINISHED else f"{state} More will follow."


def onboarding_body(callback_id: str, request_id: str, failed: Sequence[FailedCase], id_key: str) -> str:
    """Write what became of a registration (id_key ``payeeIdentity``) or an update (``payeeFunctionalID``)."""
    cases = [
        {
            id_key: case.functional_id,
            **({"bankingInstitutionCode": case.institution} if case.institution else {}),
            "paymentModality": case.modality,
            "failureReason": case.reason[:MAXIMUM_REASON],
        }
        for case in failed
    ]
    body = {
        "requestID": callback_id,
        "registerRequestID": request_id,
        "numberFailedCases": len(cases),
        "failedCases": cases,
    }
    return _JSON.encode(body).decode()


def derived_request_id(*parts: str) -> str:
    """Make a new request id of 12 characters that is the same in every repetition."""
    return b32encode(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8]).decode()[:12]
