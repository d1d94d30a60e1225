"""How the API behaves in one deployment."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from connector.flows.services import Services

MEBIBYTE: Final = 1024 * 1024


class Role(StrEnum):
    """On whose behalf a caller acts."""

    SOURCE = "source"  # a Source BB, only for itself
    INSTITUTION = "institution"  # an FSP, only under its own /fsp/{code}
    ADMIN = "admin"  # the operator; may do everything


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token by its SHA-256 (lower-case hex), and whom it stands for.

    name: SourceBBID or registering institution, institution code, or the operator's name for the event log.
    """

    sha256: str
    role: Role
    name: str

    @classmethod
    def of(cls, secret: str, role: Role, name: str) -> "Token":
        """Make the entry for a secret that is known in clear."""
        return cls(sha256(secret.encode()).hexdigest(), role, name)


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Everything that can be chosen about the API.

    profile: ``sandbox`` runs open (no authentication) unless tokens are sent; ``production`` demands a token.
    lengths_strict: id lengths exactly as the contract has them, otherwise up to 36 characters.
    max_body_bytes: above it a request is answered 413; max_report_bytes: the same for XML reports.
    off_loop_bytes: bodies from this size on are parsed in a thread.
    callback_headers: spellings of the callback header, without regard to case, in order of preference.
    callback_verb: ``POST`` (v3.0) or ``PUT``; callback_https: whether callback URLs must be https.
    simulators_url: where /sim/* is passed on to ("" switches it off).
    suv_clients: SHA-256 (lower-case hex) of each retail client's password by its id; none: a sandbox lets everybody
    in, production nobody. suv_product: voucher group where a retail client names none; suv_settlement_entity,
    suv_receiver: whom the merchant settles with, and who keeps the vouchers, by the ids that clients know.
    reset: empties a sandbox and fills it again, gives how much of what there is then (``None``: not offered).
    """

    profile: str = "sandbox"
    lengths_strict: bool = True
    max_body_bytes: int = 512 * MEBIBYTE
    max_report_bytes: int = 64 * MEBIBYTE
    off_loop_bytes: int = 64 * 1024
    callback_headers: tuple[str, ...] = ("X-Callback-URL", "X-CallbackURL", "X-Callback_URL")
    callback_verb: str = "POST"
    callback_https: bool = False
    simulators_url: str = ""
    tokens: tuple[Token, ...] = ()
    public_url: str = "http://localhost:3333"
    suv_clients: tuple[tuple[str, str], ...] = ()
    suv_product: str = "RETAIL"
    suv_settlement_entity: str = "ISOGATE"
    suv_receiver: str = "ISOGATE"
    reset: Callable[[Services], Awaitable[Mapping[str, int]]] | None = None

    @property
    def open(self) -> bool:
        """Whether callers without a token are let in."""
        return self.profile == "sandbox"
