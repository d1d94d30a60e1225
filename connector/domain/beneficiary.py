"""Where a person is to be paid: the account mapper's entries.

Source: GovStack Payments v3.0, RegisterBeneficiaryRequest, UpdateBeneficiaryRequest.
"""

from enum import StrEnum
from typing import NamedTuple


class PaymentModality(StrEnum):
    """How a person is paid (GovStack PaymentModality)."""

    BANK_ACCOUNT = "00"
    MOBILE_MONEY = "01"
    VOUCHER = "02"
    DIGITAL_WALLET = "03"
    PROXY = "04"


class Beneficiary(NamedTuple):
    """One entry of the account mapper.

    functional_id: the ministry's id of the person; modality: "" where not given yet;
    institution: banking institution code (BIC or a scheme's own), "" where it is to be found from the address;
    address: account number, IBAN, MSISDN or wallet id, never logged; active: false once switched off (status 1).
    """

    functional_id: str
    modality: str = ""
    institution: str = ""
    address: str = ""
    name: str = ""
    active: bool = True


class FailedCase(NamedTuple):
    """A beneficiary that could not be registered or updated, and why."""

    functional_id: str
    modality: str
    institution: str
    reason: str
