"""Invented people of the sandbox's country: functional ids, and addresses at its four payee institutions."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector.domain.beneficiary import PaymentModality

FAMILY: Final = ("Abara", "Benali", "Castro", "Dlamini", "Eze", "Farah", "Gomes", "Haile", "Idris", "Jansen", "Kamau")
GIVEN: Final = ("Amina", "Bela", "Chidi", "Dina", "Elias", "Fatou", "Goran", "Hana", "Ivo", "Jamal", "Lina", "Musa")
INSTITUTIONS: Final = ("UNIOXU22", "HARBXU22", "KASHXU22", "TELAXU22")
_PREFIXES: Final = {"UNIOXU22": "10", "HARBXU22": "20", "KASHXU22": "+99970", "TELAXU22": "+99971"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is to be paid; ``fate`` says what the simulated institutions will do with the payment."""

    functional_id: str
    institution: str
    address: str
    name: str
    fate: str = "paid"

    @property
    def modality(self) -> str:
        """GovStack code of how the person is paid."""
        mobile = self.address.startswith("+")
        return (PaymentModality.MOBILE_MONEY if mobile else PaymentModality.BANK_ACCOUNT).value


def people(count: int, seed: int = 1) -> Iterator[Person]:
    """Invent ``count`` people, the same for the same seed; all of them can be paid."""
    draw = random.Random(seed)  # noqa: S311 - an invented population, no secret
    for number in range(count):
        institution = INSTITUTIONS[number % len(INSTITUTIONS)]
        name = f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}"
        yield Person(f"P{number:019d}", institution, address_of(institution, number), name)


def address_of(institution: str, number: int, suffix: str = "0") -> str:
    """Form an account number or MSISDN of the institution; ``suffix`` are its last digits (the magic values)."""
    width = 8 if institution in {"KASHXU22", "TELAXU22"} else 12
    return _PREFIXES[institution] + f"{number}{suffix}".rjust(width, "0")
