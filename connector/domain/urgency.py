"""Whether what is being done at the moment is urgent: known wherever it may have to wait for its turn."""

from contextvars import ContextVar
from typing import Final

URGENT: Final[ContextVar[bool]] = ContextVar("urgent", default=False)
"""Set by whoever begins a piece of work, for all that it leads to; threads that are given work know it as well."""
