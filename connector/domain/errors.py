"""Every error that IsoGate raises on purpose, in one tree.

    IsoGateError
    ├── Refused        the input is wrong; says where, which code, and what to do      (HTTP 400)
    ├── Conflict       a used id came back with other content                          (HTTP 400 or 409)
    ├── NotFound       nothing is known under this id                                  (HTTP 404)
    ├── NotPermitted   the thing exists, but its state forbids the step                (HTTP 409)
    ├── Misconfigured  a profile, code table or setting cannot be used                 (start refused)
    ├── Unavailable    a peer or the store did not answer                              (HTTP 503)
    └── OutOfTurn      an institution has more to do than it takes at once             (no step of a request)

None of them carries an account number, a voucher number or a token in its text.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that is wrong with an input.

    where: a JSON pointer (``/CreditInstructions/3/Amount``) or an element path (``CstmrCdtTrfInitn/GrpHdr/MsgId``);
    code: an ISO 20022 reason code (``AM09``) or one of IsoGate's own lower-case words (``too_long``);
    sentence: what a person can act on, without personal data.
    """

    where: str
    code: str
    sentence: str


def _placed(where: str, sentence: str) -> str:
    return f"{where}: {sentence}" if where else sentence


class IsoGateError(Exception):
    """The root of the tree."""


class Refused(IsoGateError):
    """The input is wrong and nothing was changed."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep at least one fault, in the order in which they were found."""
        self.faults = tuple(faults)
        super().__init__("; ".join(_placed(fault.where, fault.sentence) for fault in self.faults[:3]))

    @classmethod
    def because(cls, where: str, code: str, sentence: str) -> "Refused":
        """Refuse for a single reason."""
        return cls((Fault(where, code, sentence),))


class Conflict(IsoGateError):
    """An id that was used before came back with different content."""

    def __init__(self, what: str, identifier: str) -> None:
        """Name the kind of thing (``BatchID``) and the id that is taken."""
        self.what = what
        self.identifier = identifier
        super().__init__(f"{what} {identifier} was used before with different content")


class NotFound(IsoGateError):
    """Nothing is known under this id."""

    def __init__(self, what: str, identifier: str) -> None:
        """Name the kind of thing (``batch``) and the id that was asked for."""
        self.what = what
        self.identifier = identifier
        super().__init__(f"there is no {what} {identifier}")


class NotPermitted(IsoGateError):
    """The state of the thing forbids this step."""

    def __init__(self, what: str, identifier: str, state: str) -> None:
        """Name the thing and the state that it is in."""
        self.what = what
        self.identifier = identifier
        self.state = state
        super().__init__(f"{what} {identifier} is {state}, which does not permit this")


class Misconfigured(IsoGateError):
    """A profile, table or setting cannot be used; says in which file, on which line, at which path and why."""

    def __init__(self, file: str, line: int, path: str, sentence: str) -> None:
        """Keep the place (line 0: the file as a whole; path may be empty) and the reason."""
        self.file = file
        self.line = line
        self.path = path
        self.sentence = sentence
        super().__init__(_placed(f"{file}:{line}" if line else file, _placed(path, sentence)))


class Unavailable(IsoGateError):
    """A peer or the store did not answer; the step may be repeated."""

    def __init__(self, what: str, sentence: str, retry_after_seconds: float = 1.0) -> None:
        """Name who did not answer, why as far as known, and when to try again."""
        self.what = what
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{what}: {sentence}")


class OutOfTurn(IsoGateError):
    """An institution was busy with other exchanges all the time; nothing was sent."""

    def __init__(self, institution: str) -> None:
        """Name the institution."""
        super().__init__(f"{institution} is busy with other exchanges")
