"""The v3.0 status of a batch (BulkPayment_StatusPush), one body a currency."""

from typing import Any

from connector.api.moments import moment
from connector.domain.batch import FINISHED, Batch
from connector.domain.chunk import Tally
from connector.domain.money import decimal_amount
from connector.domain.status import Outcome
from connector.flows.status import BatchSummary

_NONE = Tally(0, 0)


def status_bodies(summary: BatchSummary, now: float, request_id: str) -> list[dict[str, Any]]:
    """Say how a batch stands; what was returned counts as failed, since the payee does not have it."""
    progress = summary.progress
    note = f"{progress.state.value}: {progress.reason}" if progress.reason else progress.state.value
    generated = moment(progress.finished_at if progress.state in FINISHED else now)
    return [
        {
            "requestId": request_id,
            **_totals(summary.batch, currency, progress.totals.get(currency, {})),
            "result_file": None,
            "resultGeneratedAt": generated,
            "note": note[:200],
        }
        for currency in summary.batch.expected
    ]


def _totals(batch: Batch, currency: str, totals: dict[Outcome, Tally]) -> dict[str, Any]:
    expected, done, ongoing = (
        batch.expected[currency],
        totals.get(Outcome.COMPLETED, _NONE),
        totals.get(Outcome.ONGOING, _NONE),
    )
    failed, returned = totals.get(Outcome.FAILED, _NONE), totals.get(Outcome.RETURNED, _NONE)
    return {
        "batchId": batch.batch_id or batch.ref,
        "TotalTransactions": expected.payments,
        "ongoing": ongoing.payments,
        "failed": failed.payments + returned.payments,
        "completed": done.payments,
        "currency": currency,
        "totalAmount": decimal_amount(expected.minor, currency),
        "completed_amount": decimal_amount(done.minor, currency),
        "ongoing_amount": decimal_amount(ongoing.minor, currency),
        "failed_amount": decimal_amount(failed.minor + returned.minor, currency),
    }
