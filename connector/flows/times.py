"""When something is tried again. Pure."""

from connector.store import Entry


def backoff(first_seconds: float, attempt: int, most_seconds: float) -> float:
    """Double the delay with every attempt (counted from 0), up to ``most_seconds``."""
    return min(most_seconds, first_seconds * 2.0 ** min(attempt, 30))


def attempt_of(entry: Entry) -> int:
    """How often the entry's task was put off so far."""
    return int(entry.task.data) if entry.task.data.isdecimal() else 0
