"""Invented people of the sandbox: functional ids, and addresses at its four payee institutions."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector.domain.beneficiary import PaymentModality

MOBILE: Final = frozenset({"KASHXU22", "TELAXU22"})
PREFIXES: Final = {"UNIOXU22": "10", "HARBXU22": "20", "KASHXU22": "+99970", "TELAXU22": "+99971"}
"""The payee institutions of the sandbox, and how their account numbers or MSISDNs begin."""

PAYABLE: Final = "00"
UNREGISTERED: Final = ""
RETURNED: Final = "9920"
FATES: Final = ((UNREGISTERED, 0.02), ("9901", 0.02), ("9904", 0.03), ("9909", 0.01), (RETURNED, 0.02))
"""Last digits of an address with a fate at the simulated institutions (unknown, closed, deceased, returned after
three days; none: not in the account mapper), and the share of people who have it."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is to be paid; address "" is one whom the account mapper does not know."""

    functional_id: str
    institution: str
    address: str

    @property
    def modality(self) -> str:
        """GovStack code of how the person is paid."""
        mobile = self.institution in MOBILE
        return (PaymentModality.MOBILE_MONEY if mobile else PaymentModality.BANK_ACCOUNT).value


def payable_people(count: int, first: int = 0) -> Iterator[Person]:
    """Invent people who can all be paid, evenly over the institutions; first: the number of the first one."""
    for number in range(first, first + count):
        institution = list(PREFIXES)[number % len(PREFIXES)]
        yield Person(_functional_id(number), institution, _address(institution, number // len(PREFIXES), PAYABLE))


def people_of_all_fates(count: int, seed: int = 1) -> Iterator[Person]:
    """Invent people of whom some cannot be paid or give the money back; the same ones for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - an invented population, no secret
    for person in payable_people(count):
        fate = _fate(draw.random())
        number = int(person.functional_id[1:]) // len(PREFIXES)
        address = _address(person.institution, number, fate) if fate else ""
        yield Person(person.functional_id, person.institution, address)


def _fate(chance: float) -> str:
    for suffix, share in FATES:
        if chance < share:
            return suffix
        chance -= share
    return PAYABLE


def _functional_id(number: int) -> str:
    return f"P{number:019d}"


def _address(institution: str, number: int, suffix: str) -> str:
    """Form an address that ends in the suffix: 12 digits after a bank's prefix, 8 after an operator's."""
    width = 8 if institution in MOBILE else 12
    room = width - len(suffix)
    return f"{PREFIXES[institution]}{number % 10**room:0{room}d}{suffix}"
