"""Which institution executes a programme's chunks, and by which message. Pure."""

from dataclasses import dataclass
from typing import Final

from connector.domain.batch import BatchKind
from connector.domain.directory import Directory, Institution, Programme, Route
from connector.domain.errors import Refused

PAYMENT_MESSAGE: Final = {Route.PAYER_BANK: "pain.001.001.09", Route.SWITCH: "pacs.008.001.08"}
VERIFICATION_MESSAGE: Final = "acmt.023.001.03"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a programme's chunks go and as what: the programme, who executes it, and the message's name."""

    programme: Programme
    executor: Institution
    message: str


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
    return Way(programme, executor, PAYMENT_MESSAGE[programme.route] if paying else VERIFICATION_MESSAGE)
