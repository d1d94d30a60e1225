"""Step 4c: which payments keep a message from being written. Pure but for the writing; the same every time."""

from collections.abc import Callable
from dataclasses import replace

from connector.domain.chunk import Chunk
from connector.domain.errors import Refused
from connector.domain.instruction import Reason
from connector.flows.reconcile import MAXIMUM_INFORMATION

MALFORMED = "CH16"
"""ElementContentFormallyIncorrect."""


def unwritable(chunk: Chunk, check: Callable[[Chunk], None]) -> dict[int, Reason]:
    """Give the reason by position for each credit that cannot be written even alone.

    check raises ``Refused`` for a piece of the chunk that cannot be written. Pieces are halved, so that a few
    offenders among thousands are found in a few dozen writings.
    """
    found: dict[int, Reason] = {}
    pieces = [range(len(chunk.credits))]
    while pieces:
        piece = pieces.pop()
        try:
            check(replace(chunk, credits=chunk.credits[piece.start : piece.stop]))
        except Refused as refused:
            if len(piece) == 1:
                found[piece.start] = _reason(refused)
            else:
                middle = len(piece) // 2
                pieces += [piece[middle:], piece[:middle]]
    return found


def _reason(refused: Refused) -> Reason:
    """Say where and why; the engine quotes nothing of what stands in the message."""
    fault = refused.faults[0]
    return Reason(MALFORMED, f"{fault.where}: {fault.sentence}"[:MAXIMUM_INFORMATION])
