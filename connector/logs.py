"""Logging: one structlog pipeline for our own lines and those of libraries, as text or JSON.

Personal data has no place in a log. Callers pass none; a processor also masks every field that is named so.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

PERSONAL: Final = frozenset(
    {
        "account", "address", "authorization", "body", "creditor_account", "financial_address", "iban", "msisdn",
        "name", "password", "payee", "pin", "token", "voucher", "voucher_number",
    }
)  # fmt: skip
"""Names of fields that never show their value."""


def masked(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's signature
    """Hide the values of fields that are named like personal data or secrets."""
    for field in PERSONAL & line.keys():
        line[field] = "***"
    return line


def configure(process: str, *, as_json: bool = False, level: str = "INFO") -> None:
    """Send every log line of this process to standard error, marked with the process's name."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        masked,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(as_json=as_json))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # on a malformed request it logs the offending line, which may be a header with a token; our own frame logs faults
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def _rendering(*, as_json: bool) -> list[structlog.typing.Processor]:
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        last,
    ]
