"""What happened to a batch: one line of its event log."""

from typing import NamedTuple


class Event(NamedTuple):
    """Who did what, when, from where, and how it went.

    at: Unix seconds; actor: a Source BB, an institution, an operator or a worker; action: a verb phrase
    (``batch accepted``, ``chunk sent``); origin: address or process it came from; outcome: ``ok`` or why not;
    detail: further facts, never an account number.
    """

    at: float
    actor: str
    action: str
    origin: str
    outcome: str
    detail: str = ""
