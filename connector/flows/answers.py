"""From an answer to a recall (camt.029) to what it says of each payment. Pure.

A payment's own status goes before the word on the case as a whole; a word that is neither acceptance, refusal nor
"pending" says nothing.
Source: ISO 20022 camt.029, CancellationIndividualStatus1Code and ExternalInvestigationExecutionConfirmation1Code.
"""

from collections.abc import Sequence
from typing import Final

from connector.domain.chunk import Chunk
from connector.domain.instruction import Reason
from connector.domain.messages import RecallAnswer
from connector.domain.recall import RecallState, RecallVerdict
from connector.flows.reconcile import Positions, information

_STATE_OF: Final = {
    "ACCR": RecallState.ACCEPTED,
    "CNCL": RecallState.ACCEPTED,
    "RJCR": RecallState.REFUSED,
    "PDCR": RecallState.PENDING,
}


def verdicts(answer: RecallAnswer, chunk: Chunk, about: Sequence[int]) -> list[RecallVerdict]:
    """Say what an answer means; ``about``: the positions for which the word on the whole case stands.

    Raises ``Refused`` for a payment that is not in the chunk.
    """
    positions = Positions(chunk)
    named: dict[int, RecallVerdict | None] = {}
    for result in answer.results:
        position = positions.of(result.instruction_id, result.end_to_end_id, transaction=result.transaction_id)
        state = _STATE_OF.get(result.status)
        reason = _reason(result.reason or answer.reason, result.information or answer.information)
        named[position] = RecallVerdict(position, state, reason) if state else None
    own = [verdict for verdict in named.values() if verdict is not None]
    common = _STATE_OF.get(answer.confirmation)
    if common is None:
        return own
    reason = _reason(answer.reason, answer.information)
    return own + [RecallVerdict(position, common, reason) for position in about if position not in named]


def _reason(code: str, text: str) -> Reason | None:
    return Reason(code or "NARR", information(text)) if code or text else None
