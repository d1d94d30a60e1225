"""What a cluster wants to know about commands and addresses: keys, slots, and reads of streams in many slots."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from connector.store.server import LONGEST_BLOCK_SECONDS, Argument, Command, Reply

CLUSTER_SCHEMES: Final = {"redis+cluster": "redis", "rediss+cluster": "rediss"}

WITHOUT_KEY: Final = frozenset(
    {"ASKING", "CLIENT", "CLUSTER", "CONFIG", "DBSIZE", "FLUSHALL", "FUNCTION", "INFO", "KEYS", "PING", "WAIT"}
)
WITH_KEY_COUNT: Final = frozenset({"EVAL", "EVAL_RO", "EVALSHA", "FCALL", "FCALL_RO"})
WITH_STREAMS: Final = frozenset({"XREAD", "XREADGROUP"})
WITH_SUBCOMMAND: Final = frozenset({"MEMORY", "OBJECT", "XGROUP", "XINFO"})


def key_of(command: Command) -> bytes | None:
    """Find the first key of a command; ``None`` where it has none and concerns the whole server."""
    name = str(command[0]).upper()
    if name in WITHOUT_KEY:
        return None
    if name in WITH_KEY_COUNT:
        return _bytes(command[3]) if int(command[2]) else None
    if name in WITH_STREAMS:
        return _bytes(command[list(command).index("STREAMS") + 1])
    return _bytes(command[2 if name in WITH_SUBCOMMAND else 1])


def divided(command: Command) -> tuple[list[Command], float]:
    """Divide an XREAD or XREADGROUP by slots; give the parts, which do not block, and for how long it wanted to."""
    options, streams = _parted(command)
    names, identifiers = streams[: len(streams) // 2], streams[len(streams) // 2 :]
    if "$" in identifiers:
        raise ValueError("a stream on a cluster is read from an explicit id")
    block = options.index("BLOCK")
    seconds = int(options[block + 1]) / 1000
    by_slot: dict[int, list[tuple[Argument, Argument]]] = {}
    for name, identifier in zip(names, identifiers, strict=True):
        by_slot.setdefault(key_slot(_bytes(name)), []).append((name, identifier))
    plain = [*options[:block], *options[block + 2 :]]
    reads = [[*plain, "STREAMS", *(n for n, _ in pairs), *(i for _, i in pairs)] for pairs in by_slot.values()]
    return list(reads), min(seconds or LONGEST_BLOCK_SECONDS, LONGEST_BLOCK_SECONDS)


def streams_of(answer: Reply) -> list[tuple[bytes, Reply]]:
    """Give stream and entries of an XREAD or XREADGROUP reply; nothing where there was no entry."""
    return list(answer.items()) if isinstance(answer, dict) else [(name, entries) for name, entries in answer or ()]


def seeds(url: str) -> list[str]:
    """Take a cluster's URL apart: one URL of a server for each address in it."""
    parts = urlsplit(url)
    user, at, addresses = parts.netloc.rpartition("@")
    scheme = CLUSTER_SCHEMES[parts.scheme]
    return [urlunsplit((scheme, f"{user}{at}{each}", "", parts.query, "")) for each in addresses.split(",") if each]


def address(model: str, host: str, port: int) -> str:
    """Make the URL of another server of the same cluster; without a host it is the model's with another port."""
    parts = urlsplit(model)
    user, at, _ = parts.netloc.rpartition("@")
    name = host or parts.hostname or ""
    return urlunsplit(parts._replace(netloc=f"{user}{at}{f'[{name}]' if ':' in name else name}:{port}"))


def slots(ranges: Iterable[Sequence[Reply]], asked: str) -> list[str]:
    """Read the answer to CLUSTER SLOTS: the URL of each slot's primary, empty where a slot has none."""
    found = [""] * REDIS_CLUSTER_HASH_SLOTS
    for first, last, primary, *_ in ranges:
        url = address(asked, (primary[0] or b"").decode(), primary[1])
        found[first : last + 1] = [url] * (last + 1 - first)
    return found


def _parted(command: Command) -> tuple[list[Argument], list[Argument]]:
    """Part the options of a read from its streams and ids."""
    arguments = list(command)
    streams = arguments.index("STREAMS")
    return arguments[:streams], arguments[streams + 1 :]


def _bytes(key: Argument) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()
