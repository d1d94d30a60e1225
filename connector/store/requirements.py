"""What a server must be like before money is entrusted to it."""

from connector.domain.errors import Misconfigured
from connector.store.embedded import OLDEST
from connector.store.link import Link


async def check(link: Link) -> None:
    """Look at version, persistence and eviction of every server. Raises Misconfigured naming what to change."""
    for info in await link.ask_everywhere("INFO", "everything"):
        _check(_facts(info))


def _check(facts: dict[str, str]) -> None:
    version = facts.get("redis_version", "0.0")
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) < OLDEST:
        raise _unfit("redis_version", f"the server is version {version}; 7.0 or newer is needed")
    if facts.get("aof_enabled") != "1":
        raise _unfit("appendonly", "the server does not keep what it is told; set appendonly yes")
    if facts.get("maxmemory_policy") != "noeviction":
        raise _unfit("maxmemory-policy", "the server throws data away when memory is short; set noeviction")


def _facts(info: object) -> dict[str, str]:
    """Read INFO, which a client may already have taken apart."""
    if isinstance(info, dict):
        return {str(name): str(value) for name, value in info.items()}
    text = info.decode() if isinstance(info, bytes) else str(info)
    return dict(line.strip().split(":", 1) for line in text.splitlines() if ":" in line)


def _unfit(setting: str, sentence: str) -> Misconfigured:
    return Misconfigured("store", 0, setting, sentence)
