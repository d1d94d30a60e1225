"""Request bodies on disk, made before the clock starts: the client then only passes on bytes, however many."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from connector.cli.people import payable_people
from connector.cli.source_bb import credit_v3

CURRENCY: Final = "USD"
PIECE: Final = 5_000
"""Credits that are written to disk at once."""


class Body(NamedTuple):
    """One batch: the file with its request body, and which payments of the run are in it."""

    path: Path
    first: int
    payments: int

    @property
    def total_minor(self) -> int:
        """The sum of its amounts."""
        return sum(map(amount, range(self.first, self.first + self.payments)))


def amount(number: int) -> int:
    """Give the amount of the payment with this number in the run, in cents."""
    return 1000 + number % 9000


def write_bodies(folder: Path, payments: int, batch_size: int, first: int = 0) -> list[Body]:
    """Write one body of contract v3.0 for each batch; first: the number of the first payment."""
    end = first + payments
    return [_written(folder, start, min(batch_size, end - start)) for start in range(first, end, batch_size)]


def _written(folder: Path, first: int, count: int) -> Body:
    body = Body(folder / f"batch-{first}.json", first, count)
    with body.path.open("wb") as file:
        file.write(b"[")
        separator = b""
        for piece in _pieces(first, count):
            file.write(separator + piece)
            separator = b","
        file.write(b"]")
    return body


def _pieces(first: int, count: int) -> Iterator[bytes]:
    """Write credits as they stand in an array, some thousands at once."""
    encoder = msgspec.json.Encoder()
    numbered = enumerate(payable_people(count, first), first)
    while some := list(islice(numbered, PIECE)):
        yield encoder.encode([credit_v3(n, person, amount(n), CURRENCY) for n, person in some])[1:-1]
