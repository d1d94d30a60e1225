"""Emptying a store, for the sandbox: everything goes but what tells processes how the store is laid out."""

import re
from typing import Final

from connector.store.link import Link

AT_ONCE: Final = 1000
KEPT: Final = re.compile(rb"ig:\{p\d+\}:(?:format|layout|directory:version|serials|payouts:turn)")
"""Counters go on, so that no name is given twice: processes and institutions may remember the old ones."""


async def clear(link: Link) -> int:
    """Delete all keys but the ones to keep, on every primary; tell how many. Workers find their streams anew."""
    found = [key for keys in await link.ask_everywhere("KEYS", "ig:*") for key in keys if not KEPT.fullmatch(key)]
    for some in (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE)):
        await link.ask_all([("UNLINK", key) for key in some])
    return len(found)
