"""Points in time as answers write them."""

from datetime import UTC, datetime


def moment(seconds: float) -> str | None:
    """Write Unix seconds as ISO 8601 in UTC; ``None`` for 0."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z") if seconds else None
