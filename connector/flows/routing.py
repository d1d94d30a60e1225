"""Which institution executes a programme's chunks, by which message and on which terms. Pure."""

from dataclasses import dataclass
from typing import Final

from connector.domain.batch import BatchKind
from connector.domain.directory import Directory, Institution, Programme, Route
from connector.domain.errors import Refused
from connector.iso20022.scheme import Job, Scheme

ANSWER_SECONDS: Final = 30.0
INQUIRIES: Final = 10
"""What holds where neither the institution nor its scheme says anything."""

_PAYING: Final = {Route.PAYER_BANK: Job.INITIATION, Route.SWITCH: Job.INTERBANK}
_RECALLING: Final = {Route.PAYER_BANK: Job.RECALL, Route.SWITCH: Job.INTERBANK_RECALL}


@dataclass(frozen=True, slots=True)
class Way:
    """Where a programme's chunks go and as what: the programme, who executes it, and the message's job."""

    programme: Programme
    executor: Institution
    job: Job

    @property
    def switched(self) -> bool:
        """Whether the programme's funding agent takes part in a switch itself."""
        return self.programme.route is Route.SWITCH

    @property
    def recalling(self) -> Job:
        """The job of the message that asks for money back on this way."""
        return _RECALLING[self.programme.route]


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms an institution is spoken to: its own, else its scheme's, else the defaults.

    answer_seconds: silence after which it is asked; inquiries: questions without an answer until the operator is
    alerted; transactions: most credits in a message.
    """

    scheme: Scheme
    answer_seconds: float
    inquiries: int
    transactions: int


def terms_of(scheme: Scheme, institution: Institution) -> Terms:
    """Put an institution's terms together."""
    limit = scheme.transactions or institution.chunk_size
    return Terms(
        scheme,
        institution.answer_within_seconds or scheme.answer_seconds or ANSWER_SECONDS,
        institution.inquiries or scheme.inquiries or INQUIRIES,
        min(institution.chunk_size, limit),
    )


def way_of(directory: Directory, programme_id: str, kind: BatchKind, executor_code: str = "") -> Way:
    """Find the way of a programme's chunks; raises ``Refused`` where the directory does not lead anywhere.

    executor_code: who has the chunk already, whatever the programme says since.
    """
    programme = directory.programmes.get(programme_id)
    if programme is None:
        raise Refused.because("/programme", "unknown_programme", f"There is no programme {programme_id}.")
    executor = directory.institutions.get(executor_code or programme.payer_bank)
    if executor is None or not executor.url:
        raise Refused.because(
            "/programme",
            "no_way_out",
            f"Programme {programme_id} is executed by an institution that is not connected.",
        )
    paying = kind is BatchKind.DISBURSEMENT
    return Way(programme, executor, _PAYING[programme.route] if paying else Job.VERIFICATION)
