"""The server-side function library: the .lua files of this folder and those below it, joined into one.

The shared part goes first; every other file stands beside the module that calls its functions.
"""

import hashlib
from importlib.resources import files
from typing import Final

NAME: Final = "isogate"
_PARTS: Final = (
    "outbox",
    "queue",
    "places",
    "batches",
    "archiving",
    "funds",
    "mapper",
    "requests",
    "callbacks",
    "directory",
    "statements",
    "reconciliations",
    "vouchers/ledger",
    "vouchers/vouchers",
    "vouchers/redemptions",
    "vouchers/archive",
    "vouchers/messages",
)


def _joined() -> str:
    folder = files(__package__)
    return "\n".join(folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in _PARTS)


_BODY: Final = _joined()

VERSION: Final = hashlib.sha256(_BODY.encode()).hexdigest()[:16]
"""Names the content; a server with another version gets this one."""

TEXT: Final = (
    f"#!lua name={NAME}\n{_BODY}\n"
    f"redis.register_function{{function_name='{NAME}_version', callback=function() return '{VERSION}' end, "
    f"flags={{'no-writes'}}}}\n"
)
