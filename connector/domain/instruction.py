"""Credit instructions: as the ministry sent them, and as they are paid."""

from typing import NamedTuple


class CreditInstruction(NamedTuple):
    """One payment as it came in: who (by functional id, or directly by address) and how much.

    amount_minor is in minor units of currency. address and institution are set only where the Source BB itself
    named the account (v3.0 ``creditParty`` with an account or MSISDN instead of a functional id); name: the payee's,
    where it is known besides.
    """

    instruction_id: str
    payee_functional_id: str
    amount_minor: int
    currency: str
    narration: str = ""
    address: str = ""
    institution: str = ""
    modality: str = ""
    name: str = ""


class Credit(NamedTuple):
    """One payment as it goes out, with everything resolved. Institution, modality and currency are the chunk's.

    named: institution and modality as the Source BB gave them with the address; ``None`` where the mapper was asked.
    """

    position: int  # within the batch, from 0
    instruction_id: str
    end_to_end_id: str
    payee_functional_id: str
    amount_minor: int
    address: str
    name: str
    narration: str
    named: tuple[str, str] | None = None


class Reason(NamedTuple):
    """Why an instruction has its status: an ISO 20022 reason code and additional information."""

    code: str
    information: str = ""
