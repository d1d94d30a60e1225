"""Settlement between participants: notes to the switch, and advices from it, each booked once by its reference."""

import json
from typing import Final

import msgspec

from simulators.details import Detail
from simulators.house import House, Outgoing
from simulators.outbox import Job
from simulators.world import SWITCH_CODE

SETTLE: Final = "settle"
ADVISE: Final = "advise"


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payer's note to the switch: move this much from the payer to the payee; minor units."""

    reference: str
    currency: str
    minor: int
    payer: str
    payee: str


class Advice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The switch's note to a participant whose customer paid through it (a negative amount: was given back).

    message_id: of the customer's order at the switch; items: the payments that make up the amount.
    """

    reference: str
    currency: str
    minor: int
    account: str
    message_id: str = ""
    items: list[Detail] = []


def settle_job(payer: str, payee: str, reference: str, currency: str, minor: int) -> list[Job]:
    """Ask the switch to settle; nothing to ask where no money moves between two participants."""
    if not minor or payer == payee or payee in {"", SWITCH_CODE}:
        return []
    note = Settlement(reference, currency, minor, payer, payee)
    return [Job(f"settle-{reference}", SETTLE, SWITCH_CODE, payload=msgspec.json.encode(note))]


def advise_job(participant: str, advice: Advice) -> list[Job]:
    """Tell a participant what was settled for its customer."""
    if not advice.minor or not participant:
        return []
    return [Job(f"advise-{advice.reference}", ADVISE, participant, payload=msgspec.json.encode(advice))]


def note(house: House, job: Job) -> Outgoing:
    """Make the request that carries a note."""
    path = "settlements" if job.kind == SETTLE else "advices"
    return house.json_to(f"{house.settings.url_of(job.target)}/{path}", json.loads(job.payload))
